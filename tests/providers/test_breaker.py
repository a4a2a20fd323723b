"""The circuit breaker on a clock that only waiting moves."""

import asyncio

import pytest

from discovery.providers.breaker import (
    FAILURE_THRESHOLD,
    FAILURE_TTL_SECONDS,
    FIRST_OPEN_SECONDS,
    MAX_OPEN_FACTOR,
    MAX_OPEN_FACTOR_REQUIRED,
    PROBE_SECONDS,
    Breaker,
    LocalBreakerStore,
    counts_as_failure,
)
from discovery.providers.errors import (
    BadPayload,
    BadRequest,
    CircuitOpen,
    KeyRefused,
    NotFound,
    QuotaUsedUp,
    RateLimited,
    ServerFailed,
    Unreachable,
    Unsupported,
)
from tests.providers.fake_time import in_fake_time

CAUSE = "server error (HTTP 503)"
TIMEOUT = 60.0


def with_breaker(work, **options):
    """Run `work(breaker, clock)` in time that costs nothing."""

    async def main(clock):
        return await work(
            Breaker("someone", LocalBreakerStore(clock), **options), clock
        )

    return in_fake_time(main)


async def fail(breaker, times=FAILURE_THRESHOLD):
    """Record that many failures in a row; return the open time of the last."""
    return [
        await breaker.record_failure(f"failed {number}", CAUSE)
        for number in range(times)
    ][-1]


async def probe(breaker, request_id="probe", timeout_seconds=10_000.0):
    """Wait until the breaker admits the request."""
    return await breaker.wait(request_id, timeout_seconds)


async def fail_until_open_for(breaker, factor):
    """Let probes fail until the circuit is open for `factor` times the first open time."""
    await fail(breaker)
    open_seconds = 0.0
    while open_seconds < FIRST_OPEN_SECONDS * factor:
        await probe(breaker)
        open_seconds = await breaker.record_failure("probe", CAUSE)


def test_failures_in_a_row_open_the_circuit():
    async def work(breaker, _):
        opened = [
            await breaker.record_failure(f"request {number}", CAUSE)
            for number in range(FAILURE_THRESHOLD)
        ]
        return opened, await breaker.allows("another")

    assert with_breaker(work) == ([0, 0, 0, 0, 30], False)


def test_a_response_between_failures_keeps_the_circuit_closed():
    async def work(breaker, _):
        for _ in range(3):
            await fail(breaker, FAILURE_THRESHOLD - 1)
            assert await breaker.record_success("succeeded") is False
        return await breaker.allows("another")

    assert with_breaker(work)


def test_a_request_with_enough_timeout_waits_until_it_is_admitted():
    async def work(breaker, clock):
        await fail(breaker)
        waited = await breaker.wait("patient", TIMEOUT)
        return waited, clock()

    assert with_breaker(work) == (pytest.approx(30), pytest.approx(30))


def test_a_request_with_too_short_a_timeout_is_refused_at_once_with_cause_and_time():
    async def work(breaker, clock):
        await fail(breaker)
        await asyncio.sleep(4)
        with pytest.raises(CircuitOpen) as refused:
            await breaker.wait("hasty", 25)
        return refused.value, clock()

    error, now = with_breaker(work)
    assert now == pytest.approx(4)
    assert (error.provider, error.wait_seconds, error.retryable) == (
        "someone",
        pytest.approx(26),
        True,
    )
    assert (error.code, error.cause) == (
        "circuit_open",
        f"circuit open after repeated failures, the last: {CAUSE}",
    )


def test_only_one_request_is_admitted_as_probe_and_may_retry():
    async def work(breaker, _):
        await fail(breaker)
        await asyncio.sleep(30)
        admitted = [await breaker.allows(f"request {number}") for number in range(20)]
        return admitted, await breaker.allows("request 0")

    assert with_breaker(work) == ([True] + [False] * 19, True)


def test_the_response_to_a_probe_admits_all_waiting_requests():
    async def work(breaker, clock):
        await fail(breaker)
        await probe(breaker)
        others = [
            asyncio.ensure_future(breaker.wait(f"request {number}", TIMEOUT))
            for number in range(20)
        ]
        await asyncio.sleep(5)
        assert not any(other.done() for other in others)
        closed = await breaker.record_success("probe")
        await asyncio.gather(*others)
        return closed, clock()

    closed, now = with_breaker(work)
    assert closed
    assert 35 <= now <= 36


def test_a_failed_probe_doubles_the_open_time_up_to_the_maximum():
    async def work(breaker, _):
        opened = [await fail(breaker)]
        for _ in range(6):
            await probe(breaker)
            opened.append(await breaker.record_failure("probe", CAUSE))
        return opened

    assert with_breaker(work) == [30, 60, 120, 240, 300, 300, 300]


def test_a_response_resets_all_counts():
    async def work(breaker, _):
        await fail(breaker)
        await probe(breaker)
        await breaker.record_failure("probe", CAUSE)
        await probe(breaker)
        assert await breaker.record_success("probe")
        few = await fail(breaker, FAILURE_THRESHOLD - 1)
        return few, await breaker.record_failure("the last", CAUSE)

    assert with_breaker(work) == (0, FIRST_OPEN_SECONDS)


def test_failures_of_requests_in_flight_do_not_prolong_the_open_time():
    async def work(breaker, clock):
        await fail(breaker)
        late = [
            await breaker.record_failure(f"late {number}", CAUSE)
            for number in range(50)
        ]
        await probe(breaker)
        late += [
            await breaker.record_failure(f"later {number}", CAUSE)
            for number in range(50)
        ]
        return set(late), clock(), await breaker.allows("probe")

    assert with_breaker(work) == ({0}, pytest.approx(30), True)


def test_a_response_to_a_request_in_flight_closes_the_circuit():
    async def work(breaker, clock):
        await fail(breaker)
        waiting = asyncio.ensure_future(breaker.wait("patient", TIMEOUT))
        await asyncio.sleep(3)
        closed = await breaker.record_success("begun before")
        await waiting
        return closed, clock()

    closed, now = with_breaker(work)
    assert closed
    assert now <= 4


def test_an_abandoned_probe_releases_its_slot():
    async def work(breaker, _):
        await fail(breaker)
        await probe(breaker)
        await breaker.release("somebody else")
        before = await breaker.allows("another")
        await breaker.release("probe")
        return before, await breaker.allows("another")

    assert with_breaker(work) == (False, True)


def test_a_lost_probe_is_replaced_and_its_late_failure_ignored():
    async def work(breaker, clock):
        await fail(breaker)
        await probe(breaker, "lost")
        waited = await breaker.wait("next", TIMEOUT)
        return (
            waited,
            await breaker.record_failure("lost", CAUSE),
            await breaker.record_failure("next", CAUSE),
        )

    assert with_breaker(work) == (pytest.approx(PROBE_SECONDS), 0, 60)


def test_a_probe_that_retries_keeps_its_slot():
    async def work(breaker, _):
        await fail(breaker)
        await probe(breaker)
        for _ in range(3):
            await asyncio.sleep(PROBE_SECONDS - 1)
            assert await breaker.allows("probe")
            assert not await breaker.allows("another")

    with_breaker(work)


def test_a_request_that_waits_for_a_probe_beyond_its_timeout_is_refused():
    async def work(breaker, clock):
        await fail(breaker)
        await probe(breaker)
        with pytest.raises(CircuitOpen):
            await breaker.wait("patient", 10)
        return clock()

    assert 39 <= with_breaker(work) <= 40


def test_old_failures_are_forgotten():
    async def work(breaker, _):
        await fail(breaker, FAILURE_THRESHOLD - 1)
        await asyncio.sleep(FAILURE_TTL_SECONDS + 1)
        return await breaker.record_failure("today", CAUSE)

    assert with_breaker(work) == 0


def test_each_provider_has_a_breaker_of_its_own():
    async def work(clock):
        store = LocalBreakerStore(clock)
        await fail(Breaker("one", store))
        return await Breaker("other", store).allows("request")

    assert in_fake_time(work)


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (Unreachable("p", "c"), True),
        (ServerFailed("p", "c"), True),
        (RateLimited("p", "c"), True),
        (BadPayload("p", "c"), False),
        (KeyRefused("p", "c"), False),
        (QuotaUsedUp("p", "c"), False),
        (NotFound("p", "c"), False),
        (Unsupported("p", "c"), False),
        (BadRequest("p", "c"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_an_unreachable_failing_or_overloaded_provider_counts_as_failed(
    error, counts
):
    assert counts_as_failure(error) is counts


@pytest.mark.parametrize("begins", [0, 10, 30, 44, 45, 46, 60, 89])
def test_no_step_loses_all_attempts_to_an_open_circuit_of_a_required_provider(begins):
    """Attempts of a step are a quarter and a half of the timeout apart
    (discovery/jobs/step_runner.py).
    """

    async def work(breaker, clock):
        await fail_until_open_for(breaker, MAX_OPEN_FACTOR_REQUIRED)
        await asyncio.sleep(begins)
        for pause in (TIMEOUT / 4, TIMEOUT / 2, None):
            try:
                return await breaker.wait("request", TIMEOUT)
            except CircuitOpen:
                if pause is not None:
                    await asyncio.sleep(pause)
        return None

    assert (
        with_breaker(work, max_seconds=FIRST_OPEN_SECONDS * MAX_OPEN_FACTOR_REQUIRED)
        is not None
    )


def test_a_provider_that_is_not_required_does_not_delay_a_step():
    async def work(breaker, clock):
        await fail_until_open_for(breaker, MAX_OPEN_FACTOR)
        began = clock()
        for number in range(100):
            with pytest.raises(CircuitOpen):
                await breaker.wait(f"request {number}", TIMEOUT)
        return clock() - began

    assert with_breaker(work) == 0

"""The circuit breaker on a clock that only waiting moves."""

import asyncio

import pytest
from fake_time import in_fake_time

from discovery.providers.breaker import (
    FIRST_OPEN_SECONDS,
    FORGOTTEN_SECONDS,
    MAX_OPEN_FACTOR,
    MAX_OPEN_FACTOR_REQUIRED,
    OPENS_AFTER,
    PROBE_SECONDS,
    Breaker,
    LocalBreakerStore,
    is_failure,
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

CAUSE = "server error (HTTP 503)"
PATIENCE = 60.0


def with_breaker(work, **options):
    """Run `work(breaker, clock)` in time that costs nothing."""

    async def main(clock):
        return await work(Breaker("someone", LocalBreakerStore(clock), **options), clock)

    return in_fake_time(main)


async def fail(breaker, times=OPENS_AFTER):
    """That many questions in a row end in failure; for how long the last opened it."""
    return [await breaker.failed(f"failed {number}", CAUSE) for number in range(times)][-1]


async def probe(breaker, question="probe", patience=10_000.0):
    """Wait until the breaker lets the question through."""
    return await breaker.wait(question, patience)


def test_failures_in_a_row_open_it():
    async def work(breaker, _):
        opened = [await breaker.failed(f"question {number}", CAUSE) for number in range(OPENS_AFTER)]
        return opened, await breaker.allows("another")

    assert with_breaker(work) == ([0, 0, 0, 0, 30], False)


def test_an_answer_between_failures_keeps_it_closed():
    async def work(breaker, _):
        for _ in range(3):
            await fail(breaker, OPENS_AFTER - 1)
            assert await breaker.answered("answered") is False
        return await breaker.allows("another")

    assert with_breaker(work)


def test_who_has_the_patience_waits_until_it_may_be_asked():
    async def work(breaker, clock):
        await fail(breaker)
        waited = await breaker.wait("patient", PATIENCE)
        return waited, clock()

    assert with_breaker(work) == (pytest.approx(30), pytest.approx(30))


def test_who_has_no_patience_for_it_is_refused_at_once_with_the_cause_and_the_time():
    async def work(breaker, clock):
        await fail(breaker)
        await asyncio.sleep(4)
        with pytest.raises(CircuitOpen) as refused:
            await breaker.wait("hasty", 25)
        return refused.value, clock()

    error, now = with_breaker(work)
    assert now == pytest.approx(4)
    assert (error.provider, error.wait_seconds, error.retryable) == ("someone", pytest.approx(26), True)
    assert (error.code, error.cause) == ("circuit_open", f"left alone after repeated failures, the last: {CAUSE}")


def test_one_question_is_let_through_as_a_probe_and_keeps_its_right_to_ask_again():
    async def work(breaker, _):
        await fail(breaker)
        await asyncio.sleep(30)
        asked = [await breaker.allows(f"question {number}") for number in range(20)]
        return asked, await breaker.allows("question 0")

    assert with_breaker(work) == ([True] + [False] * 19, True)


def test_the_answer_to_a_probe_lets_everybody_through_at_the_next_look():
    async def work(breaker, clock):
        await fail(breaker)
        await probe(breaker)
        others = [asyncio.ensure_future(breaker.wait(f"question {number}", PATIENCE)) for number in range(20)]
        await asyncio.sleep(5)
        assert not any(other.done() for other in others)
        closed = await breaker.answered("probe")
        await asyncio.gather(*others)
        return closed, clock()

    closed, now = with_breaker(work)
    assert closed
    assert 35 <= now <= 36


def test_a_probe_that_fails_opens_it_for_twice_as_long_up_to_the_most():
    async def work(breaker, _):
        opened = [await fail(breaker)]
        for _ in range(6):
            await probe(breaker)
            opened.append(await breaker.failed("probe", CAUSE))
        return opened

    assert with_breaker(work) == [30, 60, 120, 240, 300, 300, 300]


def test_after_an_answer_all_counts_begin_anew():
    async def work(breaker, _):
        await fail(breaker)
        await probe(breaker)
        await breaker.failed("probe", CAUSE)
        await probe(breaker)
        assert await breaker.answered("probe")
        few = await fail(breaker, OPENS_AFTER - 1)
        return few, await breaker.failed("the last", CAUSE)

    assert with_breaker(work) == (0, FIRST_OPEN_SECONDS)


def test_failures_of_questions_on_their_way_when_it_opened_prolong_nothing():
    async def work(breaker, clock):
        await fail(breaker)
        late = [await breaker.failed(f"late {number}", CAUSE) for number in range(50)]
        await probe(breaker)
        late += [await breaker.failed(f"later {number}", CAUSE) for number in range(50)]
        return set(late), clock(), await breaker.allows("probe")

    assert with_breaker(work) == ({0}, pytest.approx(30), True)


def test_an_answer_on_its_way_when_it_opened_closes_it():
    async def work(breaker, clock):
        await fail(breaker)
        waiting = asyncio.ensure_future(breaker.wait("patient", PATIENCE))
        await asyncio.sleep(3)
        closed = await breaker.answered("begun before")
        await waiting
        return closed, clock()

    closed, now = with_breaker(work)
    assert closed
    assert now <= 4


def test_a_probe_given_up_leaves_its_place_to_another():
    async def work(breaker, _):
        await fail(breaker)
        await probe(breaker)
        await breaker.release("somebody else")
        before = await breaker.allows("another")
        await breaker.release("probe")
        return before, await breaker.allows("another")

    assert with_breaker(work) == (False, True)


def test_a_probe_that_was_lost_with_its_process_is_replaced_and_its_late_end_ignored():
    async def work(breaker, clock):
        await fail(breaker)
        await probe(breaker, "lost")
        waited = await breaker.wait("next", PATIENCE)
        return waited, await breaker.failed("lost", CAUSE), await breaker.failed("next", CAUSE)

    assert with_breaker(work) == (pytest.approx(PROBE_SECONDS), 0, 60)


def test_a_probe_that_asks_again_keeps_its_place():
    async def work(breaker, _):
        await fail(breaker)
        await probe(breaker)
        for _ in range(3):
            await asyncio.sleep(PROBE_SECONDS - 1)
            assert await breaker.allows("probe")
            assert not await breaker.allows("another")

    with_breaker(work)


def test_who_waits_for_a_probe_longer_than_its_patience_is_refused():
    async def work(breaker, clock):
        await fail(breaker)
        await probe(breaker)
        with pytest.raises(CircuitOpen):
            await breaker.wait("patient", 10)
        return clock()

    assert 39 <= with_breaker(work) <= 40


def test_failures_long_ago_are_forgotten():
    async def work(breaker, _):
        await fail(breaker, OPENS_AFTER - 1)
        await asyncio.sleep(FORGOTTEN_SECONDS + 1)
        return await breaker.failed("today", CAUSE)

    assert with_breaker(work) == 0


def test_providers_have_breakers_of_their_own():
    async def work(clock):
        store = LocalBreakerStore(clock)
        await fail(Breaker("one", store))
        return await Breaker("other", store).allows("question")

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
def test_only_a_provider_that_is_away_or_overwhelmed_counts_as_failed(error, counts):
    assert is_failure(error) is counts


@pytest.mark.parametrize("begins", [0, 10, 30, 44, 45, 46, 60, 89])
def test_no_step_spends_its_three_attempts_on_refusals_where_it_needs_the_provider(begins):
    """Attempts of a step are a quarter and a half of the patience apart (discovery/runs/work.py)."""

    async def work(breaker, clock):
        await fail(breaker)
        opened = 0.0
        while opened < FIRST_OPEN_SECONDS * MAX_OPEN_FACTOR_REQUIRED:
            await probe(breaker)
            opened = await breaker.failed("probe", CAUSE)
        await asyncio.sleep(begins)
        for pause in (PATIENCE / 4, PATIENCE / 2, None):
            try:
                return await breaker.wait("question", PATIENCE)
            except CircuitOpen:
                if pause is not None:
                    await asyncio.sleep(pause)
        return None

    assert with_breaker(work, most_seconds=FIRST_OPEN_SECONDS * MAX_OPEN_FACTOR_REQUIRED) is not None


def test_a_step_that_can_do_without_the_provider_is_not_held_up_by_it():
    async def work(breaker, clock):
        await fail(breaker)
        opened = 0.0
        while opened < FIRST_OPEN_SECONDS * MAX_OPEN_FACTOR:
            await probe(breaker)
            opened = await breaker.failed("probe", CAUSE)
        began = clock()
        for number in range(100):
            with pytest.raises(CircuitOpen):
                await breaker.wait(f"question {number}", PATIENCE)
        return clock() - began

    assert with_breaker(work) == 0

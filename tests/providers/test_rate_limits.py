"""The rate limiter on a clock that only waiting moves."""

import asyncio
from itertools import pairwise

import pytest

from discovery.providers.limits import (
    MIN_RATE_FACTOR,
    RECOVERY_SECONDS,
    LocalRateLimitStore,
    RateLimiter,
)
from tests.providers.fake_time import in_fake_time

CLOSE = pytest.approx


def call_times(count, *, calls_per_second=10.0, calls=1, before=None, after=None):
    """Return the times of `count` calls that are all ready now."""

    async def work(clock):
        store = LocalRateLimitStore(clock)
        limiter = RateLimiter("someone", calls_per_second, store)
        if before:
            await before(limiter)
        times = []

        async def one():
            await limiter.wait(calls)
            times.append(clock())

        tasks = [asyncio.ensure_future(one()) for _ in range(count)]
        if after:
            await after(limiter)
        await asyncio.gather(*tasks)
        return times

    return in_fake_time(work)


def near(*expected):
    return pytest.approx(list(expected), abs=1e-6)


def test_calls_are_evenly_spaced():
    assert call_times(6) == near(0, 0.1, 0.2, 0.3, 0.4, 0.5)


def test_many_calls_at_a_high_rate_are_evenly_spaced():
    times = call_times(1000, calls_per_second=500)
    assert times == near(*(number / 500 for number in range(1000)))


def test_a_call_that_counts_as_many_takes_the_time_of_many():
    assert call_times(3, calls=20) == near(0, 2, 4)


def test_unused_time_is_not_saved_for_a_burst():
    async def idle(limiter):
        await limiter.wait()
        await asyncio.sleep(5)

    assert call_times(3, before=idle) == near(5, 5.1, 5.2)


def test_a_429_pauses_the_next_calls_and_halves_the_rate():
    async def slowed(limiter):
        await limiter.slow_down(2)

    first, second, third = call_times(3, before=slowed)
    assert first == CLOSE(2, abs=1e-6)
    assert 0.17 < second - first < 0.2001
    assert 0.17 < third - second < 0.2001


def test_a_429_also_delays_calls_that_already_wait():
    async def slowed(limiter):
        await asyncio.sleep(0.15)
        await limiter.slow_down(3)

    times = call_times(6, after=slowed)
    assert times[:2] == near(0, 0.1)
    assert min(times[2:]) > 3.1
    gaps = [later - earlier for earlier, later in pairwise(times[3:])]
    assert min(gaps) > 0.15


def test_the_full_rate_returns_after_the_recovery_time():
    async def recovered(limiter):
        await limiter.slow_down(1)
        await asyncio.sleep(RECOVERY_SECONDS + 0.1)

    times = call_times(4, before=recovered)
    assert [later - times[0] for later in times] == near(0, 0.1, 0.2, 0.3)


def test_many_429s_at_once_halve_the_rate_once():
    async def storm(clock):
        store = LocalRateLimitStore(clock)
        for _ in range(30):
            await store.slow_down("someone", 2)
        return store.rate_factor("someone")

    assert in_fake_time(storm) == CLOSE(0.5, rel=0.01)


def test_429s_after_each_pause_lower_the_rate_to_a_minimum():
    async def stubborn(clock):
        store, factors = LocalRateLimitStore(clock), []
        for _ in range(12):
            await store.slow_down("someone", 1)
            factors.append(store.rate_factor("someone"))
            await asyncio.sleep(1.01)
        return factors

    factors = in_fake_time(stubborn)
    assert factors[0] == CLOSE(0.5, rel=0.01)
    assert factors[1] < 0.3
    assert min(factors) == CLOSE(MIN_RATE_FACTOR, rel=0.01)


def test_a_shorter_pause_does_not_end_a_longer_one():
    async def twice(limiter):
        await limiter.slow_down(5)
        await limiter.slow_down(1)

    assert call_times(1, before=twice) == near(5)


def test_providers_do_not_slow_each_other():
    async def work(clock):
        store = LocalRateLimitStore(clock)
        await store.slow_down("one", 9)
        return await store.reserve("other", 1)

    assert in_fake_time(work) == 0


@pytest.mark.parametrize(
    ("calls_per_second", "calls"), [(0.4, 1), (1, 100), (10, 100), (500, 1)]
)
def test_cancelled_calls_leave_their_time_to_others(calls_per_second, calls):
    async def work(clock):
        limiter = RateLimiter("someone", calls_per_second, LocalRateLimitStore(clock))
        waiting = [asyncio.ensure_future(limiter.wait(calls)) for _ in range(200)]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await limiter.wait()
        return clock()

    # One that had its reservation and one that was next, plus the reservations of a
    # tenth of a second.
    assert in_fake_time(work) <= 0.1001 + 2 * calls / calls_per_second

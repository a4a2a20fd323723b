"""The pace of calls on a clock that only waiting moves."""

import asyncio
from itertools import pairwise

import pytest
from fake_time import in_fake_time

from discovery.providers.limits import RECOVERY_SECONDS, SLOWEST_FACTOR, LocalRateLimitStore, RateLimiter

CLOSE = pytest.approx


def moments(count, *, calls_per_second=10.0, calls=1, before=None, after=None):
    """When each of `count` calls that all want to go now went."""

    async def work(clock):
        store = LocalRateLimitStore(clock)
        pacer = RateLimiter("someone", calls_per_second, store)
        if before:
            await before(pacer)
        went = []

        async def one():
            await pacer.wait(calls)
            went.append(clock())

        tasks = [asyncio.ensure_future(one()) for _ in range(count)]
        if after:
            await after(pacer)
        await asyncio.gather(*tasks)
        return went

    return in_fake_time(work)


def near(*expected):
    return pytest.approx(list(expected), abs=1e-6)


def test_calls_are_evenly_spaced():
    assert moments(6) == near(0, 0.1, 0.2, 0.3, 0.4, 0.5)


def test_many_calls_at_a_high_pace_are_evenly_spaced():
    went = moments(1000, calls_per_second=500)
    assert went == near(*(number / 500 for number in range(1000)))


def test_a_call_that_counts_as_many_takes_as_much_room():
    assert moments(3, calls=20) == near(0, 2, 4)


def test_an_unused_turn_is_not_saved_up_for_a_burst():
    async def idle(pacer):
        await pacer.wait()
        await asyncio.sleep(5)

    assert moments(3, before=idle) == near(5, 5.1, 5.2)


def test_a_429_pauses_the_next_calls_and_halves_their_pace():
    async def slowed(pacer):
        await pacer.slow_down(2)

    first, second, third = moments(3, before=slowed)
    assert first == CLOSE(2, abs=1e-6)
    assert 0.17 < second - first < 0.2001
    assert 0.17 < third - second < 0.2001


def test_a_429_also_holds_those_who_already_wait_for_their_turn():
    async def slowed(pacer):
        await asyncio.sleep(0.15)
        await pacer.slow_down(3)

    went = moments(6, after=slowed)
    assert went[:2] == near(0, 0.1)
    assert min(went[2:]) > 3.1
    gaps = [later - earlier for earlier, later in pairwise(went[3:])]
    assert min(gaps) > 0.15


def test_the_pace_is_whole_again_after_the_time_of_recovery():
    async def recovered(pacer):
        await pacer.slow_down(1)
        await asyncio.sleep(RECOVERY_SECONDS + 0.1)

    went = moments(4, before=recovered)
    assert [later - went[0] for later in went] == near(0, 0.1, 0.2, 0.3)


def test_one_storm_of_429s_halves_the_pace_once():
    async def storm(clock):
        store = LocalRateLimitStore(clock)
        for _ in range(30):
            await store.slow_down("someone", 2)
        return store.factor("someone")

    assert in_fake_time(storm) == CLOSE(0.5, rel=0.01)


def test_429s_after_each_pause_slow_further_down_to_a_floor():
    async def stubborn(clock):
        store, factors = LocalRateLimitStore(clock), []
        for _ in range(12):
            await store.slow_down("someone", 1)
            factors.append(store.factor("someone"))
            await asyncio.sleep(1.01)
        return factors

    factors = in_fake_time(stubborn)
    assert factors[0] == CLOSE(0.5, rel=0.01)
    assert factors[1] < 0.3
    assert min(factors) == CLOSE(SLOWEST_FACTOR, rel=0.01)


def test_a_shorter_pause_does_not_end_a_longer_one():
    async def twice(pacer):
        await pacer.slow_down(5)
        await pacer.slow_down(1)

    assert moments(1, before=twice) == near(5)


def test_providers_do_not_slow_each_other():
    async def work(clock):
        store = LocalRateLimitStore(clock)
        await store.slow_down("one", 9)
        return await store.reserve("other", 1)

    assert in_fake_time(work) == 0


@pytest.mark.parametrize(("calls_per_second", "calls"), [(0.4, 1), (1, 100), (10, 100), (500, 1)])
def test_calls_given_up_while_they_wait_leave_the_pace_to_others(calls_per_second, calls):
    async def work(clock):
        pacer = RateLimiter("someone", calls_per_second, LocalRateLimitStore(clock))
        waiting = [asyncio.ensure_future(pacer.wait(calls)) for _ in range(200)]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await pacer.wait()
        return clock()

    # One that was on its way and one that was next, and a tenth of a second's worth.
    assert in_fake_time(work) <= 0.1001 + 2 * calls / calls_per_second

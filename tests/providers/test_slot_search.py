"""The search for a slot by time: few calls at any rate of slots, with any skipped
slots.
"""

from bisect import bisect_left
from functools import cache

import pytest

from discovery.providers.errors import NotFound
from discovery.providers.slot_search import TimedSlot
from simmarket.api.rpc_params import RpcError
from simmarket.api.solana_rpc import SolanaRpc
from tests.providers.local_server import ClientSetup, RpcFault, run_rpc

TOLERANCE = 20
MAX_CALLS = 25


@pytest.mark.parametrize(
    "seconds_ago",
    [601, 640, 700, 3_600, 21_600, 86_400, 3 * 86_400, 10 * 86_400, 40 * 86_400],
    ids=str,
)
def test_a_time_is_found_in_the_simulated_market_with_few_calls(chain, seconds_ago):
    now = chain.market.now()
    target = chain.market.unix(now - seconds_ago)
    newest = chain.market.world.clock.slot_at(now) - 5
    setup = ClientSetup()

    async def work(rpc):
        return await rpc.signature_after(
            target, await timed_slot(rpc, newest), TOLERANCE
        )

    async def timed_slot(rpc, slot):
        try:
            return TimedSlot(slot, await rpc.block_time(slot))
        except NotFound:
            return await timed_slot(rpc, slot - 1)

    signature = run_rpc(f"{chain.url}/rpc", work, setup=setup)
    assert setup.meter.total_calls < MAX_CALLS
    assert 0 < time_of(chain, signature, target) - target <= TOLERANCE + 5


def time_of(chain, signature, target):
    """Unix seconds of the block that holds the signature, among those shortly after
    `target`.
    """
    node = SolanaRpc(chain.market)
    clock, shift = chain.market.world.clock, chain.market.shift_seconds
    for offset in range(target - shift, target - shift + 60):
        for slot in range(clock.slot_at(offset), clock.slot_at(offset + 1)):
            try:
                block = node.call(
                    "getBlock",
                    [slot, {"transactionDetails": "signatures", "rewards": False}],
                )
            except RpcError:  # skipped
                continue
            if signature.encode() in block:
                return offset + shift
    raise AssertionError("the signature is in no block near the target")


class Chain:
    """A node over a table of slots and their times; a time of None is unknown, a slot
    not in the table was skipped.

    With `older` the chain goes on before the table, three slots a second, back to slot
    0.
    """

    def __init__(self, times, *, older=True):
        self.times = times
        self.slots = sorted(times)
        self.older = older

    def serve(self, server):
        server.serve_rpc(
            {
                "getBlockTime": self.block_time,
                "getBlock": lambda slot, _: self.block(slot),
            }
        )

    def block_time(self, slot):
        if self.older and slot < self.slots[0]:
            return self.times[self.slots[0]] - (self.slots[0] - slot + 2) // 3
        if slot not in self.times:
            raise RpcFault(-32007, f"Slot {slot} was skipped")
        return self.times[slot]

    def block(self, slot):
        self.block_time(slot)
        return {"signatures": [f"of {slot}", "second"]}

    def slot_after(self, server, target, tolerance=TOLERANCE):
        self.serve(server)
        last = self.slots[-1]
        later = TimedSlot(last, self.times[last])
        signature = run_rpc(
            server.url, lambda rpc: rpc.signature_after(target, later, tolerance)
        )
        return int(signature.removeprefix("of "))

    def assert_found(self, server, target, late=TOLERANCE):
        slot = self.slot_after(server, target)
        assert self.times[slot] > target
        first = next(
            each
            for each in self.slots
            if self.times[each] is not None and self.times[each] > target
        )
        assert self.times[slot] - self.times[first] <= late
        return len(server.requests)


@cache
def steady(count, per_second=3, start=1_000_000, first_slot=500_000):
    return {
        first_slot + number: start + number // per_second for number in range(count)
    }


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 0.99, 0.999])
def test_a_steady_chain_takes_few_calls(server, share):
    times = steady(300_000)
    assert Chain(times).assert_found(server, 1_000_000 + int(100_000 * share)) <= 12


@pytest.mark.parametrize(
    "target",
    [1_000_100, 1_009_000, 1_010_500, 1_027_900, 1_028_100, 1_035_000, 1_047_000],
)
def test_a_chain_that_stopped_for_hours_takes_few_calls(server, target):
    times = steady(30_000) | steady(60_000, start=1_028_000, first_slot=530_000)
    assert Chain(times).assert_found(server, target) < 35


@pytest.mark.parametrize(
    "target", [1_000_500, 1_090_000, 1_099_000, 1_100_010, 1_100_900, 1_101_900]
)
def test_a_chain_that_grew_a_hundred_times_faster_takes_few_calls(server, target):
    slow = {400_000 + number: 1_000_000 + number * 10 for number in range(10_000)}
    quick = {410_000 + number: 1_100_000 + number // 30 for number in range(60_000)}
    assert Chain(slow | quick).assert_found(server, target) < MAX_CALLS


@pytest.mark.parametrize("target", [1_050_000, 1_050_001, 1_050_002, 1_050_003])
def test_skipped_slots_are_stepped_over(server, target):
    times = {
        slot: time
        for slot, time in steady(300_000).items()
        if slot % 7 not in {1, 2, 3}
    }
    assert Chain(times).assert_found(server, target) < 40


def test_slots_without_a_time_are_stepped_over(server):
    times = {
        slot: None if slot % 3 == 1 and slot < 799_000 else time
        for slot, time in steady(300_000).items()
    }
    assert Chain(times).assert_found(server, 1_040_000) < 40


def test_a_gap_of_skipped_slots_around_the_time_is_crossed(server):
    times = {
        slot: time
        for slot, time in steady(30_000).items()
        if not 1_005_000 <= time < 1_005_010
    }
    Chain(times).assert_found(server, 1_005_003)


def test_a_time_close_to_the_newest_slot_is_found(server):
    times = steady(3_000)
    last = max(times.values())
    assert Chain(times).assert_found(server, last - 1) < 10


def test_without_tolerance_the_very_next_second_is_found(server):
    times = steady(30_000)
    assert times[Chain(times).slot_after(server, 1_004_321, tolerance=0)] == 1_004_322


def test_a_time_before_the_first_slot_is_not_found(server):
    times = steady(900)
    with pytest.raises(NotFound, match="does not reach back"):
        Chain(times, older=False).slot_after(server, 900_000)


@pytest.mark.parametrize("target", [1_000_003, 1_000_100, 1_020_000])
def test_a_node_with_only_its_newest_blocks_is_searched_to_the_oldest(server, target):
    assert Chain(steady(300_000), older=False).assert_found(server, target) < 100


def test_an_empty_block_is_passed_over_for_the_next_one(server):
    chain = Chain(steady(3_000))
    chain.block = lambda slot: {"signatures": [] if slot % 10 else [f"of {slot}"]}
    slot = chain.slot_after(server, 1_000_500)
    assert slot % 10 == 0
    assert chain.times[slot] > 1_000_500


def test_no_transaction_at_the_time_is_left_out(server):
    times = steady(30_000)
    slot = Chain(times).slot_after(server, 1_002_000)
    assert slot > max(
        Chain(times).slots[: bisect_left(sorted(times.values()), 1_002_001)]
    )

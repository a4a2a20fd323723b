"""Cycles of a wallet in a token, computed by hand on a curve without history."""

from dataclasses import replace
from fractions import Fraction

import pytest

from simmarket.worlds import expected_results
from tests.simmarket.tiny_world import SOL, TinyWorld


@pytest.fixture
def tiny():
    return TinyWorld()


def test_a_round_trip_is_one_closed_cycle(tiny):
    units = tiny.buy(0, -4_900) + tiny.buy(0, -4_800)
    tiny.sell(0, -4_700, units // 3)
    tiny.sell(0, -4_600, units - units // 3)
    (cycle,) = tiny.cycles(0)
    assert (cycle.mint, cycle.is_closed, cycle.has_sent_units) == (
        tiny.mint,
        True,
        False,
    )
    assert (cycle.opened_offset_seconds, cycle.closed_offset_seconds) == (
        -4_900,
        -4_600,
    )


def test_a_round_trip_nets_its_proceeds_minus_its_cost(tiny):
    units = tiny.buy(0, -4_900) + tiny.buy(0, -4_800)
    tiny.sell(0, -4_700, units // 3)
    tiny.sell(0, -4_600, units - units // 3)
    (cycle,) = tiny.cycles(0)
    assert cycle.put_in_lamports == tiny.lamports(0, "buy")
    assert cycle.matched_lamports == tiny.lamports(0, "sell")
    assert cycle.net_lamports == cycle.matched_lamports - cycle.put_in_lamports


def test_unsold_units_have_no_value_and_keep_the_cycle_open(tiny):
    units = tiny.buy(0, -4_900)
    tiny.sell(0, -4_800, units // 2)
    (cycle,) = tiny.cycles(0)
    assert (
        cycle.is_closed,
        cycle.closed_offset_seconds,
        cycle.last_trade_offset_seconds,
    ) == (False, None, -4_800)
    assert cycle.net_lamports == tiny.lamports(0, "sell") - tiny.lamports(0, "buy")


@pytest.mark.parametrize(("sold_pct", "is_closed"), [(99, True), (98, False)])
def test_a_cycle_closes_at_one_percent_of_its_largest_holding(
    tiny, sold_pct, is_closed
):
    units = tiny.buy(0, -4_900)
    tiny.sell(0, -4_800, -(-units * sold_pct // 100))
    assert [cycle.is_closed for cycle in tiny.cycles(0)] == [is_closed]


def test_a_wallet_that_returns_opens_another_cycle(tiny):
    tiny.sell(0, -4_800, tiny.buy(0, -4_900))
    first = tiny.cycles(0)
    tiny.sell(0, -4_600, tiny.buy(0, -4_700, 2 * SOL))
    both = tiny.cycles(0)
    assert both[:1] == first
    assert [cycle.opened_offset_seconds for cycle in both] == [-4_900, -4_700]
    assert sum(cycle.net_lamports for cycle in both) == tiny.lamports(
        0, "sell"
    ) - tiny.lamports(0, "buy")


def test_a_late_sale_of_the_rest_adds_proceeds_to_its_closed_cycle(tiny):
    units = tiny.buy(0, -4_900)
    rest = units // 200
    tiny.sell(0, -4_800, units - rest)
    before = tiny.cycles(0)[0]
    tiny.sell(0, -4_700, rest)
    (cycle,) = tiny.cycles(0)
    assert cycle.closed_offset_seconds == -4_800
    assert cycle.matched_lamports == tiny.lamports(0, "sell")
    assert cycle == replace(
        before,
        last_trade_offset_seconds=-4_700,
        matched_lamports=cycle.matched_lamports,
        net_lamports=cycle.net_lamports,
    )


def test_a_sale_of_units_of_two_cycles_is_shared_by_their_units(tiny):
    units = tiny.buy(0, -4_900)
    rest = units // 200
    tiny.sell(0, -4_800, units - rest)
    earlier = tiny.cycles(0)[0].matched_lamports
    more = tiny.buy(0, -4_700)
    tiny.sell(0, -4_600, rest + more)
    first, second = tiny.cycles(0)
    last_sale = tiny.lamports(0, "sell") - earlier
    assert first.matched_lamports == round(
        earlier + Fraction(last_sale * rest, rest + more)
    )
    assert second.matched_lamports == round(Fraction(last_sale * more, rest + more))
    assert first.closed_offset_seconds == -4_800


def test_units_sent_away_close_the_cycle_and_lose_all_of_its_cost(tiny):
    tiny.transfer(0, 1, -4_800, tiny.buy(0, -4_900))
    (cycle,) = tiny.cycles(0)
    assert (cycle.has_sent_units, cycle.is_closed, cycle.matched_lamports) == (
        True,
        True,
        0,
    )
    assert cycle.net_lamports == -tiny.lamports(0, "buy")


def test_a_wallet_that_bought_nothing_has_no_cycle(tiny):
    units = tiny.buy(0, -4_900)
    tiny.transfer(0, 1, -4_800, units)
    tiny.sell(1, -4_700, units)
    assert tiny.cycles(1) == []


def test_received_units_share_the_proceeds_of_a_cycle_but_not_its_cost(tiny):
    received = tiny.buy(0, -4_900)
    tiny.transfer(0, 1, -4_850, received)
    bought = tiny.buy(1, -4_800)
    tiny.sell(1, -4_700, received + bought)
    (cycle,) = tiny.cycles(1)
    assert cycle.opened_offset_seconds == -4_850
    assert cycle.put_in_lamports == tiny.lamports(1, "buy")
    assert cycle.matched_lamports == round(
        tiny.lamports(1, "sell") * bought / (received + bought)
    )


def test_the_result_of_an_early_buyer_is_that_of_its_first_cycle(small_world):
    cycles = expected_results.cycles(small_world)
    compared = 0
    for mint, token in expected_results.tokens(small_world).items():
        for address, buyer in token.early_buyers.items():
            first, *_ = (cycle for cycle in cycles[address] if cycle.mint == mint)
            assert first.put_in_lamports == buyer.cost_lamports
            assert first.knowledge == buyer.knowledge
            compared += 1
    assert compared > 1_000

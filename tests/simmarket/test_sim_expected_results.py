"""Expected results: computed by hand on worlds small enough for that, and the
behaviours of the small world.
"""

from decimal import Decimal
from fractions import Fraction

import pytest

from simmarket.chain.builder import Style
from simmarket.chain.slots import SlotClock
from simmarket.chain.sol_price import SolPrice
from simmarket.chain.world import BUY, SELL
from simmarket.worlds import expected_results
from simmarket.worlds.lots import Lots
from tests.simmarket.tiny_world import PLAIN, TinyWorld

TOKEN_ACCOUNT_RENT_LAMPORTS = 2_039_280


def round_trip(world, style):
    """Buy and sell everything with the first wallet; return (its expected result,
    lamports spent).
    """
    before = world.balance(0)
    units = world.buy(0, -4_900, style=style)
    world.sell(0, -4_800, units, style=style)
    return world.early_buyers()[world.address(0)], before - world.balance(0)


@pytest.mark.parametrize(
    "style",
    [PLAIN, Style(0, tip_lamports=1_000, bot="photon", priority_micro_lamports=5_000)],
)
def test_a_round_trip_realises_the_change_of_the_balance(style):
    buyer, spent = round_trip(TinyWorld(), style)
    assert (
        buyer.realised_lamports == -spent + TOKEN_ACCOUNT_RENT_LAMPORTS
    )  # the wallet still owns the rent
    assert not buyer.history_incomplete


def test_the_profit_is_the_realised_part_of_the_cost():
    buyer, _ = round_trip(
        TinyWorld(),
        Style(0, tip_lamports=1_000, bot="photon", priority_micro_lamports=5_000),
    )
    exact = Fraction(100 * buyer.realised_lamports, buyer.cost_lamports)
    assert buyer.profit_pct == expected_results.two_decimals(exact)
    assert not buyer.qualified


@pytest.fixture
def window_world():
    """Wallets around the early window of 30 minutes: sender, first, last, late, and one
    that receives units first.
    """
    world = TinyWorld(wallets=5)
    sender, first, last, late, receiver = range(5)
    world.buy(sender, -5_000)
    world.buy(first, -5_000, step=1)
    world.transfer(sender, receiver, -4_000, 10**12)
    world.buy(receiver, -3_900)
    world.buy(last, -3_200)
    world.buy(late, -3_199)
    return world


def test_the_early_window_is_inclusive_and_needs_a_buy_first(window_world):
    buyers = window_world.early_buyers()
    assert list(buyers) == [window_world.address(wallet) for wallet in range(3)]
    assert [buyer.entry_rank for buyer in buyers.values()] == [1, 2, 3]


def test_a_longer_window_has_more_early_buyers(window_world):
    assert window_world.address(3) in window_world.early_buyers(early_window_minutes=31)


def test_received_units_share_the_proceeds_but_have_no_cost():
    lots = Lots()
    lots.buy(100, Fraction(1000), 0, 1)
    lots.receive(100, 2)
    lots.sell(100, Fraction(3000), 0, 3)
    (cycle,) = lots.cycles
    assert (cycle.matched, cycle.unmatched, cycle.sold_cost) == (1500, 1500, 500)
    assert cycle.knowledge == "unknown"


def test_units_sent_away_take_their_cost_with_them_and_earn_nothing():
    lots = Lots()
    lots.buy(100, Fraction(1000), 10, 1)
    lots.send(25, 2)
    lots.sell(75, Fraction(900), 0, 3)
    (cycle,) = lots.cycles
    assert cycle.matched - cycle.sold_cost == 900 - Fraction(1010) * 3 / 4
    assert (cycle.cost, cycle.knowledge) == (1010, "known")


def test_units_that_come_back_have_the_cost_that_they_left_with():
    lots = Lots()
    lots.buy(100, Fraction(1000), 0, 1)
    lots.send(100, 2)
    lots.receive(100, 3)
    lots.sell(100, Fraction(500), 0, 4)
    (cycle,) = lots.cycles
    assert (cycle.profit_pct, cycle.closed) == (-50, 4)


def test_a_sale_in_clips_has_the_same_result_as_one_sale():
    whole, clips = Lots(), Lots()
    for lots in (whole, clips):
        lots.buy(90, Fraction(900), 5, 1)
        lots.receive(30, 2)
    whole.sell(120, Fraction(2400), 12, 3)
    for _ in range(3):
        clips.sell(40, Fraction(800), 4, 3)
    assert whole.cycles[0] == clips.cycles[0]


def test_a_sale_of_more_than_the_known_units_has_units_that_came_unseen():
    lots = Lots()
    lots.buy(100, Fraction(1000), 0, 1)
    lots.sell(400, Fraction(4000), 8, 2)
    (cycle,) = lots.cycles
    assert cycle.has_missing_units
    assert (cycle.matched, cycle.unmatched) == (998, 3 * 998)
    assert (cycle.knowledge, lots.units) == ("unknown", 0)


def test_a_later_holding_is_a_cycle_of_its_own():
    lots = Lots()
    lots.buy(100, Fraction(1000), 0, 1)
    lots.sell(100, Fraction(3000), 0, 2)
    lots.buy(50, Fraction(9000), 0, 3)
    first, second = lots.cycles
    assert (first.profit_pct, second.profit_pct) == (200, -100)


def test_units_in_an_open_order_make_the_result_unknown_until_it_is_filled():
    lots = Lots()
    lots.buy(100, Fraction(1000), 0, 1)
    lots.open_order(100)
    lots.sell(50, Fraction(2000), 0, 2, from_order=True)
    lots.finish()
    (cycle,) = lots.cycles
    assert (cycle.knowledge, cycle.unpriced) == ("unknown", 50)


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        (Fraction(5, 1000), "0.00"),
        (Fraction(15, 1000), "0.02"),
        (Fraction(10**15) / 3, "333333333333333.33"),
    ],
)
def test_two_decimals_round_half_even(value, rounded):
    assert expected_results.two_decimals(value) == Decimal(rounded)


def test_wallets_above_the_threshold_qualify_except_the_creator(small_world):
    for mint, token in expected_results.tokens(small_world).items():
        creator = small_world.accounts.address(small_world.tokens[mint].creator)
        for address, buyer in token.early_buyers.items():
            if buyer.profit_pct is None:
                assert not buyer.qualified
            elif abs(buyer.profit_pct - 50) > Decimal("0.01"):
                assert buyer.qualified == (buyer.profit_pct > 50 and address != creator)


def test_usdc_is_converted_at_the_last_closed_minute(small_world):
    native = small_world.ledger.native.account
    movement = next(
        m for m in small_world.movements if m.kind == BUY and m.quote != native
    )
    offset = small_world.transactions[movement.position].offset_seconds
    cents = small_world.price.close_cents(offset // 60 - 1)
    lamports = Fraction(movement.quote_units * 10**9 * 100, 10**6 * cents)
    assert expected_results.market_lamports(small_world, movement) == lamports


def test_the_price_series_stays_in_its_band():
    price = SolPrice(7)
    closes = [price.close_cents(minute) for minute in range(-20_000, 200)]
    assert 15_000 <= min(closes) <= max(closes) <= 19_000
    assert len(set(closes)) > 500


def test_slots_rise_with_the_seconds():
    clock = SlotClock(-200_000)
    slots = [clock.slot_at(second) for second in range(-200_000, 100, 7)]
    assert slots == sorted(set(slots))


def test_slots_and_seconds_map_both_ways():
    clock = SlotClock(-200_000)
    for second in range(-200_000, 100, 331):
        slot = clock.slot_at(second)
        assert clock.offset_of(slot) == clock.offset_of(slot + 1) == second
        assert clock.offset_of(slot - 1) == second - 1


def test_the_slot_rate_changes_from_hour_to_hour():
    clock = SlotClock(-200_000)
    rates = {
        clock.slot_at(hour * 3600 + 3600) - clock.slot_at(hour * 3600)
        for hour in range(-50, 0)
    }
    assert len(rates) > 2


def early_buyers_of(world):
    buyers = []
    for token in expected_results.tokens(world).values():
        buyers += token.early_buyers.values()
    return buyers


def test_every_behaviour_occurs_among_the_early_buyers(small_world):
    seen = set().union(*(buyer.behaviours for buyer in early_buyers_of(small_world)))
    assert seen >= {
        "skilled",
        "lucky once",
        "sniper",
        "bot user",
        "tipper",
        "bag holder",
        "transfer-out loser",
        "creator",
        "same slot twice",
        "returner",
        "clip seller",
        "overseller",
        "second pool seller",
    }


def test_wallets_that_received_units_first_are_not_early_buyers(small_world):
    expected = expected_results.tokens(small_world)
    first = {}
    for movement in small_world.movements:
        first.setdefault((movement.wallet, movement.mint), movement)
    received = [movement for movement in first.values() if movement.kind == "in"]
    assert len(received) > 20
    for movement in received:
        mint = small_world.accounts.address(movement.mint)
        assert (
            small_world.accounts.address(movement.wallet)
            not in expected[mint].early_buyers
        )


def test_skilled_wallets_mostly_qualify(small_world):
    qualified = [
        buyer.qualified
        for buyer in early_buyers_of(small_world)
        if "skilled" in buyer.behaviours
    ]
    assert sum(qualified) > 0.6 * len(qualified)


def test_bag_holders_never_qualify(small_world):
    assert not any(
        buyer.qualified
        for buyer in early_buyers_of(small_world)
        if "bag holder" in buyer.behaviours
    )


def test_no_wallet_is_both_skilled_and_lucky(small_world):
    assert expected_results.skilled(small_world)
    assert not expected_results.skilled(small_world) & expected_results.lucky_once(
        small_world
    )


def test_some_wallets_buy_twice_in_one_slot(small_world):
    buys = [movement for movement in small_world.movements if movement.kind == BUY]
    slots = {
        (buy.wallet, buy.mint, small_world.transactions[buy.position].slot)
        for buy in buys
    }
    assert len(buys) > len(slots)


def test_some_wallets_sell_more_than_they_bought(small_world):
    net_units = {}
    for movement in small_world.movements:
        if movement.kind in {BUY, SELL}:
            sign = 1 if movement.kind == BUY else -1
            key = movement.wallet, movement.mint
            net_units[key] = net_units.get(key, 0) + sign * movement.units
    assert sum(units < 0 for units in net_units.values()) > 10

"""Holdings: an example of every row of the table, and properties that hold for any
history.
"""

from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from discovery.analysis.holdings import split_cycles
from discovery.domain.findings import HoldingEvent
from tests.analysis.sample_histories import (
    buy,
    event,
    move_in,
    move_out,
    sell,
    totals_of,
)


def test_fees_are_cost_on_both_sides() -> None:
    (holding,) = split_cycles(
        "M", [buy(100, 1_000, extras=10), sell(100, 1_500, extras=20)]
    )
    assert holding.cost_basis == 1_010
    assert holding.matched_proceeds == 1_480
    assert holding.realised == 470
    assert holding.profit_pct == Fraction(470, 1_010) * 100


def test_cost_is_averaged_over_all_units_held() -> None:
    result = totals_of([buy(100, 1_000), buy(300, 6_000), sell(200, 5_000)])
    assert result.realised == 5_000 - 200 * Fraction(7_000, 400)
    assert result.remaining_basis == 3_500


def test_unsold_units_are_worth_nothing() -> None:
    (holding,) = split_cycles("M", [buy(100, 1_000), sell(10, 500)])
    assert holding.realised == 400
    assert holding.profit_pct == -50


def test_units_transferred_in_have_no_cost_and_bring_no_profit() -> None:
    result = totals_of([buy(100, 1_000), move_in(100), sell(200, 4_000)])
    assert result.matched_proceeds == 2_000
    assert result.unmatched_proceeds == 2_000
    assert result.realised == 1_000
    assert not result.is_incomplete


def test_units_transferred_out_take_their_basis_along_and_earn_nothing() -> None:
    (holding,) = split_cycles("M", [buy(100, 1_000), move_out(40, at=7), sell(60, 900)])
    assert holding.realised == 300
    assert holding.profit_pct == -10
    assert holding.transferred_out_at == 7


def test_a_burn_loses_the_basis() -> None:
    (holding,) = split_cycles("M", [buy(100, 1_000), event("burn", 50), sell(50, 500)])
    assert holding.realised == -500
    assert holding.knowledge == "known"
    assert holding.transferred_out_at is None


def test_a_sale_beyond_the_known_units_is_unmatched_and_marked() -> None:
    result = totals_of([buy(100, 1_000), sell(150, 3_000, extras=30)])
    assert result.matched_proceeds == 1_980
    assert result.unmatched_proceeds == 990
    assert result.realised == 980
    assert result.is_incomplete


def test_a_sale_without_known_units_is_all_unmatched() -> None:
    (holding,) = split_cycles("M", [sell(10, 500, extras=5)])
    assert (holding.cost_basis, holding.realised, holding.unmatched_proceeds) == (
        0,
        0,
        495,
    )
    assert holding.profit_pct is None
    assert holding.is_incomplete


def test_a_buy_at_an_unknown_price_gives_units_without_a_cost_not_free_units() -> None:
    result = totals_of([buy(100, None), sell(100, 900)])
    assert result.realised == 0
    assert result.unmatched_proceeds == 900
    assert result.is_incomplete


def test_a_sale_at_an_unknown_price_removes_the_units_and_is_marked() -> None:
    result = totals_of([buy(100, 1_000), sell(50, None), sell(50, 700)])
    assert result.realised == 200
    assert result.is_incomplete


def test_units_that_come_back_have_the_cost_that_they_left_with() -> None:
    (holding,) = split_cycles(
        "M", [buy(100, 1_000), move_out(60), move_in(60), sell(100, 500)]
    )
    assert holding.knowledge == "known"
    assert holding.profit_pct == -50


def test_units_that_come_back_reopen_the_cycle_that_their_transfer_closed() -> None:
    (holding,) = split_cycles(
        "M",
        [buy(100, 1_000), move_out(100, at=5), move_in(100), sell(100, 3_000, at=9)],
    )
    assert (holding.closed_at, holding.is_closed_by_transfer) == (9, False)
    assert holding.profit_pct == 200


def test_more_units_than_left_come_back_without_a_cost() -> None:
    result = totals_of([buy(100, 1_000), move_out(50), move_in(80)])
    assert (result.known_units, result.held_units) == (100, 130)


def test_units_in_an_open_order_still_belong_to_the_wallet() -> None:
    (holding,) = split_cycles("M", [buy(100, 1_000), event("order_open", 100)])
    assert holding.closed_at is None
    assert holding.held_units == 100


def test_the_fill_of_an_order_is_a_sale() -> None:
    (holding,) = split_cycles(
        "M",
        [
            buy(100, 1_000),
            event("order_open", 100),
            event("sell", 100, 4_000, is_from_order=True),
        ],
    )
    assert holding.knowledge == "known"
    assert holding.profit_pct == 300


def test_units_that_come_back_from_an_order_keep_their_cost() -> None:
    (holding,) = split_cycles(
        "M",
        [
            buy(100, 1_000),
            event("order_open", 100),
            event("order_closed", 100),
            sell(100, 2_000),
        ],
    )
    assert holding.knowledge == "known"
    assert holding.profit_pct == 100


amounts = st.integers(1, 10**15)
lamports = st.integers(0, 10**12)
extras = st.integers(0, 10**8)
buys = st.builds(buy, amounts, lamports, extras=extras)
sells = st.builds(sell, amounts, lamports, extras=extras)
kinds = st.sampled_from(
    [
        "transfer_in",
        "transfer_out",
        "burn",
        "unpriced_out",
        "order_open",
        "order_closed",
    ]
)
moves = st.builds(event, kinds, amounts)
histories = st.lists(buys | sells | moves, max_size=12)


@given(histories)
def test_every_lamport_of_proceeds_is_matched_or_unmatched(
    history: list[HoldingEvent],
) -> None:
    result = totals_of(history)
    net = sum(
        (e.value_lamports or 0) - e.extras_lamports for e in history if e.kind == "sell"
    )
    assert result.matched_proceeds + result.unmatched_proceeds == net


@given(histories)
def test_basis_is_sold_removed_or_remaining(history: list[HoldingEvent]) -> None:
    removed = {"transfer_out", "unpriced_out"}
    assume(not any(e.kind in removed for e in history))
    result = totals_of(history)
    sold_basis = result.matched_proceeds - result.realised
    assert sold_basis + result.remaining_basis == result.cost_basis


without_orders = moves.filter(lambda move: not move.kind.startswith("order"))


@given(
    st.lists(buys | without_orders, max_size=8),
    amounts,
    lamports,
    st.lists(st.integers(1, 100), min_size=2, max_size=6),
)
def test_splitting_a_sale_into_clips_changes_nothing(
    before: list[HoldingEvent], sold: int, value: int, weights: list[int]
) -> None:
    """Clips at one price, of units with a known cost: cost and proceeds are exactly the
    same.
    """
    total = sold * sum(weights)
    assume(total <= totals_of(before).held_units)
    clips = [sell(sold * weight, Fraction(value * weight)) for weight in weights]
    whole = totals_of([*before, sell(total, value * sum(weights))])
    assert totals_of([*before, *clips]) == whole


@given(amounts, st.lists(sells, max_size=6))
def test_a_transfer_in_alone_creates_no_profit(
    received: int, after: list[HoldingEvent]
) -> None:
    result = totals_of([move_in(received), *after])
    assert (result.realised, result.matched_proceeds) == (0, 0)
    holdings = split_cycles("M", [move_in(received), *after])
    assert all(holding.profit_pct is None for holding in holdings)


@given(
    st.lists(buys, min_size=1, max_size=6),
    amounts,
    st.lists(amounts, max_size=6),
    st.integers(0, 10**6),
)
def test_a_transfer_in_never_raises_the_profit_at_a_price(
    before: list[HoldingEvent], received: int, sold: list[int], price: int
) -> None:
    """Units without a cost replace units with a cost in a sale, never the reverse."""
    after = [sell(amount, amount * price) for amount in sold]
    without = totals_of([*before, *after])
    gifted = totals_of([*before, move_in(received), *after])
    assert gifted.matched_proceeds <= without.matched_proceeds


@given(st.lists(buys, min_size=1, max_size=6), st.randoms())
def test_the_order_of_buys_within_a_slot_does_not_matter(
    history: list[HoldingEvent], random
) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)
    total = sum(e.units for e in history)
    assert totals_of([*history, sell(total, 10**9)]) == totals_of(
        [*shuffled, sell(total, 10**9)]
    )


@given(histories)
def test_a_wallet_never_holds_negative_units(history: list[HoldingEvent]) -> None:
    result = totals_of(history)
    assert 0 <= result.known_units <= result.held_units
    assert result.remaining_basis >= 0

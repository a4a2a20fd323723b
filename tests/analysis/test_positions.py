"""Positions: an example of every row of the table, and properties that hold for any
history.
"""

from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from discovery.analysis.positions import compute_position
from discovery.domain.findings import EventKind, HoldingEvent


def event(
    kind: EventKind,
    units: int,
    value: int | Fraction | None = None,
    extras: int = 0,
    at: int = 0,
) -> HoldingEvent:
    amount = None if value is None else Fraction(value)
    return HoldingEvent(kind, f"{kind}{at}", at, at, units, amount, extras)


def buy(units: int, value: int, extras: int = 0) -> HoldingEvent:
    return event("buy", units, value, extras)


def sell(units: int, value: int | Fraction, extras: int = 0) -> HoldingEvent:
    return event("sell", units, value, extras)


def test_fees_are_cost_on_both_sides() -> None:
    result = compute_position([buy(100, 1_000, 10), sell(100, 1_500, 20)])
    assert result.cost_basis_lamports == 1_010
    assert result.matched_proceeds_lamports == 1_480
    assert result.realised_lamports == 470
    assert result.profit_pct == Fraction(470, 1_010) * 100


def test_cost_is_averaged_over_all_units_held() -> None:
    result = compute_position([buy(100, 1_000), buy(300, 6_000), sell(200, 5_000)])
    assert result.realised_lamports == 5_000 - 200 * Fraction(7_000, 400)
    assert result.remaining_basis_lamports == 3_500


def test_unsold_units_are_worth_nothing() -> None:
    result = compute_position([buy(100, 1_000), sell(10, 500)])
    assert result.realised_lamports == 400
    assert result.profit_pct == -50


def test_units_transferred_in_have_no_cost_and_bring_no_profit() -> None:
    result = compute_position(
        [buy(100, 1_000), event("transfer_in", 100), sell(200, 4_000)]
    )
    assert result.matched_proceeds_lamports == 2_000
    assert result.unmatched_proceeds_lamports == 2_000
    assert result.realised_lamports == 1_000
    assert not result.history_incomplete


def test_units_transferred_out_take_their_basis_along_and_earn_nothing() -> None:
    result = compute_position(
        [buy(100, 1_000), event("transfer_out", 40), sell(60, 900)]
    )
    assert result.realised_lamports == 300
    assert result.profit_pct == -10
    assert result.left_wallet


def test_a_burn_loses_the_basis() -> None:
    result = compute_position([buy(100, 1_000), event("burn", 50), sell(50, 500)])
    assert result.realised_lamports == -500
    assert not result.left_wallet


def test_a_sale_beyond_the_known_units_is_unmatched_and_marked() -> None:
    result = compute_position([buy(100, 1_000), sell(150, 3_000, 30)])
    assert result.matched_proceeds_lamports == 1_980
    assert result.unmatched_proceeds_lamports == 990
    assert result.realised_lamports == 980
    assert result.history_incomplete


def test_a_sale_without_known_units_is_all_unmatched() -> None:
    result = compute_position([sell(10, 500, 5)])
    assert (
        result.cost_basis_lamports,
        result.realised_lamports,
        result.unmatched_proceeds_lamports,
    ) == (0, 0, 495)
    assert result.profit_pct is None
    assert result.history_incomplete


def test_a_buy_at_an_unknown_price_gives_units_without_a_cost_not_free_units() -> None:
    result = compute_position([event("buy", 100, None), sell(100, 900)])
    assert result.realised_lamports == 0
    assert result.unmatched_proceeds_lamports == 900
    assert result.history_incomplete


def test_a_sale_at_an_unknown_price_removes_the_units_and_is_marked() -> None:
    result = compute_position([buy(100, 1_000), event("sell", 50, None), sell(50, 700)])
    assert result.realised_lamports == 200
    assert result.history_incomplete


units = st.integers(1, 10**15)
lamports = st.integers(0, 10**12)
extras = st.integers(0, 10**8)
buys = st.builds(buy, units, lamports, extras)
sells = st.builds(sell, units, lamports, extras)
moves = st.builds(
    event, st.sampled_from(["transfer_in", "transfer_out", "burn"]), units
)
histories = st.lists(buys | sells | moves, max_size=12)


@given(histories)
def test_every_lamport_of_proceeds_is_matched_or_unmatched(
    history: list[HoldingEvent],
) -> None:
    result = compute_position(history)
    net = sum(
        (e.value_lamports or 0) - e.extras_lamports for e in history if e.kind == "sell"
    )
    assert result.matched_proceeds_lamports + result.unmatched_proceeds_lamports == net


@given(histories)
def test_basis_is_sold_removed_or_remaining(history: list[HoldingEvent]) -> None:
    assume(not any(e.kind in {"transfer_out", "burn"} for e in history))
    result = compute_position(history)
    sold_basis = result.matched_proceeds_lamports - result.realised_lamports
    assert sold_basis + result.remaining_basis_lamports == result.cost_basis_lamports


@given(
    st.lists(buys | moves, max_size=8),
    units,
    lamports,
    st.lists(st.integers(1, 100), min_size=2, max_size=6),
)
def test_splitting_a_sale_into_clips_changes_nothing(
    before: list[HoldingEvent], sold: int, value: int, weights: list[int]
) -> None:
    """Clips at one price, of units with a known cost: cost and proceeds are exactly the
    same.
    """
    held = (
        compute_position(before).held_known_units
        + compute_position(before).held_unknown_units
    )
    total = sold * sum(weights)
    assume(total <= held)
    clips = [sell(sold * weight, Fraction(value * weight)) for weight in weights]
    whole, split = (
        compute_position([*before, sell(total, value * sum(weights))]),
        compute_position([*before, *clips]),
    )
    assert split.realised_lamports == whole.realised_lamports
    assert split.matched_proceeds_lamports == whole.matched_proceeds_lamports
    assert split.unmatched_proceeds_lamports == whole.unmatched_proceeds_lamports
    assert split.profit_pct == whole.profit_pct


@given(units, st.lists(sells, max_size=6))
def test_a_transfer_in_alone_creates_no_profit(
    received: int, after: list[HoldingEvent]
) -> None:
    result = compute_position([event("transfer_in", received), *after])
    assert result.realised_lamports == 0
    assert result.matched_proceeds_lamports == 0
    assert result.profit_pct is None


@given(
    st.lists(buys, min_size=1, max_size=6),
    units,
    st.lists(units, max_size=6),
    st.integers(0, 10**6),
)
def test_a_transfer_in_never_raises_the_profit_at_a_price(
    before: list[HoldingEvent], received: int, sold: list[int], price: int
) -> None:
    """Units without a cost replace units with a cost in a sale, never the reverse."""
    after = [sell(amount, amount * price) for amount in sold]
    without = compute_position([*before, *after])
    gifted = compute_position([*before, event("transfer_in", received), *after])
    assert gifted.matched_proceeds_lamports <= without.matched_proceeds_lamports


@given(st.lists(buys, min_size=1, max_size=6), st.lists(sells, max_size=6), units)
def test_transferring_units_out_never_raises_the_profit(
    before: list[HoldingEvent], after: list[HoldingEvent], moved: int
) -> None:
    """Units that left are not sold at any price, and their cost stays in the
    denominator.
    """
    assume(all((e.value_lamports or 0) >= e.extras_lamports for e in after))
    assume(compute_position(before).cost_basis_lamports > 0)
    stayed = compute_position([*before, *after]).profit_pct
    left = compute_position([*before, event("transfer_out", moved), *after]).profit_pct
    assert left is not None
    assert stayed is not None
    assert left <= stayed


@given(st.lists(buys, min_size=1, max_size=6), st.randoms())
def test_the_order_of_buys_within_a_slot_does_not_matter(
    history: list[HoldingEvent], random
) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)
    total = sum(e.units for e in history)
    assert compute_position([*history, sell(total, 10**9)]) == compute_position(
        [*shuffled, sell(total, 10**9)]
    )


@given(histories)
def test_a_position_never_holds_negative_units(history: list[HoldingEvent]) -> None:
    result = compute_position(history)
    assert result.held_known_units >= 0
    assert result.held_unknown_units >= 0
    assert result.remaining_basis_lamports >= 0

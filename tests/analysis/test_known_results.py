"""A result is known, partly known or unknown, and never a number when it is unknown."""

from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from discovery.analysis.early_buyers import entry_position
from discovery.domain.findings import EventKind, HoldingEvent, Position
from discovery.domain.reasons import Reason
from tests.analysis.sample_histories import (
    SOL,
    buy,
    event,
    move_in,
    move_out,
    sell,
)


def result_of(*events: HoldingEvent) -> Position:
    """Return the result of the entry cycle of a history with a buy."""
    position = entry_position(events)
    assert position is not None
    return position


def test_a_plain_round_trip_is_known() -> None:
    result = result_of(buy(1_000, 1_000), sell(1_000, 10_000))
    assert (result.knowledge, result.known_share, result.profit_pct) == (
        "known",
        1,
        900,
    )


@pytest.mark.parametrize(
    ("units", "knowledge"), [(50, "partly"), (51, "unknown"), (1_000, "unknown")]
)
@pytest.mark.parametrize("kind", ["sell", "unpriced_out", "order_open"])
def test_an_outflow_without_a_price_beyond_a_twentieth_makes_the_result_unknown(
    kind: EventKind, units: int, knowledge: str
) -> None:
    result = result_of(buy(1_000, 1_000), event(kind, units))
    assert result.knowledge == knowledge
    assert (result.profit_pct is None) == (knowledge == "unknown")
    assert (result.realised_lamports is None) == (knowledge == "unknown")


@pytest.mark.parametrize(("units", "knowledge"), [(111, "partly"), (112, "unknown")])
def test_an_inflow_without_a_cost_beyond_a_tenth_makes_the_result_unknown(
    units: int, knowledge: str
) -> None:
    """111 of 1,111 units are just below a tenth."""
    result = result_of(buy(1_000, 1_000), move_in(units), sell(1_000, 5_000))
    assert result.knowledge == knowledge


def test_a_partly_known_result_counts_the_known_units_pro_rata() -> None:
    result = result_of(buy(950, 950), move_in(50), sell(1_000, 10_000))
    assert result.knowledge == "partly"
    assert result.known_share == Fraction(95, 100)
    assert result.profit_pct == 900


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([buy(10, None), sell(10, 900)], "no_cost"),
        ([buy(10, 9), sell(10, None)], "out_trade"),
        ([buy(10, 9), event("order_open", 10)], "out_order_open"),
        (
            [buy(10, 9), event("unpriced_out", 10, reason=Reason.LIQUIDITY)],
            "out_liquidity",
        ),
        ([buy(10, 9), move_in(5), sell(15, 90)], "in_transfer"),
        ([buy(10, 9), sell(15, 90)], "in_not_seen"),
    ],
)
def test_an_unknown_result_has_its_reason(
    events: Sequence[HoldingEvent], reason: str
) -> None:
    assert result_of(*events).unknown_reason == reason


def test_a_bag_that_was_sent_to_another_wallet_is_a_known_loss() -> None:
    result = result_of(buy(1_000, 1_000), move_out(1_000))
    assert (result.knowledge, result.profit_pct) == ("known", -100)
    assert result.has_moved_out


def test_a_later_holding_does_not_touch_the_result_of_the_first() -> None:
    events = [buy(1_000, 1_000), sell(1_000, 10_000), buy(500, 12_000, at=1)]
    result = result_of(*events)
    assert (result.profit_pct, result.cost_basis_lamports) == (900, 1_000)
    assert (result.buys, result.later_cycles) == (1, 1)


amounts = st.integers(1, 10**12)
lamports = st.integers(1, 10**12)
extras = st.integers(0, 10**6)
buys = st.builds(buy, amounts, lamports, extras=extras)
shares = st.integers(1, 100)


@st.composite
def possible_histories(draw: st.DrawFn) -> list[HoldingEvent]:
    """Return buys, then sales of units that are there."""
    events = draw(st.lists(buys, min_size=1, max_size=4))
    held = sum(bought.units for bought in events)
    for share in draw(st.lists(shares, max_size=4)):
        units = held * share // 100
        if units:
            events.append(sell(units, draw(lamports)))
            held -= units
    return events


@given(possible_histories(), st.integers(0, 8), shares)
def test_moving_units_out_never_helps(
    history: list[HoldingEvent], place: int, share: int
) -> None:
    """Later sales sell the same share of what is left: nobody can sell what has gone."""
    place = max(1, min(place, len(history)))
    held = 0
    for each in history[:place]:
        held += each.units if each.kind == "buy" else -each.units
    moved = held * share // 100
    assume(moved)
    after = [
        sell(each.units * (held - moved) // held, Fraction(each.value_lamports or 0))
        if each.kind == "sell"
        else each
        for each in history[place:]
    ]
    assume(all(each.units for each in after))
    stayed = result_of(*history)
    left = result_of(*history[:place], move_out(moved), *after)
    assert left.profit_pct is not None
    assert stayed.profit_pct is not None
    # The same proceeds for fewer units: even then the cost that left is lost.
    assert left.profit_pct <= stayed.profit_pct


@given(possible_histories(), st.integers(0, 8), shares)
def test_moving_units_out_and_back_changes_nothing(
    history: list[HoldingEvent], place: int, share: int
) -> None:
    place = max(1, min(place, len(history)))
    held = 0
    for each in history[:place]:
        held += each.units if each.kind == "buy" else -each.units
    moved = held * share // 100
    assume(moved)
    there_and_back = [
        *history[:place],
        move_out(moved),
        move_in(moved),
        *history[place:],
    ]
    result = result_of(*there_and_back)
    assert result.profit_pct == result_of(*history).profit_pct
    assert result.knowledge == "known"


@given(possible_histories(), st.sampled_from(["sell", "unpriced_out", "order_open"]))
def test_an_unknown_disposal_never_yields_a_number(
    history: list[HoldingEvent], kind: EventKind
) -> None:
    held = sum(e.units if e.kind == "buy" else -e.units for e in history)
    bought = sum(e.units for e in history if e.kind == "buy")
    assume(20 * held > bought)
    result = result_of(*history, event(kind, held))
    assert (result.profit_pct, result.realised_lamports) == (None, None)
    assert result.unknown_reason


@given(possible_histories())
def test_only_lost_units_give_a_full_loss(history: list[HoldingEvent]) -> None:
    result = result_of(*history)
    assume(any(e.kind == "sell" for e in history))
    assert result.profit_pct is not None
    assert result.profit_pct > -100


def test_an_unknown_disposal_belongs_to_the_cycle_that_owned_the_units() -> None:
    """The first holding was sent away, came back during the second, and then left."""
    result = result_of(
        buy(1_000, SOL),
        move_out(1_000),
        buy(10, SOL // 100),
        move_in(1_000),
        event("unpriced_out", 1_010),
    )
    assert (result.profit_pct, result.knowledge) == (None, "unknown")


def test_only_transfers_bring_units_back_with_their_cost() -> None:
    loser = [buy(1_000, 10 * SOL), move_out(1_000)]
    bought_elsewhere = event("transfer_in", 1_000, reason=Reason.KEEPER_FILL)
    result = result_of(*loser, bought_elsewhere, sell(1_000, 16 * SOL))
    assert (result.profit_pct, result.has_moved_out) == (-100, True)


@pytest.mark.parametrize("sold_for", [SOL // 10, 3 * SOL])
def test_a_stranger_cannot_make_a_finished_result_unknown(sold_for: int) -> None:
    finished = [buy(1_000, SOL), sell(990, sold_for), move_out(10)]
    alone, bothered = result_of(*finished), result_of(*finished, move_in(500))
    assert bothered.profit_pct == alone.profit_pct
    assert bothered.knowledge == "known"


def test_a_disposal_of_most_of_the_cost_is_unknown_however_few_the_units() -> None:
    result = result_of(
        buy(20_000, SOL // 10),
        sell(19_700, SOL // 10),
        buy(700, 10 * SOL),
        event("unpriced_out", 1_000),
    )
    assert (result.profit_pct, result.unknown_reason) == (None, "out_ambiguous")


def test_spam_that_is_sold_later_is_not_bought_again() -> None:
    result = result_of(
        buy(10, SOL), sell(10, 2 * SOL), move_in(500, at=5), sell(500, 9, at=6)
    )
    assert (result.profit_pct, result.later_cycles) == (100, 0)

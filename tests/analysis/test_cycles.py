"""Cycles: their begin and end, their results, and what must not be counted as a win."""

from fractions import Fraction

import pytest

from discovery.analysis.cycles import resolve_cycles
from discovery.analysis.holdings import split_cycles
from tests.analysis.sample_histories import (
    DAY,
    NOW,
    SOL,
    buy,
    cycles_of,
    move_in,
    move_out,
    sell,
)

OLD = NOW - 30 * DAY


def test_a_cycle_runs_from_flat_to_flat() -> None:
    (cycle,) = cycles_of(
        [buy(100, SOL, at=10), sell(60, SOL, at=20), sell(40, SOL, at=30)]
    )
    assert (
        cycle.opened_at,
        cycle.closed_at,
        cycle.resolved_at,
        cycle.close_reason,
    ) == (10, 30, 30, "closed")
    assert (cycle.buys, cycle.sells, cycle.first_signature) == (1, 2, "buy--10")


def test_buying_again_after_flat_opens_the_next_cycle() -> None:
    first, second = cycles_of(
        [
            buy(100, SOL, at=1),
            sell(100, SOL, at=2),
            buy(50, SOL, at=3),
            sell(50, SOL, at=4),
        ]
    )
    assert [(c.number, c.opened_at, c.closed_at) for c in (first, second)] == [
        (1, 1, 2),
        (2, 3, 4),
    ]


def test_buying_more_before_flat_stays_the_same_cycle() -> None:
    assert (
        len(cycles_of([buy(100, SOL), sell(98, SOL), buy(10, SOL), sell(12, SOL)])) == 1
    )


def test_one_percent_of_the_peak_is_flat_and_slightly_more_is_not() -> None:
    assert cycles_of([buy(1_000, SOL), sell(990, SOL)])[0].close_reason == "closed"
    assert cycles_of([buy(1_000, SOL), sell(989, SOL)])[0].close_reason == "open"


def test_the_remainder_of_a_flat_holding_stays_a_cost() -> None:
    (cycle,) = cycles_of([buy(1_000, SOL), sell(995, 2 * SOL)])
    assert cycle.net_lamports == SOL
    assert cycle.basis_left_lamports == SOL * 5 // 1_000
    assert cycle.held_units == 5


def test_a_remainder_sold_later_brings_proceeds_to_the_cycle_that_paid_for_it() -> None:
    """Otherwise a cycle would win with units that an earlier one paid for."""
    first, second = cycles_of(
        [
            buy(1_000, 10 * SOL, at=1),
            sell(990, 5 * SOL, at=2),
            buy(10, SOL, at=3),
            sell(20, 8 * SOL, at=4),
        ]
    )
    assert first.matched_lamports == 9 * SOL
    assert (second.put_in_lamports, second.matched_lamports) == (SOL, 4 * SOL)


def test_fees_count_on_both_sides() -> None:
    (cycle,) = cycles_of([buy(100, SOL, extras=30), sell(100, 2 * SOL, extras=70)])
    assert (cycle.net_lamports, cycle.fees_lamports) == (SOL - 100, 100)


@pytest.mark.parametrize(
    ("put_in", "proceeds", "result"),
    [
        (SOL, SOL + 10_000_000, "win"),
        (SOL, SOL + 9_999_999, "even"),
        (2 * SOL, 2 * SOL + 19_999_999, "even"),
        (2 * SOL, 2 * SOL + 20_000_000, "win"),
        (SOL, SOL - 10_000_000, "loss"),
        (SOL, SOL - 9_999_999, "even"),
        (SOL // 1_000, SOL // 100, "even"),
    ],
)
def test_a_result_is_at_least_one_percent_and_a_hundredth_of_a_sol(
    put_in: int, proceeds: int, result: str
) -> None:
    assert cycles_of([buy(10, put_in), sell(10, proceeds)])[0].result == result


def test_a_holding_that_was_transferred_out_loses_its_cost() -> None:
    (cycle,) = cycles_of([buy(100, SOL, at=1), move_out(100, at=9)])
    assert (
        cycle.result,
        cycle.close_reason,
        cycle.net_lamports,
        cycle.resolved_at,
    ) == ("loss", "left wallet", -SOL, 9)


def test_a_holding_that_gained_before_the_rest_was_transferred_out_is_a_win() -> None:
    (cycle,) = cycles_of([buy(100, SOL), sell(50, 3 * SOL), move_out(50)])
    assert (cycle.result, cycle.net_lamports) == ("win", 2 * SOL)


def test_an_open_holding_has_no_result_and_the_net_of_its_sold_units() -> None:
    (cycle,) = cycles_of([buy(100, SOL, at=NOW - DAY), sell(50, SOL, at=NOW)])
    assert (
        cycle.result,
        cycle.resolved_at,
        cycle.net_lamports,
        cycle.exclusion_reason,
    ) == (
        "open",
        None,
        SOL // 2,
        "open",
    )


def test_a_worthless_bag_without_a_trade_for_seven_days_is_a_loss() -> None:
    (cycle,) = cycles_of(
        [buy(100, SOL, at=NOW - 7 * DAY)], liquidation_lamports=SOL // 10 - 1
    )
    assert (
        cycle.result,
        cycle.close_reason,
        cycle.resolved_at,
        cycle.net_lamports,
    ) == ("loss", "dead bag", NOW, -SOL)


@pytest.mark.parametrize(
    ("traded_at", "liquidation_lamports"),
    [(NOW - 7 * DAY + 1, 0), (NOW - 7 * DAY, SOL // 10), (NOW - 7 * DAY, None)],
    ids=["traded since", "worth a tenth of its cost", "value unknown"],
)
def test_a_bag_stays_open_while_one_condition_of_a_dead_bag_is_missing(
    traded_at: int, liquidation_lamports: int | None
) -> None:
    assert (
        cycles_of(
            [buy(100, SOL, at=traded_at)], liquidation_lamports=liquidation_lamports
        )[0].close_reason
        == "open"
    )


def test_the_liquidation_value_of_an_open_holding_is_that_of_units_with_a_cost() -> (
    None
):
    (cycle,) = cycles_of(
        [buy(100, SOL, at=NOW), move_in(300, at=NOW)], liquidation_lamports=SOL
    )
    assert cycle.liquidation_value_lamports == SOL // 4


def test_a_loser_with_a_remainder_is_resolved_after_seven_days_without_events() -> None:
    events = [buy(100, SOL, at=OLD), move_out(90, at=OLD + DAY)]
    assert cycles_of(events, now=OLD + 8 * DAY - 1)[0].close_reason == "open"
    (cycle,) = cycles_of(events, now=OLD + 8 * DAY)
    assert (cycle.result, cycle.close_reason, cycle.net_lamports) == (
        "loss",
        "left wallet",
        -SOL,
    )


def test_units_that_were_only_transferred_are_no_cycle() -> None:
    assert cycles_of([move_in(100), move_out(100)]) == []


def test_a_sale_beyond_the_position_is_unmatched_and_marks_the_cycle() -> None:
    (cycle,) = cycles_of([buy(100, SOL), sell(200, 4 * SOL)])
    assert (cycle.matched_lamports, cycle.unmatched_lamports) == (2 * SOL, 2 * SOL)
    assert cycle.history_incomplete


def test_a_sale_without_any_known_cost_is_unknown() -> None:
    (cycle,) = cycles_of([sell(100, SOL)])
    assert (cycle.result, cycle.net_lamports, cycle.unknown_reason) == (
        "unknown",
        None,
        "no_cost",
    )
    assert (cycle.exclusion_reason, cycle.unmatched_lamports) == ("unknown", SOL)


def test_a_result_with_too_many_units_without_a_cost_is_unknown() -> None:
    (partly,) = cycles_of([buy(900, SOL), move_in(100), sell(1_000, 20 * SOL)])
    (unknown,) = cycles_of([buy(899, SOL), move_in(101), sell(1_000, 20 * SOL)])
    assert (partly.result, partly.knowledge, partly.exclusion_reason) == (
        "win",
        "partly",
        "",
    )
    assert (unknown.result, unknown.net_lamports) == ("unknown", None)
    assert unknown.unknown_reason == "in_transfer"


def test_a_bag_that_is_sent_out_and_back_keeps_its_loss() -> None:
    (cycle,) = cycles_of(
        [buy(100, 2 * SOL), move_out(100), move_in(100), sell(100, SOL)]
    )
    assert (cycle.result, cycle.net_lamports) == ("loss", -SOL)


def test_a_sale_without_a_price_is_no_loss() -> None:
    (cycle,) = cycles_of([buy(100, SOL), sell(100, None)])
    assert (cycle.result, cycle.net_lamports, cycle.unknown_reason) == (
        "unknown",
        None,
        "out_trade",
    )
    assert cycle.history_incomplete


def test_a_loss_is_counted_if_only_dust_was_sold_at_an_unknown_price() -> None:
    (cycle,) = cycles_of([buy(1_000, SOL), sell(950, SOL // 2), sell(50, None)])
    assert (cycle.result, cycle.exclusion_reason) == ("loss", "")


def test_a_sale_without_a_price_lowers_coverage_by_what_its_units_cost() -> None:
    (cycle,) = cycles_of([buy(100, SOL), sell(50, SOL), sell(50, None)])
    assert (cycle.sold_lamports, cycle.covered_lamports) == (SOL + SOL // 2, SOL)


def test_a_token_whose_balance_does_not_follow_from_its_events_is_marked() -> None:
    (cycle,) = resolve_cycles(
        split_cycles("M", [buy(100, SOL), sell(100, SOL)]), {}, NOW, {"M"}
    )
    assert (cycle.reconciled, cycle.history_incomplete) == (False, True)


def test_holding_time_is_weighted_by_cost() -> None:
    """Three quarters of the cost were held for 100 s, one quarter for 20 s."""
    (cycle,) = cycles_of(
        [buy(10, 3 * SOL, at=0), buy(10, SOL, at=80), sell(20, SOL, at=100)]
    )
    assert cycle.hold_seconds == 80


def test_a_cycle_that_sold_nothing_with_a_cost_has_no_holding_time() -> None:
    assert cycles_of([buy(10, SOL), move_out(10)])[0].hold_seconds is None


def test_amounts_are_rounded_once_half_to_even() -> None:
    (cycle,) = cycles_of([buy(3, Fraction(5, 2)), sell(3, Fraction(9, 2))])
    assert (cycle.put_in_lamports, cycle.matched_lamports, cycle.net_lamports) == (
        2,
        4,
        2,
    )


def test_a_bag_that_went_and_came_back_is_resolved_like_one_that_stayed() -> None:
    """Half was sold at a loss; the rest would bring 5 SOL."""
    start = [buy(1_000, SOL), sell(500, 3 * SOL // 10)]
    stayed = cycles_of(start, liquidation_lamports=5 * SOL)
    returned = cycles_of(
        [*start, move_out(500), move_in(500)], liquidation_lamports=5 * SOL
    )
    assert [cycle.result for cycle in stayed] == ["open"]
    assert returned == stayed


def test_one_unit_sent_away_does_not_lose_a_bag_that_is_worth_something() -> None:
    start = [buy(1_000, SOL), sell(500, 3 * SOL // 10), move_out(1)]
    (cycle,) = cycles_of(start, liquidation_lamports=5 * SOL)
    assert cycle.result == "open"

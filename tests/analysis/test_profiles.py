"""Profiles: every figure on histories with known results."""

import random
from decimal import Decimal

import msgspec
import pytest

from discovery.analysis.figures import compute_figures
from discovery.domain.findings import HoldingEvent
from discovery.domain.profiles import Profile
from tests.analysis.sample_histories import (
    DAY,
    NOW,
    SOL,
    buy,
    move_in,
    profiled,
    record,
    round_trip,
    sell,
)

MIDNIGHT = NOW - NOW % DAY


def test_the_win_rate_is_per_cycle_with_its_sample_and_interval() -> None:
    profile, _ = profiled(record(*[2 * SOL] * 7, *[SOL // 2] * 3))
    rate = profile.all.win_rate
    assert (rate.hits, rate.n, rate.value, rate.low) == (
        7,
        10,
        Decimal("0.7"),
        Decimal("0.4417"),
    )


def test_even_cycles_are_not_part_of_the_win_rate() -> None:
    profile, _ = profiled(record(2 * SOL, SOL, SOL // 2))
    assert (
        profile.all.wins,
        profile.all.losses,
        profile.all.evens,
        profile.all.win_rate.n,
    ) == (1, 1, 1, 2)


def test_one_pump_sold_in_ten_clips_is_one_win() -> None:
    clips = [
        buy(1_000, SOL, at=NOW - DAY),
        *(sell(100, SOL, at=NOW - 60 + clip, tag=str(clip)) for clip in range(10)),
    ]
    profile, _ = profiled({"M": clips})
    assert (profile.all.wins, profile.all.counted, profile.swaps) == (1, 1, 11)


def test_seed_tokens_are_included_in_all_and_not_in_scored() -> None:
    profile, cycles = profiled(record(9 * SOL, SOL // 2), seeds=["mint00"])
    assert (profile.scored.wins, profile.scored.losses) == (0, 1)
    assert (profile.all.wins, profile.all.losses) == (1, 1)
    assert profile.seeds == ("mint00",)
    assert len(cycles) == 2


def test_a_seed_without_history_is_not_listed() -> None:
    assert profiled(record(2 * SOL), seeds=["elsewhere"])[0].seeds == ()


def test_figures_are_the_same_from_stored_cycles_in_any_order() -> None:
    profile, cycles = profiled(
        record(9 * SOL, SOL // 2, 3 * SOL), seeds=["mint00"], overhead=500
    )
    random.Random(3).shuffle(cycles)
    again = compute_figures(
        cycles,
        without={"mint00"},
        overhead_lamports=500,
        sol_usd_at=lambda _: Decimal(150),
    )
    assert again == profile.scored


def test_net_is_the_sum_of_all_cycles_minus_overhead() -> None:
    profile, _ = profiled(record(3 * SOL, SOL // 2), overhead=1_000)
    assert (profile.all.realised_lamports, profile.all.net_lamports) == (
        SOL * 3 // 2,
        SOL * 3 // 2 - 1_000,
    )


def test_usd_uses_the_price_at_the_end_of_each_cycle() -> None:
    _, cycles = profiled(record(3 * SOL, 2 * SOL))
    prices = {cycles[0].resolved_at: Decimal(100), cycles[1].resolved_at: Decimal(200)}
    assert compute_figures(cycles, sol_usd_at=prices.get).net_usd == Decimal("400.00")


def test_one_missing_price_leaves_the_usd_figure_unknown() -> None:
    _, cycles = profiled(record(3 * SOL, 2 * SOL))
    assert (
        compute_figures(
            cycles, sol_usd_at={cycles[0].resolved_at: Decimal(100)}.get
        ).net_usd
        is None
    )


def test_overhead_is_a_cost_in_usd_too() -> None:
    _, cycles = profiled(record(3 * SOL))
    result = compute_figures(
        cycles, overhead_lamports=SOL // 2, sol_usd_at=lambda _: Decimal(100)
    )
    assert result.net_usd == Decimal("150.00")


def test_profit_without_the_best_token_leaves_all_its_cycles_out() -> None:
    histories = record(3 * SOL, 2 * SOL, SOL // 2)
    histories["mint00"] = [
        *histories["mint00"],
        *round_trip(4 * SOL, days_ago=0.5, tag="again"),
    ]
    profile, _ = profiled(histories)
    assert profile.all.net_without_best_lamports == SOL // 2


def test_the_profit_interval_spans_no_gain_to_full_gain_of_units_without_a_cost() -> (
    None
):
    profile, _ = profiled(
        {
            "M": [
                buy(90, SOL, at=NOW - DAY),
                move_in(10, at=NOW - 60),
                sell(100, 4 * SOL, at=NOW),
            ]
        }
    )
    unmatched = 4 * SOL // 10
    assert profile.all.unmatched_lamports == unmatched
    assert profile.all.low_lamports == 4 * SOL - unmatched - SOL
    assert profile.all.high_lamports == 3 * SOL
    assert profile.all.coverage == Decimal("0.9")


def test_nothing_sold_has_no_coverage() -> None:
    assert profiled({"M": [buy(100, SOL, at=NOW)]})[0].all.coverage is None


def test_expectancy_profit_factor_and_payoff() -> None:
    """Gains 2 and 1 SOL, losses 0.5 SOL, positions of 1 SOL: (3 + 1) / (0.5 + 1), 1.5 /
    0.5, 2.5 / 3.
    """
    profile, _ = profiled(record(3 * SOL, 2 * SOL, SOL // 2))
    assert profile.all.profit_factor == Decimal("2.6667")
    assert profile.all.payoff == Decimal(3)
    assert profile.all.expectancy_lamports == 833_333_333
    assert profile.all.per_trade_lamports == 416_666_667
    assert profile.all.roi == Decimal("0.8333")


def test_the_profit_factor_is_at_most_ten() -> None:
    assert profiled(record(100 * SOL))[0].all.profit_factor == 10


def test_no_loss_has_no_payoff() -> None:
    assert profiled(record(2 * SOL))[0].all.payoff is None


def test_fee_drag_is_fees_divided_by_gains_before_fees() -> None:
    trade = [
        buy(100, SOL, at=NOW - DAY, extras=SOL // 10),
        sell(100, 2 * SOL, at=NOW, extras=SOL // 10),
    ]
    profile, _ = profiled({"M": trade})
    assert (profile.all.fees_lamports, profile.all.fee_drag) == (
        SOL // 5,
        Decimal("0.2"),
    )


def test_holding_times_have_mean_median_and_tenth_percentile() -> None:
    holds = [60, 120, 180, 3_000]
    profile, _ = profiled(
        {f"m{h}": round_trip(2 * SOL, days_ago=h / 1_000, hold=h) for h in holds}
    )
    result = profile.all
    assert (result.hold_n, result.mean_hold_seconds, result.median_hold_seconds) == (
        4,
        840,
        150,
    )
    assert result.p10_hold_seconds == 60


def test_position_sizes_have_average_and_median_in_sol() -> None:
    profile, _ = profiled(
        {
            f"m{size}": round_trip(9 * SOL, put_in=size * SOL, days_ago=size)
            for size in (1, 2, 6)
        }
    )
    assert (profile.all.average_position_sol, profile.all.median_position_sol) == (
        Decimal(3),
        Decimal(2),
    )


def test_drawdown_is_the_largest_fall_after_a_peak() -> None:
    """Results +2, -0.5, -0.5, +1, -0.25: the drawdown is 1 SOL, with at most 1 SOL at
    work.
    """
    profile, _ = profiled(record(3 * SOL, SOL // 2, SOL // 2, 2 * SOL, SOL * 3 // 4))
    assert (profile.all.drawdown_lamports, profile.all.drawdown_share) == (
        SOL,
        Decimal(1),
    )


def test_drawdown_is_a_share_of_the_largest_basis_at_work() -> None:
    overlapping = {
        mint: round_trip(SOL // 2, days_ago=1, hold=7_200, tag=mint) for mint in "ABCD"
    }
    profile, _ = profiled(overlapping)
    assert (profile.all.drawdown_lamports, profile.all.drawdown_share) == (
        2 * SOL,
        Decimal("0.5"),
    )


def test_concentration_is_by_token_and_counts_only_gains() -> None:
    profile, _ = profiled(record(4 * SOL, 2 * SOL, SOL // 2))
    result = profile.all
    assert (result.concentration, result.effective_tokens) == (
        Decimal("0.625"),
        Decimal("1.6"),
    )
    assert result.top_share == Decimal("0.75")


def test_the_last_and_the_longest_losing_streak_are_counted() -> None:
    lose, win = SOL // 2, 2 * SOL
    profile, _ = profiled(record(win, lose, lose, lose, win, lose, SOL, lose))
    assert (profile.all.consecutive_losses, profile.all.longest_losing_streak) == (2, 3)


def test_a_win_ends_the_streak_of_losses() -> None:
    assert profiled(record(SOL // 2, SOL // 2, 2 * SOL))[0].all.consecutive_losses == 0


def test_the_rolling_win_rate_is_that_of_the_last_twenty() -> None:
    profile, _ = profiled(record(*[2 * SOL] * 10, *[SOL // 2] * 15, *[2 * SOL] * 5))
    rolling = profile.all.rolling_win_rate
    assert (rolling.hits, rolling.n, rolling.value) == (5, 20, Decimal("0.25"))


def test_unrealised_profit_is_known_if_every_liquidation_value_is() -> None:
    held = {"A": [buy(1, SOL, at=NOW)], "B": [buy(1, SOL, at=NOW)]}
    known, _ = profiled(held, liquidation_values={"A": 3 * SOL, "B": SOL // 2})
    partly, _ = profiled(held, liquidation_values={"A": 3 * SOL})
    assert (known.all.unrealised_lamports, known.all.open_without_exit) == (
        SOL * 3 // 2,
        0,
    )
    assert (partly.all.unrealised_lamports, partly.all.open_without_exit) == (None, 1)


def test_a_swap_of_one_token_for_another_is_one_swap() -> None:
    def of(kind: str, at: int) -> HoldingEvent:
        return HoldingEvent(kind, "both", 1, at, 100, None)

    profile, _ = profiled({"A": [of("sell", NOW)], "B": [of("buy", NOW)]})
    assert profile.swaps == 1


def test_transfers_are_no_swaps() -> None:
    profile, _ = profiled({"A": [move_in(5, at=NOW)]})
    assert (
        profile.swaps,
        profile.active_days,
        profile.first_trade_at,
        profile.swaps_per_day,
    ) == (0, 0, None, None)


def test_activity_is_counted_by_utc_days_and_hours() -> None:
    trades = [
        buy(1, SOL, at=MIDNIGHT - 1, tag="a"),
        buy(1, SOL, at=MIDNIGHT, tag="b"),
        buy(1, SOL, at=MIDNIGHT + 3_600),
    ]
    profile, _ = profiled({"A": trades})
    assert (profile.active_days, profile.swaps_per_day) == (2, Decimal("1.5"))
    assert (
        profile.hours[23],
        profile.hours[0],
        profile.hours[1],
        sum(profile.hours),
    ) == (1, 1, 1, 3)
    assert (profile.first_trade_at, profile.last_trade_at) == (
        MIDNIGHT - 1,
        MIDNIGHT + 3_600,
    )


def test_timing_is_the_mean_rank_among_a_tokens_early_buyers() -> None:
    profile, _ = profiled({}, entries={"A": (1, 5), "B": (4, 5), "C": (1, 1)})
    assert (profile.timing_percentile, profile.timing_n) == (Decimal("37.5"), 2)


def test_tokens_whose_balance_does_not_follow_from_events_are_counted() -> None:
    profile, _ = profiled(
        record(2 * SOL, 2 * SOL), unreconciled=["mint01"], seeds=["mint01"]
    )
    assert (profile.all.unreconciled_tokens, profile.scored.unreconciled_tokens) == (
        1,
        0,
    )


@pytest.mark.parametrize("histories", [{}, {"A": []}], ids=["no token", "no event"])
def test_a_wallet_without_history_has_empty_figures(
    histories: dict[str, list[HoldingEvent]],
) -> None:
    profile, cycles = profiled(histories)
    assert cycles == []
    assert (
        profile.all.counted,
        profile.all.win_rate.value,
        profile.all.net_lamports,
    ) == (0, None, 0)
    assert (
        profile.all.expectancy_lamports
        is profile.all.roi
        is profile.all.average_position_sol
        is None
    )


def test_the_order_of_tokens_changes_nothing() -> None:
    histories = record(3 * SOL, SOL // 2, 2 * SOL, SOL)
    reordered = dict(reversed(histories.items()))
    assert profiled(histories) == profiled(reordered)


def test_a_profile_is_the_same_after_json() -> None:
    profile, _ = profiled(record(3 * SOL, SOL // 2), entries={"A": (2, 9)})
    assert msgspec.json.decode(msgspec.json.encode(profile), type=Profile) == profile

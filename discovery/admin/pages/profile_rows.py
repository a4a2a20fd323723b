"""The figures of a profile as rows: in words, without the seed tokens, and with them."""

import heapq
from collections.abc import Callable, Sequence
from typing import Final

from discovery.domain.display import UNKNOWN
from discovery.domain.profiles import Figures, Profile
from discovery.templatetags.formatting import (
    duration,
    number,
    pct,
    ratio_pct,
    signed_sol,
    sol,
    usd,
)

_ROWS: Final[list[tuple[str, Callable[[Figures], str]]]] = [
    ("Cycles: resolved and counted, open", lambda each: f"{each.counted}, {each.open}"),
    ("Won, lost, break-even", lambda each: f"{each.wins}, {each.losses}, {each.evens}"),
    ("Win rate, % (90 % interval)", lambda each: _rate(each.win_rate.value, each.win_rate.low, each.win_rate.high)),
    ("Win rate of the last 20, %", lambda each: ratio_pct(each.rolling_win_rate.value)),
    ("Losses in a row now, at most", lambda each: f"{each.consecutive_losses}, {each.longest_losing_streak}"),
    ("Net, SOL", lambda each: signed_sol(each.net_lamports)),
    ("Net, USD at the time", lambda each: usd(each.net_usd)),
    ("Net without the best token, SOL", lambda each: signed_sol(each.net_without_best_lamports)),
    ("Net, low and high where cost is unknown, SOL", lambda each: _pair(each.low_lamports, each.high_lamports)),
    ("Unrealised, SOL", lambda each: signed_sol(each.unrealised_lamports)),
    ("Return on what was put in, %", lambda each: ratio_pct(each.roi, 1)),
    ("Mean net a cycle, SOL", lambda each: signed_sol(each.expectancy_lamports)),
    ("Realised a trade, SOL", lambda each: signed_sol(each.per_trade_lamports)),
    ("Profit factor", lambda each: number(each.profit_factor, 2)),
    ("Average win ÷ average loss", lambda each: number(each.payoff, 2)),
    ("Fees, SOL (of gains, %)", lambda each: f"{sol(each.fees_lamports)} ({ratio_pct(each.fee_drag, 1)})"),
    ("Hold: mean, median", lambda each: f"{duration(each.mean_hold_seconds)}, {duration(each.median_hold_seconds)}"),
    ("Mean position, SOL", lambda each: number(each.average_position_sol, 4)),
    ("Median position, SOL", lambda each: number(each.median_position_sol, 4)),
    ("Largest fall, SOL", lambda each: sol(each.drawdown_lamports)),
    ("Largest fall, % of capital", lambda each: ratio_pct(each.drawdown_share, 1)),
    ("Tokens; as if spread over", lambda each: f"{each.tokens}; {number(each.effective_tokens, 1)}"),
    ("Best token's share of gains, %", lambda each: ratio_pct(each.top_share)),
    ("Coverage, %", lambda each: ratio_pct(each.coverage)),
]  # fmt: skip


def figure_rows(profile: Profile | None) -> list[tuple[str, str, str]]:
    """Return (name, without the seed tokens, with them) for each figure; an empty list
    without a profile.
    """
    if profile is None:
        return []
    return [(name, write(profile.scored), write(profile.all)) for name, write in _ROWS]


def habit_rows(profile: Profile | None) -> list[tuple[str, str]]:
    """Return (name, value) of what does not depend on seed tokens: activity, hours,
    timing; an empty list without a profile.
    """
    if profile is None:
        return []
    return [
        ("Active days", number(profile.active_days)),
        ("Swaps (a day)", f"{profile.swaps:,} ({number(profile.swaps_per_day, 1)})"),
        ("Preferred hours, UTC", _busiest_hours(profile.hours) or UNKNOWN),
        ("Place among early buyers, 0 = first", _timing(profile)),
    ]


def _busiest_hours(swaps_by_hour: Sequence[int]) -> str:
    """Return the hours with the most swaps, three at most; empty text without swaps."""
    active_hours = [hour for hour, swaps in enumerate(swaps_by_hour) if swaps]
    busiest = heapq.nlargest(3, active_hours, key=swaps_by_hour.__getitem__)
    return ", ".join(f"{hour:02d}–{(hour + 1) % 24:02d}" for hour in sorted(busiest))


def _timing(profile: Profile) -> str:
    if profile.timing_percentile is None:
        return UNKNOWN
    return f"{pct(profile.timing_percentile)} of 100 (n = {profile.timing_n})"


def _rate(value: object, low: object, high: object) -> str:
    if value is None:
        return UNKNOWN
    return f"{ratio_pct(value)} ({ratio_pct(low)}–{ratio_pct(high)})"


def _pair(low: int, high: int) -> str:
    return f"{signed_sol(low)} to {signed_sol(high)}"

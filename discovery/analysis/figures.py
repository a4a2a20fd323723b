"""What a sample of cycles comes to: win rate, profit, holding times, drawdown, concentration, each with its n."""

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from fractions import Fraction
from typing import Final

from discovery.analysis.statistics import herfindahl, to_decimal, wilson_interval
from discovery.domain.profiles import Cycle, Figures, Ratio
from discovery.domain.units import LAMPORTS_PER_SOL, fraction_to_decimal, round_half_even

ROLLING: Final = 20
MAX_PROFIT_FACTOR: Final = 10
SolUsd = Callable[[int], Decimal | None]
"""USD per SOL at a time in unix seconds; None where nobody said."""


def sorted_by_resolution(cycles: Iterable[Cycle]) -> list[Cycle]:
    """The cycles in the order in which they were settled, open ones last: one order, however they came."""
    return sorted(cycles, key=lambda c: (c.resolved_at is None, c.resolved_at or c.opened_at, c.mint, c.number))


def counted_cycles(cycles: Iterable[Cycle], without: AbstractSet[str] = frozenset()) -> list[Cycle]:
    """The cycles that statistics use, in order, tokens of `without` left out."""
    return sorted_by_resolution(cycle for cycle in cycles if cycle.counted and cycle.mint not in without)


def ratio(hits: int, n: int) -> Ratio:
    """`hits` of `n` with its interval."""
    if not n:
        return Ratio(0, 0, None, None, None)
    low, high = wilson_interval(hits, n)
    return Ratio(hits, n, fraction_to_decimal(Fraction(hits, n), 4), to_decimal(low), to_decimal(high))


def compute_figures(
    cycles: Iterable[Cycle],
    *,
    without: AbstractSet[str] = frozenset(),
    overhead_lamports: int = 0,
    sol_usd_at: SolUsd | None = None,
) -> Figures:
    """The figures of one wallet's cycles; formulas in docs/scores.md.

    without: mints left out (seeds). overhead_lamports: fees of failed transactions, a cost of the whole wallet.
    Profit is that of all cycles; win rate, sizes, times and ratios are those of the counted ones.
    """
    whole = sorted_by_resolution(cycle for cycle in cycles if cycle.mint not in without)
    sample = counted_cycles(whole)
    wins = sum(cycle.result == "win" for cycle in sample)
    losses = sum(cycle.result == "loss" for cycle in sample)
    decided = [cycle.result == "win" for cycle in sample if cycle.result != "even"]
    recent = decided[-ROLLING:]
    realised = sum(cycle.net_lamports for cycle in whole)
    unmatched = sum(cycle.unmatched_lamports for cycle in whole)
    net = realised - overhead_lamports
    by_token = _by_token(whole)
    gains = [amount for amount in by_token.values() if amount > 0]
    herfindahl_index = herfindahl(gains)
    trades = sum(cycle.buys + cycle.sells for cycle in whole)
    nets = [cycle.net_lamports for cycle in sample]
    won = sum(amount for amount in nets if amount > 0)
    lost = -sum(amount for amount in nets if amount < 0)
    positions = [cycle.put_in_lamports for cycle in sample]
    holds = [cycle.hold_seconds for cycle in sample if cycle.hold_seconds is not None]
    opened = [cycle for cycle in whole if cycle.result == "open"]
    fees = sum(cycle.fees_lamports for cycle in sample)
    before_fees = sum(max(0, cycle.net_lamports + cycle.fees_lamports) for cycle in sample)
    fall = _drawdown(whole)
    typical = _median(positions)
    streaks = _losing_streaks(decided)
    return Figures(
        cycles=len(whole),
        open=len(opened),
        counted=len(sample),
        tokens=len({cycle.mint for cycle in sample}),
        wins=wins,
        losses=losses,
        evens=len(sample) - wins - losses,
        win_rate=ratio(wins, wins + losses),
        rolling_win_rate=ratio(sum(recent), len(recent)),
        consecutive_losses=streaks[-1],
        longest_losing_streak=max(streaks),
        realised_lamports=realised,
        net_lamports=net,
        net_usd=_in_usd(whole, overhead_lamports, sol_usd_at),
        net_without_best_lamports=net - max(gains, default=0),
        unmatched_lamports=unmatched,
        low_lamports=net,
        high_lamports=net + unmatched,
        unrealised_lamports=_unrealised(opened),
        open_without_exit=sum(cycle.liquidation_value_lamports is None for cycle in opened),
        coverage=_share(sum(c.covered_lamports for c in whole), sum(c.sold_lamports for c in whole)),
        unreconciled_tokens=len({cycle.mint for cycle in whole if not cycle.reconciled}),
        roi=_share(sum(nets), sum(positions)),
        expectancy_lamports=_mean(nets),
        per_trade_lamports=round_half_even(Fraction(realised, trades)) if trades else None,
        profit_factor=_profit_factor(won, lost, typical),
        payoff=_payoff(sample),
        fees_lamports=sum(cycle.fees_lamports for cycle in whole),
        fee_drag=_share(fees, before_fees),
        hold_n=len(holds),
        mean_hold_seconds=_mean(holds),
        median_hold_seconds=None if not holds else round_half_even(_median(holds)),
        p10_hold_seconds=_tenth(holds),
        average_position_sol=_sol(Fraction(sum(positions), len(positions))) if positions else None,
        median_position_sol=_sol(typical) if positions else None,
        drawdown_lamports=fall,
        drawdown_share=_share(fall, _most_at_work(whole)),
        concentration=None if herfindahl_index is None else fraction_to_decimal(herfindahl_index, 4),
        effective_tokens=None if herfindahl_index is None else fraction_to_decimal(1 / herfindahl_index, 4),
        top_share=_share(max(gains, default=0), sum(gains)),
    )


def _by_token(cycles: Sequence[Cycle]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for cycle in cycles:
        totals[cycle.mint] = totals.get(cycle.mint, 0) + cycle.net_lamports
    return totals


def _losing_streaks(decided: Sequence[bool]) -> list[int]:
    """Lengths of the runs of losses after each win, the last one being the one at the end; 0 where a win follows."""
    streaks = [0]
    for won in decided:
        if won:
            streaks.append(0)
        else:
            streaks[-1] += 1
    return streaks


def _in_usd(cycles: Sequence[Cycle], overhead_lamports: int, sol_usd_at: SolUsd | None) -> Decimal | None:
    """Each cycle's SOL result at the price of its end, overhead at the last of them; None where a price is missing."""
    if sol_usd_at is None or not cycles:
        return None
    total = Fraction(0)
    for cycle in cycles:
        price = sol_usd_at(cycle.resolved_at or cycle.last_trade_at)
        if price is None:
            return None
        total += Fraction(price) * cycle.net_lamports
    last = sol_usd_at(max(cycle.last_trade_at for cycle in cycles))
    if last is None:
        return None
    return fraction_to_decimal((total - Fraction(last) * overhead_lamports) / LAMPORTS_PER_SOL, 2)


def _unrealised(opened: Sequence[Cycle]) -> int | None:
    total = 0
    for cycle in opened:
        if cycle.liquidation_value_lamports is None:
            return None
        total += cycle.liquidation_value_lamports - cycle.basis_left_lamports
    return total


def _profit_factor(won: int, lost: int, typical: Fraction) -> Decimal | None:
    if not typical:
        return None
    return fraction_to_decimal(min((won + typical) / (lost + typical), Fraction(MAX_PROFIT_FACTOR)), 4)


def _payoff(sample: Sequence[Cycle]) -> Decimal | None:
    won = [cycle.net_lamports for cycle in sample if cycle.result == "win"]
    lost = [-cycle.net_lamports for cycle in sample if cycle.result == "loss"]
    if not won or not lost:
        return None
    return fraction_to_decimal(Fraction(sum(won), len(won)) / Fraction(sum(lost), len(lost)), 4)


def _drawdown(cycles: Sequence[Cycle]) -> int:
    """The largest fall of the cumulative net of resolved cycles from a peak before it, lamports."""
    standing = peak = fall = 0
    for cycle in cycles:
        if cycle.resolved_at is not None:
            standing += cycle.net_lamports
            peak = max(peak, standing)
            fall = max(fall, peak - standing)
    return fall


def _most_at_work(cycles: Sequence[Cycle]) -> int:
    """The most basis in cycles held at one time, lamports."""
    changes: list[tuple[int, int]] = []
    for cycle in cycles:
        changes.append((cycle.opened_at, cycle.put_in_lamports))
        if cycle.resolved_at is not None:
            changes.append((max(cycle.resolved_at, cycle.opened_at + 1), -cycle.put_in_lamports))
    at_work = most = 0
    for _, change in sorted(changes):
        at_work += change
        most = max(most, at_work)
    return most


def _share(part: int, whole: int) -> Decimal | None:
    return fraction_to_decimal(Fraction(part, whole), 4) if whole > 0 else None


def _sol(lamports: Fraction) -> Decimal:
    return fraction_to_decimal(lamports / LAMPORTS_PER_SOL, 9)


def _mean(values: Sequence[int]) -> int | None:
    return round_half_even(Fraction(sum(values), len(values))) if values else None


def _median(values: Sequence[int]) -> Fraction:
    """The middle value, or the mean of the two; 0 of none."""
    if not values:
        return Fraction(0)
    ascending, half = sorted(values), len(values) // 2
    return Fraction(ascending[half] if len(values) % 2 else ascending[half - 1] + ascending[half]) / (
        2 - len(values) % 2
    )


def _tenth(values: Sequence[int]) -> int | None:
    """The 10 % quantile by nearest rank: a tenth of the values are at or below it."""
    return sorted(values)[-(-len(values) // 10) - 1] if values else None

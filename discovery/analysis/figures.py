"""Figures of a sample of cycles: win rate, profit, holding times, drawdown and
concentration, with sample sizes.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from typing import Final

import msgspec

from discovery.analysis.statistics import (
    herfindahl,
    median,
    quotient,
    tenth_percentile,
    to_decimal,
    wilson_interval,
)
from discovery.domain.profiles import Cycle, CycleResult, Figures, Ratio
from discovery.domain.units import (
    LAMPORTS_PER_SOL,
    fraction_to_decimal,
    round_if_known,
)

ROLLING_CYCLES: Final = 20
MAX_PROFIT_FACTOR: Final = 10
_RATIO_PLACES: Final = 4
_SOL_PLACES: Final = 9

SolUsd = Callable[[int], Decimal | None]
"""Returns USD per SOL at a time in unix seconds, None if it is unknown."""


class _Totals(msgspec.Struct):
    """Sums over cycles, in lamports. `net` leaves out unknown results, `trades` is the
    number of buys and sales.
    """

    net: int = 0
    put_in: int = 0
    unmatched: int = 0
    sold: int = 0
    covered: int = 0
    fees: int = 0
    trades: int = 0


def sorted_by_resolution(cycles: Iterable[Cycle]) -> list[Cycle]:
    """Return the cycles in the order of their resolution, then the open ones in the
    order of their opening. Ties are in the order of mints and numbers.
    """
    return sorted(
        cycles,
        key=lambda c: (
            c.resolved_at is None,
            c.resolved_at or c.opened_at,
            c.mint,
            c.number,
        ),
    )


def counted_cycles(
    cycles: Iterable[Cycle], without: AbstractSet[str] = frozenset()
) -> list[Cycle]:
    """Return the cycles that statistics count, in the order of their resolution, except
    those in mints of `without`.
    """
    return sorted_by_resolution(
        cycle for cycle in cycles if cycle.is_counted and cycle.mint not in without
    )


def compute_figures(
    cycles: Iterable[Cycle],
    *,
    without: AbstractSet[str] = frozenset(),
    overhead_lamports: int = 0,
    sol_usd_at: SolUsd | None = None,
) -> Figures:
    """Return the figures of one wallet's cycles; formulas in docs/scores.md.

    without: mints to leave out (seeds). overhead_lamports: fees of failed transactions,
    a cost of the whole wallet. sol_usd_at: None leaves out `net_usd`. Profit is that of
    all cycles with a known result; win rate, sizes, times and ratios are those of the
    counted ones. Coverage and unmatched proceeds are those of all cycles.
    """
    every = [cycle for cycle in cycles if cycle.mint not in without]
    included = sorted_by_resolution(
        cycle for cycle in every if cycle.net_lamports is not None
    )
    sample = counted_cycles(included)
    open_cycles = _with_result(included, "open")
    wins = _with_result(sample, "win")
    losses = _with_result(sample, "loss")
    decided = [cycle.result == "win" for cycle in sample if cycle.result != "even"]
    rolling = decided[-ROLLING_CYCLES:]
    streaks = _losing_streaks(decided)
    totals = _totals(included)
    all_totals = _totals(every)
    sample_totals = _totals(sample)
    net = totals.net - overhead_lamports
    gains = _gains_by_token(included)
    best_gain = max(gains, default=0)
    concentration = herfindahl(gains)
    typical_size = median([cycle.put_in_lamports for cycle in sample])
    hold_seconds = [
        cycle.hold_seconds for cycle in sample if cycle.hold_seconds is not None
    ]
    drawdown = _drawdown(included)
    return Figures(
        cycles=len(every),
        open=len(open_cycles),
        counted=len(sample),
        tokens=_token_count(sample),
        wins=len(wins),
        losses=len(losses),
        evens=len(sample) - len(decided),
        win_rate=_rate(len(wins), len(decided)),
        rolling_win_rate=_rate(sum(rolling), len(rolling)),
        consecutive_losses=streaks[-1],
        longest_losing_streak=max(streaks),
        realised_lamports=totals.net,
        net_lamports=net,
        net_usd=_net_usd(included, overhead_lamports, sol_usd_at),
        net_without_best_lamports=net - best_gain,
        unmatched_lamports=all_totals.unmatched,
        low_lamports=net,
        high_lamports=net + all_totals.unmatched,
        unrealised_lamports=_unrealised(open_cycles),
        open_without_exit=len(open_cycles) - len(_liquidation_gains(open_cycles)),
        coverage=_ratio(quotient(all_totals.covered, all_totals.sold)),
        unreconciled_tokens=_token_count(
            cycle for cycle in every if not cycle.reconciled
        ),
        roi=_ratio(quotient(sample_totals.net, sample_totals.put_in)),
        expectancy_lamports=round_if_known(quotient(sample_totals.net, len(sample))),
        per_trade_lamports=round_if_known(quotient(totals.net, totals.trades)),
        profit_factor=_profit_factor(sample, typical_size),
        payoff=_payoff(wins, losses),
        fees_lamports=all_totals.fees,
        fee_drag=_ratio(quotient(sample_totals.fees, _gain_before_fees(sample))),
        hold_n=len(hold_seconds),
        mean_hold_seconds=round_if_known(
            quotient(sum(hold_seconds), len(hold_seconds))
        ),
        median_hold_seconds=round_if_known(median(hold_seconds)),
        p10_hold_seconds=tenth_percentile(hold_seconds),
        average_position_sol=_sol(quotient(sample_totals.put_in, len(sample))),
        median_position_sol=_sol(typical_size),
        drawdown_lamports=drawdown,
        drawdown_share=_ratio(quotient(drawdown, _max_basis_at_work(included))),
        concentration=_ratio(concentration),
        effective_tokens=_ratio(1 / concentration if concentration else None),
        top_share=_ratio(quotient(best_gain, sum(gains))),
        unknown=len(every) - len(included),
    )


def _with_result(cycles: Iterable[Cycle], result: CycleResult) -> list[Cycle]:
    return [cycle for cycle in cycles if cycle.result == result]


def _rate(hits: int, n: int) -> Ratio:
    """Return `hits` of `n` with the interval of the rate."""
    if not n:
        return Ratio(0, 0, None, None, None)
    low, high = wilson_interval(hits, n)
    return Ratio(hits, n, _ratio(Fraction(hits, n)), to_decimal(low), to_decimal(high))


def _totals(cycles: Iterable[Cycle]) -> _Totals:
    totals = _Totals()
    for cycle in cycles:
        totals.net += cycle.net_lamports or 0
        totals.put_in += cycle.put_in_lamports
        totals.unmatched += cycle.unmatched_lamports
        totals.sold += cycle.sold_lamports
        totals.covered += cycle.covered_lamports
        totals.fees += cycle.fees_lamports
        totals.trades += cycle.buys + cycle.sells
    return totals


def _token_count(cycles: Iterable[Cycle]) -> int:
    return len({cycle.mint for cycle in cycles})


def _gains_by_token(cycles: Iterable[Cycle]) -> list[int]:
    """Return the net of each token that gained, in lamports."""
    nets: Counter[str] = Counter()
    for cycle in cycles:
        nets[cycle.mint] += cycle.known_net_lamports
    return [net for net in nets.values() if net > 0]


def _losing_streaks(decided: Sequence[bool]) -> list[int]:
    """Return the length of each run of losses after a win; the last one is the run at
    the end of the record.
    """
    streaks = [0]
    for is_win in decided:
        if is_win:
            streaks.append(0)
        else:
            streaks[-1] += 1
    return streaks


def _net_usd(
    cycles: Sequence[Cycle], overhead_lamports: int, sol_usd_at: SolUsd | None
) -> Decimal | None:
    """Return each cycle's SOL result at the price of its end, overhead at the last of
    them; in USD with two places. None without cycles or if one of the prices is
    unknown.
    """
    if sol_usd_at is None or not cycles:
        return None
    amounts = [(cycle.ended_at, cycle.known_net_lamports) for cycle in cycles]
    amounts.append((max(cycle.last_trade_at for cycle in cycles), -overhead_lamports))
    total = Fraction(0)
    for time, lamports in amounts:
        price = sol_usd_at(time)
        if price is None:
            return None
        total += Fraction(price) * lamports
    return fraction_to_decimal(total / LAMPORTS_PER_SOL, 2)


def _liquidation_gains(open_cycles: Iterable[Cycle]) -> list[int]:
    """Return liquidation value minus remaining basis, of the cycles whose liquidation
    value is known.
    """
    return [
        cycle.liquidation_value_lamports - cycle.basis_left_lamports
        for cycle in open_cycles
        if cycle.liquidation_value_lamports is not None
    ]


def _unrealised(open_cycles: Sequence[Cycle]) -> int | None:
    """Return the sum of `_liquidation_gains`, None if one of the values is unknown."""
    gains = _liquidation_gains(open_cycles)
    if len(gains) < len(open_cycles):
        return None
    return sum(gains)


def _profit_factor(
    sample: Sequence[Cycle], typical_size: Fraction | None
) -> Decimal | None:
    """Return (gains + typical size) ÷ (losses + typical size), at most 10; None without
    a cost.
    """
    if not typical_size:
        return None
    gained = sum(max(0, cycle.known_net_lamports) for cycle in sample)
    lost = sum(max(0, -cycle.known_net_lamports) for cycle in sample)
    factor = (gained + typical_size) / (lost + typical_size)
    return _ratio(min(factor, Fraction(MAX_PROFIT_FACTOR)))


def _payoff(wins: Sequence[Cycle], losses: Sequence[Cycle]) -> Decimal | None:
    """Return average win ÷ average loss, None without either."""
    if not wins or not losses:
        return None
    average_win = Fraction(_totals(wins).net, len(wins))
    average_loss = Fraction(-_totals(losses).net, len(losses))
    return _ratio(average_win / average_loss)


def _gain_before_fees(sample: Iterable[Cycle]) -> int:
    """Return what the cycles that gained before fees gained, in lamports."""
    return sum(
        max(0, cycle.known_net_lamports + cycle.fees_lamports) for cycle in sample
    )


def _drawdown(cycles: Sequence[Cycle]) -> int:
    """Return the largest fall of the cumulative net of resolved cycles from an earlier
    peak, in lamports.
    """
    nets = [
        cycle.known_net_lamports for cycle in cycles if cycle.resolved_at is not None
    ]
    cumulative = list(accumulate(nets, initial=0))
    peaks = accumulate(cumulative, max)
    return max(peak - net for peak, net in zip(peaks, cumulative, strict=True))


def _max_basis_at_work(cycles: Sequence[Cycle]) -> int:
    """Return the largest basis in cycles held at one time, in lamports."""
    changes: list[tuple[int, int]] = []
    for cycle in cycles:
        changes.append((cycle.opened_at, cycle.put_in_lamports))
        if cycle.resolved_at is not None:
            # Changes of one second are in the order of amounts: the end would come first.
            ended_at = max(cycle.resolved_at, cycle.opened_at + 1)
            changes.append((ended_at, -cycle.put_in_lamports))
    bases = [change for _, change in sorted(changes)]
    return max(accumulate(bases, initial=0))


def _ratio(value: Fraction | None) -> Decimal | None:
    if value is None:
        return None
    return fraction_to_decimal(value, _RATIO_PLACES)


def _sol(lamports: Fraction | None) -> Decimal | None:
    if lamports is None:
        return None
    return fraction_to_decimal(lamports / LAMPORTS_PER_SOL, _SOL_PLACES)

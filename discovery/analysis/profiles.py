"""Profile of a wallet: its cycles, their figures with and without its seed tokens, and
its trading habits.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

from discovery.analysis.cycles import resolve_cycles
from discovery.analysis.figures import SolUsd, compute_figures, sorted_by_resolution
from discovery.analysis.holding import Holding
from discovery.analysis.holdings import split_cycles
from discovery.analysis.statistics import SECONDS_PER_DAY, quotient
from discovery.domain.findings import HoldingEvent
from discovery.domain.profiles import Cycle, OutflowSum, Profile
from discovery.domain.units import fraction_to_decimal, round_half_even


def build_profile(
    histories: Mapping[str, Sequence[HoldingEvent]],
    *,
    now: int,
    liquidation_values: Mapping[str, int | None],
    seed_mints: AbstractSet[str],
    entry_ranks: Mapping[str, tuple[int, int]],
    overhead_lamports: int,
    truncated: bool,
    unreconciled_mints: AbstractSet[str],
    sol_usd_at: SolUsd | None,
) -> tuple[Profile, list[Cycle]]:
    """Return the profile of one wallet and the cycles behind it, in the order of their
    resolution.

    histories: mint -> the wallet's events in it, in chain order. now: unix seconds.
    liquidation_values: mint -> lamports that the units held would bring, None =
    unknown. seed_mints: tokens through which the wallet was found. entry_ranks: mint ->
    (the wallet's rank among its early buyers, their number). overhead_lamports: fees of
    failed transactions. truncated: the wallet has more transactions than were read.
    unreconciled_mints: tokens whose balance does not follow from the events.
    sol_usd_at: None leaves out amounts in USD.
    """
    holdings = [
        holding
        for mint in sorted(histories)
        for holding in split_cycles(mint, histories[mint])
    ]
    cycles = sorted_by_resolution(
        resolve_cycles(holdings, liquidation_values, now, unreconciled_mints)
    )
    swap_times = _swap_times(histories)
    active_days = len({time // SECONDS_PER_DAY for time in swap_times})
    percentiles = _entry_percentiles(entry_ranks)
    profile = Profile(
        scored=compute_figures(
            cycles,
            without=seed_mints,
            overhead_lamports=overhead_lamports,
            sol_usd_at=sol_usd_at,
        ),
        all=compute_figures(
            cycles, overhead_lamports=overhead_lamports, sol_usd_at=sol_usd_at
        ),
        seeds=tuple(sorted(seed_mints & histories.keys())),
        first_trade_at=min(swap_times, default=None),
        last_trade_at=max(swap_times, default=None),
        active_days=active_days,
        swaps=len(swap_times),
        swaps_per_day=_two_places(quotient(len(swap_times), active_days)),
        overhead_lamports=overhead_lamports,
        truncated=truncated,
        hours=_hour_counts(swap_times),
        timing_percentile=_two_places(quotient(sum(percentiles), len(percentiles))),
        timing_n=len(percentiles),
        outflows=_outflows(holdings),
        inflows=_inflows(holdings),
    )
    return profile, cycles


def _outflows(holdings: Iterable[Holding]) -> tuple[OutflowSum, ...]:
    """Return the outflows of all cycles by category, largest cost first."""
    counts: Counter[str] = Counter()
    costs: defaultdict[str, Fraction] = defaultdict(Fraction)
    for holding in holdings:
        for category, outflow in holding.outflow_costs.items():
            counts[category] += outflow.number
            costs[category] += outflow.cost
    rows = [
        OutflowSum(category, count, round_half_even(costs[category]))
        for category, count in counts.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.cost_lamports, row.category)))


def _inflows(holdings: Iterable[Holding]) -> dict[str, int]:
    """Return the number of inflows without a known cost by reason, in all cycles."""
    counts: Counter[str] = Counter()
    for holding in holdings:
        counts.update(holding.inflow_counts)
    return dict(sorted(counts.items()))


def _swap_times(histories: Mapping[str, Sequence[HoldingEvent]]) -> list[int]:
    """Return the unix time of every transaction that bought or sold. A token-to-token
    swap is one transaction.
    """
    times: dict[str, int] = {}
    for events in histories.values():
        times.update(
            (event.signature, event.block_time) for event in events if event.is_trade
        )
    return list(times.values())


def _hour_counts(times: Iterable[int]) -> tuple[int, ...]:
    """Return the number of swaps by hour of the day, UTC."""
    counts = [0] * 24
    for time in times:
        counts[datetime.fromtimestamp(time, UTC).hour] += 1
    return tuple(counts)


def _entry_percentiles(entry_ranks: Mapping[str, tuple[int, int]]) -> list[Fraction]:
    """Return the wallet's place by token: 0 = first of the early buyers, 100 = last. A
    sole buyer has no place.
    """
    return [
        Fraction(rank - 1, buyers - 1) * 100
        for rank, buyers in entry_ranks.values()
        if buyers > 1
    ]


def _two_places(value: Fraction | None) -> Decimal | None:
    if value is None:
        return None
    return fraction_to_decimal(value, 2)

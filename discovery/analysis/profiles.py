"""A wallet's profile: its cycles, what they come to with and without its seed tokens, and its habits."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

from discovery.analysis.cycles import resolve_cycles, split_cycles
from discovery.analysis.figures import SolUsd, compute_figures, sorted_by_resolution
from discovery.analysis.statistics import SECONDS_PER_DAY
from discovery.domain.findings import HoldingEvent
from discovery.domain.profiles import Cycle, Profile
from discovery.domain.units import fraction_to_decimal


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
    """The profile of one wallet and the cycles it rests on, in the order in which they were settled.

    histories: mint -> the wallet's events in it, in chain order. now: unix seconds. exits: mint -> lamports that the
    units held would bring, None = unknown. seeds: mints through which the wallet was found. entries: mint -> (the
    wallet's rank among its early buyers, how many there were). overhead_lamports: fees of failed transactions.
    truncated: the wallet did more than was read. incomplete: mints whose balance does not follow from the events.
    """
    holdings = [holding for mint in sorted(histories) for holding in split_cycles(mint, histories[mint])]
    cycles = sorted_by_resolution(resolve_cycles(holdings, liquidation_values, now, unreconciled_mints))
    swaps = _swaps(histories)
    days = {time // SECONDS_PER_DAY for time in swaps.values()}
    hours = [0] * 24
    for time in swaps.values():
        hours[datetime.fromtimestamp(time, UTC).hour] += 1
    places = [place for rank, buyers in entry_ranks.values() if (place := _place(rank, buyers)) is not None]
    return (
        Profile(
            scored=compute_figures(
                cycles, without=seed_mints, overhead_lamports=overhead_lamports, sol_usd_at=sol_usd_at
            ),
            all=compute_figures(cycles, overhead_lamports=overhead_lamports, sol_usd_at=sol_usd_at),
            seeds=tuple(sorted(seed_mints & histories.keys())),
            first_trade_at=min(swaps.values(), default=None),
            last_trade_at=max(swaps.values(), default=None),
            active_days=len(days),
            swaps=len(swaps),
            swaps_per_day=_quotient(len(swaps), len(days)),
            overhead_lamports=overhead_lamports,
            truncated=truncated,
            hours=tuple(hours),
            timing_percentile=fraction_to_decimal(sum(places) / Fraction(len(places)), 2) if places else None,
            timing_n=len(places),
        ),
        cycles,
    )


def _swaps(histories: Mapping[str, Sequence[HoldingEvent]]) -> dict[str, int]:
    """Signature -> unix time of every transaction that bought or sold: a token-to-token swap is one."""
    return {
        event.signature: event.block_time
        for events in histories.values()
        for event in events
        if event.kind in {"buy", "sell"}
    }


def _place(rank: int, buyers: int) -> Fraction | None:
    """0 for the first of the early buyers, 100 for the last; a sole buyer has no place."""
    return Fraction(rank - 1, buyers - 1) * 100 if buyers > 1 else None


def _quotient(part: int, whole: int) -> Decimal | None:
    return fraction_to_decimal(Fraction(part, whole), 2) if whole else None

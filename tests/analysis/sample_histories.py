"""Histories and cycles for the tests of profiles and scores."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from discovery.analysis.cycles import resolve_cycles
from discovery.analysis.holdings import split_cycles
from discovery.analysis.profiles import build_profile
from discovery.domain.findings import EventKind, HoldingEvent
from discovery.domain.profiles import Cycle, Profile
from discovery.domain.reasons import Reason

NOW = 1_790_000_000
DAY = 86_400
SOL = 10**9
WIN, LOSS = 2 * SOL, SOL // 2
"""Proceeds in lamports of a won and of a lost cycle that cost one SOL."""
USUAL_REASONS: Mapping[EventKind, Reason] = {
    "buy": Reason.TRADE,
    "sell": Reason.TRADE,
    "transfer_in": Reason.TRANSFER,
    "transfer_out": Reason.TRANSFER,
    "burn": Reason.BURNED,
    "unpriced_out": Reason.AMBIGUOUS,
    "order_open": Reason.ORDER_OPEN,
    "order_closed": Reason.ORDER_CLOSED,
}
Histories = Mapping[str, Sequence[HoldingEvent]]


def event(
    kind: EventKind,
    units: int,
    value: int | Fraction | None = None,
    *,
    at: int = 0,
    extras: int = 0,
    tag: str = "",
    reason: Reason | None = None,
    is_from_order: bool = False,
) -> HoldingEvent:
    """Return an event at `at` seconds; a second has two slots. reason: None = the usual
    one of its kind.
    """
    return HoldingEvent(
        kind=kind,
        signature=f"{kind}-{tag}-{at}",
        slot=at * 2,
        block_time=at,
        units=units,
        value_lamports=None if value is None else Fraction(value),
        extras_lamports=extras,
        reason=reason or USUAL_REASONS[kind],
        is_from_order=is_from_order,
    )


def buy(
    units: int,
    value: int | Fraction | None,
    *,
    at: int = 0,
    extras: int = 0,
    tag: str = "",
) -> HoldingEvent:
    return event("buy", units, value, at=at, extras=extras, tag=tag)


def sell(
    units: int,
    value: int | Fraction | None,
    *,
    at: int = 0,
    extras: int = 0,
    tag: str = "",
) -> HoldingEvent:
    return event("sell", units, value, at=at, extras=extras, tag=tag)


def move_in(units: int, *, at: int = 0) -> HoldingEvent:
    return event("transfer_in", units, at=at)


def move_out(units: int, *, at: int = 0) -> HoldingEvent:
    return event("transfer_out", units, at=at)


class Totals(NamedTuple):
    """Sums over all cycles of a wallet in a mint: lamports and raw units, exact."""

    cost_basis: Fraction
    matched_proceeds: Fraction
    unmatched_proceeds: Fraction
    realised: Fraction
    remaining_basis: Fraction
    known_units: Fraction
    held_units: Fraction
    is_incomplete: bool


def totals_of(events: Sequence[HoldingEvent]) -> Totals:
    """Return the sums over the cycles of one wallet in one mint."""
    parts = split_cycles("M", events)
    return Totals(
        cost_basis=sum((part.cost_basis for part in parts), Fraction(0)),
        matched_proceeds=sum((part.matched_proceeds for part in parts), Fraction(0)),
        unmatched_proceeds=sum(
            (part.unmatched_proceeds for part in parts), Fraction(0)
        ),
        realised=sum((part.realised for part in parts), Fraction(0)),
        remaining_basis=sum((part.remaining_basis for part in parts), Fraction(0)),
        known_units=sum((part.known_units for part in parts), Fraction(0)),
        held_units=sum((part.held_units for part in parts), Fraction(0)),
        is_incomplete=any(part.is_incomplete for part in parts),
    )


def cycles_of(
    events: Sequence[HoldingEvent],
    *,
    liquidation_lamports: int | None = None,
    now: int = NOW,
) -> list[Cycle]:
    """Return the cycles of one wallet in the mint `M`."""
    return resolve_cycles(split_cycles("M", events), {"M": liquidation_lamports}, now)


def round_trip(
    proceeds: int,
    put_in: int = SOL,
    *,
    days_ago: float = 1,
    hold: int = 3600,
    tag: str = "",
) -> list[HoldingEvent]:
    """Return a buy for `put_in` lamports and a sale of all units for `proceeds`,
    `days_ago` before NOW.
    """
    at = NOW - round(days_ago * DAY)
    return [
        buy(1_000, put_in, at=at - hold, tag=tag),
        sell(1_000, proceeds, at=at, tag=tag),
    ]


def record(
    *proceeds: int, put_in: int = SOL, apart: float = 1.0
) -> dict[str, list[HoldingEvent]]:
    """Return one round trip per token: the last one a day before NOW, the others
    `apart` days apart before it.
    """
    count = len(proceeds)
    return {
        f"mint{place:02}": round_trip(
            amount, put_in, days_ago=1 + apart * (count - 1 - place), tag=f"t{place}"
        )
        for place, amount in enumerate(proceeds)
    }


def profiled(
    histories: Histories,
    *,
    seeds: Sequence[str] = (),
    liquidation_values: Mapping[str, int | None] | None = None,
    entries: Mapping[str, tuple[int, int]] | None = None,
    overhead: int = 0,
    truncated: bool = False,
    unreconciled: Sequence[str] = (),
    usd: Decimal | None = Decimal(150),
    now: int = NOW,
) -> tuple[Profile, list[Cycle]]:
    return build_profile(
        histories,
        now=now,
        liquidation_values=liquidation_values or {},
        seed_mints=frozenset(seeds),
        entry_ranks=entries or {},
        overhead_lamports=overhead,
        truncated=truncated,
        unreconciled_mints=frozenset(unreconciled),
        sol_usd_at=lambda _: usd,
    )

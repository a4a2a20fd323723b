"""Early buyers of a token, and which of them took enough profit to qualify."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from fractions import Fraction
from types import MappingProxyType
from typing import Final

import msgspec

from discovery.analysis.flags import (
    Flag,
    creator_flag,
    infrastructure_flag,
    sniper_flag,
)
from discovery.analysis.holdings import split_cycles
from discovery.analysis.qualification import buyer_rejection
from discovery.domain.findings import EarlyBuyer, HoldingEvent, Launch, Position
from discovery.domain.run_params import Params

MAX_SHARE_BEFORE: Final = Fraction(1, 100)
"""Units held before the first buy, compared with it."""


def first_early_buy(
    events: Sequence[HoldingEvent], launched_at: int, window_minutes: int
) -> HoldingEvent | None:
    """Return the first buy if it makes the wallet an early buyer, else None.

    It must be from the launch to `window_minutes` after it, both ends included, and the
    units that came in before it without a purchase must be less than 1 % of it: dust
    from strangers changes nothing, but whoever held more did not find the token with
    this buy. events: one wallet's of one mint in chain order. launched_at: unix seconds.
    """
    held_units = acquired_units = 0
    for event in events:
        if event.kind == "buy":
            is_first = acquired_units < event.units * MAX_SHARE_BEFORE
            seconds = event.block_time - launched_at
            is_in_window = 0 <= seconds <= window_minutes * 60
            return event if is_first and is_in_window else None
        if event.is_acquisition:
            held_units += event.units
            acquired_units += event.units
            continue
        # What leaves beyond the known units was held before the first event.
        acquired_units += max(0, event.units - held_units)
        held_units = max(0, held_units - event.units)
    return None


def entry_position(events: Sequence[HoldingEvent]) -> Position | None:
    """Return the result of the cycle of the first buy, None without a buy. `events` are
    one wallet's of one mint in chain order.
    """
    holdings = split_cycles("", events)
    entry = next((holding for holding in holdings if holding.buys), None)
    if entry is None:
        return None
    is_unknown = entry.knowledge == "unknown"
    return Position(
        cost_basis_lamports=entry.cost_basis,
        matched_proceeds_lamports=entry.matched_proceeds,
        realised_lamports=None if is_unknown else entry.realised,
        unmatched_proceeds_lamports=entry.unmatched_proceeds,
        profit_pct=entry.profit_pct,
        held_units=entry.held_units,
        buys=entry.buys,
        sells=entry.sells,
        last_trade_time=entry.last_trade_at,
        knowledge=entry.knowledge,
        unknown_reason=entry.unknown_reason,
        known_share=entry.known_share,
        has_moved_out=entry.transferred_out_at is not None,
        later_cycles=sum(holding.buys > 0 for holding in holdings[entry.number :]),
        history_incomplete=entry.is_incomplete,
    )


def _unknown_position(position: Position, reason: str) -> Position:
    return msgspec.structs.replace(
        position,
        realised_lamports=None,
        profit_pct=None,
        knowledge="unknown",
        unknown_reason=position.unknown_reason or reason,
    )


def evaluate_buyers(
    mint: str,
    histories: Mapping[str, Sequence[HoldingEvent]],
    params: Params,
    *,
    launched_at: int,
    entry_order: Sequence[str],
    incomplete_wallets: AbstractSet[str] = frozenset(),
    unknown_reasons: Mapping[str, str] = MappingProxyType({}),
    launch: Launch | None = None,
) -> list[EarlyBuyer]:
    """Return every early buyer in entry order, with its position and whether it
    qualifies.

    histories: wallet -> events of this mint in chain order. launched_at: unix seconds.
    entry_order: the wallets by their first buy on the chain. incomplete_wallets: those
    whose balances do not follow from their events. unknown_reasons: wallet → why its
    result cannot be known, whatever its events show. launch: the creation of the token,
    None if it was not seen.

    A buyer qualifies if it put enough into its entry cycle, if the exact profit of that
    cycle, not the rounded one, is known and reaches the minimum, and if it has no
    excluded flag. Raises KeyError for a wallet of `entry_order` without a history.
    """
    window = params.early_window_minutes
    buyers: list[EarlyBuyer] = []
    for wallet in entry_order:
        events = histories[wallet]
        entry = first_early_buy(events, launched_at, window)
        position = entry_position(events)
        if entry is None or position is None:
            continue
        if wallet in incomplete_wallets:
            position = msgspec.structs.replace(position, history_incomplete=True)
        if wallet in unknown_reasons:
            position = _unknown_position(position, unknown_reasons[wallet])
        flags = _entry_flags(wallet, mint, entry.slot, launch)
        rejection = buyer_rejection(
            position.profit_pct, position.cost_basis_lamports, flags, params
        )
        buyers.append(
            EarlyBuyer(
                wallet=wallet,
                mint=mint,
                entry_rank=len(buyers) + 1,
                entry_seconds=entry.block_time - launched_at,
                first_buy_time=entry.block_time,
                position=position,
                flags=flags,
                qualified=not rejection,
                rejection=rejection,
            )
        )
    return buyers


def _entry_flags(
    wallet: str, mint: str, entry_slot: int, launch: Launch | None
) -> dict[str, str]:
    """Return the flags that the wallet's address and the token's launch give, with
    evidence.
    """
    flags: list[Flag | None] = [infrastructure_flag(wallet)]
    if launch is not None:
        flags += [creator_flag(wallet, mint, creator) for creator in launch.creators]
        flags.append(sniper_flag(mint, entry_slot, launch.slot))
    return dict(filter(None, flags))

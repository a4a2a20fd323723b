"""Who bought early, and who of them really took profit out."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from fractions import Fraction

import msgspec

from discovery.analysis.flags import Flag, address_flags, creator_flag, sniper_flag
from discovery.analysis.positions import compute_position
from discovery.domain.findings import EarlyBuyer, HoldingEvent, Launch
from discovery.domain.run_params import Params

ACQUIRED = frozenset({"buy", "transfer_in"})


def first_acquisition(events: Iterable[HoldingEvent]) -> HoldingEvent | None:
    """The first event that brought units in; None where a sale or an outflow came first: units lay there before."""
    first = next(iter(events), None)
    return first if first is not None and first.kind in ACQUIRED else None


def bought_early(events: Sequence[HoldingEvent], launched_at: int, window_minutes: int) -> bool:
    """Whether the first acquisition is a buy from launch to `window_minutes` after it, both ends counted.

    events: one wallet's of one mint in chain order. launched_at: unix seconds.
    """
    first = first_acquisition(events)
    if first is None or first.kind != "buy":
        return False
    return launched_at <= first.block_time <= launched_at + window_minutes * 60


def evaluate_buyers(
    mint: str,
    histories: Mapping[str, Sequence[HoldingEvent]],
    params: Params,
    *,
    launched_at: int,
    entry_order: Sequence[str],
    incomplete_wallets: AbstractSet[str] = frozenset(),
    launch: Launch | None = None,
) -> list[EarlyBuyer]:
    """Every early buyer in entry order with its position, and whether it qualifies.

    histories: wallet -> events of this mint in chain order. order: the wallets by their first buy on the chain.
    incomplete: wallets whose balances do not follow from their events, so that something was not seen.
    launch: who created the token and in which slot, None where its creation was not seen.
    Qualified = profit at or above the threshold (the exact figure, not the rounded one) and no excluded flag.
    """
    buyers: list[EarlyBuyer] = []
    for wallet in entry_order:
        events = histories[wallet]
        if not bought_early(events, launched_at, params.early_window_minutes):
            continue
        result = compute_position(events)
        if wallet in incomplete_wallets:
            result = msgspec.structs.replace(result, history_incomplete=True)
        flags = _flags(wallet, mint, events[0].slot, launch)
        first_time = events[0].block_time
        reason = _rejection(result.profit_pct, flags, params)
        buyers.append(
            EarlyBuyer(
                wallet=wallet,
                mint=mint,
                entry_rank=len(buyers) + 1,
                entry_seconds=first_time - launched_at,
                first_buy_time=first_time,
                position=result,
                flags=flags,
                qualified=not reason,
                rejection=reason,
            )
        )
    return buyers


def _flags(wallet: str, mint: str, entry_slot: int, launch: Launch | None) -> dict[str, str]:
    """What an early buyer's address and the token's launch say of it, with evidence."""
    found: list[Flag | None] = [(name, "a program's account or a known service") for name in address_flags(wallet)]
    if launch is not None:
        found += [creator_flag(wallet, mint, each) for each in launch.creators]
        found.append(sniper_flag(mint, entry_slot, launch.slot))
    return dict(flag for flag in found if flag is not None)


def _rejection(profit_pct: Fraction | None, flags: Mapping[str, str], params: Params) -> str:
    for flag in flags:
        if flag in params.excluded_flags:
            return f"flag_{flag}"
    if profit_pct is None:
        return "cost_unknown"
    if profit_pct < Fraction(Decimal(params.min_profit_pct)):
        return "profit"
    return ""

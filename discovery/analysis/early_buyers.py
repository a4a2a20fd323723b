"""Early buyers of a token, and which of them took enough profit to qualify."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from fractions import Fraction

import msgspec

from discovery.analysis.flags import (
    Flag,
    creator_flag,
    infrastructure_flag,
    sniper_flag,
)
from discovery.analysis.positions import compute_position
from discovery.domain.findings import EarlyBuyer, HoldingEvent, Launch
from discovery.domain.run_params import Params


def bought_early(
    events: Sequence[HoldingEvent], launched_at: int, window_minutes: int
) -> bool:
    """Return True if the first event is a buy from launch to `window_minutes` after it,
    both ends included.

    events: one wallet's of one mint in chain order. launched_at: unix seconds. A wallet
    whose first event is another one received units in another way or held some before.
    Without events the result is False.
    """
    if not events or events[0].kind != "buy":
        return False
    return launched_at <= events[0].block_time <= launched_at + window_minutes * 60


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
    """Return every early buyer in entry order, with its position and whether it
    qualifies.

    histories: wallet -> events of this mint in chain order. launched_at: unix seconds.
    entry_order: the wallets by their first buy on the chain. incomplete_wallets: those
    whose balances do not follow from their events. launch: the creation of the token,
    None if it was not seen.

    A buyer qualifies if its exact profit, not the rounded one, reaches the minimum and
    it has no excluded flag. Raises KeyError for a wallet of `entry_order` without a
    history.
    """
    window = params.early_window_minutes
    early = [
        wallet
        for wallet in entry_order
        if bought_early(histories[wallet], launched_at, window)
    ]
    buyers = []
    for entry_rank, wallet in enumerate(early, start=1):
        events = histories[wallet]
        position = compute_position(events)
        if wallet in incomplete_wallets:
            position = msgspec.structs.replace(position, history_incomplete=True)
        entry = events[0]
        flags = _entry_flags(wallet, mint, entry.slot, launch)
        rejection = _rejection(position.profit_pct, flags, params)
        buyers.append(
            EarlyBuyer(
                wallet=wallet,
                mint=mint,
                entry_rank=entry_rank,
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


def _rejection(
    profit_pct: Fraction | None, flags: Mapping[str, str], params: Params
) -> str:
    """Return the reason why a buyer does not qualify, "" if it does: `flag_<name>`,
    `cost_unknown` or `profit`.
    """
    for flag in flags:
        if flag in params.excluded_flags:
            return f"flag_{flag}"
    if profit_pct is None:
        return "cost_unknown"
    if profit_pct < Fraction(Decimal(params.min_profit_pct)):
        return "profit"
    return ""

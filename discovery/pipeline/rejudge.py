"""Token results from stored trades and balance changes, for wallets whose profile was
made by an earlier version. Nothing is fetched.

Units that arrived in the transaction of a trade are not stored: the result of such a
token is not known until the next profile.
"""

from collections.abc import Mapping
from operator import attrgetter
from typing import Final

import msgspec
from django.conf import settings

from discovery.analysis.statistics import SECONDS_PER_DAY
from discovery.analysis.token_results import token_results, whole_value
from discovery.domain.histories import (
    HistoryKind,
    PoolReserves,
    TokenEvent,
    TradingHistory,
)
from discovery.domain.reasons import Reason
from discovery.domain.times import datetime_from_unix, unix_from_datetime
from discovery.models import BalanceChange, Cycle, TokenResult, Trade, Wallet
from discovery.pipeline.bag_values import DEXSCREENER
from discovery.pipeline.follow_terms import follow_terms
from discovery.pipeline.late_prices import with_late_reserves
from discovery.pipeline.late_reserves import stored_late_reserves
from discovery.pipeline.token_evidence import WalletEvidence, save_token_results

_OF_ORDERS: Final = frozenset({Reason.ORDER_OPEN, Reason.ORDER_CLOSED})
_OUTFLOWS: Final[dict[str, HistoryKind]] = {
    Reason.TRANSFER: "transfer_out",
    Reason.BURNED: "burn",
}


def rebuild_token_results(wallet: Wallet) -> int:
    """Replace the token results of a wallet by those of its stored history; return their
    number. 0 without a profile, and for a wallet that is too active: what is stored of
    it was found because it won. Called inside a transaction.
    """
    # Locked: a profile of this wallet may be on its way.
    wallet = Wallet.objects.select_for_update().get(pk=wallet.pk)
    if wallet.profiled_at is None:
        return 0
    as_of = unix_from_datetime(wallet.profiled_at)
    if wallet.too_active:
        save_token_results([WalletEvidence(wallet.address, [], {}, as_of)])
        return 0
    stored = TokenResult.objects.filter(wallet_address=wallet.address)
    history = TradingHistory(
        wallet=wallet.address,
        as_of=as_of,
        events=_events(wallet.address, as_of),
    )
    bags = dict(stored.exclude(bag_source="").values_list("mint", "bag_lamports"))
    holdings = _holdings(history, bags)
    known = stored.filter(leader_return__isnull=False).values_list("mint", flat=True)
    # Nobody stored why a value was not known.
    unread = {mint for mint, value in holdings.items() if value is None} - set(known)
    history = msgspec.structs.replace(
        history, holdings=holdings, unread=frozenset(unread)
    )
    late = stored_late_reserves([wallet.address]).get(wallet.address, {})
    history = with_late_reserves(history, late)
    results = token_results(history, follow_terms())
    # Before token results were stored there was one source.
    stored_sources = dict(stored.values_list("mint", "bag_source"))
    sources = {mint: stored_sources.get(mint, DEXSCREENER) for mint in history.holdings}
    save_token_results([WalletEvidence(wallet.address, results, sources, as_of)])
    return len(results)


def _events(address: str, as_of: int) -> list[TokenEvent]:
    """Return the events that the profile of that unix second read, in chain order.
    Older ones are stored for what runs found, which is no fair part of them.

    The order inside a slot is not stored: purchases come before sales, and trades of a
    kind are ordered by the pool's reserves.
    """
    since = datetime_from_unix(as_of - settings.PROFILE_LOOKBACK_DAYS * SECONDS_PER_DAY)
    rows = Trade.objects.filter(wallet_address=address, block_time__gte=since)
    trades = sorted(rows.order_by("signature"), key=_order_in_slot)
    changes = BalanceChange.objects.filter(
        wallet_address=address, block_time__gte=since
    ).order_by("slot", "-units", "signature")
    events = [_trade_event(trade) for trade in trades]
    events += [
        _move_event(change) for change in changes if change.reason not in _OF_ORDERS
    ]
    return sorted(events, key=attrgetter("slot"))


def _order_in_slot(trade: Trade) -> tuple[int, str, int]:
    """A purchase raises the money in the pool, a sale lowers it."""
    quote_after = int(trade.pool_quote_after or 0)
    if trade.side == "sell":
        quote_after = -quote_after
    return trade.slot, trade.side, quote_after


def _trade_event(trade: Trade) -> TokenEvent:
    fees_lamports = (
        trade.network_fee_lamports + trade.tip_lamports + trade.platform_fee_lamports
    )
    market = None
    if trade.pool_quote_after is not None and trade.pool_base_after is not None:
        market = PoolReserves(int(trade.pool_quote_after), int(trade.pool_base_after))
    return TokenEvent(
        mint=trade.mint,
        kind="buy" if trade.side == "buy" else "sell",
        slot=trade.slot,
        time=_seconds(trade),
        units=int(trade.token_units),
        value_lamports=trade.value_lamports,
        fees_lamports=fees_lamports,
        pool=market,
        signature=trade.signature,
    )


def _move_event(change: BalanceChange) -> TokenEvent:
    kind: HistoryKind = "transfer_in"
    if change.units < 0:
        kind = _OUTFLOWS.get(change.reason, "disposal")
    return TokenEvent(
        mint=change.mint,
        kind=kind,
        slot=change.slot,
        time=_seconds(change),
        units=abs(int(change.units)),
    )


def _seconds(row: Trade | BalanceChange) -> int:
    return unix_from_datetime(row.block_time) or 0


def _holdings(
    history: TradingHistory, bags: Mapping[str, int]
) -> dict[str, int | None]:
    """Return mint → value of what the last profile found to be held, None = unknown.

    A cycle has the value of its units with a known cost; one that is closed but for a
    remainder has none. bags: mint → lamports of the bag in the stored result.
    """
    cycles = Cycle.objects.filter(wallet_address=history.wallet, held_units__gt=0)
    holdings: dict[str, int | None] = {}
    # The last cycle of a mint is the open one.
    for cycle in cycles.order_by("mint", "number"):
        value = cycle.liquidation_value_lamports
        if value is None:
            value = bags.get(cycle.mint)
        if value is not None:
            value = whole_value(history, cycle.mint, value)
        holdings[cycle.mint] = value
    return holdings

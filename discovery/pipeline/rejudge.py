"""Token results from stored trades and balance changes, for wallets whose profile was
made by an earlier version. Nothing is fetched.

Units that arrived in the transaction of a trade are not stored: the result of such a
token is not known until the next profile.
"""

from collections.abc import Iterable
from operator import attrgetter
from typing import Final

from discovery.analysis.token_results import token_results
from discovery.domain.histories import (
    HistoryKind,
    PoolReserves,
    TokenEvent,
    TradingHistory,
)
from discovery.domain.reasons import Reason
from discovery.domain.times import unix_from_datetime
from discovery.models import BalanceChange, Cycle, TokenResult, Trade, Wallet
from discovery.pipeline.bag_values import DEXSCREENER
from discovery.pipeline.follow_terms import follow_terms
from discovery.pipeline.late_prices import with_late_reserves
from discovery.pipeline.late_reserves import stored_late_reserves
from discovery.pipeline.token_evidence import save_token_results

_OF_ORDERS: Final = frozenset({Reason.ORDER_OPEN, Reason.ORDER_CLOSED})
_OUTFLOWS: Final[dict[str, HistoryKind]] = {
    Reason.TRANSFER: "transfer_out",
    Reason.BURNED: "burn",
}


def rebuild_token_results(wallet: Wallet) -> int:
    """Replace the token results of a wallet by those of its stored history; return their
    number. 0 without a profile. Called inside a transaction.
    """
    if wallet.profiled_at is None:
        return 0
    as_of = unix_from_datetime(wallet.profiled_at)
    history = TradingHistory(
        wallet=wallet.address,
        as_of=as_of,
        events=_events(wallet.address),
        holdings=_holdings(wallet.address),
    )
    history = with_late_reserves(history, stored_late_reserves(wallet.address))
    results = token_results(history, follow_terms())
    # Before token results were stored there was one source.
    rows = TokenResult.objects.filter(wallet_address=wallet.address)
    stored_sources = dict(rows.values_list("mint", "bag_source"))
    sources = {mint: stored_sources.get(mint, DEXSCREENER) for mint in history.holdings}
    save_token_results(wallet.address, results, sources, as_of)
    return len(results)


def _events(address: str) -> list[TokenEvent]:
    """Return the events in chain order.

    The order inside a slot is not stored: purchases come before sales, and trades of a
    kind are ordered by the pool's reserves.
    """
    rows = Trade.objects.filter(wallet_address=address, block_time__isnull=False)
    trades = sorted(rows.order_by("signature"), key=_order_in_slot)
    changes = BalanceChange.objects.filter(
        wallet_address=address, block_time__isnull=False
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


def _holdings(address: str) -> dict[str, int | None]:
    """Return mint → value of what the last profile found to be held, None = unknown."""
    cycles: Iterable[Cycle] = Cycle.objects.filter(
        wallet_address=address, held_units__gt=0
    )
    return {cycle.mint: cycle.liquidation_value_lamports for cycle in cycles}

"""Late prices in the database: columns of the trades that they belong to."""

from collections.abc import Iterable, Mapping

import msgspec
from django.conf import settings
from django.db.models import QuerySet

from discovery.domain.histories import PoolReserves
from discovery.models import Trade
from discovery.pipeline.save_trades import BATCH
from discovery.providers.batches import batches


class TradeKey(msgspec.Struct, frozen=True):
    """Identifies a trade."""

    wallet: str
    signature: str
    mint: str


LateReserves = Mapping[TradeKey, PoolReserves]
"""The market of each trade, FOLLOW_DELAY_SECONDS after it."""


def stored_late_reserves(
    addresses: Iterable[str],
) -> dict[str, dict[TradeKey, PoolReserves]]:
    """Return wallet → the late prices of its trades that were read with the delay in
    force. One query.
    """
    rows = Trade.objects.filter(
        wallet_address__in=list(addresses), later_seconds=settings.FOLLOW.delay_seconds
    )
    columns = (
        "wallet_address",
        "signature",
        "mint",
        "pool_quote_later",
        "pool_base_later",
    )
    late: dict[str, dict[TradeKey, PoolReserves]] = {}
    for address, signature, mint, quote_lamports, base_units in rows.values_list(
        *columns
    ):
        if quote_lamports is None or base_units is None:
            continue
        reserves = PoolReserves(int(quote_lamports), int(base_units))
        late.setdefault(address, {})[TradeKey(address, signature, mint)] = reserves
    return late


def save_late_reserves(late: LateReserves) -> None:
    """Save late prices with the trades, which are stored already. Two queries for each
    thousand.
    """
    signatures = sorted({key.signature for key in late})
    for batch in batches(signatures, BATCH):
        _save(Trade.objects.filter(signature__in=batch), late)


def _save(trades: QuerySet[Trade], late: LateReserves) -> None:
    changed: list[Trade] = []
    for trade in trades.order_by("signature", "wallet_address"):
        key = TradeKey(trade.wallet_address, trade.signature, trade.mint)
        reserves = late.get(key)
        if reserves is None:
            continue
        trade.pool_quote_later = reserves.quote_lamports
        trade.pool_base_later = reserves.base_units
        trade.later_seconds = settings.FOLLOW.delay_seconds
        changed.append(trade)
    columns = ["pool_quote_later", "pool_base_later", "later_seconds"]
    Trade.objects.bulk_update(changed, columns, batch_size=BATCH)

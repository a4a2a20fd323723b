"""Trades of a wallet: one page of them, or all as an export."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from django.db.models import QuerySet
from msgspec import Meta

from discovery.domain.units import Lamports, RawUnits
from discovery.models import Trade
from discovery.reads import paging
from discovery.reads.paging import Page, Slice
from discovery.reads.watched import require_wallet


class TradeRow(msgspec.Struct, frozen=True):
    """One direction of one token in one transaction. Fees, tip and rent are not part of
    the quote.
    """

    signature: str
    slot: int
    block_time: datetime | None
    side: str
    mint: str
    token_units: RawUnits
    token_decimals: int
    quote_mint: str
    quote_units: Annotated[
        RawUnits,
        Meta(description="Paid to, or received from, the market; lamports for SOL."),
    ]
    value_lamports: Annotated[
        Lamports | None,
        Meta(
            description="The quote in SOL at the time of the trade; null = price not known."
        ),
    ]
    network_fee_lamports: Lamports
    tip_lamports: Lamports
    platform_fee_lamports: Lamports
    rent_lamports: Annotated[Lamports, Meta(description="Negative for a refund.")]
    transfer_lamports: Annotated[
        Lamports,
        Meta(
            description="SOL that the wallet itself moved in (+) or out (-) beside the trade."
        ),
    ]
    unreconciled_lamports: Annotated[
        Lamports,
        Meta(
            description="SOL in (+) or out (-) that neither the trade nor a known cost explains."
        ),
    ]
    pool: Annotated[
        str | None,
        Meta(description="Address of the market; null if it is not known."),
    ]
    pool_quote_after: Annotated[
        RawUnits | None,
        Meta(
            description="Lamports of the market after the trade, virtual ones included; null if not known."
        ),
    ]
    pool_base_after: Annotated[
        RawUnits | None,
        Meta(description="Raw token units of the market after the trade."),
    ]
    pool_quote_later: Annotated[
        RawUnits | None,
        Meta(
            description="Lamports of the market `later_seconds` after the trade; null if they were not read."
        ),
    ]
    pool_base_later: Annotated[
        RawUnits | None, Meta(description="Raw token units of the market, likewise.")
    ]
    later_seconds: int | None
    venues: tuple[str, ...]


def wallet_trades(address: str, rows: "QuerySet[Trade]", page: Page) -> Slice[TradeRow]:
    """Return a page of the wallet's trades among `rows`, newest first. Three queries.
    Raises Wallet.DoesNotExist.
    """
    require_wallet(address)
    found = paging.sliced(_trades(address, rows), page)
    return Slice([_trade(row) for row in found.rows], found.total, found.more)


def trades_export(address: str, rows: "QuerySet[Trade]") -> Iterator[TradeRow]:
    """Return all of them, EXPORT_CHUNK rows in memory at a time. Raises
    Wallet.DoesNotExist.
    """
    require_wallet(address)
    return map(_trade, _trades(address, rows).iterator(chunk_size=paging.EXPORT_CHUNK))


def _trades(address: str, rows: "QuerySet[Trade]") -> "QuerySet[Trade, dict[str, Any]]":
    ordered = rows.filter(wallet_address=address).order_by("-slot", "signature", "mint")
    named: QuerySet[Trade, dict[str, Any]] = ordered.values(*TradeRow.__struct_fields__)
    return named


def _trade(row: Mapping[str, Any]) -> TradeRow:
    return TradeRow(
        signature=row["signature"],
        slot=row["slot"],
        block_time=row["block_time"],
        side=row["side"],
        mint=row["mint"],
        token_units=int(row["token_units"]),
        token_decimals=row["token_decimals"],
        quote_mint=row["quote_mint"],
        quote_units=int(row["quote_units"]),
        value_lamports=row["value_lamports"],
        network_fee_lamports=row["network_fee_lamports"],
        tip_lamports=row["tip_lamports"],
        platform_fee_lamports=row["platform_fee_lamports"],
        rent_lamports=row["rent_lamports"],
        transfer_lamports=row["transfer_lamports"],
        unreconciled_lamports=row["unreconciled_lamports"],
        pool=row["pool"],
        pool_quote_after=_int_or_none(row["pool_quote_after"]),
        pool_base_after=_int_or_none(row["pool_base_after"]),
        pool_quote_later=_int_or_none(row["pool_quote_later"]),
        pool_base_later=_int_or_none(row["pool_base_later"]),
        later_seconds=row["later_seconds"],
        venues=tuple(row["venues"] or ()),
    )


def _int_or_none(units: Decimal | None) -> int | None:
    return None if units is None else int(units)

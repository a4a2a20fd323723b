"""What a wallet did: its trades, and what came of them token by token."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from django.db.models import F, Max, QuerySet
from msgspec import Meta

from discovery.domain.units import Lamports, RawUnits
from discovery.models import Cycle, Position, RunToken, Trade, Wallet
from discovery.models.enums import CycleResult
from discovery.reads import paging
from discovery.reads.paging import Page, Slice, one_of


class TradeRow(msgspec.Struct, frozen=True):
    """One direction of one token in one transaction. The four extras stand apart from the quote."""

    signature: str
    slot: int
    block_time: datetime | None
    side: str
    mint: str
    token_units: RawUnits
    token_decimals: int
    quote_mint: str
    quote_units: Annotated[RawUnits, Meta(description="What went to or came from the market; lamports for SOL.")]
    value_lamports: Annotated[
        Lamports | None, Meta(description="The quote in SOL at the time; null = price not known.")
    ]
    network_fee_lamports: Lamports
    tip_lamports: Lamports
    platform_fee_lamports: Lamports
    rent_lamports: Annotated[Lamports, Meta(description="Negative for a refund.")]
    venues: tuple[str, ...]


class CycleRow(msgspec.Struct, frozen=True):
    """One holding of a token, flat to flat."""

    number: Annotated[int, Meta(description="1 = the first holding of this token in the profile's days.")]
    result: Annotated[str, one_of(CycleResult)]
    why: Annotated[str, Meta(description="`closed`, `dead bag`, `left wallet` or `open`.")]
    left_out: Annotated[str, Meta(description="Why statistics leave it out; empty = counted.")]
    opened_at: datetime
    closed_at: datetime | None
    resolved_at: datetime | None
    last_trade_at: datetime
    put_in_lamports: Lamports
    matched_lamports: Annotated[Lamports, Meta(description="Proceeds of units with a known cost, net of fees.")]
    net_lamports: Lamports
    fees_lamports: Lamports
    unmatched_lamports: Annotated[Lamports, Meta(description="Proceeds of units without a known cost: never profit.")]
    basis_left_lamports: Lamports
    exit_lamports: Annotated[Lamports | None, Meta(description="What is held would bring; null = not known.")]
    held_units: RawUnits
    buys: int
    sells: int
    hold_seconds: int | None
    history_incomplete: bool
    reconciled: bool
    first_signature: str


class EarlyPosition(msgspec.Struct, frozen=True):
    """What the wallet took out of a token it bought early, as the last run that looked saw it."""

    first_buy_at: datetime | None
    last_trade_at: datetime | None
    entry_rank: int | None
    entry_seconds: int | None
    buys: int
    sells: int
    cost_lamports: Lamports
    realised_lamports: Lamports
    unmatched_lamports: Lamports
    profit_pct: Decimal | None
    held_units: RawUnits
    history_incomplete: bool
    rejection: Annotated[str, Meta(description="Why it did not qualify; empty = it did.")]
    flags: tuple[str, ...]


class PositionRow(msgspec.Struct, frozen=True):
    """A wallet in one token: its holdings one after the other, and the early purchase that revealed it, if any."""

    mint: str
    last_trade_at: datetime | None
    net_lamports: Annotated[Lamports | None, Meta(description="Of the resolved cycles; null without one.")]
    early: EarlyPosition | None
    cycles: list[CycleRow]


_EARLY: Final = EarlyPosition.__struct_fields__
_CYCLE_ALIASES: Final = {
    "why": F("close_reason"),
    "left_out": F("exclusion_reason"),
    "exit_lamports": F("liquidation_value_lamports"),
}
"""JSON names of the API → columns whose model fields have other names."""
_CYCLE: Final = tuple(name for name in CycleRow.__struct_fields__ if name not in _CYCLE_ALIASES)


def wallet_trades(address: str, rows: "QuerySet[Trade]", page: Page) -> Slice[TradeRow]:
    """Return a page of the wallet's trades among `rows`, newest first. Three queries. Raises Wallet.DoesNotExist."""
    _must_exist(address)
    found = paging.sliced(_trades(address, rows), page)
    return Slice([_trade(row) for row in found.rows], found.total, found.more)


def trades_export(address: str, rows: "QuerySet[Trade]") -> Iterator[TradeRow]:
    """Return all of them, EXPORT_CHUNK rows in memory at a time. Raises Wallet.DoesNotExist."""
    _must_exist(address)
    return map(_trade, _trades(address, rows).iterator(chunk_size=paging.EXPORT_CHUNK))


def _trades(address: str, rows: "QuerySet[Trade]") -> "QuerySet[Trade, dict[str, Any]]":
    ordered = rows.filter(wallet_address=address).order_by("-slot", "signature", "mint")
    named: QuerySet[Trade, dict[str, Any]] = ordered.values(*TradeRow.__struct_fields__)
    return named


def _trade(row: Mapping[str, Any]) -> TradeRow:
    units = {name: int(row[name]) for name in ("token_units", "quote_units")}
    return TradeRow(**{**row, **units, "venues": tuple(row["venues"] or ())})


def wallet_positions(address: str, page: Page, *, exists: bool = False) -> Slice[PositionRow]:
    """The tokens of a wallet, last traded first. Four queries, three where the wallet is known to exist.

    Raises Wallet.DoesNotExist.
    """
    if not exists:
        _must_exist(address)
    held = Cycle.objects.filter(wallet_address=address)
    # One row a token it bought early: they fit one answer.
    early = {row["mint"]: row for row in Position.objects.filter(wallet_address=address).values("mint", *_EARLY)}
    last: dict[str, datetime | None] = {mint: row["last_trade_at"] for mint, row in early.items()}
    for mint, at in held.values_list("mint").annotate(at=Max("last_trade_at")).order_by():
        known = last.get(mint)
        last[mint] = at if known is None else max(known, at)
    mints = sorted(last, key=lambda mint: (-_seconds(last[mint]), mint))
    start = (page.number - 1) * page.size
    chosen = mints[start : start + page.size]
    found = {mint: _early(early[mint]) for mint in chosen if mint in early}
    cycles: dict[str, list[CycleRow]] = {}
    for row in held.filter(mint__in=chosen).order_by("mint", "-number").values("mint", *_CYCLE, **_CYCLE_ALIASES):
        cycles.setdefault(row["mint"], []).append(_cycle(row))
    rows = [_position(mint, last[mint], found.get(mint), cycles.get(mint, [])) for mint in chosen]
    return Slice(rows, len(mints), start + page.size < len(mints))


def _seconds(at: datetime | None) -> float:
    return 0.0 if at is None else at.timestamp()


def _early(row: Mapping[str, Any]) -> EarlyPosition:
    values = {name: row[name] for name in _EARLY}
    return EarlyPosition(**{**values, "held_units": int(row["held_units"]), "flags": tuple(row["flags"] or ())})


def _cycle(row: Mapping[str, Any]) -> CycleRow:
    values = {name: row[name] for name in CycleRow.__struct_fields__}
    return CycleRow(**{**values, "held_units": int(row["held_units"])})


def _position(mint: str, at: datetime | None, early: EarlyPosition | None, cycles: list[CycleRow]) -> PositionRow:
    resolved = [cycle.net_lamports for cycle in cycles if cycle.resolved_at is not None]
    return PositionRow(mint, at, sum(resolved) if resolved else None, early, cycles)


class ResultPoint(msgspec.Struct, frozen=True):
    """What one resolved cycle brought, when it was resolved."""

    resolved_at: datetime
    net_lamports: int


MAX_POINTS: Final = 1000


def wallet_results(address: str) -> list[ResultPoint]:
    """The last MAX_POINTS resolved cycles of a wallet, oldest first. One query."""
    rows = Cycle.objects.filter(wallet_address=address, resolved_at__isnull=False).order_by("-resolved_at", "pk")
    found = list(rows.values_list("resolved_at", "net_lamports")[:MAX_POINTS])
    return [ResultPoint(at, net) for at, net in reversed(found) if at is not None]


def symbols(mints: Iterable[str]) -> dict[str, str]:
    """What runs saw these tokens called, harmless. One query."""
    rows = RunToken.objects.filter(mint__in=list(mints)).exclude(symbol="").order_by("pk")
    return {mint: paging.safe_text(symbol) for mint, symbol in rows.values_list("mint", "symbol")}


def _must_exist(address: str) -> None:
    Wallet.objects.only("pk").get(pk=address)

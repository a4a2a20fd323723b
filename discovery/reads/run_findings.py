"""The tokens of a run, and the wallets that it found through them."""

import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from django.db.models import F, OuterRef, QuerySet, Subquery
from msgspec import Meta

from discovery.domain.units import Lamports
from discovery.models import Position, Run, RunToken, RunWallet, Wallet
from discovery.models.enums import Knowledge, VerdictChoice
from discovery.reads import paging
from discovery.reads.paging import Page, Slice
from discovery.reads.row_values import one_of, safe_text


class RunTokenRow(msgspec.Struct, frozen=True):
    """A token of a run with its market figures at that time. Null = not known, or not
    analysed.
    """

    rank: int
    mint: str
    symbol: str
    name: str
    price_usd: Decimal | None
    price_change_pct: Annotated[Decimal | None, Meta(description="Over 24 h, percent.")]
    volume_usd: Annotated[Decimal | None, Meta(description="Over 24 h.")]
    liquidity_usd: Decimal | None
    market_cap_usd: Decimal | None
    transactions_24h: int | None
    launched_at: datetime | None
    launch_clock: Annotated[
        str,
        Meta(
            description="`curve`, `pool`, `jupiter`, or `pair` and `mint` (weak: the first pool may be missing)."
        ),
    ]
    window_read_until: Annotated[
        datetime | None,
        Meta(
            description="The early window was read until then: there are more early buyers than the maximum; null = it "
            "was read to its end."
        ),
    ]
    creator: Annotated[
        str | None,
        Meta(description="Address of the creator; null = not known, or not analysed."),
    ]
    transactions: Annotated[
        int | None, Meta(description="Number of transactions that the analysis read.")
    ]
    early_buyers: int | None
    qualified: int | None
    sources: Annotated[
        tuple[str, ...], Meta(description="Providers that listed the token.")
    ]


class RunWalletRow(msgspec.Struct, frozen=True):
    """A wallet that a run found through a token, with its result on that token."""

    address: str
    mint: str
    symbol: str
    is_new: bool
    initial_score: Annotated[
        Decimal | None, Meta(description="0–1, at the end of the run.")
    ]
    profit_pct: Decimal | None
    realised_lamports: Lamports | None
    cost_lamports: Lamports | None
    first_buy_at: datetime | None
    entry_rank: Annotated[int | None, Meta(description="1 = first buyer of the token.")]
    entry_seconds: Annotated[
        int | None, Meta(description="Seconds from launch to the first buy.")
    ]
    verdict: Annotated[
        str | None,
        one_of(VerdictChoice, "Verdict of the wallet now; null if it is off the list."),
    ]
    edge_pct: Annotated[
        Decimal | None,
        Meta(description="What following it gains a trade now, in % of the stake."),
    ]
    edge_low_pct: Annotated[
        Decimal | None, Meta(description="Lower end of its 90 % interval.")
    ]
    edge_high_pct: Decimal | None
    flags: tuple[str, ...]
    knowledge: Annotated[
        str | None,
        one_of(Knowledge, "Null if a later run has analysed the token again."),
    ]
    known_share: Annotated[
        Decimal | None,
        Meta(
            description="Share of the units with a known cost that did not leave at an unknown price."
        ),
    ]

    @property
    def unknown_reason(self) -> str:
        """Empty: a wallet with an unknown result does not qualify."""
        return ""


class EarlyBuyerRow(msgspec.Struct, frozen=True):
    """An early buyer of a token of the run with the result of its first holding, whether
    it qualified or not.
    """

    address: str
    mint: str
    symbol: str
    entry_rank: Annotated[int | None, Meta(description="1 = first buyer of the token.")]
    entry_seconds: Annotated[
        int | None, Meta(description="Seconds from launch to the first buy.")
    ]
    first_buy_at: datetime | None
    cost_lamports: Lamports
    realised_lamports: Annotated[
        Lamports | None, Meta(description="Null if the result is not known.")
    ]
    profit_pct: Annotated[
        Decimal | None, Meta(description="Null if the result is not known.")
    ]
    knowledge: Annotated[str, one_of(Knowledge)]
    unknown_reason: Annotated[
        str,
        Meta(description="Why the result is not known; empty unless it is unknown."),
    ]
    known_share: Annotated[
        Decimal | None,
        Meta(
            description="Share of the units with a known cost that did not leave at an unknown price."
        ),
    ]
    has_moved_out: Annotated[
        bool, Meta(description="Units were sent to another wallet.")
    ]
    later_cycles: Annotated[
        int, Meta(description="Holdings of the token after the first.")
    ]
    rejection: Annotated[
        str,
        Meta(description="Reason for which it did not qualify; empty = it qualified."),
    ]
    flags: tuple[str, ...]


_EARLY_BUYER_COLUMNS: Final = (
    "entry_rank",
    "entry_seconds",
    "first_buy_at",
    "cost_lamports",
    "realised_lamports",
    "profit_pct",
    "knowledge",
    "unknown_reason",
    "known_share",
    "has_moved_out",
    "later_cycles",
    "rejection",
)
_JUDGEMENT_COLUMNS: Final = ("verdict", "edge_pct", "edge_low_pct", "edge_high_pct")
_RUN_WALLET_COLUMNS: Final = (
    "wallet_address",
    "source_token",
    "is_new",
    "initial_score",
    "profit_pct",
    "realised_lamports",
    "cost_lamports",
    "first_buy_at",
    "entry_rank",
    "entry_seconds",
    "flags",
)


def run_tokens(
    run_id: uuid.UUID,
    tokens: "QuerySet[RunToken]",
    page: Page,
    *,
    exists: bool = False,
) -> Slice[RunTokenRow]:
    """Return a page of a run's tokens among `tokens`, most promising first. Raises
    Run.DoesNotExist.

    Three queries; two with `exists`, which skips the check that the run is stored.
    """
    if not exists:
        _require_run(run_id)
    ordered = tokens.filter(run_id=run_id).order_by("rank", "mint")
    fetched = paging.sliced(ordered.values(*RunTokenRow.__struct_fields__), page)
    return Slice(
        rows=[_token(row) for row in fetched.rows],
        total=fetched.total,
        more=fetched.more,
    )


def _token(row: Mapping[str, Any]) -> RunTokenRow:
    return RunTokenRow(
        rank=row["rank"],
        mint=row["mint"],
        symbol=safe_text(row["symbol"]),
        name=safe_text(row["name"]),
        price_usd=row["price_usd"],
        price_change_pct=row["price_change_pct"],
        volume_usd=row["volume_usd"],
        liquidity_usd=row["liquidity_usd"],
        market_cap_usd=row["market_cap_usd"],
        transactions_24h=row["transactions_24h"],
        launched_at=row["launched_at"],
        launch_clock=row["launch_clock"],
        window_read_until=row["window_read_until"],
        creator=row["creator"] or None,
        transactions=row["transactions"],
        early_buyers=row["early_buyers"],
        qualified=row["qualified"],
        sources=tuple(row["sources"]),
    )


def run_wallets(
    run_id: uuid.UUID, page: Page, *, exists: bool = False
) -> Slice[RunWalletRow]:
    """Return a page of the wallets that a run found, best profit first. Raises
    Run.DoesNotExist.

    Four queries; three with `exists`, which skips the check that the run is stored.
    """
    if not exists:
        _require_run(run_id)
    wallets = RunWallet.objects.filter(run_id=run_id).order_by(
        F("profit_pct").desc(nulls_last=True),
        "wallet_address",
        "source_token",
        "id",
    )
    named = wallets.values(
        *_RUN_WALLET_COLUMNS,
        knowledge=_of_position("knowledge"),
        known_share=_of_position("known_share"),
        **{column: _of_wallet(column) for column in _JUDGEMENT_COLUMNS},
    )
    fetched = paging.sliced(named, page)
    mints = {row["source_token"] for row in fetched.rows}
    tokens = RunToken.objects.filter(run_id=run_id, mint__in=mints)
    symbols = dict(tokens.values_list("mint", "symbol"))
    return Slice(
        rows=[_wallet(row, symbols) for row in fetched.rows],
        total=fetched.total,
        more=fetched.more,
    )


def _of_wallet(column: str) -> Subquery:
    """Return a column of the wallet as it is now, null if it is off the watchlist."""
    wallets = Wallet.objects.filter(address=OuterRef("wallet_address"))
    return Subquery(wallets.values(column)[:1])


def _of_position(column: str) -> Subquery:
    """Return a column of the wallet's result in the token, null if a later run has
    analysed the token again.
    """
    positions = Position.objects.filter(
        run_id=OuterRef("run_id"),
        wallet_address=OuterRef("wallet_address"),
        mint=OuterRef("source_token"),
    )
    return Subquery(positions.values(column)[:1])


def _wallet(row: Mapping[str, Any], symbols: Mapping[str, str]) -> RunWalletRow:
    mint = row["source_token"]
    return RunWalletRow(
        address=row["wallet_address"],
        mint=mint,
        symbol=safe_text(symbols.get(mint)),
        is_new=row["is_new"] is not False,
        initial_score=row["initial_score"],
        profit_pct=row["profit_pct"],
        realised_lamports=row["realised_lamports"],
        cost_lamports=row["cost_lamports"],
        first_buy_at=row["first_buy_at"],
        entry_rank=row["entry_rank"],
        entry_seconds=row["entry_seconds"],
        verdict=row["verdict"],
        edge_pct=row["edge_pct"],
        edge_low_pct=row["edge_low_pct"],
        edge_high_pct=row["edge_high_pct"],
        flags=tuple(row["flags"] or ()),
        knowledge=row["knowledge"],
        known_share=row["known_share"],
    )


def early_buyers(
    run_id: uuid.UUID,
    positions: "QuerySet[Position]",
    page: Page,
    *,
    exists: bool = False,
) -> Slice[EarlyBuyerRow]:
    """Return a page of the early buyers of a run among `positions`, best profit first,
    unknown results last. Raises Run.DoesNotExist.

    A token that a later run has analysed again is in that run. Four queries; three with
    `exists`, which skips the check that the run is stored.
    """
    if not exists:
        _require_run(run_id)
    fetched = paging.sliced(_early_positions(run_id, positions), page)
    mints = {row["mint"] for row in fetched.rows}
    tokens = RunToken.objects.filter(run_id=run_id, mint__in=mints)
    symbols = dict(tokens.values_list("mint", "symbol"))
    rows = [_early_buyer(row, symbols) for row in fetched.rows]
    return Slice(rows=rows, total=fetched.total, more=fetched.more)


def early_buyers_export(
    run_id: uuid.UUID, positions: "QuerySet[Position]"
) -> Iterator[EarlyBuyerRow]:
    """Return all of them, EXPORT_CHUNK rows in memory at a time. Raises
    Run.DoesNotExist.
    """
    _require_run(run_id)
    tokens = RunToken.objects.filter(run_id=run_id)
    symbols = dict(tokens.values_list("mint", "symbol"))
    rows = _early_positions(run_id, positions).iterator(chunk_size=paging.EXPORT_CHUNK)
    return (_early_buyer(row, symbols) for row in rows)


def _early_positions(
    run_id: uuid.UUID, positions: "QuerySet[Position]"
) -> "QuerySet[Position, dict[str, Any]]":
    ordered = positions.filter(run_id=run_id).order_by(
        F("profit_pct").desc(nulls_last=True), "mint", "entry_rank", "wallet_address"
    )
    columns = (*_EARLY_BUYER_COLUMNS, "wallet_address", "mint", "flags")
    named: QuerySet[Position, dict[str, Any]] = ordered.values(*columns)
    return named


def _early_buyer(row: Mapping[str, Any], symbols: Mapping[str, str]) -> EarlyBuyerRow:
    mint = row["mint"]
    return EarlyBuyerRow(
        address=row["wallet_address"],
        mint=mint,
        symbol=safe_text(symbols.get(mint)),
        flags=tuple(row["flags"] or ()),
        **{name: row[name] for name in _EARLY_BUYER_COLUMNS},
    )


def _require_run(run_id: uuid.UUID) -> None:
    Run.objects.only("pk").get(pk=run_id)

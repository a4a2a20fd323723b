"""The tokens of a run, and the wallets that it found through them."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from django.db.models import F
from msgspec import Meta

from discovery.domain.units import Lamports
from discovery.models import Run, RunToken, RunWallet
from discovery.reads import paging
from discovery.reads.paging import Page, Slice
from discovery.reads.row_values import safe_text


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
        Meta(description="`curve`, `jupiter` or `pair` (weak: may be the migration)."),
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
    flags: tuple[str, ...]


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
    run_id: uuid.UUID, page: Page, *, exists: bool = False
) -> Slice[RunTokenRow]:
    """Return a page of a run's tokens, most promising first. Raises Run.DoesNotExist.

    Three queries; two with `exists`, which skips the check that the run is stored.
    """
    if not exists:
        _require_run(run_id)
    tokens = RunToken.objects.filter(run_id=run_id).order_by("rank", "mint")
    fetched = paging.sliced(tokens.values(*RunTokenRow.__struct_fields__), page)
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
    fetched = paging.sliced(wallets.values(*_RUN_WALLET_COLUMNS), page)
    mints = {row["source_token"] for row in fetched.rows}
    tokens = RunToken.objects.filter(run_id=run_id, mint__in=mints)
    symbols = dict(tokens.values_list("mint", "symbol"))
    return Slice(
        rows=[_wallet(row, symbols) for row in fetched.rows],
        total=fetched.total,
        more=fetched.more,
    )


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
        flags=tuple(row["flags"] or ()),
    )


def _require_run(run_id: uuid.UUID) -> None:
    Run.objects.only("pk").get(pk=run_id)

"""Runs: the history, one run, its tokens and the wallets it found."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from django.db.models import F, QuerySet
from msgspec import Meta

from discovery.domain.run_params import PARAM_TYPES
from discovery.domain.units import Lamports
from discovery.domain.usage import sum_usage
from discovery.models import Run, RunToken, RunWallet
from discovery.models.enums import ACTIVE_RUN_STATUSES, RunStage, RunStatus, Trigger
from discovery.reads import paging
from discovery.reads.paging import Page, Slice
from discovery.reads.row_values import (
    ErrorCount,
    ErrorDetail,
    error_details,
    error_messages,
    one_of,
    safe_text,
)

ORDERINGS: Final = {
    "-started_at": ("-started_at", "-id"),
    "started_at": ("started_at", "id"),
}
"""Orders of the history by name. An index serves each of them; the id makes the order
unique.
"""


class RunRow(msgspec.Struct, frozen=True):
    """A run in the history. Its counts are written when it ends; those of an active run
    are 0.
    """

    id: uuid.UUID
    status: Annotated[str, one_of(RunStatus)]
    trigger_type: Annotated[str, one_of(Trigger)]
    triggered_by: Annotated[
        str,
        Meta(description="The user, the key's name or `scheduler`; empty = not known."),
    ]
    started_at: Annotated[
        datetime, Meta(description="Of a queued run: the time of the request.")
    ]
    completed_at: datetime | None
    scheduled_for: Annotated[
        datetime | None,
        Meta(description="The slot of the schedule that the run belongs to."),
    ]
    duration_seconds: Decimal | None
    tokens_analyzed: int
    new_wallets: int
    updated_wallets: int
    profiled_wallets: int
    error_count: Annotated[
        int, Meta(description="Above 0 on a completed run: a part of its work failed.")
    ]


RunParams = msgspec.defstruct(
    "RunParams",
    [(name, kind | None) for name, kind in PARAM_TYPES.items()],
    frozen=True,
    module=__name__,
    namespace={
        "__doc__": "The parameters that the run used; null if the row is older than the parameter."
    },
)


class RunProgress(msgspec.Struct, frozen=True):
    """Progress of a run in steps. The total grows as the run finds tokens and wallets."""

    stage: Annotated[
        str | None, one_of(RunStage, "Null on rows of the earlier system.")
    ]
    done: int
    total: int
    pct: Annotated[int, Meta(description="0–100.")]


class ProviderUsage(msgspec.Struct, frozen=True):
    """Usage of one provider by a run."""

    calls: int
    credits: int
    rate_limited: Annotated[int, Meta(description="Responses with status 429.")]


class RunDetail(msgspec.Struct, frozen=True):
    """One run with its parameters, progress, usage and errors."""

    id: uuid.UUID
    status: Annotated[str, one_of(RunStatus)]
    trigger_type: Annotated[str, one_of(Trigger)]
    triggered_by: str
    started_at: datetime
    completed_at: datetime | None
    scheduled_for: datetime | None
    cancel_requested_at: datetime | None
    heartbeat_at: datetime | None
    duration_seconds: Decimal | None
    attempt: int
    retry_of: uuid.UUID | None
    config_version: Annotated[
        int | None,
        Meta(description="Version of the configuration with which the run started."),
    ]
    source: Annotated[
        str, Meta(description="Provider of transactions: `helius` or `solana_rpc`.")
    ]
    source_note: str
    params: RunParams  # type: ignore[valid-type]  # built from the specs
    mints: Annotated[
        tuple[str, ...],
        Meta(
            description="Tokens given with the request; empty = the run searched for tokens."
        ),
    ]
    progress: RunProgress
    tokens_analyzed: int
    new_wallets: int
    updated_wallets: int
    profiled_wallets: int
    funnel: Annotated[
        dict[str, int],
        Meta(description="Number of candidates rejected by each filter, by reason."),
    ]
    usage: Annotated[dict[str, ProviderUsage], Meta(description="By provider.")]
    errors: Annotated[list[str], Meta(description="Message of each error.")]
    error_details: Annotated[
        list[ErrorDetail],
        Meta(description="The errors with step and code, if those are stored."),
    ]

    @property
    def is_active(self) -> bool:
        """True if the run is queued or running. Rows of the earlier system have no
        stage and are never active.
        """
        has_stage = self.progress.stage is not None
        return has_stage and self.status in ACTIVE_RUN_STATUSES


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


def has_runs() -> bool:
    """Return True if any run is stored. One query."""
    return Run.objects.exists()


def run_list(rows: "QuerySet[Run]", page: Page) -> Slice[RunRow]:
    """Return a page of the history; `rows` is filtered and sorted. Two queries,
    whatever the number of runs.
    """
    counted = rows.annotate(error_count=ErrorCount(F("errors")))
    found = paging.sliced(counted.values(*RunRow.__struct_fields__), page)
    return Slice([_row(row) for row in found.rows], found.total, found.more)


def _row(row: Mapping[str, Any]) -> RunRow:
    return RunRow(
        id=row["id"],
        status=row["status"],
        trigger_type=row["trigger_type"],
        triggered_by=row["triggered_by"] or "",
        started_at=row["started_at"],
        completed_at=row["completed_at"],
        scheduled_for=row["scheduled_for"],
        duration_seconds=row["duration_seconds"],
        tokens_analyzed=row["tokens_analyzed"] or 0,
        new_wallets=row["new_wallets"] or 0,
        updated_wallets=row["updated_wallets"] or 0,
        profiled_wallets=row["profiled_wallets"] or 0,
        error_count=row["error_count"],
    )


def run_detail(run_id: uuid.UUID) -> RunDetail:
    """Return one run. Two queries at most. Raises Run.DoesNotExist."""
    run = Run.objects.get(pk=run_id)
    is_completed = run.status == RunStatus.COMPLETED
    return RunDetail(
        id=run.pk,
        status=run.status,
        trigger_type=run.trigger_type,
        triggered_by=run.triggered_by or "",
        started_at=run.started_at,
        completed_at=run.completed_at,
        scheduled_for=run.scheduled_for,
        cancel_requested_at=run.cancel_requested_at,
        heartbeat_at=run.heartbeat_at,
        duration_seconds=run.duration_seconds,
        attempt=run.attempt,
        retry_of=run.retry_of_id,
        config_version=run.config_version,
        source=run.source,
        source_note=run.source_note,
        params=_run_params(run),
        mints=tuple(run.given_mints or ()),
        progress=run_progress(
            run.stage, run.steps_done, run.steps_total, completed=is_completed
        ),
        tokens_analyzed=run.tokens_analyzed or 0,
        new_wallets=run.new_wallets or 0,
        updated_wallets=run.updated_wallets or 0,
        profiled_wallets=run.profiled_wallets or 0,
        funnel=run.funnel or {},
        usage=_usage(run),
        errors=error_messages(run.errors),
        error_details=error_details(run.errors),
    )


def _run_params(run: Run) -> Any:
    """Return the parameter columns of `run` as a RunParams."""
    values = {name: getattr(run, name) for name in RunParams.__struct_fields__}
    return RunParams(**values)


def run_progress(
    stage: str | None, done: int, total: int, *, completed: bool
) -> RunProgress:
    """Return the progress after `done` of `total` steps. Only a completed run is at 100
    %.
    """
    pct = 100 if completed else _open_run_pct(done, total)
    return RunProgress(stage, done, total, pct)


def _open_run_pct(done: int, total: int) -> int:
    if not total:
        return 0
    return min(99, done * 100 // total)


def _usage(run: Run) -> dict[str, ProviderUsage]:
    """Return the usage by provider. While a run is active, its steps hold the usage."""
    usages: Iterable[dict[str, Any]] = [run.usage or {}]
    if run.is_active:
        usages = run.steps.values_list("usage", flat=True)
    by_provider: dict[str, ProviderUsage] = {}
    for provider, counts in sum_usage(usages).items():
        by_provider[provider] = ProviderUsage(
            calls=counts["calls"],
            credits=counts["credits"],
            rate_limited=counts["rate_limited"],
        )
    return by_provider


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

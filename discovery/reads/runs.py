"""Runs: the history, one run, its tokens and the wallets it found."""

import uuid
from collections.abc import Mapping
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
from discovery.reads.paging import ErrorCount, ErrorDetail, Page, Slice, one_of

ORDERINGS: Final = {"-started_at": ("-started_at", "-id"), "started_at": ("started_at", "id")}
"""What the history may be sorted by, each served by an index; the id settles ties."""


class RunRow(msgspec.Struct, frozen=True):
    """A run in the history. Counts of an active run are those of its end: 0 until then."""

    id: uuid.UUID
    status: Annotated[str, one_of(RunStatus)]
    trigger_type: Annotated[str, one_of(Trigger)]
    triggered_by: Annotated[str, Meta(description="The user, the key's name or `scheduler`; empty = not known.")]
    started_at: Annotated[datetime, Meta(description="Of a queued run: when it was asked for.")]
    completed_at: datetime | None
    scheduled_for: Annotated[datetime | None, Meta(description="The slot of the schedule that the run belongs to.")]
    duration_seconds: Decimal | None
    tokens_analyzed: int
    new_wallets: int
    updated_wallets: int
    profiled_wallets: int
    error_count: Annotated[int, Meta(description="A completed run with errors has lost something on the way.")]


RunParams = msgspec.defstruct(
    "RunParams",
    [(name, kind | None) for name, kind in PARAM_TYPES.items()],
    frozen=True,
    module=__name__,
    namespace={"__doc__": "The parameters that the run used. Null: the row is older than the parameter."},
)


class RunProgress(msgspec.Struct, frozen=True):
    """How far a run is, in steps. The total grows with what is found."""

    stage: Annotated[str | None, one_of(RunStage, "Null on rows of the earlier system.")]
    done: int
    total: int
    pct: Annotated[int, Meta(description="0–100.")]


class ProviderUsage(msgspec.Struct, frozen=True):
    """What a run used of one provider."""

    calls: int
    credits: int
    rate_limited: Annotated[int, Meta(description="Answers 429.")]


class RunDetail(msgspec.Struct, frozen=True):
    """One run with everything it says of itself."""

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
    config_version: Annotated[int | None, Meta(description="The version of the configuration it was started from.")]
    source: Annotated[str, Meta(description="Who answered transactions: `helius` or `solana_rpc`.")]
    source_note: str
    params: RunParams  # type: ignore[valid-type]  # built from the specs
    mints: Annotated[tuple[str, ...], Meta(description="The tokens it was given; empty = it searched.")]
    progress: RunProgress
    tokens_analyzed: int
    new_wallets: int
    updated_wallets: int
    profiled_wallets: int
    funnel: Annotated[dict[str, int], Meta(description="How many candidates fell at each filter, by reason.")]
    usage: Annotated[dict[str, ProviderUsage], Meta(description="By provider.")]
    errors: Annotated[list[str], Meta(description="What the run could not do, in words.")]
    error_details: Annotated[list[ErrorDetail], Meta(description="The same with step and code, if they are stored.")]

    @property
    def is_active(self) -> bool:
        """Queued or running; rows of the earlier system have no stage and never are."""
        return self.status in ACTIVE_RUN_STATUSES and self.progress.stage is not None


class RunTokenRow(msgspec.Struct, frozen=True):
    """A token as a run saw it. Null = nobody said, or it was not analysed."""

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
    launch_clock: Annotated[str, Meta(description="`curve`, `jupiter` or `pair` (weak: may be the migration).")]
    transactions: Annotated[int | None, Meta(description="Transactions that the analysis read.")]
    early_buyers: int | None
    qualified: int | None
    sources: Annotated[tuple[str, ...], Meta(description="Who named the token.")]


class RunWalletRow(msgspec.Struct, frozen=True):
    """A wallet that a run found through a token, with its result on that token."""

    address: str
    mint: str
    symbol: str
    is_new: bool
    initial_score: Annotated[Decimal | None, Meta(description="0–1, when the run ended.")]
    profit_pct: Decimal | None
    realised_lamports: Lamports | None
    cost_lamports: Lamports | None
    first_buy_at: datetime | None
    entry_rank: Annotated[int | None, Meta(description="1 = first buyer of the token.")]
    entry_seconds: Annotated[int | None, Meta(description="From launch to the first buy.")]
    flags: tuple[str, ...]


_COUNTS: Final = ("tokens_analyzed", "new_wallets", "updated_wallets", "profiled_wallets")


def has_runs() -> bool:
    """Whether there ever was one. One query."""
    return Run.objects.exists()


def run_list(rows: "QuerySet[Run]", page: Page) -> Slice[RunRow]:
    """Return a page of the history; `rows` is filtered and sorted. Two queries, whatever the number of runs."""
    counted = rows.annotate(error_count=ErrorCount(F("errors")))
    found = paging.sliced(counted.values(*RunRow.__struct_fields__), page)
    return Slice([_row(row) for row in found.rows], found.total, found.more)


def _row(row: Mapping[str, Any]) -> RunRow:
    counts = {name: row[name] or 0 for name in _COUNTS}
    return RunRow(**{**row, **counts, "triggered_by": row["triggered_by"] or ""})


def run_detail(run_id: uuid.UUID) -> RunDetail:
    """One run. Two queries at most. Raises Run.DoesNotExist."""
    run = Run.objects.get(pk=run_id)
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
        params=RunParams(**{name: getattr(run, name) for name in RunParams.__struct_fields__}),
        mints=tuple(run.given_mints or ()),
        progress=run_progress(run.stage, run.steps_done, run.steps_total, completed=run.status == RunStatus.COMPLETED),
        tokens_analyzed=run.tokens_analyzed or 0,
        new_wallets=run.new_wallets or 0,
        updated_wallets=run.updated_wallets or 0,
        profiled_wallets=run.profiled_wallets or 0,
        funnel=run.funnel or {},
        usage=_usage(run),
        errors=paging.error_words(run.errors),
        error_details=paging.error_details(run.errors),
    )


def run_progress(stage: str | None, done: int, total: int, *, completed: bool) -> RunProgress:
    """`done` of `total` steps; a completed run is at 100 %, another never."""
    pct = 100 if completed else _pct_of_steps(done, total)
    return RunProgress(stage, done, total, pct)


def _pct_of_steps(done: int, total: int) -> int:
    if not total:
        return 0
    return min(99, done * 100 // total)


def _usage(run: Run) -> dict[str, ProviderUsage]:
    """Return the usage by provider. While a run is active, its steps hold it."""
    usages = run.steps.values_list("usage", flat=True) if run.is_active else [run.usage or {}]
    return {provider: ProviderUsage(**counts) for provider, counts in sum_usage(usages).items()}


def run_tokens(run_id: uuid.UUID, page: Page, *, exists: bool = False) -> Slice[RunTokenRow]:
    """The tokens of a run, most promising first. Three queries, two where the run is known to exist.

    Raises Run.DoesNotExist.
    """
    if not exists:
        _must_exist(run_id)
    rows = RunToken.objects.filter(run_id=run_id).order_by("rank", "mint")
    found = paging.sliced(rows.values(*RunTokenRow.__struct_fields__), page)
    return Slice([_token(row) for row in found.rows], found.total, found.more)


def _token(row: Mapping[str, Any]) -> RunTokenRow:
    shown = {
        "symbol": paging.safe_text(row["symbol"]),
        "name": paging.safe_text(row["name"]),
        "sources": tuple(row["sources"]),
    }
    return RunTokenRow(**{**row, **shown})


def run_wallets(run_id: uuid.UUID, page: Page, *, exists: bool = False) -> Slice[RunWalletRow]:
    """The wallets a run found, best profit first. Four queries, three where the run is known to exist.

    Raises Run.DoesNotExist.
    """
    if not exists:
        _must_exist(run_id)
    rows = RunWallet.objects.filter(run_id=run_id).order_by(
        F("profit_pct").desc(nulls_last=True), "wallet_address", "source_token", "id"
    )
    same = [name for name in RunWalletRow.__struct_fields__ if name not in {"address", "mint", "symbol"}]
    found = paging.sliced(rows.values("wallet_address", "source_token", *same), page)
    mints = {row["source_token"] for row in found.rows}
    symbols = dict(RunToken.objects.filter(run_id=run_id, mint__in=mints).values_list("mint", "symbol"))
    return Slice([_wallet(row, symbols) for row in found.rows], found.total, found.more)


def _wallet(row: Mapping[str, Any], symbols: Mapping[str, str]) -> RunWalletRow:
    values = dict(row)
    address, mint = values.pop("wallet_address"), values.pop("source_token")
    values |= {"is_new": values["is_new"] is not False, "flags": tuple(values["flags"] or ())}
    return RunWalletRow(address=address, mint=mint, symbol=paging.safe_text(symbols.get(mint)), **values)


def _must_exist(run_id: uuid.UUID) -> None:
    Run.objects.only("pk").get(pk=run_id)

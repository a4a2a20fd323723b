"""Runs: the history, and one run with its progress, usage and errors."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from django.db.models import F, QuerySet
from msgspec import Meta

from discovery.domain.run_params import PARAM_TYPES
from discovery.domain.usage import sum_usage
from discovery.models import Run
from discovery.models.enums import ACTIVE_RUN_STATUSES, RunStage, RunStatus, Trigger
from discovery.reads import paging
from discovery.reads.paging import Page, Slice
from discovery.reads.row_values import (
    ErrorCount,
    ErrorDetail,
    error_details,
    error_messages,
    one_of,
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
    luck_share: Annotated[
        float | None,
        Meta(
            description="Expected share of lucky ones among the wallets that were judged together and whose followers "
            "seem to gain; null = not known."
        ),
    ]
    follow_luck: Annotated[
        float | None, Meta(description="The same among those to follow.")
    ]
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


_COUNTS: Final = (
    "tokens_analyzed",
    "new_wallets",
    "updated_wallets",
    "profiled_wallets",
)
"""Columns in which rows of the earlier system may hold null."""


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
    counts = {name: row[name] or 0 for name in _COUNTS}
    return RunRow(
        id=row["id"],
        status=row["status"],
        trigger_type=row["trigger_type"],
        triggered_by=row["triggered_by"] or "",
        started_at=row["started_at"],
        completed_at=row["completed_at"],
        scheduled_for=row["scheduled_for"],
        duration_seconds=row["duration_seconds"],
        **counts,
        error_count=row["error_count"],
    )


def run_detail(run_id: uuid.UUID) -> RunDetail:
    """Return one run. Two queries at most. Raises Run.DoesNotExist."""
    run = Run.objects.get(pk=run_id)
    is_completed = run.status == RunStatus.COMPLETED
    counts = {name: getattr(run, name) or 0 for name in _COUNTS}
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
        **counts,
        funnel=run.funnel or {},
        usage=_usage(run),
        luck_share=run.prior.get("luck_share"),
        follow_luck=run.prior.get("follow_luck"),
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

"""The parts of the Discovery page that are refreshed automatically: the active run, the
next slot, the last result.
"""

import hashlib
import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import JSONObject, Now

from discovery.models import Config, Heartbeat, Provider, Pumps, Run, RunStep
from discovery.models.enums import (
    CLOSED_STEP_STATUSES,
    KIND_OF_STAGE,
    RunStage,
    StepKind,
    StepStatus,
)
from discovery.reads.row_values import ErrorCount
from discovery.reads.scheduler import GRACE_SECONDS
from walltrack import clock

# Begin and end of each stage on the bar of the whole run, in percent. Tokens and
# wallets are nearly all of it.
_STAGE_PCT: Final = {
    RunStage.QUEUED: (0, 0),
    RunStage.FIND_TOKENS: (0, 5),
    RunStage.ANALYSE: (5, 50),
    RunStage.PROFILE: (50, 97),
    RunStage.FINISH: (97, 100),
}
_OVERDUE_AFTER: Final = timedelta(seconds=GRACE_SECONDS)
MIN_DONE_STEPS: Final = 2
"""Steps of a stage that must be closed before the time of its end is estimated."""


class ActiveRunView(msgspec.Struct, frozen=True):
    """An active run. Times in UTC; `eta_seconds`: estimated time until its stage ends,
    None = not known yet.
    """

    id: uuid.UUID
    status: str
    stage: str
    trigger_type: str
    triggered_by: str
    started_at: datetime
    cancelling: bool
    pct: int
    stage_done: int
    stage_total: int
    eta_seconds: int | None
    tokens_done: int
    tokens_total: int
    wallets_found: int
    wallets_profiled: int
    wallets_total: int
    lost: int
    silent_seconds: int
    source_note: str


class EndedRun(msgspec.Struct, frozen=True):
    """The result of the last run."""

    id: uuid.UUID
    status: str
    completed_at: datetime | None
    duration_seconds: Decimal | None
    tokens_analyzed: int | None
    new_wallets: int | None
    updated_wallets: int | None
    error_count: int


class LiveView(msgspec.Struct, frozen=True):
    """The changing parts of the page at one revision.

    last: the run that ended last, None while one is active. workers: True if a worker
    has sent a heartbeat recently.
    """

    revision: str
    config_version: int
    active: ActiveRunView | None
    last: EndedRun | None
    workers: bool


class _StageCounts(msgspec.Struct, frozen=True):
    """Number of steps of one kind: all, closed and failed ones; and the time at which
    the first began.
    """

    total: int = 0
    closed: int = 0
    failed: int = 0
    began: datetime | None = None


def revision() -> str:
    """Return a hash that changes whenever the content of the page changes. One query,
    no row is locked.
    """
    return _digest(_revision_row())


def _digest(row: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(row, enc_hook=str)).hexdigest()[:16]


def _revision_row() -> Any:
    """Return the values on which the content of the page depends, or None if there is
    no configuration row.
    """
    now = clock.now()
    active = Run.objects.active()
    active_state = JSONObject(
        id="id", stage="stage", status="status", cancel="cancel_requested_at"
    )
    last_end = Run.objects.order_by().values(last=Max("completed_at"))
    pumps = Pumps.objects.values(
        times=JSONObject(answered="answered_at", refreshed="refreshed_at")
    )
    return (
        Config.objects.filter(pk=1)
        .annotate(
            run=Subquery(active.values(state=active_state)[:1]),
            active_id=Subquery(active.values("pk")[:1]),
            ended=Subquery(last_end[:1]),
            pumps=Subquery(pumps[:1]),
            workers=Exists(Heartbeat.objects.alive()),
            late=Case(
                When(next_run_at__lt=now - _OVERDUE_AFTER, then=Value(True)),
                default=Value(False),
            ),
            trouble=Subquery(_provider_trouble()[:1]),
        )
        .annotate(done=Subquery(_closed_step_count()))
        .values(
            "version",
            "workers",
            "next_run_at",
            "run",
            "done",
            "ended",
            "pumps",
            "late",
            "trouble",
        )
        .first()
    )


def _closed_step_count() -> Any:
    """Count the closed steps of the active run of the outer query."""
    steps = RunStep.objects.filter(
        run=OuterRef("active_id"), completed_at__isnull=False
    ).order_by()
    return steps.values("run").annotate(count=Count("pk")).values("count")


def _provider_trouble() -> Any:
    """Return the time of the last failure of any provider, and the number of providers
    that have recovered.
    """
    recovered = Q(last_success_at__gt=F("last_failure_at"))
    return (
        Provider.objects.order_by()
        .annotate(one=Value(1))
        .values("one")
        .annotate(
            last_failure=Max("last_failure_at"), recovered=Count("pk", filter=recovered)
        )
        .values(trouble=JSONObject(last_failure="last_failure", recovered="recovered"))
    )


def live_view() -> LiveView:
    """Return the changing parts. Four queries at most."""
    row = _revision_row()
    run = _active_runs().first()
    return LiveView(
        revision=_digest(row),
        config_version=row["version"] if row else 0,
        active=None if run is None else _active_view(run),
        last=_last_ended() if run is None else None,
        workers=bool(row and row["workers"]),
    )


def _last_ended() -> EndedRun | None:
    # Rows of the earlier system may lack `completed_at`, so the status decides that a
    # run has ended.
    row = (
        Run.objects.finished()
        .order_by("-started_at", "-id")
        .annotate(error_count=ErrorCount(F("errors")))
        .values(*EndedRun.__struct_fields__)
        .first()
    )
    return None if row is None else EndedRun(**row)


def run_revision(run_id: uuid.UUID) -> str:
    """Return a hash that changes whenever the content of this run's page changes. One
    query.
    """
    closed_steps = Count("steps", filter=Q(steps__completed_at__isnull=False))
    row = (
        Run.objects.filter(pk=run_id)
        .annotate(done=closed_steps)
        .values_list("stage", "status", "cancel_requested_at", "done")
        .first()
    )
    return _digest(row)


def active_run_view(run_id: uuid.UUID) -> ActiveRunView | None:
    """Return this run, or None if it is not active. Three queries at most."""
    run = _active_runs().filter(pk=run_id).first()
    return None if run is None else _active_view(run)


def _active_runs() -> "QuerySet[Any]":
    """Active runs with the database's time, which their heartbeats are measured by."""
    return Run.objects.active().annotate(database_now=Now())


def _active_view(run: Any) -> ActiveRunView:
    """Return the view of one of `_active_runs`."""
    now = run.database_now
    counts = _counts_by_kind(run)
    stage = RunStage(run.stage or RunStage.QUEUED)
    none = _StageCounts()
    current = counts.get(KIND_OF_STAGE.get(stage, ""), none)
    tokens = counts.get(StepKind.TOKEN, none)
    wallets = counts.get(StepKind.WALLET, none)
    last_heartbeat = run.heartbeat_at or run.created_at or now
    return ActiveRunView(
        id=run.pk,
        status=run.status,
        stage=str(stage.label),
        trigger_type=run.trigger_type,
        triggered_by=run.triggered_by or "",
        started_at=run.started_at,
        cancelling=run.cancel_requested_at is not None,
        pct=_pct(stage, current),
        stage_done=current.closed,
        stage_total=current.total,
        eta_seconds=_eta_seconds(current, now),
        tokens_done=tokens.closed,
        tokens_total=tokens.total,
        wallets_found=run.wallets.values("wallet_address").distinct().count(),
        wallets_profiled=wallets.closed,
        wallets_total=wallets.total,
        lost=sum(each.failed for each in counts.values()),
        silent_seconds=int((now - last_heartbeat).total_seconds()),
        source_note=run.source_note,
    )


def _counts_by_kind(run: Run) -> dict[str, _StageCounts]:
    rows = (
        run.steps.order_by()
        .values("kind")
        .annotate(
            total=Count("pk"),
            closed=Count("pk", filter=Q(status__in=CLOSED_STEP_STATUSES)),
            failed=Count("pk", filter=Q(status=StepStatus.FAILED)),
            began=Min("started_at"),
        )
    )
    counts: dict[str, _StageCounts] = {}
    for row in rows:
        counts[row["kind"]] = _StageCounts(
            row["total"], row["closed"], row["failed"], row["began"]
        )
    return counts


def _pct(stage: RunStage, counts: _StageCounts) -> int:
    first, last = _STAGE_PCT.get(stage, (100, 100))
    if not counts.total:
        return first
    return first + (last - first) * counts.closed // counts.total


def _eta_seconds(counts: _StageCounts, now: datetime) -> int | None:
    """Return the estimated seconds until all steps of the stage are closed, or None if
    too few are closed.
    """
    is_predictable = MIN_DONE_STEPS <= counts.closed < counts.total
    if counts.began is None or not is_predictable:
        return None
    elapsed_seconds = (now - counts.began).total_seconds()
    open_count = counts.total - counts.closed
    return int(elapsed_seconds * open_count / counts.closed)

"""What moves on the Discovery page: the run at work, the schedule's next slot, what was found since."""

import hashlib
import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec
from django.db.models import Case, Count, Exists, F, Max, Min, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import JSONObject
from django.utils import timezone

from discovery.models import (
    Config,
    Heartbeat,
    Provider,
    Pumps,
    Run,
    RunStep,
)
from discovery.models.enums import CLOSED_STEP_STATUSES, KIND_OF_STAGE, RunStage, StepKind, StepStatus
from discovery.reads.paging import ErrorCount
from discovery.reads.scheduler import GRACE_SECONDS

# Where a stage begins and ends on the bar of the whole run. Tokens and wallets are nearly all of it.
_SPAN: Final = {
    RunStage.QUEUED: (0, 0),
    RunStage.FIND_TOKENS: (0, 5),
    RunStage.ANALYSE: (5, 50),
    RunStage.PROFILE: (50, 97),
    RunStage.FINISH: (97, 100),
}
LATE: Final = timedelta(seconds=GRACE_SECONDS)
MIN_DONE_STEPS: Final = 2
"""Steps of a stage before its pace says when it ends."""


class ActiveRunView(msgspec.Struct, frozen=True):
    """A run at work. Times UTC; `eta_seconds`: until this stage ends at its pace so far, None = not known yet."""

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
    """What the last run came to."""

    id: uuid.UUID
    status: str
    completed_at: datetime | None
    duration_seconds: Decimal | None
    tokens_analyzed: int | None
    new_wallets: int | None
    updated_wallets: int | None
    error_count: int


class LiveView(msgspec.Struct, frozen=True):
    """The page's moving parts at one revision.

    last: the run that ended last, None while one is active. workers: whether one has spoken in the last minute.
    """

    revision: str
    config_version: int
    active: ActiveRunView | None
    last: EndedRun | None
    workers: bool


def revision() -> str:
    """Changes whenever something on the page did. One query, no row is locked."""
    return _digest(_row())


def _digest(row: tuple[Any, ...] | None) -> str:
    return hashlib.sha256(msgspec.json.encode(row, enc_hook=str)).hexdigest()[:16]


def _row() -> tuple[Any, ...] | None:
    """The configuration's version first, then everything else whose change is a change of the page."""
    now = timezone.now()
    active = Run.objects.active()
    shown = JSONObject(id="id", stage="stage", status="status", cancel="cancel_requested_at")
    steps = (
        RunStep.objects.filter(run=OuterRef("found"), completed_at__isnull=False)
        .order_by()
        .values("run")
        .annotate(count=Count("pk"))
        .values("count")
    )
    row: tuple[Any, ...] | None = (
        Config.objects.filter(pk=1)
        .annotate(
            run=Subquery(active.values(shown=shown)[:1]),
            found=Subquery(active.values("pk")[:1]),
            ended=Subquery(Run.objects.order_by().values(last=Max("completed_at"))[:1]),
            pumps=Subquery(Pumps.objects.values(at=JSONObject(a="answered_at", r="refreshed_at"))[:1]),
            workers=Exists(Heartbeat.objects.alive(now)),
            late=Case(When(next_run_at__lt=now - LATE, then=Value(True)), default=Value(False)),
            trouble=Subquery(
                Provider.objects.order_by()
                .annotate(one=Value(1))
                .values("one")
                .annotate(
                    at=Max("last_failure_at"), well=Count("pk", filter=Q(last_success_at__gt=F("last_failure_at")))
                )
                .values(seen=JSONObject(at="at", well="well"))[:1]
            ),
        )
        .annotate(done=Subquery(steps))
        .values_list("version", "workers", "next_run_at", "run", "done", "ended", "pumps", "late", "trouble")
        .first()
    )
    return row


def live_view() -> LiveView:
    """The moving parts. Four queries at most."""
    row = _row()
    run = Run.objects.active().first()
    return LiveView(
        revision=_digest(row),
        config_version=row[0] if row else 0,
        active=None if run is None else _active(run),
        last=_last() if run is None else None,
        workers=bool(row and row[1]),
    )


def _last() -> EndedRun | None:
    # The earlier system did not always say when: it is the status that ends a run.
    row = (
        Run.objects.finished()
        .order_by("-started_at", "-id")
        .annotate(error_count=ErrorCount(F("errors")))
        .values(*EndedRun.__struct_fields__)
        .first()
    )
    return None if row is None else EndedRun(**row)


def run_revision(run_id: uuid.UUID) -> str:
    """Changes whenever something on the page of this run did. One query."""
    steps = Count("steps", filter=Q(steps__completed_at__isnull=False))
    row = (
        Run.objects.filter(pk=run_id)
        .annotate(done=steps)
        .values_list("stage", "status", "cancel_requested_at", "done")
        .first()
    )
    return _digest(row)


def active_run(run_id: uuid.UUID) -> ActiveRunView | None:
    """This run where it is at work, None where it is not. Three queries at most."""
    run = Run.objects.active().filter(pk=run_id).first()
    return None if run is None else _active(run)


def _active(run: Run) -> ActiveRunView:
    now = timezone.now()
    closed = Q(status__in=CLOSED_STEP_STATUSES)
    counts: dict[str, Any] = {
        row["kind"]: row
        for row in run.steps.order_by()
        .values("kind")
        .annotate(
            total=Count("pk"),
            done=Count("pk", filter=closed),
            lost=Count("pk", filter=Q(status=StepStatus.FAILED)),
            began=Min("started_at"),
        )
    }
    none: dict[str, Any] = {"total": 0, "done": 0, "lost": 0, "began": None}
    stage = RunStage(run.stage or RunStage.QUEUED)
    here = counts.get(KIND_OF_STAGE.get(stage, ""), none)
    tokens, wallets = counts.get(StepKind.TOKEN, none), counts.get(StepKind.WALLET, none)
    return ActiveRunView(
        id=run.pk,
        status=run.status,
        stage=str(stage.label),
        trigger_type=run.trigger_type,
        triggered_by=run.triggered_by or "",
        started_at=run.started_at,
        cancelling=run.cancel_requested_at is not None,
        pct=_pct(stage, here["done"], here["total"]),
        stage_done=here["done"],
        stage_total=here["total"],
        eta_seconds=_eta(here, now),
        tokens_done=tokens["done"],
        tokens_total=tokens["total"],
        wallets_found=run.wallets.values("wallet_address").distinct().count(),
        wallets_profiled=wallets["done"],
        wallets_total=wallets["total"],
        lost=sum(row["lost"] for row in counts.values()),
        silent_seconds=int((now - (run.heartbeat_at or run.started_at)).total_seconds()),
        source_note=run.source_note,
    )


def _pct(stage: RunStage, done: int, total: int) -> int:
    first, last = _SPAN.get(stage, (100, 100))
    return first + (last - first) * done // total if total else first


def _eta(row: dict[str, Any], now: datetime) -> int | None:
    """Seconds until the stage's last step is done, where its steps go on as they did."""
    done, total, began = row["done"], row["total"], row["began"]
    if began is None or done < MIN_DONE_STEPS or done >= total:
        return None
    return int((now - began).total_seconds() * (total - done) / done)

"""The progress of a run, by its steps."""

import uuid
from typing import Any

import msgspec

from discovery.models import Heartbeat, Run, RunStep, RunToken
from discovery.models.enums import (
    ACTIVE_RUN_STATUSES,
    CLOSED_STEP_STATUSES,
    STAGE_OF_KIND,
    StepKind,
    StepStatus,
)


class ClosedStep(msgspec.Struct, frozen=True):
    """A step that is done or has failed. `symbol` is empty unless it is the step of a
    token.
    """

    id: int
    kind: str
    key: str
    symbol: str
    failed: bool
    error: str
    counts: dict[str, Any]


class Progress(msgspec.Struct, frozen=True):
    """The progress of a run. `done` and `total` count the steps of its present stage."""

    active: bool
    status: str
    stage: str
    source_note: str
    done: int
    total: int
    closed: tuple[ClosedStep, ...]


def has_live_workers() -> bool:
    """Return True if a worker has written a heartbeat within the last minute. One
    query.
    """
    return Heartbeat.objects.alive().exists()


def progress(run_id: uuid.UUID) -> Progress:
    """Return the progress of a run. Three queries. Raises Run.DoesNotExist."""
    run = Run.objects.only("status", "stage", "source_note").get(pk=run_id)
    symbols = dict(RunToken.objects.filter(run_id=run_id).values_list("mint", "symbol"))
    steps = RunStep.objects.filter(run_id=run_id).order_by("completed_at", "pk")
    closed: list[ClosedStep] = []
    stage_total = 0
    stage_done = 0
    for step in steps.defer("usage", "errors"):
        is_closed = step.status in CLOSED_STEP_STATUSES
        if is_closed:
            closed.append(_closed_step(step, symbols.get(step.key, "")))
        if STAGE_OF_KIND[StepKind(step.kind)] == run.stage:
            stage_total += 1
            stage_done += int(is_closed)
    return Progress(
        active=run.status in ACTIVE_RUN_STATUSES,
        status=run.status,
        stage=run.stage or "",
        source_note=run.source_note,
        done=stage_done,
        total=stage_total,
        closed=tuple(closed),
    )


def _closed_step(step: RunStep, symbol: str) -> ClosedStep:
    return ClosedStep(
        id=step.pk,
        kind=step.kind,
        key=step.key,
        symbol=symbol,
        failed=step.status == StepStatus.FAILED,
        error=step.error,
        counts=step.counts,
    )

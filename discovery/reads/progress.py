"""How far a run is, as its steps say."""

import uuid
from datetime import timedelta
from typing import Any

import msgspec
from django.utils import timezone

from discovery.models import Heartbeat, Run, RunStep, RunToken
from discovery.models.enums import ACTIVE_RUN_STATUSES, StepStatus


class ClosedStep(msgspec.Struct, frozen=True):
    """A step that is done or has failed. `symbol` of a token's."""

    id: int
    kind: str
    key: str
    symbol: str
    failed: bool
    error: str
    counts: dict[str, Any]


class Progress(msgspec.Struct, frozen=True):
    """Where a run stands. `done` and `total` count the steps of the stage it is in."""

    active: bool
    status: str
    stage: str
    source_note: str
    done: int
    total: int
    closed: tuple[ClosedStep, ...]


WORKER_ALIVE = timedelta(seconds=60)


def workers_alive() -> bool:
    """Whether a worker has given a sign of life in the last minute. One query."""
    alive = Heartbeat.objects.filter(name__startswith="worker:", at__gt=timezone.now() - WORKER_ALIVE)
    return alive.exists()


_STAGE_OF = {"find": "find_tokens", "token": "analyse", "wallet": "profile", "finish": "finish"}


def progress(run_id: uuid.UUID) -> Progress:
    """Three queries. Raises Run.DoesNotExist."""
    run = Run.objects.only("status", "stage", "source_note").get(pk=run_id)
    symbols = dict(RunToken.objects.filter(run_id=run_id).values_list("mint", "symbol"))
    rows = list(
        RunStep.objects.filter(run_id=run_id)
        .order_by("completed_at", "pk")
        .values_list("pk", "kind", "key", "status", "error", "counts")
    )
    of_stage = [status for _, kind, _, status, _, _ in rows if _STAGE_OF.get(kind) == run.stage]
    over = (StepStatus.DONE, StepStatus.FAILED)
    return Progress(
        active=run.status in ACTIVE_RUN_STATUSES,
        status=run.status,
        stage=run.stage or "",
        source_note=run.source_note,
        done=sum(status in over for status in of_stage),
        total=len(of_stage),
        closed=tuple(
            ClosedStep(pk, kind, key, symbols.get(key, ""), status == StepStatus.FAILED, error, counts)
            for pk, kind, key, status, error, counts in rows
            if status in over
        ),
    )

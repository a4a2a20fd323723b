"""Units of work: claimed by a conditional update, stored in one transaction with their completion, three attempts.

Every claim has a name of its own. Whoever lost the claim (its heartbeat was dead, its worker was told to go) can
neither store nor close the step any more.
"""

import uuid
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest
from django.utils import timezone

from discovery.clients.usage import Usage, total
from discovery.jobs import run_errors
from discovery.models import Run, RunStep
from discovery.models.enums import ACTIVE_RUN_STATUSES, OPEN_STEP_STATUSES, StepKind, StepStatus

MAX_ATTEMPTS: Final = 3


class Claim(msgspec.Struct, frozen=True):
    """A step that one worker holds. `usage`: what earlier attempts have used."""

    id: int
    run_id: uuid.UUID
    kind: str
    key: str
    attempt: int
    token: str
    usage: Usage

    @property
    def name(self) -> str:
        """As it is called in errors and logs."""
        return step_name(self.kind, self.key)


def step_name(kind: str, key: str) -> str:
    """A step as errors and logs call it."""
    return f"{kind} {key}".strip() if kind != StepKind.FIND else "find_tokens"


def add(run_id: uuid.UUID, kind: StepKind, keys: Iterable[str]) -> None:
    """One pending step for each key; a key that has one keeps it."""
    RunStep.objects.bulk_create([RunStep(run_id=run_id, kind=kind, key=key) for key in keys], ignore_conflicts=True)


def dead_after() -> timedelta:
    """How long a step may be silent."""
    return timedelta(seconds=settings.STEP_DEAD_SECONDS)


def claim(step_id: int, worker: str) -> Claim | None:
    """Take the step. None where it is not to be had: taken, done, not yet due, or its run is over or being cancelled.

    A run with a limit of calls works on one step at a time: many begun and none done would use it up for nothing.
    """
    now = timezone.now()
    token = f"{worker[:80]}:{uuid.uuid4().hex[:12]}"
    with transaction.atomic():
        row = RunStep.objects.filter(pk=step_id).values("run_id", "run__max_requests_per_run").first()
        if row is None:
            return None
        if row["run__max_requests_per_run"] is not None:
            Run.objects.select_for_update().filter(pk=row["run_id"]).first()
            if RunStep.objects.filter(run_id=row["run_id"], status=StepStatus.RUNNING).exists():
                return None
        due = Q(available_at__isnull=True) | Q(available_at__lte=now)
        wanted = Run.objects.filter(status__in=ACTIVE_RUN_STATUSES, cancel_requested_at__isnull=True)
        taken = RunStep.objects.filter(
            due, pk=step_id, status=StepStatus.PENDING, attempt__lt=MAX_ATTEMPTS, run__in=wanted
        ).update(
            status=StepStatus.RUNNING, attempt=F("attempt") + 1, claimed_by=token, started_at=now, heartbeat_at=now
        )
        if not taken:
            return None
        step = RunStep.objects.get(pk=step_id)
    return Claim(step.pk, step.run_id, step.kind, step.key, step.attempt, token, step.usage)


def _held(claim: Claim) -> Any:
    return RunStep.objects.filter(pk=claim.id, status=StepStatus.RUNNING, claimed_by=claim.token)


def beat(claim: Claim, usage: Usage) -> bool:
    """The step is alive and has used this much. False: stop, the claim is lost or the run is to end."""
    now = timezone.now()
    if not _held(claim).update(heartbeat_at=now, usage=total([claim.usage, usage])):
        return False
    # The run's own row is passed over while somebody stores under its lock: the next beat comes soon.
    free = Run.objects.select_for_update(skip_locked=True).filter(pk=claim.run_id)
    with transaction.atomic():
        Run.objects.filter(pk__in=list(free.values_list("pk", flat=True))).update(
            heartbeat_at=Greatest(F("heartbeat_at"), now)
        )
    return Run.objects.filter(
        pk=claim.run_id, status__in=ACTIVE_RUN_STATUSES, cancel_requested_at__isnull=True
    ).exists()


def complete(claim: Claim, counts: dict[str, Any], usage: Usage, errors: Sequence[dict[str, str]] = ()) -> bool:
    """Close the step. Called inside the transaction that stores its findings; False = the claim was lost."""
    return bool(
        _held(claim).update(
            status=StepStatus.DONE,
            completed_at=timezone.now(),
            counts=counts,
            usage=total([claim.usage, usage]),
            errors=list(errors),
            error="",
            error_code="",
        )
    )


def fail_or_retry(
    claim: Claim,
    usage: Usage,
    *,
    code: str,
    cause: str,
    retry: bool,
    pause_seconds: float = 0,
    errors: Sequence[dict[str, str]] = (),
) -> bool:
    """A step that went wrong: pending again while attempts are left and `retry`, else failed. Whether it failed."""
    again = retry and claim.attempt < MAX_ATTEMPTS
    now = timezone.now()
    changed = _held(claim).update(
        status=StepStatus.PENDING if again else StepStatus.FAILED,
        error=cause[:500],
        error_code=code,
        usage=total([claim.usage, usage]),
        errors=[] if again else list(errors),
        claimed_by="",
        enqueued_at=None,
        available_at=now + timedelta(seconds=pause_seconds) if again and pause_seconds else None,
        completed_at=None if again else now,
    )
    return bool(changed) and not again


def release(claim: Claim, usage: Usage) -> None:
    """Let go of a step through no fault of its own: pending again, the attempt not counted."""
    _held(claim).update(
        status=StepStatus.PENDING,
        attempt=F("attempt") - 1,
        claimed_by="",
        enqueued_at=None,
        usage=total([claim.usage, usage]),
    )


def release_worker(worker: str) -> int:
    """Let go of every step a worker holds, which is being stopped: its processes notice with their next beat."""
    return RunStep.objects.filter(status=StepStatus.RUNNING, claimed_by__startswith=f"{worker}:").update(
        status=StepStatus.PENDING, attempt=F("attempt") - 1, claimed_by="", enqueued_at=None
    )


def reap(run_id: uuid.UUID) -> list[RunStep]:
    """Give steps whose worker died back to others; those whose attempts are spent are failed and answered."""
    now = timezone.now()
    dead = RunStep.objects.select_for_update(skip_locked=True).filter(
        run_id=run_id, status=StepStatus.RUNNING, heartbeat_at__lt=now - dead_after()
    )
    spent = []
    with transaction.atomic():
        for step in dead:
            step.claimed_by, step.enqueued_at = "", None
            step.error, step.error_code = "its worker died", "worker_died"
            step.status = StepStatus.PENDING
            if step.attempt >= MAX_ATTEMPTS:
                step.status, step.completed_at = StepStatus.FAILED, now
                words = f"its worker died {step.attempt} times"
                step.errors = [run_errors.run_error(step_name(step.kind, step.key), "worker_died", words)]
                spent.append(step)
            step.save(
                update_fields=["claimed_by", "enqueued_at", "error", "error_code", "status", "completed_at", "errors"]
            )
    return spent


def open_counts(run_id: uuid.UUID) -> tuple[int, int, int]:
    """(pending, running, all) steps of a run."""
    rows = list(RunStep.objects.filter(run_id=run_id).values_list("status", flat=True))
    return rows.count(StepStatus.PENDING), rows.count(StepStatus.RUNNING), len(rows)


def close_open(run_id: uuid.UUID, cause: str) -> None:
    """Whatever is still open is not done any more: its run is over."""
    RunStep.objects.filter(run_id=run_id, status__in=OPEN_STEP_STATUSES).update(
        status=StepStatus.FAILED, completed_at=timezone.now(), error=cause, claimed_by=""
    )

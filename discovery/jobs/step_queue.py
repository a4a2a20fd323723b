"""The queue of steps: claimed by a conditional update, stored in one transaction with
their completion, three attempts.

Every claim has a token of its own. A worker that lost its claim (it was silent for too
long, or it is shutting down) can neither store results or errors nor close the step.
Steps of runs and lone steps, which belong to no run (`lone_steps`), share this code. All
times are the database's.
"""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

import msgspec
from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now

from discovery.domain.run_errors import ErrorCode, RunError, run_error
from discovery.domain.usage import Usage, sum_usage
from discovery.jobs.step_failures import save_failure
from discovery.models import Run, RunStep
from discovery.models.database_time import after_now, database_now
from discovery.models.enums import StepKind, StepStatus
from discovery.models.querysets import RunStepQuerySet
from discovery.models.runs import step_name

MAX_ATTEMPTS: Final = 3
MAX_CAUSE_LENGTH: Final = 500


class ClaimLost(Exception):
    """Another worker has the step, or its run has ended or is to end: nothing is
    stored.
    """


class Claim(msgspec.Struct, frozen=True):
    """A step that one worker holds. run_id: None for a lone step. usage: what earlier
    attempts used. payload: what a lone step works on, beyond its key.
    """

    id: int
    run_id: uuid.UUID | None
    kind: str
    key: str
    attempt: int
    token: str
    usage: Usage
    payload: dict[str, Any]

    @property
    def name(self) -> str:
        """The step's name in errors and logs."""
        return step_name(self.kind, self.key)


def add_steps(
    run_id: uuid.UUID,
    kind: StepKind,
    keys: Iterable[str],
    payload: dict[str, Any] | None = None,
) -> None:
    """Add one pending step for each key. A key that has a step already keeps it."""
    RunStep.objects.bulk_create(
        [
            RunStep(run_id=run_id, kind=kind, key=key, payload=payload or {})
            for key in keys
        ],
        ignore_conflicts=True,
    )


def claim_step(step_id: int, worker: str) -> Claim | None:
    """Claim the step for `worker`.

    Return None if it cannot be claimed: taken, done, not yet due, or its run has ended
    or is being cancelled.
    """
    token = f"{worker[:80]}:{uuid.uuid4().hex[:12]}"
    with transaction.atomic():
        row = (
            RunStep.objects.filter(pk=step_id)
            .values("run_id", "run__max_requests_per_run")
            .first()
        )
        if row is None:
            return None
        has_call_limit = row["run__max_requests_per_run"] is not None
        if has_call_limit and not _is_alone(row["run_id"]):
            return None
        if not _mark_claimed(step_id, token):
            return None
        step = RunStep.objects.get(pk=step_id)
    return Claim(
        id=step.pk,
        run_id=row["run_id"],
        kind=step.kind,
        key=step.key,
        attempt=step.attempt,
        token=token,
        usage=step.usage,
        payload=step.payload,
    )


def _is_alone(run_id: uuid.UUID) -> bool:
    """Lock the run; return True if no step of it is running.

    A run with a limit of calls works on one step at a time: many started and none done
    would use it up for nothing.
    """
    Run.objects.select_for_update().filter(pk=run_id).first()
    return not RunStep.objects.running().filter(run_id=run_id).exists()


def _mark_claimed(step_id: int, token: str) -> bool:
    claimable = RunStep.objects.due().filter(
        Q(run__isnull=True) | Q(run__in=Run.objects.continuing()),
        pk=step_id,
        attempt__lt=MAX_ATTEMPTS,
    )
    changed = claimable.update(
        status=StepStatus.RUNNING,
        attempt=F("attempt") + 1,
        claimed_by=token,
        # The duration of a run begins with the first attempt at its first step.
        started_at=Coalesce(F("started_at"), Now()),
        heartbeat_at=Now(),
    )
    return bool(changed)


def _claimed(claim: Claim) -> RunStepQuerySet:
    """The step, as long as this claim holds it."""
    return RunStep.objects.running().filter(pk=claim.id, claimed_by=claim.token)


def heartbeat(claim: Claim, usage: Usage) -> bool:
    """Store that the step is alive and what it has used. Return False if the work must
    stop.
    """
    if not _claimed(claim).update(
        heartbeat_at=Now(), usage=sum_usage([claim.usage, usage])
    ):
        return False
    if claim.run_id is None:
        return True
    with transaction.atomic():
        # Skipped while another step stores its results under the run's lock: the next
        # heartbeat comes soon.
        unlocked = Run.objects.select_for_update(skip_locked=True).filter(
            pk=claim.run_id
        )
        run_ids = list(unlocked.values_list("pk", flat=True))
        Run.objects.filter(pk__in=run_ids).update(heartbeat_at=Now())
    return Run.objects.continuing().filter(pk=claim.run_id).exists()


@contextmanager
def completion(
    claim: Claim,
    *,
    counts: dict[str, Any],
    usage: Usage,
    errors: Sequence[RunError] = (),
    changes_run: bool = False,
) -> Iterator[None]:
    """Close the step and store its results, written inside the `with` block, in one
    transaction.

    The claim is checked first, and nobody can take it before the transaction ends. A run
    stays active until then: one that was closed meanwhile has been counted and takes no
    more results. changes_run: the block updates the run's
    row; without it, steps of one run store side by side. Raises ClaimLost before the
    block is entered if the claim is lost or the run is not active.
    """
    with transaction.atomic():
        is_of_run = claim.run_id is not None
        if is_of_run and not lock_active_run(claim.run_id, exclusive=changes_run):
            raise ClaimLost
        if not _complete(claim, counts, usage, errors):
            raise ClaimLost
        yield


def lock_active_run(run_id: uuid.UUID | None, *, exclusive: bool = False) -> bool:
    """Keep the run from being closed for the rest of the transaction. Return False if
    it is not active.
    """
    lock = "UPDATE" if exclusive else "SHARE"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT 1 FROM discovery_runs WHERE id = %s AND status IN ('queued', 'running') FOR {lock}",  # noqa: S608
            [run_id],
        )
        return cursor.fetchone() is not None


def _complete(
    claim: Claim, counts: dict[str, Any], usage: Usage, errors: Sequence[RunError]
) -> bool:
    changed = _claimed(claim).update(
        status=StepStatus.DONE,
        completed_at=Now(),
        counts=counts,
        usage=sum_usage([claim.usage, usage]),
        errors=list(errors),
        error="",
        error_code="",
    )
    return bool(changed)


def fail_or_retry(
    claim: Claim,
    usage: Usage,
    *,
    code: str,
    cause: str,
    is_retryable: bool,
    pause_seconds: float = 0,
    errors: Sequence[RunError] = (),
) -> bool:
    """End an attempt that went wrong. Return True if the step has failed for good.

    While attempts are left and `is_retryable`, the step is pending again after the
    pause. A step that has failed tells those who wait for it (`step_failures`).
    """
    has_next_attempt = is_retryable and claim.attempt < MAX_ATTEMPTS
    changes: dict[str, Any] = {
        "error": cause[:MAX_CAUSE_LENGTH],
        "error_code": str(code),
        "usage": sum_usage([claim.usage, usage]),
        "claimed_by": "",
        "enqueued_at": None,
    }
    if has_next_attempt:
        pause = timedelta(seconds=pause_seconds)
        available_at = after_now(pause) if pause_seconds else None
        changes |= {
            "status": StepStatus.PENDING,
            "errors": [],
            "available_at": available_at,
            "completed_at": None,
        }
    else:
        changes |= {
            "status": StepStatus.FAILED,
            "errors": list(errors),
            "available_at": None,
            "completed_at": Now(),
        }
    with transaction.atomic():
        if not _claimed(claim).update(**changes) or has_next_attempt:
            return False
        save_failure(claim.kind, claim.key, cause)
    return True


def release(claim: Claim, usage: Usage) -> None:
    """Return a step that is not to blame: pending again, and the attempt does not
    count.
    """
    _claimed(claim).update(usage=sum_usage([claim.usage, usage]), **_released())


def release_worker(worker: str) -> int:
    """Release every step of a worker that is being stopped; return how many.

    Its processes notice with their next heartbeat.
    """
    return RunStep.objects.claimed_by_worker(worker).update(**_released())


def _released() -> dict[str, Any]:
    return {
        "status": StepStatus.PENDING,
        "attempt": F("attempt") - 1,
        "claimed_by": "",
        "enqueued_at": None,
    }


def reap(run_id: uuid.UUID | None) -> list[RunStep]:
    """Return steps of dead workers to the queue. Steps without attempts left fail;
    those are returned.

    run_id: None = the lone steps.
    """
    dead = RunStep.objects.dead().select_for_update(skip_locked=True)
    dead = dead.lone() if run_id is None else dead.filter(run_id=run_id)
    with transaction.atomic():
        return [step for step in dead if _reap_step(step)]


def _reap_step(step: RunStep) -> bool:
    """Make the step pending, or failed if it has no attempt left. Return True if it has
    failed.
    """
    step.claimed_by, step.enqueued_at = "", None
    step.error, step.error_code = "its worker died", ErrorCode.WORKER_DIED
    step.status = StepStatus.PENDING
    has_failed = step.attempt >= MAX_ATTEMPTS
    if has_failed:
        step.status, step.completed_at = StepStatus.FAILED, database_now()
        message = f"its worker died {step.attempt} times"
        save_failure(step.kind, step.key, message)
        step.errors = [run_error(step.name, ErrorCode.WORKER_DIED, message)]
    step.save(
        update_fields=[
            "claimed_by",
            "enqueued_at",
            "error",
            "error_code",
            "status",
            "completed_at",
            "errors",
        ],
    )
    return has_failed


def fail_pending(
    run_id: uuid.UUID, kinds: Iterable[StepKind], *, code: str, cause: str
) -> None:
    """Fail the pending steps of these kinds with one cause."""
    RunStep.objects.pending().filter(run_id=run_id, kind__in=list(kinds)).update(
        status=StepStatus.FAILED,
        completed_at=Now(),
        error_code=str(code),
        error=cause,
    )


def close_open_steps(run_id: uuid.UUID, cause: str) -> None:
    """Fail every step that is still open: its run has ended."""
    RunStep.objects.open().filter(run_id=run_id).update(
        status=StepStatus.FAILED,
        completed_at=Now(),
        error=cause,
        claimed_by="",
    )

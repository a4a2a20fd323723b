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

from discovery.domain.run_errors import RunError
from discovery.domain.usage import Usage, sum_usage
from discovery.jobs.step_failures import save_failure
from discovery.models import Run, RunStep
from discovery.models.database_time import after_now
from discovery.models.enums import StepKind, StepStatus
from discovery.models.querysets import RunStepQuerySet
from discovery.models.runs import step_name

MAX_ATTEMPTS: Final = 3
MAX_CAUSE_LENGTH: Final = 500
_CLAIM_COLUMNS: Final = (
    "id",
    "run_id",
    "kind",
    "key",
    "attempt",
    "usage",
    "payload",
)
_HEARTBEAT: Final = """
UPDATE discovery_run_steps AS step
SET heartbeat_at = statement_timestamp(), usage = held.usage
FROM jsonb_to_recordset(%s::jsonb) AS held (id bigint, usage jsonb)
WHERE step.id = held.id AND step.claimed_by = %s AND step.status = 'running'
"""
_COMPLETE: Final = """
UPDATE discovery_run_steps AS step
SET status = 'done',
    completed_at = statement_timestamp(),
    counts = done.counts,
    usage = done.usage,
    errors = done.errors,
    error = '',
    error_code = ''
FROM jsonb_to_recordset(%s::jsonb) AS done (id bigint, counts jsonb, usage jsonb, errors jsonb)
WHERE step.id = done.id AND step.claimed_by = %s AND step.status = 'running'
RETURNING step.id
"""


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
            .values(*_CLAIM_COLUMNS, "run__max_requests_per_run")
            .first()
        )
        if row is None:
            return None
        has_call_limit = row.pop("run__max_requests_per_run") is not None
        if has_call_limit and not _is_alone(row["run_id"]):
            return None
        # As it was read: an attempt that has ended meanwhile has changed it.
        unchanged = RunStep.objects.filter(pk=step_id, attempt=row["attempt"])
        if not _mark_claimed(unchanged, token):
            return None
    return _claim(row, token)


def claim_siblings(claim: Claim, maximum: int) -> list[Claim]:
    """Claim further steps of the same run and kind that follow a claimed one and that
    nobody was sent, under the same token: they live and die with it.
    """
    if claim.run_id is None:
        return []
    siblings = _claimable().filter(
        run_id=claim.run_id,
        kind=claim.kind,
        pk__gt=claim.id,
        enqueued_at__isnull=True,
    )
    unlocked = siblings.order_by("pk").select_for_update(skip_locked=True)
    rows: list[dict[str, Any]] = []
    with transaction.atomic():
        rows += unlocked.values(*_CLAIM_COLUMNS)[:maximum]
        if not rows:
            return []
        _mark_claimed(
            RunStep.objects.filter(pk__in=[row["id"] for row in rows]), claim.token
        )
    return [_claim(row, claim.token) for row in rows]


def _claim(row: dict[str, Any], token: str) -> Claim:
    """Return the claim of a step that was read before it was claimed."""
    return Claim(**row | {"attempt": row["attempt"] + 1}, token=token)


def _is_alone(run_id: uuid.UUID) -> bool:
    """Lock the run; return True if no step of it is running.

    A run with a limit of calls works on one step at a time: many started and none done
    would use it up for nothing.
    """
    Run.objects.select_for_update().filter(pk=run_id).first()
    return not RunStep.objects.running().filter(run_id=run_id).exists()


def _claimable() -> RunStepQuerySet:
    return RunStep.objects.due().filter(
        Q(run__isnull=True) | Q(run__in=Run.objects.continuing()),
        attempt__lt=MAX_ATTEMPTS,
    )


def _mark_claimed(steps: RunStepQuerySet, token: str) -> bool:
    changed = (steps & _claimable()).update(
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


class StepUsage(msgspec.Struct, frozen=True):
    """What this attempt at a claimed step has used so far."""

    claim: Claim
    usage: Usage

    @property
    def total(self) -> Usage:
        """What all attempts have used."""
        return sum_usage([self.claim.usage, self.usage])


def heartbeat(steps: Sequence[StepUsage]) -> bool:
    """Store that these steps, claimed together, are alive, and what they have used. Return
    False if the work must stop.
    """
    first = steps[0].claim
    rows = [{"id": step.claim.id, "usage": step.total} for step in steps]
    with connection.cursor() as cursor:
        cursor.execute(_HEARTBEAT, [msgspec.json.encode(rows).decode(), first.token])
        is_held = cursor.rowcount > 0
    if not is_held:
        return False
    if first.run_id is None:
        return True
    with transaction.atomic():
        # Skipped while another step stores its results under the run's lock: the next
        # heartbeat comes soon.
        unlocked = Run.objects.select_for_update(skip_locked=True).filter(
            pk=first.run_id
        )
        run_ids = list(unlocked.values_list("pk", flat=True))
        Run.objects.filter(pk__in=run_ids).update(heartbeat_at=Now())
    return Run.objects.continuing().filter(pk=first.run_id).exists()


class Completed(msgspec.Struct, frozen=True):
    """A claimed step whose work is done. usage: of this attempt."""

    claim: Claim
    counts: dict[str, Any]
    usage: Usage
    errors: Sequence[RunError] = ()


@contextmanager
def completion(
    claim: Claim,
    *,
    counts: dict[str, Any],
    usage: Usage,
    errors: Sequence[RunError] = (),
    changes_run: bool = False,
) -> Iterator[None]:
    """Close one step and store its results, as `completions` does. Raises ClaimLost."""
    with completions(
        [Completed(claim, counts, usage, errors)], changes_run=changes_run
    ):
        yield


@contextmanager
def completions(
    done: Sequence[Completed], *, changes_run: bool = False
) -> Iterator[frozenset[int]]:
    """Close steps that were claimed together and store their results, written inside the
    `with` block, in one transaction. Yields the ids of the steps that are still held: the
    results of the others must not be stored.

    The claim is checked first, and nobody can take it before the transaction ends. A run
    stays active until then: one that was closed meanwhile has been counted and takes no
    more results. changes_run: the block updates the run's
    row; without it, steps of one run store side by side. Raises ClaimLost before the
    block is entered if no claim holds or the run is not active.
    """
    run_id = done[0].claim.run_id
    with transaction.atomic():
        if run_id is not None and not lock_active_run(run_id, exclusive=changes_run):
            raise ClaimLost
        held = _complete(done)
        if not held:
            raise ClaimLost
        yield held


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


def _complete(done: Sequence[Completed]) -> frozenset[int]:
    """Close the steps that are still held; return their ids. One statement."""
    rows = [
        {
            "id": step.claim.id,
            "counts": step.counts,
            "usage": sum_usage([step.claim.usage, step.usage]),
            "errors": list(step.errors),
        }
        for step in done
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            _COMPLETE, [msgspec.json.encode(rows).decode(), done[0].claim.token]
        )
        return frozenset(step_id for (step_id,) in cursor.fetchall())


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

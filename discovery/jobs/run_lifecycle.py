"""The life of a run in the database: started once, moved on whenever a step of it ends,
closed exactly once.

queued → running → completed | failed | cancelled. One run is active at a time; a
partial unique index enforces it. A change of a run together with its steps locks the
run first.
"""

import logging
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import Count, Q
from django.db.models.functions import Now

from discovery.domain.run_errors import ErrorCode, RunError, run_error
from discovery.domain.run_params import Params
from discovery.jobs import broker, step_queue
from discovery.jobs.profile_steps import add_profile_steps
from discovery.jobs.run_closing import finalize, tell_if_nothing_is_known
from discovery.jobs.run_errors import append_errors
from discovery.jobs.worker_places import WALLETS_AT_ONCE, leaders, room_for_run
from discovery.models import Run
from discovery.models.database_time import before_now, database_now
from discovery.models.enums import (
    OPEN_STEP_STATUSES,
    RunStage,
    RunStatus,
    StepKind,
    StepStatus,
    Trigger,
)
from discovery.models.param_columns import param_values
from walltrack import clock

log = logging.getLogger(__name__)

CANCEL_TIMEOUT: Final = timedelta(seconds=10)
"""A cancellation waits this long for running steps to stop. The steps of dead workers
never stop.
"""
MAX_START_ATTEMPTS: Final = 3


class RunAlreadyActive(Exception):
    """Another run is active. `run_id` is its id."""

    def __init__(self, run_id: uuid.UUID) -> None:
        super().__init__(f"run {run_id} is active; wait for its end or cancel it")
        self.run_id = run_id


class IdempotencyKeyReused(Exception):
    """The idempotency key was used for another request."""


class SlotTaken(Exception):
    """The slot of the schedule has a run already."""


class RunRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a run: what it is to do, who asked for it, and what it belongs to.

    mints: analyse these tokens instead of searching. scheduled_for: the slot of the
    schedule. idempotency_key, idempotency_hash: two requests with the same key and hash
    are one. in_foreground: the process that asks runs the steps itself.
    """

    params: Params
    trigger: Trigger
    triggered_by: str
    mints: tuple[str, ...] = ()
    config_version: int | None = None
    scheduled_for: datetime | None = None
    idempotency_key: str | None = None
    idempotency_hash: str = ""
    retry_of: uuid.UUID | None = None
    attempt: int = 1
    in_foreground: bool = False


def start(request: RunRequest) -> Run:
    """Queue a run with its first step. Workers get the step on commit, unless the run
    is in the foreground.

    A request with the idempotency key and hash of an earlier one returns the run of
    that one. Raises RunAlreadyActive, IdempotencyKeyReused for a key with another hash,
    SlotTaken.
    """
    close_abandoned_runs()
    for _ in range(MAX_START_ATTEMPTS):
        earlier = _run_of_same_request(request)
        if earlier is not None:
            return earlier
        try:
            run = _create_run(request)
        except IntegrityError:
            _raise_conflict(request)
            continue  # the run in the way has just ended, or this very request has just made it: look again
        log.debug(
            "run queued",
            extra={
                "run_id": str(run.pk),
                "trigger": run.trigger_type,
                "by": run.triggered_by,
            },
        )
        return run
    raise RuntimeError("runs start and end too fast to find a place between them")


def _run_of_same_request(request: RunRequest) -> Run | None:
    if not request.idempotency_key:
        return None
    run = Run.objects.filter(idempotency_key=request.idempotency_key).first()
    if run is not None and run.idempotency_hash != request.idempotency_hash:
        raise IdempotencyKeyReused(
            f"the key was used for another request, run {run.pk}"
        )
    return run


def _create_run(request: RunRequest) -> Run:
    with transaction.atomic():
        run = Run.objects.create(
            started_at=clock.now(),
            status=RunStatus.QUEUED,
            stage=RunStage.QUEUED,
            trigger_type=request.trigger,
            triggered_by=request.triggered_by[:100],
            given_mints=list(request.mints),
            config_version=request.config_version,
            heartbeat_at=database_now(),
            scheduled_for=request.scheduled_for,
            idempotency_key=request.idempotency_key,
            idempotency_hash=request.idempotency_hash,
            retry_of_id=request.retry_of,
            attempt=request.attempt,
            in_foreground=request.in_foreground,
            steps_total=1,
            **param_values(request.params),
        )
        advance(run.pk)
    return run


def _raise_conflict(request: RunRequest) -> None:
    """Raise for the run that a unique index protects. Return if there is none any more."""
    slot, key = request.scheduled_for, request.idempotency_key
    if slot is not None and Run.objects.filter(scheduled_for=slot).exists():
        raise SlotTaken from None
    active = Run.objects.active().first()
    if active is None:
        return
    is_same_request = key is not None and active.idempotency_key == key
    if not is_same_request:
        raise RunAlreadyActive(active.pk) from None


def close_abandoned_runs() -> int:
    """Close unfinished runs that nobody works on any more; return how many."""
    closed_count = 0
    with transaction.atomic():
        # A row that another closer has locked is left to it, so that the cause is
        # stored once.
        for run in Run.objects.abandoned().select_for_update(skip_locked=True):
            _close_abandoned(run)
            closed_count += 1
    if closed_count:
        log.warning("closed abandoned runs", extra={"count": closed_count})
    return closed_count


def _close_abandoned(run: Run) -> None:
    is_of_earlier_system = run.stage is None
    if is_of_earlier_system:
        append_errors(
            run.pk,
            [run_error("run", ErrorCode.INTERRUPTED, "interrupted before the upgrade")],
        )
        Run.objects.filter(pk=run.pk).update(
            status=RunStatus.FAILED, completed_at=clock.now()
        )
        return
    append_errors(
        run.pk,
        [run_error("run", ErrorCode.INTERRUPTED, "interrupted: its process died")],
    )
    finalize(run, RunStatus.FAILED)


def advance(run_id: uuid.UUID) -> None:
    """Move the run on as far as its closed steps allow, and send workers what they can
    take next.

    Called whenever a step has ended, and by the sweeper: a second call changes nothing.
    """
    with transaction.atomic():
        run = Run.objects.active().select_for_update().filter(pk=run_id).first()
        if run is None:
            return
        if run.cancel_requested_at is not None:
            _cancel_when_idle(run)
            return
        counts = _count_steps(run)
        if counts.over_budget:
            _exhaust_budget(run)
            counts = _count_steps(run)
        while not counts.open:
            if not _begin_next_stage(run):
                finalize(run, RunStatus.FAILED)
                return
            counts = _count_steps(run)
        _store_progress(run, counts)
        if not run.in_foreground:
            _enqueue_ready_steps(run)


def advance_active() -> None:
    """Move the active run of workers on, if there is one: a place has become free."""
    for run_id in Run.objects.for_workers().values_list("pk", flat=True):
        advance(run_id)


def _cancel_when_idle(run: Run) -> None:
    """Close the run if no step of it is running, or if the running ones do not stop in
    time.
    """
    overdue = Run.objects.filter(cancel_requested_at__lt=before_now(CANCEL_TIMEOUT))
    is_overdue = overdue.filter(pk=run.pk).exists()
    if run.steps.running().exists() and not is_overdue:
        return
    append_errors(
        run.pk, [run_error("run", ErrorCode.CANCELLED, "cancelled on request")]
    )
    finalize(run, RunStatus.CANCELLED)


def _exhaust_budget(run: Run) -> None:
    """Fail the steps that would need provider calls; steps that need none go on."""
    cause = f"the run's {run.params.max_requests_per_run or 0:,} calls are used up"
    step_queue.fail_pending(
        run.pk, (StepKind.TOKEN, StepKind.WALLET), code=ErrorCode.BUDGET, cause=cause
    )


def _begin_next_stage(run: Run) -> bool:
    """Begin the next stage with its steps; no step is open. Return False if the run has
    failed.
    """
    match run.stage:
        case RunStage.QUEUED | RunStage.FIND_TOKENS:
            return _leave_search(run)
        case RunStage.ANALYSE:
            run.stage = RunStage.PROFILE
            add_profile_steps(run)
        case RunStage.PROFILE:
            run.stage = RunStage.FINISH
            step_queue.add_steps(run.pk, StepKind.FINISH, [""])
        case _:
            return False
    return True


def _leave_search(run: Run) -> bool:
    """Add the search step, or go on from its end. Return False if the search failed."""
    search = run.steps.filter(kind=StepKind.FIND).values("status", "error_code").first()
    if search is None:
        step_queue.add_steps(run.pk, StepKind.FIND, [""])
    elif search["status"] == StepStatus.DONE:
        run.stage = RunStage.ANALYSE
    elif search["error_code"] == ErrorCode.BUDGET:
        run.stage = RunStage.PROFILE  # a clean end that found nothing
    else:
        return False
    return True


class _StepCounts(msgspec.Struct, frozen=True):
    """Steps of a run. over_budget: those that failed because its calls are used up."""

    total: int
    open: int
    over_budget: int


def _count_steps(run: Run) -> _StepCounts:
    counts = run.steps.aggregate(
        total=Count("pk"),
        open=Count("pk", filter=Q(status__in=OPEN_STEP_STATUSES)),
        over_budget=Count("pk", filter=Q(error_code=ErrorCode.BUDGET)),
    )
    return _StepCounts(**counts)


def _store_progress(run: Run, counts: _StepCounts) -> None:
    run.steps_total, run.steps_done = counts.total, counts.total - counts.open
    run.save(update_fields=["stage", "steps_total", "steps_done"])


def _enqueue_ready_steps(run: Run) -> None:
    """Send workers as many steps as they have room for."""
    room = room_for_run(run)
    if room <= 0:
        return
    ready = run.steps.due().filter(enqueued_at__isnull=True).order_by("pk")
    rows = ready.values_list("pk", "kind")[: room * WALLETS_AT_ONCE]
    has_call_limit = run.params.max_requests_per_run is not None
    steps = leaders(rows, has_call_limit=has_call_limit)[:room]
    if steps:
        run.steps.filter(pk__in=[pk for pk, _ in steps]).update(enqueued_at=Now())
        transaction.on_commit(partial(broker.send_steps, steps))


def mark_running(run_id: uuid.UUID) -> None:
    """Turn a queued run into a running one; `started_at` becomes the start of the work.
    Later calls change nothing.
    """
    Run.objects.filter(pk=run_id, status=RunStatus.QUEUED).update(
        started_at=clock.now(),
        status=RunStatus.RUNNING,
        stage=RunStage.FIND_TOKENS,
        heartbeat_at=Now(),
    )


def begin_analysis(run_id: uuid.UUID, mints: Iterable[str]) -> None:
    """Go on from the search to the analysis of these tokens, inside the transaction
    that completes the search.
    """
    step_queue.add_steps(run_id, StepKind.TOKEN, mints)
    Run.objects.filter(pk=run_id).update(stage=RunStage.ANALYSE)


def request_cancel(run_id: uuid.UUID) -> bool:
    """Ask the run to end; it ends at once if no step is running. Return False if it is
    not active.
    """
    active = Run.objects.active().filter(pk=run_id)
    if not active.filter(cancel_requested_at__isnull=True).update(
        cancel_requested_at=Now()
    ):
        return active.exists()
    advance(run_id)
    return True


def close(
    run_id: uuid.UUID, status: RunStatus, errors: Iterable[RunError] = ()
) -> bool:
    """Close the run with what is stored. Return False if it is closed already."""
    with transaction.atomic():
        run = Run.objects.unfinished().select_for_update().filter(pk=run_id).first()
        if run is None:
            return False
        append_errors(run_id, list(errors))
        finalize(run, status)
    return True


def close_after_last_step(run_id: uuid.UUID) -> None:
    """Close the run inside the transaction that completes its last step.

    A run whose token steps all failed has failed, unless its budget of calls was the
    cause.
    """
    run = Run.objects.get(pk=run_id)
    tokens = list(run.steps.filter(kind=StepKind.TOKEN).values("status", "error_code"))
    has_only_failures = bool(tokens) and all(
        step["status"] == StepStatus.FAILED for step in tokens
    )
    is_budget_used_up = any(step["error_code"] == ErrorCode.BUDGET for step in tokens)
    has_failed = has_only_failures and not is_budget_used_up
    finalize(run, RunStatus.FAILED if has_failed else RunStatus.COMPLETED)
    if not has_only_failures and not is_budget_used_up:
        tell_if_nothing_is_known(run)

"""Steps whose worker has died: back to the queue, or failed if no attempt is left."""

import uuid

from django.db import transaction

from discovery.domain.run_errors import ErrorCode, run_error
from discovery.jobs.step_failures import save_failure
from discovery.jobs.step_queue import MAX_ATTEMPTS
from discovery.models import RunStep
from discovery.models.database_time import database_now
from discovery.models.enums import StepStatus


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

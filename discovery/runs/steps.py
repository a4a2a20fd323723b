"""Units of work: claimed by a conditional update, stored in one transaction with their completion, three attempts."""

import uuid
from collections.abc import Iterable
from typing import Any, Final

from django.db.models import F
from django.utils import timezone

from discovery.models import DiscoveryRun, DiscoveryRunStep
from discovery.models.choices import StepKind, StepStatus

MOST_ATTEMPTS: Final = 3


def add(run_id: uuid.UUID, kind: StepKind, keys: Iterable[str]) -> None:
    """One pending step for each key; a key that has one keeps it."""
    DiscoveryRunStep.objects.bulk_create(
        [DiscoveryRunStep(run_id=run_id, kind=kind, key=key) for key in keys], ignore_conflicts=True
    )


def claim(run_id: uuid.UUID, kind: StepKind, key: str, worker: str) -> bool:
    """Take the step; False where somebody else has it, it is done, or its attempts are spent."""
    now = timezone.now()
    return bool(
        DiscoveryRunStep.objects.filter(
            run_id=run_id, kind=kind, key=key, status=StepStatus.PENDING, attempt__lt=MOST_ATTEMPTS
        ).update(
            status=StepStatus.RUNNING,
            attempt=F("attempt") + 1,
            claimed_by=worker[:100],
            started_at=now,
            heartbeat_at=now,
        )
    )


def complete(run_id: uuid.UUID, kind: StepKind, key: str, counts: dict[str, Any]) -> bool:
    """Close a running step. Called inside the transaction that stores its findings; False = somebody else closed it."""
    closed = DiscoveryRunStep.objects.filter(run_id=run_id, kind=kind, key=key, status=StepStatus.RUNNING).update(
        status=StepStatus.DONE, completed_at=timezone.now(), counts=counts, error=""
    )
    if closed:
        DiscoveryRun.objects.filter(pk=run_id).update(steps_done=F("steps_done") + 1)
    return bool(closed)


def give_back(run_id: uuid.UUID, kind: StepKind, key: str, cause: str, *, retry: bool) -> bool:
    """A step that went wrong: pending again while attempts are left and `retry`, else failed. Whether it is pending."""
    running = DiscoveryRunStep.objects.filter(run_id=run_id, kind=kind, key=key, status=StepStatus.RUNNING)
    if retry and running.filter(attempt__lt=MOST_ATTEMPTS).update(status=StepStatus.PENDING, error=cause[:500]):
        return True
    if running.update(status=StepStatus.FAILED, completed_at=timezone.now(), error=cause[:500]):
        DiscoveryRun.objects.filter(pk=run_id).update(steps_done=F("steps_done") + 1)
    return False

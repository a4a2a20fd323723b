"""The sweeper, which keeps runs and lone steps moving whatever dies."""

import logging
from datetime import timedelta
from typing import Final

from django.db.models import Q

from discovery.jobs import broker, lone_steps, run_lifecycle, step_reaper
from discovery.models import Heartbeat, Run, RunStep
from discovery.models.database_time import before_now

log = logging.getLogger(__name__)

RESEND_AFTER: Final = timedelta(seconds=10)
"""A step that was sent longer ago and is still pending was lost, if no message waits in
a queue.
"""
RESEND_ANYWAY_AFTER: Final = timedelta(minutes=5)
"""The same, even if messages wait."""


def sweep() -> None:
    """Close abandoned runs, reap dead steps, send lost steps again and move every run
    and the lone steps on.
    """
    run_lifecycle.close_abandoned_runs()
    run_ids = list(Run.objects.for_workers().values_list("pk", flat=True))
    for run_id in (*run_ids, None):
        for step in step_reaper.reap(run_id):
            log.warning(
                "step failed: its attempts are used up",
                extra={"run_id": str(run_id or ""), "step": step.name},
            )
    _resend_lost_steps()
    for run_id in run_ids:
        run_lifecycle.advance(run_id)
    lone_steps.enqueue_lone_steps()
    Heartbeat.objects.forgotten().delete()


def _resend_lost_steps() -> None:
    of_workers = Q(run__isnull=True) | Q(run__in=Run.objects.for_workers())
    pending = RunStep.objects.pending().filter(of_workers)
    sent = pending.filter(enqueued_at__lt=before_now(RESEND_AFTER))
    if not sent.exists():
        return
    lost = sent
    has_empty_queues = broker.waiting_messages() == 0
    if not has_empty_queues:
        lost = sent.filter(enqueued_at__lt=before_now(RESEND_ANYWAY_AFTER))
    count = lost.update(enqueued_at=None)
    if count:
        log.warning("steps are sent again", extra={"steps": count})

"""Periodic upkeep: the sweeper, which keeps runs moving whatever dies, and retention."""

import logging
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from discovery.jobs import broker, run_lifecycle, step_queue
from discovery.models import BalanceChange, Heartbeat, Run, Trade, Transaction

log = logging.getLogger(__name__)

RESEND_AFTER: Final = timedelta(seconds=10)
"""A step that was sent longer ago and is still pending was lost, if no message waits in
a queue.
"""
RESEND_ANYWAY_AFTER: Final = timedelta(minutes=5)
"""The same, even if messages wait."""
DELETE_BATCH: Final = 5000


def sweep() -> None:
    """Close abandoned runs, reap dead steps, send lost steps again and move every run
    on.
    """
    run_lifecycle.close_abandoned_runs()
    for run in Run.objects.for_workers():
        for step in step_queue.reap(run.pk):
            log.warning(
                "step failed: its attempts are used up",
                extra={"run_id": str(run.pk), "step": step.name},
            )
        _resend_lost_steps(run)
        run_lifecycle.advance(run.pk)
    Heartbeat.objects.forgotten(timezone.now()).delete()


def _resend_lost_steps(run: Run) -> None:
    now = timezone.now()
    sent = run.steps.pending().filter(enqueued_at__lt=now - RESEND_AFTER)
    if not sent.exists():
        return
    lost = sent
    has_empty_queues = broker.waiting_messages() == 0
    if not has_empty_queues:
        lost = sent.filter(enqueued_at__lt=now - RESEND_ANYWAY_AFTER)
    count = lost.update(enqueued_at=None)
    if count:
        log.warning(
            "steps are sent again", extra={"run_id": str(run.pk), "steps": count}
        )


def apply_retention(now: datetime | None = None) -> dict[str, int]:
    """Delete rows past their retention; return how many of each kind.

    Deleted are trades and balance changes of wallets off the watchlist past RETENTION_TRADES_DAYS, cached
    transactions past RETENTION_CACHE_HOURS, and expired sessions, which Django leaves
    in place. Runs, wallets and the history of the configuration are never deleted. Each
    batch is a transaction of its own.
    """
    now = now or timezone.now()
    expired: dict[str, QuerySet[Any]] = {
        "trades": Trade.objects.expired(now),
        "balance_changes": BalanceChange.objects.expired(now),
        "transactions": Transaction.objects.expired(now),
        "sessions": Session.objects.filter(expire_date__lt=now),
    }
    deleted = {name: _delete_in_batches(rows) for name, rows in expired.items()}
    log.info("retention", extra=deleted)
    return deleted


def _delete_in_batches(rows: "QuerySet[Any]") -> int:
    deleted_count = 0
    while True:
        keys = list(rows.values_list("pk", flat=True)[:DELETE_BATCH])
        if not keys:
            return deleted_count
        batch_count, _ = rows.model._default_manager.filter(pk__in=keys).delete()
        if not batch_count:
            return deleted_count
        deleted_count += batch_count

"""Periodic upkeep: the sweeper, which keeps runs moving whatever dies, and retention."""

import logging
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.sessions.models import Session
from django.db.models import Q, QuerySet
from django.utils import timezone

from discovery.jobs import broker, lone_steps, run_lifecycle, step_queue
from discovery.models import (
    BalanceChange,
    Heartbeat,
    Run,
    RunStep,
    Trade,
    Transaction,
)
from discovery.models.database_time import before_now
from walltrack import clock

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
    and the lone steps on.
    """
    run_lifecycle.close_abandoned_runs()
    run_ids = list(Run.objects.for_workers().values_list("pk", flat=True))
    for run_id in (*run_ids, None):
        for step in step_queue.reap(run_id):
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


def apply_retention(now: datetime | None = None) -> dict[str, int]:
    """Delete rows past their retention; return how many of each kind.

    Deleted are trades and balance changes of wallets off the watchlist past RETENTION_TRADES_DAYS, cached
    transactions past RETENTION_CACHE_HOURS, closed steps of no run past a week, and
    expired sessions, which Django leaves in place. Runs, wallets and the history of the
    configuration are never deleted. Each batch is a transaction of its own.

    now: None = the present: of the market for facts of the chain, real for the others.
    """
    market_now = now or clock.now()
    now = now or timezone.now()
    expired: dict[str, QuerySet[Any]] = {
        "trades": Trade.objects.expired(market_now),
        "balance_changes": BalanceChange.objects.expired(market_now),
        "transactions": Transaction.objects.expired(now),
        "steps": lone_steps.expired_lone_steps(),
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

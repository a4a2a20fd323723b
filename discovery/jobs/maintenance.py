"""What keeps runs going whatever dies: heartbeats, the sweeper, the reaper, retention."""

import logging
import os
import threading
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connection
from django.db.models import QuerySet
from django.utils import timezone

from discovery.jobs import broker, run_lifecycle, step_queue
from discovery.jobs.step_runner import worker_name
from discovery.models import (
    Heartbeat,
    Run,
    RunStep,
    Trade,
    Transaction,
    Wallet,
)
from discovery.models.enums import ACTIVE_RUN_STATUSES, StepStatus

log = logging.getLogger(__name__)

BEAT_SECONDS: Final = 10.0
UNHEARD: Final = timedelta(seconds=10)
UNHEARD_AT_MOST: Final = timedelta(minutes=5)
FORGOTTEN: Final = timedelta(hours=1)
DELETED_AT_ONCE: Final = 5000


def beat(name: str, detail: dict[str, Any] | None = None) -> None:
    """Write a sign of life."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=name, at=timezone.now(), detail=detail or {})],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["at", "detail"],
    )


_parent: list[int] = []


def set_parent_worker(pid: int) -> None:
    """This process is one of the pool of worker `pid`."""
    _parent[:] = [pid]


def this_worker() -> str:
    """The worker this process belongs to: of a pool, its parent, which is the one that is stopped."""
    return worker_name(*_parent)


class WorkerHeartbeat:
    """The heartbeat of one worker, beside its work in a thread of its own."""

    def __init__(self, concurrency: int) -> None:
        self.name = worker_name()
        self._detail = {
            "host": self.name.rsplit(":", 1)[0],
            "pid": os.getpid(),
            "concurrency": concurrency,
            "queues": [broker.RUNS_QUEUE, broker.STEPS_QUEUE, broker.PERIODIC_QUEUE],
            "started_at": timezone.now().isoformat(),
        }
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="pulse", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """The worker is told to go: its steps are free for others at once, and it is seen to be gone."""
        self._end.set()
        self._thread.join(timeout=5)
        try:
            released = step_queue.release_worker(self.name)
            Heartbeat.objects.filter(name=f"{broker.WORKER_PREFIX}{self.name}").delete()
        except DatabaseError as error:
            log.warning("steps not let go of", extra={"cause": type(error).__name__})
        else:
            log.info("worker stops", extra={"released": released})
        finally:
            connection.close()

    def _beat(self) -> None:
        told = False
        while True:
            try:
                active = RunStep.objects.filter(
                    status=StepStatus.RUNNING, claimed_by__startswith=f"{self.name}:"
                ).count()
                beat(f"{broker.WORKER_PREFIX}{self.name}", {**self._detail, "active": active})
                if not told:
                    log.info("worker takes work", extra={"worker": self.name})
                    told = True
            except DatabaseError as error:
                log.warning("worker's heartbeat not stored", extra={"cause": type(error).__name__})
                connection.close()
            if self._end.wait(BEAT_SECONDS):
                connection.close()
                return


def canary() -> None:
    """A message came through the queue."""
    beat("canary", {"worker": this_worker()})


def sweep() -> None:
    """Reap, close dead runs, and tell workers again of steps that nobody seems to have heard of."""
    run_lifecycle.close_dead_runs()
    for run in Run.objects.filter(status__in=ACTIVE_RUN_STATUSES, stage__isnull=False, in_foreground=False):
        for step in step_queue.reap(run.pk):
            log.warning("step given up", extra={"run_id": str(run.pk), "step": f"{step.kind} {step.key}"})
        _tell_again(run)
        run_lifecycle.advance(run.pk)
    Heartbeat.objects.filter(name__startswith=broker.WORKER_PREFIX, at__lt=timezone.now() - FORGOTTEN).delete()


def _tell_again(run: Run) -> None:
    """A step told of a while ago and still pending was lost on the way, where no message waits in a queue."""
    now = timezone.now()
    told = run.steps.filter(status=StepStatus.PENDING, enqueued_at__lt=now - UNHEARD)
    if not told.exists():
        return
    empty = broker.waiting() == 0
    lost = told if empty else told.filter(enqueued_at__lt=now - UNHEARD_AT_MOST)
    count = lost.update(enqueued_at=None)
    if count:
        log.warning("workers are told again", extra={"run_id": str(run.pk), "steps": count})


def retention(now: datetime | None = None) -> dict[str, int]:
    """Delete trades of wallets off the watchlist past RETENTION_TRADES_DAYS and transactions past the cache's hours.

    Sessions that have expired go too, which Django leaves to others. In batches, each a transaction of its own. Runs,
    wallets and the history of the configuration are never touched.
    """
    now = now or timezone.now()
    watched = Wallet.objects.values("address")
    old_trades = Trade.objects.filter(block_time__lt=now - timedelta(days=settings.RETENTION_TRADES_DAYS))
    cached_until = now - timedelta(hours=settings.RETENTION_CACHE_HOURS)
    outlived: dict[str, QuerySet[Any]] = {
        "trades": old_trades.exclude(wallet_address__in=watched),
        "transactions": Transaction.objects.filter(fetched_at__lt=cached_until),
        "sessions": Session.objects.filter(expire_date__lt=now),
    }
    deleted = dict.fromkeys(outlived, 0)
    for name, rows in outlived.items():
        while count := rows.model._default_manager.filter(
            pk__in=list(rows.values_list("pk", flat=True)[:DELETED_AT_ONCE])
        ).delete()[0]:
            deleted[name] += count
    log.info("retention", extra=deleted)
    return deleted

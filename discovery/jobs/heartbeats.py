"""Heartbeats: one row for each part of the system, written while the part runs."""

import logging
import os
import socket
import threading
from typing import Any, Final

from django.db import DatabaseError, connection
from django.db.models.functions import Now

from discovery.jobs import step_queue
from discovery.models import Heartbeat, RunStep
from discovery.models.database_time import database_now
from discovery.models.enums import WORKER_HEARTBEAT_PREFIX, HeartbeatName, Queue

log = logging.getLogger(__name__)

WORKER_HEARTBEAT_SECONDS: Final = 10.0

_parent_pid: int | None = None


def write_heartbeat(name: str, detail: dict[str, Any] | None = None) -> None:
    """Store that the part `name` runs now, by the database's clock."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=name, at=Now(), detail=detail or {})],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["at", "detail"],
    )


def write_canary() -> None:
    """Store that a message passed through the queue."""
    write_heartbeat(HeartbeatName.CANARY, {"worker": current_worker()})


def set_parent_worker(pid: int) -> None:
    """Declare this process a pool process of the worker with process id `pid`."""
    global _parent_pid  # noqa: PLW0603  one value for the life of the process, set once when it starts
    _parent_pid = pid


def current_worker() -> str:
    """Return the name of the worker of this process: of a pool process, the one of its
    parent.
    """
    return worker_name(_parent_pid)


def worker_name(pid: int | None = None) -> str:
    """Return a worker's name in claims and heartbeats: host and process id (None: of
    this process).
    """
    return f"{socket.gethostname()}:{pid or os.getpid()}"


class WorkerHeartbeat:
    """Writes the heartbeat of one worker from a thread of its own, beside the work."""

    def __init__(self, concurrency: int) -> None:
        self.name = worker_name()
        self._detail: dict[str, Any] = {
            "host": self.name.rsplit(":", 1)[0],
            "pid": os.getpid(),
            "concurrency": concurrency,
            "queues": [str(queue) for queue in Queue],
        }
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._is_announced = False

    @property
    def _row_name(self) -> str:
        return f"{WORKER_HEARTBEAT_PREFIX}{self.name}"

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread, release the worker's steps to others and delete its
        heartbeat.
        """
        self._end.set()
        self._thread.join(timeout=5)
        try:
            released_count = step_queue.release_worker(self.name)
            Heartbeat.objects.filter(name=self._row_name).delete()
        except DatabaseError as error:
            log.warning(
                "steps were not released", extra={"cause": type(error).__name__}
            )
        else:
            log.info("worker stops", extra={"released": released_count})
        finally:
            connection.close()

    def _run(self) -> None:
        while True:
            self._write()
            if self._end.wait(WORKER_HEARTBEAT_SECONDS):
                connection.close()
                return

    def _write(self) -> None:
        try:
            if "started_at" not in self._detail:
                self._detail["started_at"] = database_now().isoformat()
            active_count = RunStep.objects.claimed_by_worker(self.name).count()
            write_heartbeat(self._row_name, {**self._detail, "active": active_count})
        except DatabaseError as error:
            log.warning(
                "worker heartbeat was not stored", extra={"cause": type(error).__name__}
            )
            connection.close()
            return
        if not self._is_announced:
            log.info("worker takes work", extra={"worker": self.name})
            self._is_announced = True

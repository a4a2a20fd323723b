"""Signal handlers of worker and beat at start and stop: heartbeats and the release of
claimed steps.
"""

import os
from typing import Any

from celery.signals import (
    beat_init,
    before_task_publish,
    worker_process_init,
    worker_ready,
    worker_shutting_down,
)
from django.conf import settings
from django.db import DatabaseError, connection

from discovery.jobs import heartbeats, periodic_messages
from discovery.models.enums import HeartbeatName, TaskName

_worker_heartbeats: list[heartbeats.WorkerHeartbeat] = []


@worker_ready.connect
def _start_worker_heartbeat(**_: Any) -> None:
    heartbeat = heartbeats.WorkerHeartbeat(settings.CELERY_WORKER_CONCURRENCY)
    _worker_heartbeats.append(heartbeat)
    heartbeat.start()


@worker_process_init.connect
def _join_parent_worker(**_: Any) -> None:
    heartbeats.set_parent_worker(os.getppid())


@worker_shutting_down.connect
def _stop_worker_heartbeat(**_: Any) -> None:
    while _worker_heartbeats:
        _worker_heartbeats.pop().stop()


@beat_init.connect
def _start_beat(**_: Any) -> None:
    from discovery.jobs import beat_schedule

    beat_schedule.create_missing_intervals()
    before_task_publish.connect(
        _write_beat_heartbeat, weak=False, dispatch_uid="discovery.beat"
    )
    before_task_publish.connect(
        _date_by_database, weak=False, dispatch_uid="discovery.beat.dates"
    )
    # Beat counts as alive from its start, not from its first tick half a minute later.
    _write_beat_heartbeat(TaskName.TICK)


def _write_beat_heartbeat(sender: str = "", **_: Any) -> None:
    if sender != TaskName.TICK:
        return
    try:
        heartbeats.write_heartbeat(HeartbeatName.BEAT)
    except DatabaseError:
        connection.close()  # the next tick uses a new connection; meanwhile health reports the missing heartbeat


def _date_by_database(headers: dict[str, Any] | None = None, **_: Any) -> None:
    try:
        periodic_messages.date_by_database(headers or {})
    except DatabaseError:
        connection.close()  # this message expires by the clock of beat

"""What worker and beat do when they start and stop: signs of life, and letting go of work."""

import os
from typing import Any, Final

from celery.signals import beat_init, before_task_publish, worker_process_init, worker_ready, worker_shutting_down
from django.conf import settings
from django.db import DatabaseError, connection

from discovery.jobs import maintenance

_pulse: list[maintenance.WorkerHeartbeat] = []
_TICK: Final = "discovery.tick"


@worker_ready.connect
def _worker_ready(**_: Any) -> None:
    _pulse.append(maintenance.WorkerHeartbeat(settings.CELERY_WORKER_CONCURRENCY))
    _pulse[0].start()


@worker_process_init.connect
def _process_of_pool(**_: Any) -> None:
    maintenance.set_parent_worker(os.getppid())


@worker_shutting_down.connect
def _worker_shutting_down(**_: Any) -> None:
    while _pulse:
        _pulse.pop().stop()


@beat_init.connect
def _beat_starts(**_: Any) -> None:
    from discovery.jobs import beat_schedule

    beat_schedule.sync()
    before_task_publish.connect(_beat_sends, weak=False, dispatch_uid="discovery.beat")
    _beat_sends(_TICK)  # seen from its start, not from its first tick half a minute later


def _beat_sends(sender: str = "", **_: Any) -> None:
    if sender == _TICK:
        try:
            maintenance.beat("beat")
        except DatabaseError:
            connection.close()  # the next tick tries again on a new one; health sees that this one is missing

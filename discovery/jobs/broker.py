"""Telling workers that there is work. A message lost on the way costs time, never work: the sweeper tells again."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from celery import current_app
from celery.exceptions import OperationalError
from django.utils import timezone
from redis.exceptions import RedisError

from discovery.models import Heartbeat, RunStep
from discovery.models.enums import StepKind

log = logging.getLogger(__name__)

STEP_TASK: Final = "discovery.step"
PROFILE_TASK: Final = "discovery.profile_wallet"
PUMPS_TASK: Final = "discovery.refresh_pumps"
RUNS_QUEUE, STEPS_QUEUE, PERIODIC_QUEUE = "runs", "steps", "periodic"
WORKER_ALIVE: Final = timedelta(seconds=60)
WORKER_PREFIX: Final = "worker:"
BROKER_ERRORS: Final = (OperationalError, RedisError, OSError)
_RUN_KINDS: Final = frozenset({StepKind.FIND, StepKind.FINISH})


def capacity() -> int:
    """How many steps live workers may hold at once: one process of each stays free for the tick and the canary.

    Workers are handed no more than that: nothing hoards, and what is still in the database can be cancelled at once.
    """
    alive = Heartbeat.objects.filter(name__startswith=WORKER_PREFIX, at__gt=timezone.now() - WORKER_ALIVE)
    return max(1, sum(max(1, int(row.detail.get("concurrency", 1)) - 1) for row in alive))


def send_steps(steps: Sequence[tuple[int, str]]) -> None:
    """Tell workers of these steps (id, kind). What could not be told is left for the sweeper."""
    for place, (step_id, kind) in enumerate(steps):
        queue = RUNS_QUEUE if kind in _RUN_KINDS else STEPS_QUEUE
        if not send(STEP_TASK, [step_id], queue):
            untold = [step for step, _ in steps[place:]]
            RunStep.objects.filter(pk__in=untold).update(enqueued_at=None)
            return


def send(task: str, arguments: Sequence[object], queue: str) -> bool:
    """Put one message into a queue; whether the broker took it."""
    try:
        current_app.send_task(task, args=list(arguments), queue=queue)
    except BROKER_ERRORS as error:
        log.warning("the broker did not take a message", extra={"task": task, "cause": type(error).__name__})
        return False
    return True


def waiting() -> int | None:
    """Messages that wait in the queues of runs and steps, None where the broker does not answer."""
    try:
        with current_app.connection_for_read() as broker:
            channel: Any = broker.default_channel
            waits: list[int] = [
                channel.queue_declare(queue=name, durable=True).message_count for name in (RUNS_QUEUE, STEPS_QUEUE)
            ]
            return sum(waits)
    except BROKER_ERRORS as error:
        log.warning("the broker does not answer", extra={"cause": type(error).__name__})
        return None

"""Messages to workers. A lost message costs time, never work: the sweeper sends the
step again.
"""

import logging
from collections.abc import Sequence
from typing import Any, Final

from celery import current_app
from celery.exceptions import OperationalError
from redis.exceptions import RedisError

from discovery.models import RunStep
from discovery.models.enums import QUEUE_OF_KIND, Queue, StepKind, TaskName

log = logging.getLogger(__name__)

BROKER_ERRORS: Final = (OperationalError, RedisError, OSError)


def send_steps(steps: Sequence[tuple[int, str]]) -> None:
    """Send these steps (id, kind) to workers. Steps that the broker refuses are left to
    the sweeper.
    """
    for place, (step_id, kind) in enumerate(steps):
        if not send(TaskName.STEP, [step_id], QUEUE_OF_KIND[StepKind(kind)]):
            refused = [step for step, _ in steps[place:]]
            RunStep.objects.filter(pk__in=refused).update(enqueued_at=None)
            return


def send(task: TaskName, arguments: Sequence[object], queue: Queue) -> bool:
    """Put one message into a queue. Return False if the broker refuses it or is
    unreachable.
    """
    try:
        current_app.send_task(str(task), args=list(arguments), queue=str(queue))
    except BROKER_ERRORS as error:
        log.warning(
            "the broker did not take a message",
            extra={"task": str(task), "cause": type(error).__name__},
        )
        return False
    return True


def waiting_messages() -> int | None:
    """Return how many messages wait in the queues of runs and steps, or None if the
    broker does not answer.
    """
    try:
        with current_app.connection_for_read() as broker:
            channel: Any = broker.default_channel
            return sum(
                _queue_length(channel, queue) for queue in (Queue.RUNS, Queue.STEPS)
            )
    except BROKER_ERRORS as error:
        log.warning("the broker does not answer", extra={"cause": type(error).__name__})
        return None


def _queue_length(channel: Any, queue: Queue) -> int:
    declared = channel.queue_declare(queue=str(queue), durable=True)
    return int(declared.message_count)

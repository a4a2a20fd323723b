"""Two beats by mistake: Celery's own schedulers over our rows send everything twice,
each slot runs once all the same.

Time is moved, not slept; what beats send goes through the real broker to consumers that
work side by side.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis as redis_client
import time_machine
from celery import current_app
from celery.utils.imports import symbol_by_name
from django.conf import settings
from django.db import connection
from django_celery_beat.models import PeriodicTask

from discovery.jobs import beat_schedule, run_lifecycle
from discovery.models import Config, Run
from discovery.models.enums import Queue, RunStatus

pytestmark = pytest.mark.django_db(transaction=True)
START = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
TICK = timedelta(seconds=30)
CONSUMERS = 3


class Beats:
    """As many schedulers as there are beats, each with a heap, a memory and a producer
    of its own.
    """

    def __init__(self, count: int) -> None:
        scheduler = symbol_by_name(settings.CELERY_BEAT_SCHEDULER)
        self._schedulers = [
            scheduler(app=current_app._get_current_object()) for _ in range(count)
        ]

    def send_what_is_due(self) -> None:
        for scheduler in self._schedulers:
            while (
                scheduler.tick() == 0
            ):  # one message a tick; else the seconds until the next
                pass

    def close(self) -> None:
        for scheduler in self._schedulers:
            scheduler.close()


class Consumers:
    """Threads that take from the queue of periodic tasks at the same time, as three
    workers do.
    """

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.expired: list[str] = []
        current_app.loader.import_default_modules()  # the tasks, as a worker and beat do at their start
        self._together = threading.Barrier(CONSUMERS, timeout=30)
        self._stack = ExitStack()
        self._threads = self._stack.enter_context(ThreadPoolExecutor(CONSUMERS))
        self._brokers = [
            self._stack.enter_context(current_app.connection_for_read())
            for _ in range(CONSUMERS)
        ]

    def take_all(self) -> None:
        """Until nothing waits; errors of a task are the test's."""
        list(self._threads.map(self._take, self._brokers))

    def close(self) -> None:
        list(self._threads.map(self._leave, self._brokers))
        self._stack.close()

    def _take(self, broker: Any) -> None:
        queue = current_app.amqp.queues[Queue.PERIODIC](broker.default_channel)
        self._together.wait()
        while (message := queue.get()) is not None:
            message.ack()
            task, expires = message.headers["task"], message.headers["expires"]
            if datetime.now(UTC) > datetime.fromisoformat(
                expires
            ):  # a worker drops it too
                self.expired.append(task)
            else:
                current_app.tasks[task]()
                self.ran.append(task)

    def _leave(self, _: Any) -> None:
        self._together.wait()  # each thread once
        connection.close()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START - HOUR, tick=False) as traveller:
        yield traveller


@pytest.fixture
def rows(clock: time_machine.Traveller) -> Iterator[None]:
    """What beat makes at its start, an empty broker, and the first slot."""
    broker = redis_client.Redis.from_url(settings.REDIS_URL)
    broker.flushdb()
    PeriodicTask.objects.all().delete()  # made by the migration, at a time that the moved clock has yet to reach
    beat_schedule.create_missing_intervals()
    Config.load()
    Config.objects.update(schedule_hours=1, next_run_at=START)
    yield
    broker.flushdb()
    broker.close()


@pytest.fixture
def beats(rows: None) -> Iterator[Callable[[], Beats]]:
    """`beats()`: two beats that have just started."""
    with ExitStack() as stack:

        def start() -> Beats:
            both = Beats(2)
            stack.callback(both.close)
            return both

        yield start


@pytest.fixture
def consumers(rows: None) -> Iterator[Consumers]:
    working = Consumers()
    yield working
    working.close()


def end_the_run(slot: datetime) -> None:
    """The active run is the slot's; it completes."""
    active = Run.objects.active().first()
    assert active is not None, slot
    assert active.scheduled_for == slot
    run_lifecycle.close(active.pk, RunStatus.COMPLETED)


def slots() -> list[datetime | None]:
    return list(
        Run.objects.order_by("scheduled_for").values_list("scheduled_for", flat=True)
    )


def test_two_beats_and_three_consumers_run_each_of_a_hundred_slots_once(
    clock: time_machine.Traveller, beats: Callable[[], Beats], consumers: Consumers
) -> None:
    both = beats()
    both.send_what_is_due()
    for nth in range(100):
        slot = START + nth * HOUR
        late = timedelta(seconds=nth % 29)
        if nth % 10 == 5:  # a tick just before a slot is none of its business
            clock.move_to(slot - timedelta(seconds=1))
            both.send_what_is_due()
            consumers.take_all()
            assert Run.objects.active().first() is None
        clock.move_to(slot + late)
        both.send_what_is_due()
        clock.move_to(
            slot + late + TICK
        )  # nobody was free for half a minute: four ticks wait
        both.send_what_is_due()
        consumers.take_all()
        end_the_run(slot)
        assert Config.objects.get().next_run_at == slot + HOUR
    assert slots() == [START + nth * HOUR for nth in range(100)]
    assert (
        consumers.ran.count("discovery.tick") >= 300
    )  # about twice a slot by each beat
    assert set(consumers.ran) == {interval.task for interval in beat_schedule.INTERVALS}

    clock.move_to(
        START + 132.5 * HOUR
    )  # both beats were down, slots 100 to 132 are missed
    for _ in range(3):
        beats().send_what_is_due()
        consumers.take_all()
        clock.shift(TICK)
    end_the_run(START + 100 * HOUR)
    clock.move_to(START + 133 * HOUR)
    both.send_what_is_due()
    consumers.take_all()
    end_the_run(START + 133 * HOUR)
    assert slots()[99:] == [START + nth * HOUR for nth in (99, 100, 133)]
    assert set(Run.objects.values_list("status", flat=True)) == {"completed"}


def test_ticks_that_piled_up_while_no_worker_was_there_are_one_run(
    clock: time_machine.Traveller, beats: Callable[[], Beats], consumers: Consumers
) -> None:
    both = beats()
    for _ in range(3 * 120):  # two hours of slots
        clock.shift(TICK)
        both.send_what_is_due()
    consumers.take_all()
    end_the_run(START)
    assert slots() == [START]
    assert (
        consumers.expired.count("discovery.tick") >= 2 * 350
    )  # a pile of ticks is no pile of work
    assert Config.objects.get().next_run_at == START + 3 * HOUR

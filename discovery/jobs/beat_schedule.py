"""The intervals of Celery beat. Missing ones are made; those that an operator changed
or paused never change.
"""

from typing import Final, NamedTuple

from discovery.models.enums import Queue, TaskName

MIN_EXPIRY_SECONDS: Final = 30
MAX_EXPIRY_SECONDS: Final = 3600


class Interval(NamedTuple):
    """A periodic task: its row's name, its task, and how often it is sent."""

    name: str
    task: TaskName
    seconds: int

    @property
    def expiry_seconds(self) -> int:
        """Age at which an unread message is dropped (`periodic_messages`), so that a worker that was stopped
        finds no pile of old ones.
        """
        return max(MIN_EXPIRY_SECONDS, min(self.seconds, MAX_EXPIRY_SECONDS))


INTERVALS: Final = (
    Interval("walltrack: schedule tick", TaskName.TICK, 30),
    Interval("walltrack: sweeper and reaper", TaskName.SWEEP, 15),
    Interval("walltrack: canary", TaskName.CANARY, 60),
    Interval("walltrack: upkeep of the watchlist", TaskName.UPKEEP, 20),
    Interval("walltrack: decay check", TaskName.CHECK_DECAY, 3600),
    Interval("walltrack: retention", TaskName.RETENTION, 24 * 3600),
)


def create_missing_intervals(using: str = "default") -> None:
    """Insert the rows that are missing."""
    from django_celery_beat.models import IntervalSchedule, PeriodicTask

    for interval in INTERVALS:
        if PeriodicTask.objects.using(using).filter(name=interval.name).exists():
            continue
        every, _ = IntervalSchedule.objects.using(using).get_or_create(
            every=interval.seconds, period=IntervalSchedule.SECONDS
        )
        PeriodicTask.objects.using(using).get_or_create(
            name=interval.name,
            defaults={
                "task": str(interval.task),
                "interval": every,
                "queue": str(Queue.PERIODIC),
                "expire_seconds": interval.expiry_seconds,
            },
        )

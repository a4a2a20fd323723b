"""Beat's intervals: made where they are missing, never changed where an operator has changed or paused them."""

from typing import Any, Final

INTERVALS: Final[dict[str, tuple[str, int]]] = {
    "walltrack: schedule tick": ("discovery.tick", 30),
    "walltrack: sweeper and reaper": ("discovery.sweep", 15),
    "walltrack: canary": ("discovery.canary", 60),
    "walltrack: decay check": ("discovery.check_decay", 3600),
    "walltrack: retention": ("discovery.retention", 24 * 3600),
}
"""Name -> (task, seconds)."""


def sync(using: str = "default") -> None:
    """Make the rows that are missing. Each message expires: a stopped worker finds no pile of old ones."""
    from django_celery_beat.models import IntervalSchedule, PeriodicTask

    for name, (task, seconds) in INTERVALS.items():
        if PeriodicTask.objects.using(using).filter(name=name).exists():
            continue
        every, _ = IntervalSchedule.objects.using(using).get_or_create(every=seconds, period=IntervalSchedule.SECONDS)
        values: dict[str, Any] = {"task": task, "interval": every, "queue": "periodic"}
        PeriodicTask.objects.using(using).get_or_create(
            name=name, defaults={**values, "expire_seconds": max(30, min(seconds, 3600))}
        )

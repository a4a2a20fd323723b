"""The schedule as it stands: what is in force and why, when the next run is due, how late it is."""

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from django.conf import settings
from django.utils import timezone

from discovery.models import Config, Run
from discovery.models.config import hours_as_timedelta

GRACE_SECONDS: Final = 120
"""A due run is not late yet: the tick comes every 30 s and passes through the queue."""

OFF_IN_CONFIGURATION: Final = "switched off in the configuration"
OFF_IN_ENVIRONMENT: Final = "DISCOVERY_SCHEDULER_ENABLED=false in the environment"


class SchedulerView(msgspec.Struct, frozen=True, kw_only=True):
    """The scheduler of `/health/detailed` and of the API's `status`.

    enabled: whether runs start by themselves, row and environment taken together; reason: why not, else "".
    schedule_hours: hours between runs, in force; environment_hours: what the environment would seed.
    next_run: when the next run is due (UTC), None while switched off or before the first tick.
    last_run: when the last run began (UTC), whoever asked for it; queued runs and skipped slots have not begun.
    overdue_seconds: how long ago `next_run` was due, 0 within `GRACE_SECONDS`.
    running: the id of the active run, queued or running, else None.
    note: where environment and row differ, which of them is in force and who set it, else "".
    """

    enabled: bool
    reason: str
    schedule_hours: int
    environment_hours: int
    next_run: datetime | None
    last_run: datetime | None
    overdue_seconds: int
    running: str | None
    note: str

    @property
    def interval(self) -> timedelta:
        """Time between two scheduled runs."""
        return hours_as_timedelta(self.schedule_hours)


def scheduler_view(now: datetime | None = None) -> SchedulerView:
    """The schedule at `now` (None: the current time). Three queries. A missing row reads as the environment's seeds."""
    now = now or timezone.now()
    config = Config.objects.only("enabled", "schedule_hours", "next_run_at", "updated_by").filter(pk=1).first()
    if config is None:
        config = Config(enabled=settings.DISCOVERY_SCHEDULER_ENABLED, schedule_hours=settings.DISCOVERY_SCHEDULE_HOURS)
    last_run = Run.objects.begun().order_by("-started_at").values_list("started_at", flat=True).first()
    running = Run.objects.active().values_list("pk", flat=True).first()
    return schedule_at(
        enabled=bool(config.enabled),
        hours=config.hours,
        next_run_at=config.next_run_at,
        updated_by=config.updated_by,
        last_run=last_run,
        running=str(running) if running else None,
        now=now,
    )


def schedule_at(
    *,
    enabled: bool,
    hours: int,
    next_run_at: datetime | None,
    updated_by: str | None,
    last_run: datetime | None,
    running: str | None,
    now: datetime,
) -> SchedulerView:
    """The same from what is known already. No query."""
    reason = _reason(enabled=enabled)
    next_run = None if reason else next_run_at
    late = int((now - next_run).total_seconds()) if next_run else 0
    return SchedulerView(
        enabled=not reason,
        reason=reason,
        schedule_hours=hours,
        environment_hours=settings.DISCOVERY_SCHEDULE_HOURS,
        next_run=_utc(next_run),
        last_run=_utc(last_run),
        overdue_seconds=late if late > GRACE_SECONDS else 0,
        running=running,
        note=_note(hours, updated_by),
    )


def _reason(*, enabled: bool) -> str:
    if not settings.DISCOVERY_SCHEDULER_ENABLED:
        return OFF_IN_ENVIRONMENT
    # Null, in rows of the earlier system, starts nothing either.
    return "" if enabled else OFF_IN_CONFIGURATION


def _note(hours: int, updated_by: str | None) -> str:
    seeded = settings.DISCOVERY_SCHEDULE_HOURS
    if hours == seeded:
        return ""
    who = f", set here by {updated_by}" if updated_by else ""
    return f"environment {seeded}, in force {hours}{who}"


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None

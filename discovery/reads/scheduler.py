"""State of the schedule: whether it is on and why not, when the next run is due, and
how late it is.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from django.conf import settings

from discovery.models import Config, Run
from discovery.models.config import hours_as_timedelta
from walltrack import clock

GRACE_SECONDS: Final = 120
"""A run counts as overdue only after this time: ticks come every 30 s and pass through
the queue.
"""

OFF_IN_CONFIGURATION: Final = "switched off in the configuration"
OFF_IN_ENVIRONMENT: Final = "DISCOVERY_SCHEDULER_ENABLED=false in the environment"


class SchedulerView(msgspec.Struct, frozen=True, kw_only=True):
    """The scheduler of `/health/detailed` and of the API's `status`.

    enabled: True if runs start on schedule: both the configuration and the environment
    allow it. reason: the cause if `enabled` is False, else "". schedule_hours: hours
    between runs, as configured; environment_hours: hours that the environment sets.
    next_run: time at which the next run is due (UTC), None while the schedule is off or
    before the first tick. last_run: time at which the last run of any trigger began
    (UTC); queued runs and skipped slots have not begun. overdue_seconds: time since
    `next_run`, 0 within `GRACE_SECONDS`. running: id of the queued or running run, else
    None. note: difference between the environment's hours and the configured ones, and
    who set them; "" if they are equal.
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
    """Return the schedule at `now` (None: the current time). Three queries.

    If the configuration row is missing, the values of the environment stand in for it.
    """
    config = _stored_config() or _environment_config()
    last_run = (
        Run.objects.begun()
        .order_by("-started_at")
        .values_list("started_at", flat=True)
        .first()
    )
    running = Run.objects.active().values_list("pk", flat=True).first()
    return schedule_at(
        enabled=bool(config.enabled),
        hours=config.hours,
        next_run_at=config.next_run_at,
        updated_by=config.updated_by,
        last_run=last_run,
        running=str(running) if running else None,
        now=now or clock.now(),
    )


def _stored_config() -> Config | None:
    columns = ("enabled", "schedule_hours", "next_run_at", "updated_by")
    return Config.objects.only(*columns).filter(pk=1).first()


def _environment_config() -> Config:
    return Config(
        enabled=settings.DISCOVERY_SCHEDULER_ENABLED,
        schedule_hours=settings.DISCOVERY_SCHEDULE_HOURS,
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
    """Return the schedule at `now` from values that the caller has loaded. No query."""
    reason = _off_reason(enabled=enabled)
    next_run = None if reason else next_run_at
    return SchedulerView(
        enabled=not reason,
        reason=reason,
        schedule_hours=hours,
        environment_hours=settings.DISCOVERY_SCHEDULE_HOURS,
        next_run=_utc(next_run),
        last_run=_utc(last_run),
        overdue_seconds=_overdue_seconds(next_run, now),
        running=running,
        note=_note(hours, updated_by),
    )


def _off_reason(*, enabled: bool) -> str:
    """Return the reason why the schedule is off, or "" if it is on."""
    if not settings.DISCOVERY_SCHEDULER_ENABLED:
        return OFF_IN_ENVIRONMENT
    if not enabled:
        return OFF_IN_CONFIGURATION
    return ""


def _overdue_seconds(next_run: datetime | None, now: datetime) -> int:
    if next_run is None:
        return 0
    seconds = int((now - next_run).total_seconds())
    # Ticks are as far apart as ever where the time of a simulated market flies.
    grace_seconds = GRACE_SECONDS * clock.speed()
    return seconds if seconds > grace_seconds else 0


def _note(hours: int, updated_by: str | None) -> str:
    environment_hours = settings.DISCOVERY_SCHEDULE_HOURS
    if hours == environment_hours:
        return ""
    note = f"environment {environment_hours}, in force {hours}"
    if updated_by:
        note += f", set here by {updated_by}"
    return note


def _utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return moment.astimezone(UTC)

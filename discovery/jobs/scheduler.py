"""The schedule: slots `schedule_hours` apart, each run once. Celery beat only ticks; what a tick does is decided here.

`next_run_at` in the configuration row is the next slot. Slots are instants in UTC: a change of daylight saving time
moves none of them.
"""

import logging
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from discovery.jobs import maintenance, run_errors, run_lifecycle
from discovery.models import Config, Run
from discovery.models.enums import RunStatus, Trigger

log = logging.getLogger(__name__)

SOONEST_HOURS: Final = 1 / 60
"""Nothing that is changed starts a run sooner than this."""


def following_slot(slot: datetime, hours: int, now: datetime) -> datetime:
    """The first slot after `now` on the line of `slot`: late ticks shift nothing, missed slots are one."""
    step = _apart(hours)
    missed = max(0, (now - slot) // step)
    return slot + (missed + 1) * step


def _apart(hours: float) -> timedelta:
    return timedelta(seconds=hours * settings.DISCOVERY_HOUR_SECONDS)


def first_slot(hours: int, now: datetime) -> datetime:
    """Where no slot is known: `hours` after the last run's start, at least a minute from now; without one, from now."""
    last = Run.objects.exclude(status=RunStatus.SKIPPED).order_by("-started_at").first()
    if last is None:
        return now + _apart(hours)
    return max(now + _apart(SOONEST_HOURS), last.started_at + _apart(hours))


def in_force(config: Config) -> bool:
    """Whether scheduled runs start: the row's switch and the environment's."""
    return bool(config.enabled) and settings.DISCOVERY_SCHEDULER_ENABLED


def tick(now: datetime | None = None) -> Run | None:
    """Start the run of the slot that has come, once; the run or the skipped row, None where nothing was due."""
    now = now or timezone.now()
    maintenance.beat("tick")
    Config.load()
    run_lifecycle.close_dead_runs()
    with transaction.atomic():
        config = Config.objects.select_for_update().get(pk=1)
        hours = config.hours
        slot = config.next_run_at
        if not in_force(config):
            if not config.enabled and slot is not None:
                Config.objects.filter(pk=1).update(next_run_at=None)
            return None
        if slot is None:
            Config.objects.filter(pk=1).update(next_run_at=first_slot(hours, now))
            return None
        if now < slot:
            return None
        Config.objects.filter(pk=1).update(next_run_at=following_slot(slot, hours, now))
        try:
            with transaction.atomic():
                return run_lifecycle.start(
                    run_lifecycle.saved_params(config),
                    trigger=Trigger.SCHEDULED,
                    triggered_by="scheduler",
                    config_version=config.version,
                    scheduled_for=slot,
                )
        except run_lifecycle.SlotTaken:
            return None
        except run_lifecycle.RunAlreadyActive as active:
            return _skipped(slot, now, str(active))


def _skipped(slot: datetime, now: datetime, why: str) -> Run:
    """A slot that met an active run, kept so that the history has no hole."""
    log.warning("slot skipped", extra={"slot": slot.isoformat(), "cause": why})
    return Run.objects.create(
        started_at=now,
        completed_at=now,
        status=RunStatus.SKIPPED,
        stage="done",
        trigger_type=Trigger.SCHEDULED,
        triggered_by="scheduler",
        scheduled_for=slot,
        errors=[run_errors.run_error("run", "skipped", why)],
    )


def changed(config: Config, *, enabled_before: bool, hours_before: int, now: datetime) -> datetime | None:
    """The next slot after an operator changed the switch or the hours: recalculated at once."""
    if not config.enabled:
        return None
    hours = config.hours
    if enabled_before and hours == hours_before and config.next_run_at is not None:
        return config.next_run_at
    return first_slot(hours, now)

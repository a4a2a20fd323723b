"""The scheduler: slots `schedule_hours` apart, each run once. Celery beat only ticks; a
tick decides here.

`next_run_at` in the configuration row is the next slot. Slots are instants in UTC: a
change of daylight saving time moves none of them.
"""

import logging
from datetime import datetime
from typing import Final

from django.db import transaction

from discovery.domain.run_errors import ErrorCode, run_error
from discovery.jobs import heartbeats, run_lifecycle
from discovery.models import Config, Run
from discovery.models.config import hours_as_timedelta
from discovery.models.enums import HeartbeatName, RunStage, RunStatus, Trigger
from discovery.pipeline.cost_estimate import admission_problem
from walltrack import clock

log = logging.getLogger(__name__)

MIN_DELAY_HOURS: Final = 1 / 60
"""A change of the configuration never starts a run sooner than this."""


def following_slot(slot: datetime, hours: int, now: datetime) -> datetime:
    """Return the first slot after `now` on the grid of `slot`: late ticks shift
    nothing, missed slots become one.
    """
    interval = hours_as_timedelta(hours)
    missed_count = max(0, (now - slot) // interval)
    return slot + (missed_count + 1) * interval


def first_slot(hours: int, now: datetime) -> datetime:
    """Return the slot where none is known: `hours` after the start of the last run,
    MIN_DELAY_HOURS from now at least.

    Without any run: `hours` from now.
    """
    last = Run.objects.requested().order_by("-started_at").first()
    if last is None:
        return now + hours_as_timedelta(hours)
    earliest = now + hours_as_timedelta(MIN_DELAY_HOURS)
    slot: datetime = max(earliest, last.started_at + hours_as_timedelta(hours))
    return slot


def slot_after_change(
    config: Config, *, was_enabled: bool, previous_hours: int, now: datetime
) -> datetime | None:
    """Return the next slot after an operator changed the switch or the hours; None
    while switched off.
    """
    if not config.enabled:
        return None
    is_unchanged = was_enabled and config.hours == previous_hours
    if is_unchanged and config.next_run_at is not None:
        return config.next_run_at
    return first_slot(config.hours, now)


def tick(now: datetime | None = None) -> Run | None:
    """Start the run of the slot that is due, once. Return the run or the skipped row,
    or None if nothing is due.
    """
    now = now or clock.now()
    heartbeats.write_heartbeat(HeartbeatName.TICK)
    Config.load()
    run_lifecycle.close_abandoned_runs()
    with transaction.atomic():
        config = Config.objects.select_for_update().get(pk=1)
        slot = _due_slot(config, now)
        if slot is None:
            return None
        _store_next_slot(following_slot(slot, config.hours, now))
        return _start_scheduled(config, slot, now)


def _due_slot(config: Config, now: datetime) -> datetime | None:
    """Return the slot if its time has come, else None; keep `next_run_at` in line with
    the switch.
    """
    slot = config.next_run_at
    if not config.enabled and slot is not None:
        _store_next_slot(None)
    if not config.is_schedule_on:
        return None
    if slot is None:
        _store_next_slot(first_slot(config.hours, now))
        return None
    return slot if now >= slot else None


def _store_next_slot(slot: datetime | None) -> None:
    Config.objects.filter(pk=1).update(next_run_at=slot)


def _start_scheduled(config: Config, slot: datetime, now: datetime) -> Run | None:
    problem = admission_problem(config)
    if problem:
        return _record_skipped(slot, now, problem, ErrorCode.CREDITS)
    request = run_lifecycle.RunRequest(
        params=config.params,
        trigger=Trigger.SCHEDULED,
        triggered_by="scheduler",
        config_version=config.version,
        scheduled_for=slot,
    )
    try:
        with transaction.atomic():
            return run_lifecycle.start(request)
    except run_lifecycle.SlotTaken:
        return None
    except run_lifecycle.RunAlreadyActive as active:
        return _record_skipped(slot, now, str(active), ErrorCode.SKIPPED)


def _record_skipped(slot: datetime, now: datetime, cause: str, code: ErrorCode) -> Run:
    """Store a slot whose run did not start, so that the history has no gap."""
    log.warning("slot skipped", extra={"slot": slot.isoformat(), "cause": cause})
    return Run.objects.create(
        started_at=now,
        completed_at=now,
        status=RunStatus.SKIPPED,
        stage=RunStage.DONE,
        trigger_type=Trigger.SCHEDULED,
        triggered_by="scheduler",
        scheduled_for=slot,
        errors=[run_error("run", code, cause)],
    )

"""Rows of Celery beat: missing ones are created, changes of an operator stay, and every
message expires.
"""

import pytest
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from discovery.jobs import beat_schedule

pytestmark = pytest.mark.django_db


def test_every_interval_is_there_after_a_migration_and_expires() -> None:
    rows = PeriodicTask.objects.filter(name__startswith="walltrack: ")
    assert {row.name for row in rows} == {
        interval.name for interval in beat_schedule.INTERVALS
    }
    assert all(row.expire_seconds for row in rows)
    assert all(row.queue == "periodic" for row in rows)


def test_what_an_operator_changed_or_paused_stays_so() -> None:
    row = PeriodicTask.objects.get(name="walltrack: canary")
    row.interval, _ = IntervalSchedule.objects.get_or_create(
        every=7, period=IntervalSchedule.SECONDS
    )
    row.enabled = False
    row.save()
    beat_schedule.create_missing_intervals()
    row.refresh_from_db()
    assert (row.interval.every, row.enabled) == (7, False)


def test_a_row_that_was_deleted_comes_back() -> None:
    PeriodicTask.objects.filter(name="walltrack: canary").delete()
    beat_schedule.create_missing_intervals()
    assert PeriodicTask.objects.filter(name="walltrack: canary").count() == 1


def test_every_task_that_beat_sends_exists() -> None:
    from celery import current_app

    import discovery.tasks  # noqa: F401  registers them

    assert {interval.task for interval in beat_schedule.INTERVALS} <= set(
        current_app.tasks
    )

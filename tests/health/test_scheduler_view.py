"""The scheduler view, which pages, API and probes share."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from discovery.models import Config, Run
from discovery.reads.scheduler import GRACE_SECONDS, scheduler_view

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
Configure = Callable[..., None]

pytestmark = pytest.mark.django_db


@pytest.fixture
def configure(db: None) -> Configure:
    def change(**values: Any) -> None:
        Config.objects.update_or_create(pk=1, defaults=values)

    return change


def test_the_scheduler_view_takes_three_queries(
    configure: Configure, make_run: Any
) -> None:
    make_run()
    make_run()
    with CaptureQueriesContext(connection) as queries:
        scheduler_view()
    assert len(queries) == 3


def test_without_a_row_the_environment_is_in_force(settings: Any) -> None:
    Config.objects.all().delete()
    settings.DISCOVERY_SCHEDULE_HOURS = 8
    view = scheduler_view(NOW)
    assert (view.enabled, view.schedule_hours, view.next_run, view.note) == (
        True,
        8,
        None,
        "",
    )
    assert not Config.objects.exists()


def test_a_row_of_the_previous_system_with_nulls_is_switched_off(
    configure: Configure,
) -> None:
    configure(enabled=None, schedule_hours=None)
    view = scheduler_view(NOW)
    assert (view.enabled, view.schedule_hours) == (False, 6)


def test_the_environment_can_switch_off_an_enabled_row(
    configure: Configure, settings: Any
) -> None:
    settings.DISCOVERY_SCHEDULER_ENABLED = False
    configure(enabled=True, next_run_at=NOW)
    view = scheduler_view(NOW)
    assert (view.enabled, view.next_run, view.overdue_seconds) == (False, None, 0)
    assert view.reason == "DISCOVERY_SCHEDULER_ENABLED=false in the environment"


def test_a_due_run_is_overdue_only_after_the_grace_period(configure: Configure) -> None:
    configure(next_run_at=NOW)
    views = [
        scheduler_view(NOW + timedelta(seconds=seconds))
        for seconds in (-1, GRACE_SECONDS, 121)
    ]
    assert [view.overdue_seconds for view in views] == [0, 0, 121]


def test_the_last_run_is_the_last_one_that_began_with_any_trigger(
    configure: Configure, make_run: Any
) -> None:
    make_run(began=NOW - timedelta(hours=9))
    make_run(began=NOW - timedelta(hours=4), trigger_type="manual", status="failed")
    make_run(began=NOW - timedelta(hours=2), status="skipped")
    make_run(began=NOW - timedelta(hours=1), status="queued", stage="queued")
    assert scheduler_view(NOW).last_run == NOW - timedelta(hours=4)


@pytest.mark.parametrize(
    ("status", "stage"), [("queued", "queued"), ("running", "profile")]
)
def test_the_active_run_is_named(status: str, stage: str, make_run: Any) -> None:
    run = make_run(status=status, stage=stage)
    assert scheduler_view(NOW).running == str(run.pk)


def test_no_run_is_active_after_every_run_has_ended(make_run: Any) -> None:
    make_run()
    assert Run.objects.count() == 1
    assert scheduler_view(NOW).running is None


def test_a_difference_between_environment_and_row_is_noted(
    configure: Configure, settings: Any
) -> None:
    settings.DISCOVERY_SCHEDULE_HOURS = 12
    configure(schedule_hours=6, updated_by="ana")
    assert scheduler_view(NOW).note == "environment 12, in force 6, set here by ana"
    configure(schedule_hours=6, updated_by=None)
    assert scheduler_view(NOW).note == "environment 12, in force 6"
    configure(schedule_hours=12)
    assert scheduler_view(NOW).note == ""

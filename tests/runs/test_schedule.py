"""Slots: each run once, anchored, whoever ticks how often. Time is moved, not slept."""

import itertools
import threading
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from discovery.domain.run_params import Params
from discovery.jobs import run_lifecycle, scheduler
from discovery.models import Config, Run
from discovery.models.enums import RunStatus, Trigger
from discovery.pipeline.cost_estimate import plan_cost

START = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _away(settings) -> None:
    """No broker: the ledger alone decides, a message is only a message."""
    settings.STEP_DEAD_SECONDS = 90


def configured(**values) -> Config:
    Config.load()
    Config.objects.update(**values)
    return Config.objects.get()


def next_run() -> datetime | None:
    return Config.objects.get().next_run_at


@pytest.mark.django_db
def test_a_fresh_database_runs_first_after_the_hours_of_its_schedule() -> None:
    configured(schedule_hours=6)
    assert scheduler.tick(START) is None
    assert next_run() == START + 6 * HOUR


@pytest.mark.django_db
def test_with_short_hours_runs_are_as_much_closer(settings) -> None:
    settings.DISCOVERY_HOUR_SECONDS = 10
    configured(schedule_hours=6)
    scheduler.tick(START)
    assert next_run() == START + timedelta(minutes=1)
    assert scheduler.following_slot(START, 6, START) == START + timedelta(minutes=1)


@pytest.mark.django_db
def test_with_short_hours_fewer_tokens_fit_between_two_runs(settings) -> None:
    configured(schedule_hours=6)
    params = Params(profile_immediately=False)
    in_full_hours = plan_cost(params)
    settings.DISCOVERY_HOUR_SECONDS = 10
    in_short_hours = plan_cost(params)
    assert in_short_hours.run.seconds == in_full_hours.run.seconds
    assert in_short_hours.cut == "time"
    assert in_short_hours.scheduled.tokens < in_full_hours.scheduled.tokens


@pytest.mark.django_db
def test_an_adopted_database_goes_on_where_its_last_run_was() -> None:
    configured(schedule_hours=6)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO discovery_runs (started_at, completed_at, status, trigger_type)"
            " VALUES (%s, %s, 'completed', 'scheduled')",
            [START - 2 * HOUR, START - 2 * HOUR],
        )
    scheduler.tick(START)
    assert next_run() == START + 4 * HOUR


@pytest.mark.django_db
def test_an_adopted_database_whose_last_run_is_long_ago_runs_in_a_minute() -> None:
    configured(schedule_hours=6)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO discovery_runs (started_at, status, trigger_type) VALUES (%s, 'completed', 'manual')",
            [START - 100 * HOUR],
        )
    scheduler.tick(START)
    assert next_run() == START + timedelta(minutes=1)


@pytest.mark.django_db
def test_a_slot_that_has_come_starts_one_run_with_the_saved_parameters() -> None:
    config = configured(schedule_hours=6, next_run_at=START, max_tokens=7)
    run = scheduler.tick(START + timedelta(seconds=20))
    assert run is not None
    run.refresh_from_db()
    assert (run.trigger_type, run.triggered_by, run.scheduled_for, run.max_tokens, run.config_version) == (
        "scheduled", "scheduler", START, 7, config.version,
    )  # fmt: skip
    assert next_run() == START + 6 * HOUR  # of the slot, not of the tick: no drift
    assert scheduler.tick(START + timedelta(seconds=50)) is None


@pytest.mark.django_db
def test_slots_missed_in_a_gap_are_one_run() -> None:
    configured(schedule_hours=6, next_run_at=START)
    run = scheduler.tick(START + 32 * HOUR)
    assert run is not None
    assert (run.scheduled_for, next_run()) == (START, START + 36 * HOUR)
    run_lifecycle.close(run.pk, RunStatus.COMPLETED)
    assert scheduler.tick(START + 33 * HOUR) is None


@pytest.mark.django_db
def test_a_slot_that_meets_an_active_run_is_skipped_and_recorded() -> None:
    configured(schedule_hours=6, next_run_at=START)
    active = run_lifecycle.start(
        run_lifecycle.RunRequest(
            params=Config.load().params, trigger=Trigger.MANUAL, triggered_by="ana"
        )
    )
    skipped = scheduler.tick(START)
    assert skipped is not None
    assert (skipped.status, skipped.scheduled_for) == ("skipped", START)
    assert str(active.pk) in skipped.errors[0]["message"]
    assert next_run() == START + 6 * HOUR
    assert Run.objects.active().first() == active


@pytest.mark.django_db
def test_switched_off_in_the_configuration_nothing_runs_and_no_slot_is_shown() -> None:
    configured(enabled=False, next_run_at=START)
    assert scheduler.tick(START + HOUR) is None
    assert next_run() is None


@pytest.mark.django_db
def test_switched_off_in_the_environment_nothing_runs_whatever_the_row_says(
    settings,
) -> None:
    settings.DISCOVERY_SCHEDULER_ENABLED = False
    configured(enabled=True, next_run_at=START)
    assert scheduler.tick(START + HOUR) is None
    assert Run.objects.count() == 0


@pytest.mark.django_db
def test_a_change_of_hours_is_counted_from_the_last_run_at_once() -> None:
    config = configured(schedule_hours=12, next_run_at=START + 10 * HOUR)
    Run.objects.create(
        started_at=START - 2 * HOUR,
        status="completed",
        trigger_type="scheduled",
        stage="done",
    )
    assert (
        scheduler.slot_after_change(
            config, was_enabled=True, previous_hours=6, now=START
        )
        == START + 10 * HOUR
    )
    config.schedule_hours = 4
    assert (
        scheduler.slot_after_change(
            config, was_enabled=True, previous_hours=12, now=START
        )
        == START + 2 * HOUR
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]
)
def test_a_change_of_daylight_saving_time_moves_no_slot(zone: str, settings) -> None:
    settings.TIME_ZONE = zone
    slot = datetime(2026, 3, 28, 23, 30, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    slots = [slot]
    for _ in range(30):
        slots.append(
            scheduler.following_slot(slots[-1], 6, slots[-1] + timedelta(seconds=7))
        )
    assert {later - earlier for earlier, later in itertools.pairwise(slots)} == {
        6 * HOUR
    }


@given(hours=st.integers(1, 24), late=st.integers(0, 10**7))
def test_the_next_slot_is_the_first_after_now_on_the_same_line(
    hours: int, late: int
) -> None:
    now = START + timedelta(seconds=late)
    slot = scheduler.following_slot(START, hours, now)
    step = timedelta(hours=hours)
    assert now < slot <= now + step
    assert (slot - START) % step == timedelta(0)


@pytest.mark.django_db(transaction=True)
def test_a_hundred_slots_with_three_tickers_run_once_each() -> None:
    configured(schedule_hours=1, next_run_at=START)
    troubles: list[BaseException] = []
    with time_machine.travel(START, tick=False) as clock:
        for nth in range(100):
            clock.move_to(START + nth * HOUR + timedelta(seconds=nth % 37))

            def ticker() -> None:
                try:
                    scheduler.tick()
                except BaseException as error:  # noqa: BLE001  told to the test
                    troubles.append(error)
                finally:
                    connection.close()

            tickers = [threading.Thread(target=ticker) for _ in range(3)]
            for thread in tickers:
                thread.start()
            for thread in tickers:
                thread.join()
            active = Run.objects.active().first()
            assert active is not None, nth
            assert active.scheduled_for == START + nth * HOUR
            run_lifecycle.close(active.pk, RunStatus.COMPLETED)
    assert troubles == []
    slots = list(
        Run.objects.order_by("scheduled_for").values_list("scheduled_for", flat=True)
    )
    assert slots == [START + nth * HOUR for nth in range(100)]

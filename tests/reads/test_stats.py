"""Statistics of runs: what counts, what does not, and over which time."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from discovery.reads.paging import TimeRange
from discovery.reads.stats import MAX_DAYS, stats
from tests.factories import NOW, RunFactory

pytestmark = pytest.mark.django_db
EVER = TimeRange()


def test_a_run_completed_with_errors_is_a_success_and_told_apart() -> None:
    RunFactory(errors=[{"step": "s", "code": "c", "message": "m"}])
    RunFactory(errors=None)
    RunFactory(errors=[])
    RunFactory(status="failed", errors=["boom"])
    found = stats(EVER, NOW)
    assert (found.successful_runs, found.completed_with_errors, found.failed_runs) == (
        3,
        1,
        1,
    )
    assert found.success_rate == Decimal("0.7500")


def test_skipped_slots_and_cancelled_runs_are_outside_the_rate() -> None:
    RunFactory()
    RunFactory(status="skipped", new_wallets=0, scheduled_for=NOW)
    RunFactory(status="cancelled")
    found = stats(EVER, NOW)
    assert (found.total_runs, found.skipped_slots, found.cancelled_runs) == (2, 1, 1)
    assert found.success_rate == 1


def test_durations_are_those_of_completed_runs() -> None:
    RunFactory(duration_seconds=Decimal(10))
    RunFactory(duration_seconds=Decimal(21))
    RunFactory(status="failed", duration_seconds=Decimal(1000))
    assert stats(EVER, NOW).avg_duration_seconds == Decimal("15.50")


def test_wallets_of_every_run_are_counted_and_averaged_over_completed_ones() -> None:
    RunFactory(new_wallets=5, updated_wallets=2)
    RunFactory(new_wallets=2, updated_wallets=None)
    RunFactory(status="failed", new_wallets=9, updated_wallets=1)
    found = stats(EVER, NOW)
    assert (found.total_wallets_discovered, found.total_wallets_updated) == (16, 3)
    assert found.avg_wallets_per_run == Decimal("3.50")


def test_the_last_run_is_the_one_that_began_last() -> None:
    RunFactory(started_at=NOW - timedelta(hours=1))
    RunFactory(status="queued", stage="queued", started_at=NOW)
    RunFactory(status="skipped", started_at=NOW)
    assert stats(EVER, NOW).last_run_at == NOW - timedelta(hours=1)


def test_a_day_without_a_run_is_there_with_zeros() -> None:
    RunFactory(started_at=NOW - timedelta(days=2))
    RunFactory()
    days = stats(TimeRange(NOW - timedelta(days=2, hours=1), None), NOW).daily
    assert [(day.date, day.runs) for day in days] == [
        (date(2026, 11, 22), 1),
        (date(2026, 11, 23), 0),
        (date(2026, 11, 24), 1),
    ]


def test_days_are_those_of_utc() -> None:
    RunFactory(started_at=datetime(2026, 11, 23, 23, 59, tzinfo=UTC))
    days = {day.date: day.runs for day in stats(EVER, NOW).daily}
    assert (days[date(2026, 11, 23)], days[date(2026, 11, 24)]) == (1, 0)


def test_without_a_start_the_series_are_the_last_thirty_days() -> None:
    RunFactory(started_at=NOW - timedelta(days=100))
    found = stats(EVER, NOW)
    assert (len(found.daily), found.daily[-1].date, found.total_runs) == (
        30,
        date(2026, 11, 24),
        1,
    )


def test_series_are_no_longer_than_a_year() -> None:
    assert (
        len(stats(TimeRange(NOW - timedelta(days=5000), None), NOW).daily) == MAX_DAYS
    )


def test_a_range_of_the_future_has_no_days() -> None:
    assert (
        stats(TimeRange(NOW + timedelta(days=5), NOW + timedelta(days=9)), NOW).daily
        == []
    )


def test_weeks_begin_on_monday_and_add_up_their_days() -> None:
    for days in (0, 1, 2, 8):
        RunFactory(started_at=NOW - timedelta(days=days), new_wallets=1)
    weeks = {
        week.date: (week.runs, week.new_wallets) for week in stats(EVER, NOW).weekly
    }
    assert weeks[date(2026, 11, 23)] == (2, 2)
    assert weeks[date(2026, 11, 16)] == (2, 2)


def test_the_last_week_is_compared_with_the_one_before_to_the_second() -> None:
    RunFactory(started_at=NOW, new_wallets=3)
    RunFactory(started_at=NOW - timedelta(days=7) + timedelta(seconds=1), new_wallets=3)
    RunFactory(started_at=NOW - timedelta(days=7), new_wallets=4)
    RunFactory(started_at=NOW - timedelta(days=14), new_wallets=100)
    RunFactory(started_at=NOW + timedelta(seconds=1), new_wallets=100)
    found = stats(TimeRange(NOW, NOW), NOW).week_over_week
    assert (found.runs.current, found.runs.previous, found.runs.change_pct) == (
        2,
        1,
        Decimal("100.00"),
    )
    assert found.new_wallets.change_pct == Decimal("50.00")
    assert found.success_rate.change_pct == 0


def test_what_there_was_none_of_before_has_no_change() -> None:
    RunFactory()
    found = stats(EVER, NOW).week_over_week
    assert (found.runs.previous, found.runs.change_pct) == (0, None)
    assert (found.success_rate.previous, found.success_rate.change_pct) == (None, None)

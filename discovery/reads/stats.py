"""Statistics of runs: totals, rates, and series by day and week."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Final

import msgspec
from django.db.models import Avg, Count, DecimalField, F, Max, Q, Sum, Value
from django.db.models.functions import Coalesce, TruncDay
from msgspec import Meta

from discovery.domain.units import fraction_to_decimal
from discovery.models import Run
from discovery.models.enums import RunStatus
from discovery.reads.paging import TimeRange
from discovery.reads.row_values import ErrorCount
from walltrack import clock

DEFAULT_DAYS: Final = 30
"""Days of a series whose range has no start."""
MAX_DAYS: Final = 366
"""Maximum days of a series; of a longer range it holds the last ones."""
WEEK: Final = timedelta(days=7)


class PeriodStats(msgspec.Struct, frozen=True):
    """Runs that began within one day or week, UTC. A period without runs has zeros."""

    date: Annotated[date, Meta(description="The day, or the Monday of the week.")]
    runs: int
    successful_runs: int
    failed_runs: int
    new_wallets: int
    updated_wallets: int


class Change(msgspec.Struct, frozen=True):
    """A figure of the last 7 × 24 h and of the 7 × 24 h before."""

    current: Decimal | None
    previous: Decimal | None
    change_pct: Annotated[
        Decimal | None,
        Meta(description="Null if a value is missing or `previous` is 0."),
    ]


class WeekOverWeek(msgspec.Struct, frozen=True):
    """The last 7 × 24 h up to now, compared with the 7 × 24 h before. Independent of
    the requested range.
    """

    runs: Change
    success_rate: Change
    new_wallets: Change
    updated_wallets: Change
    avg_duration_seconds: Change


class Stats(msgspec.Struct, frozen=True):
    """Runs that began within the range. Skipped slots are counted in `skipped_slots`
    only.
    """

    total_runs: int
    successful_runs: Annotated[
        int, Meta(description="Completed, with errors or without.")
    ]
    completed_with_errors: int
    failed_runs: int
    cancelled_runs: int
    skipped_slots: int
    success_rate: Annotated[
        Decimal | None,
        Meta(description="Completed ÷ (completed + failed), 0–1; null without either."),
    ]
    total_wallets_discovered: int
    total_wallets_updated: int
    avg_wallets_per_run: Annotated[
        Decimal | None, Meta(description="New wallets of completed runs ÷ those runs.")
    ]
    avg_duration_seconds: Annotated[
        Decimal | None, Meta(description="Of completed runs.")
    ]
    last_run_at: datetime | None
    daily: Annotated[
        list[PeriodStats],
        Meta(
            description="At most the last 366 days of the range; the last 30 if it has no start."
        ),
    ]
    weekly: Annotated[
        list[PeriodStats], Meta(description="The days of `daily`, summed by week.")
    ]
    week_over_week: WeekOverWeek


_COMPLETED: Final = Q(status=RunStatus.COMPLETED)
_FAILED: Final = Q(status=RunStatus.FAILED)
_SKIPPED: Final = Q(status=RunStatus.SKIPPED)
_ALL_RUNS: Final = Q()


def stats(period: TimeRange, now: datetime | None = None) -> Stats:
    """Return the statistics of a range, and week over week at `now` (None: the current
    time). Three queries.
    """
    now = now or clock.now()
    totals = _totals(period)
    days = _daily(period, now)
    return Stats(
        total_runs=totals["runs"],
        successful_runs=totals["completed"],
        completed_with_errors=totals["with_errors"],
        failed_runs=totals["failed"],
        cancelled_runs=totals["cancelled"],
        skipped_slots=totals["skipped"],
        success_rate=_success_rate(totals),
        total_wallets_discovered=totals["new"],
        total_wallets_updated=totals["updated"],
        avg_wallets_per_run=_quotient(totals["from_completed"], totals["completed"], 2),
        avg_duration_seconds=_rounded(totals["duration"]),
        last_run_at=totals["last"],
        daily=days,
        weekly=_weekly(days),
        week_over_week=_week_over_week(now),
    )


def _sum(column: str, condition: Q) -> Coalesce:
    return Coalesce(Sum(column, filter=condition), Value(0))


def _figures(condition: Q = _ALL_RUNS) -> dict[str, Any]:
    """Return the aggregates that totals, days and weeks share, over the runs that meet
    `condition`.
    """
    return {
        "runs": Count("pk", filter=condition & ~_SKIPPED),
        "completed": Count("pk", filter=condition & _COMPLETED),
        "failed": Count("pk", filter=condition & _FAILED),
        "new": _sum("new_wallets", condition & ~_SKIPPED),
        "updated": _sum("updated_wallets", condition & ~_SKIPPED),
        "duration": Avg(
            "duration_seconds",
            filter=condition & _COMPLETED,
            output_field=DecimalField(),
        ),
    }


def _totals(period: TimeRange) -> dict[str, Any]:
    runs = Run.objects.filter(**period.lookups("started_at")).annotate(
        error_count=ErrorCount(F("errors"))
    )
    begun = ~Q(status__in=(RunStatus.QUEUED, RunStatus.SKIPPED))
    return runs.aggregate(
        **_figures(),
        with_errors=Count("pk", filter=_COMPLETED & Q(error_count__gt=0)),
        cancelled=Count("pk", filter=Q(status=RunStatus.CANCELLED)),
        skipped=Count("pk", filter=_SKIPPED),
        from_completed=_sum("new_wallets", _COMPLETED),
        last=Max("started_at", filter=begun),
    )


def _daily(period: TimeRange, now: datetime) -> list[PeriodStats]:
    """Return every day of the range up to `now`, oldest first."""
    last_day = _last_day(period, now)
    first_day = _first_day(period, last_day)
    start = datetime.combine(first_day, time(), tzinfo=UTC)
    if period.since is not None:
        start = max(start, period.since)
    within = TimeRange(start, period.before)
    rows = (
        Run.objects.filter(**within.lookups("started_at"))
        .annotate(day=TruncDay("started_at", tzinfo=UTC))
        .order_by("day")
        .values("day")
        .annotate(**_figures())
    )
    rows_by_day = {row["day"].date(): row for row in rows}
    day_count = (last_day - first_day).days + 1
    days = [first_day + timedelta(days=number) for number in range(day_count)]
    return [_day_stats(day, rows_by_day.get(day)) for day in days]


def _last_day(period: TimeRange, now: datetime) -> date:
    end = now
    if period.before is not None:
        last_moment = period.before - timedelta(microseconds=1)
        end = min(last_moment, now)
    return end.astimezone(UTC).date()


def _first_day(period: TimeRange, last_day: date) -> date:
    earliest = last_day - timedelta(days=MAX_DAYS - 1)
    if period.since is None:
        return last_day - timedelta(days=DEFAULT_DAYS - 1)
    return max(period.since.astimezone(UTC).date(), earliest)


def _day_stats(day: date, row: Mapping[str, Any] | None) -> PeriodStats:
    if row is None:
        return _empty_period(day)
    return PeriodStats(
        date=day,
        runs=row["runs"],
        successful_runs=row["completed"],
        failed_runs=row["failed"],
        new_wallets=row["new"],
        updated_wallets=row["updated"],
    )


def _empty_period(first_day: date) -> PeriodStats:
    return PeriodStats(
        date=first_day,
        runs=0,
        successful_runs=0,
        failed_runs=0,
        new_wallets=0,
        updated_wallets=0,
    )


def _weekly(days: list[PeriodStats]) -> list[PeriodStats]:
    """Return the sums of `days` by week, from Monday. The range may cut the first and
    the last week.
    """
    weeks: dict[date, PeriodStats] = {}
    for day in days:
        monday = day.date - timedelta(days=day.date.weekday())
        week = weeks.get(monday, _empty_period(monday))
        weeks[monday] = _add_day(week, day)
    return list(weeks.values())


def _add_day(week: PeriodStats, day: PeriodStats) -> PeriodStats:
    return PeriodStats(
        date=week.date,
        runs=week.runs + day.runs,
        successful_runs=week.successful_runs + day.successful_runs,
        failed_runs=week.failed_runs + day.failed_runs,
        new_wallets=week.new_wallets + day.new_wallets,
        updated_wallets=week.updated_wallets + day.updated_wallets,
    )


def _week_over_week(now: datetime) -> WeekOverWeek:
    week_ago = now - WEEK
    both_weeks = Run.objects.filter(started_at__gt=week_ago - WEEK, started_at__lte=now)
    values = both_weeks.aggregate(
        **_with_prefix("current", _figures(Q(started_at__gt=week_ago))),
        **_with_prefix("previous", _figures(Q(started_at__lte=week_ago))),
    )
    current = _without_prefix("current", values)
    previous = _without_prefix("previous", values)
    return WeekOverWeek(
        runs=_change(Decimal(current["runs"]), Decimal(previous["runs"])),
        success_rate=_change(_success_rate(current), _success_rate(previous)),
        new_wallets=_change(Decimal(current["new"]), Decimal(previous["new"])),
        updated_wallets=_change(
            Decimal(current["updated"]), Decimal(previous["updated"])
        ),
        avg_duration_seconds=_change(
            _rounded(current["duration"]), _rounded(previous["duration"])
        ),
    )


def _with_prefix(prefix: str, figures: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{prefix}_{name}": figure for name, figure in figures.items()}


def _without_prefix(prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values whose name begins with the prefix, under the rest of their
    name.
    """
    start = f"{prefix}_"
    return {
        name.removeprefix(start): value
        for name, value in values.items()
        if name.startswith(start)
    }


def _change(current: Decimal | None, previous: Decimal | None) -> Change:
    return Change(
        current=current,
        previous=previous,
        change_pct=_change_pct(current, previous),
    )


def _change_pct(current: Decimal | None, previous: Decimal | None) -> Decimal | None:
    if current is None or not previous:
        return None
    return _rounded((current - previous) / previous * 100)


def _success_rate(counts: Mapping[str, Any]) -> Decimal | None:
    ended_count = counts["completed"] + counts["failed"]
    return _quotient(counts["completed"], ended_count, 4)


def _quotient(part: int, whole: int, places: int) -> Decimal | None:
    if not whole:
        return None
    return fraction_to_decimal(Fraction(part, whole), places)


def _rounded(value: Decimal | None) -> Decimal | None:
    if value is None:
        return None
    return value.quantize(Decimal("0.01"))

"""What runs came to: totals, rates and series over a range of time."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Final

import msgspec
from django.db.models import Avg, Count, DecimalField, F, Max, Q, Sum, Value
from django.db.models.functions import Coalesce, TruncDay
from django.utils import timezone
from msgspec import Meta

from discovery.domain.units import fraction_to_decimal
from discovery.models import Run
from discovery.models.enums import RunStatus
from discovery.reads.paging import ErrorCount, TimeRange

DEFAULT_DAYS: Final = 30
MAX_DAYS: Final = 366
"""Series hold the last so many days of the range; without a start, DEFAULT_DAYS."""
WEEK: Final = timedelta(days=7)


class PeriodStats(msgspec.Struct, frozen=True):
    """Runs of one day or week by the time they began, UTC. Periods without a run are there, with zeros."""

    date: Annotated[date, Meta(description="The day; of a week its Monday.")]
    runs: int
    successful_runs: int
    failed_runs: int
    new_wallets: int
    updated_wallets: int


class Change(msgspec.Struct, frozen=True):
    """A figure of the last 7 × 24 h against the 7 × 24 h before."""

    current: Decimal | None
    previous: Decimal | None
    change_pct: Annotated[Decimal | None, Meta(description="Null where there is nothing to compare with.")]


class WeekOverWeek(msgspec.Struct, frozen=True):
    """The last 7 × 24 h, up to now, against the 7 × 24 h before, whatever range was asked for."""

    runs: Change
    success_rate: Change
    new_wallets: Change
    updated_wallets: Change
    avg_duration_seconds: Change


class Stats(msgspec.Struct, frozen=True):
    """Runs that began in the range. Slots that were skipped count nowhere but in `skipped_slots`."""

    total_runs: int
    successful_runs: Annotated[int, Meta(description="Completed, with errors or without.")]
    completed_with_errors: int
    failed_runs: int
    cancelled_runs: int
    skipped_slots: int
    success_rate: Annotated[
        Decimal | None, Meta(description="Completed ÷ (completed + failed), 0–1; null without either.")
    ]
    total_wallets_discovered: int
    total_wallets_updated: int
    avg_wallets_per_run: Annotated[Decimal | None, Meta(description="New wallets of completed runs ÷ those runs.")]
    avg_duration_seconds: Annotated[Decimal | None, Meta(description="Of completed runs.")]
    last_run_at: datetime | None
    daily: Annotated[list[PeriodStats], Meta(description="At most the last 366 days of the range; 30 without a start.")]
    weekly: Annotated[list[PeriodStats], Meta(description="The same days by week.")]
    week_over_week: WeekOverWeek


_COMPLETED: Final = Q(status=RunStatus.COMPLETED)
_FAILED: Final = Q(status=RunStatus.FAILED)
_SKIPPED: Final = Q(status=RunStatus.SKIPPED)
_EVER: Final = Q()


def stats(chosen: TimeRange, now: datetime | None = None) -> Stats:
    """The figures of a range; week over week at `now` (None: the current time). Three queries."""
    now = now or timezone.now()
    totals = _totals(chosen)
    days = _daily(chosen, now)
    return Stats(
        total_runs=totals["runs"],
        successful_runs=totals["completed"],
        completed_with_errors=totals["with_errors"],
        failed_runs=totals["failed"],
        cancelled_runs=totals["cancelled"],
        skipped_slots=totals["skipped"],
        success_rate=_rate(totals),
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


def _figures(when: Q = _EVER) -> dict[str, Any]:
    """What totals, days and weeks have in common, over the runs of `when`."""
    return {
        "runs": Count("pk", filter=when & ~_SKIPPED),
        "completed": Count("pk", filter=when & _COMPLETED),
        "failed": Count("pk", filter=when & _FAILED),
        "new": _sum("new_wallets", when & ~_SKIPPED),
        "updated": _sum("updated_wallets", when & ~_SKIPPED),
        "duration": Avg("duration_seconds", filter=when & _COMPLETED, output_field=DecimalField()),
    }


def _totals(chosen: TimeRange) -> dict[str, Any]:
    runs = Run.objects.filter(**chosen.lookups("started_at")).annotate(lost=ErrorCount(F("errors")))
    begun = ~Q(status__in=(RunStatus.QUEUED, RunStatus.SKIPPED))
    return runs.aggregate(
        **_figures(),
        with_errors=Count("pk", filter=_COMPLETED & Q(lost__gt=0)),
        cancelled=Count("pk", filter=Q(status=RunStatus.CANCELLED)),
        skipped=Count("pk", filter=_SKIPPED),
        from_completed=_sum("new_wallets", _COMPLETED),
        last=Max("started_at", filter=begun),
    )


def _daily(chosen: TimeRange, now: datetime) -> list[PeriodStats]:
    """Every day of the range up to now, oldest first."""
    last = min(chosen.before - timedelta(microseconds=1) if chosen.before else now, now).astimezone(UTC).date()
    asked = chosen.since.astimezone(UTC).date() if chosen.since else last - timedelta(days=DEFAULT_DAYS - 1)
    first = max(asked, last - timedelta(days=MAX_DAYS - 1))
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    within = TimeRange(max(start, chosen.since) if chosen.since else start, chosen.before)
    rows = (
        Run.objects.filter(**within.lookups("started_at"))
        .annotate(day=TruncDay("started_at", tzinfo=UTC))
        .order_by("day")
        .values("day")
        .annotate(**_figures())
    )
    found = {row["day"].date(): row for row in rows}
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [_period(day, found.get(day)) for day in days]


def _period(day: date, row: Mapping[str, Any] | None) -> PeriodStats:
    if row is None:
        return PeriodStats(day, 0, 0, 0, 0, 0)
    return PeriodStats(day, row["runs"], row["completed"], row["failed"], row["new"], row["updated"])


def _weekly(days: list[PeriodStats]) -> list[PeriodStats]:
    """The days by week: a week begins on Monday; the first and the last may be cut by the range."""
    weeks: dict[date, list[PeriodStats]] = {}
    for day in days:
        weeks.setdefault(day.date - timedelta(days=day.date.weekday()), []).append(day)
    counts = PeriodStats.__struct_fields__[1:]
    return [
        PeriodStats(monday, *(sum(getattr(day, name) for day in rows) for name in counts))
        for monday, rows in weeks.items()
    ]


def _week_over_week(now: datetime) -> WeekOverWeek:
    weeks = {"new": Q(started_at__gt=now - WEEK), "old": Q(started_at__lte=now - WEEK)}
    figures = {f"{week}_{name}": each for week, when in weeks.items() for name, each in _figures(when).items()}
    found = Run.objects.filter(started_at__gt=now - 2 * WEEK, started_at__lte=now).aggregate(**figures)
    new, old = ({name: found[f"{week}_{name}"] for name in _figures()} for week in weeks)
    return WeekOverWeek(
        runs=_change(Decimal(new["runs"]), Decimal(old["runs"])),
        success_rate=_change(_rate(new), _rate(old)),
        new_wallets=_change(Decimal(new["new"]), Decimal(old["new"])),
        updated_wallets=_change(Decimal(new["updated"]), Decimal(old["updated"])),
        avg_duration_seconds=_change(_rounded(new["duration"]), _rounded(old["duration"])),
    )


def _change(current: Decimal | None, previous: Decimal | None) -> Change:
    if current is None or not previous:
        return Change(current, previous, None)
    return Change(current, previous, _rounded((current - previous) / previous * 100))


def _rate(counts: dict[str, Any]) -> Decimal | None:
    return _quotient(counts["completed"], counts["completed"] + counts["failed"], 4)


def _quotient(part: int, whole: int, places: int) -> Decimal | None:
    return fraction_to_decimal(Fraction(part, whole), places) if whole else None


def _rounded(value: Decimal | None) -> Decimal | None:
    return None if value is None else value.quantize(Decimal("0.01"))

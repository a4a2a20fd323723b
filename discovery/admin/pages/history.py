"""Statistics, charts and the history of runs over one range of dates."""

from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, Final

import msgspec
from django.http import HttpRequest, HttpResponse

from discovery.admin.pages.access import VIEW_RUNS, render_fragment, staff_view
from discovery.admin.pages.paging import fetch_page, page_number
from discovery.models import Run
from discovery.models.enums import RunStatus, Trigger
from discovery.reads import runs, stats
from discovery.reads.filters import RunFilterSet
from discovery.reads.paging import TimeRange
from walltrack import clock

ROWS: Final = 10
RANGES: Final = (
    ("7", "7 days"),
    ("30", "30 days"),
    ("90", "90 days"),
    ("all", "everything"),
)
DEFAULT_RANGE: Final = "30"
BETWEEN_TWO_DAYS: Final = "days"
EVERYTHING: Final = "all"
YEARS: Final = range(2000, 2200)
WEEKLY_FROM_DAYS: Final = 60
"""Longer series are drawn by the week."""


class ChosenRange(msgspec.Struct, frozen=True):
    """The range of the page: a number of days up to today, everything, or from one day
    to another, both included.
    """

    name: str
    times: TimeRange = TimeRange()
    since: date | None = None
    until: date | None = None
    problem: str = ""

    @property
    def values(self) -> dict[str, Any]:
        """The values of the fields."""
        return {
            "range": self.name,
            "since": self.since,
            "until": self.until,
            "range_problem": self.problem,
        }


@staff_view(VIEW_RUNS)
def overview(request: HttpRequest) -> HttpResponse:
    """Render cards, charts and a page of the history. Five queries; more past the last
    page or with an empty list.
    """
    chosen = _chosen_range(request)
    status = request.GET.get("status", "")
    trigger = request.GET.get("trigger_type", "")
    filters = RunFilterSet(
        {"status": status, "trigger_type": trigger},
        queryset=Run.objects.filter(**chosen.times.lookups("started_at")),
    )
    figures = stats.stats(chosen.times)
    page = fetch_page(page_number(request), ROWS, partial(runs.run_list, filters.qs))
    first_row = (page.number - 1) * ROWS
    values = {
        **chosen.values,
        "stats": figures,
        "week": figures.week_over_week,
        "charts": _charts(figures),
        "shown_days": _shown_days(figures),
        "rows": page.rows.rows,
        "total": page.rows.total,
        "more": page.rows.more,
        "number": page.number,
        "first_row": first_row + 1,
        "last_row": first_row + len(page.rows.rows),
        "status": status,
        "trigger": trigger,
        "statuses": RunStatus.choices,
        "triggers": Trigger.choices,
        "ranges": RANGES,
        "any_run": bool(page.rows.total) or runs.has_runs(),
    }
    return render_fragment(request, "discovery/overview.html", values)


def _chosen_range(request: HttpRequest) -> ChosenRange:
    name = request.GET.get("range", DEFAULT_RANGE)
    since = _parse_day(request.GET.get("since", ""))
    until = _parse_day(request.GET.get("until", ""))
    if name == BETWEEN_TWO_DAYS:
        return _range_between(since, until)
    if name not in dict(RANGES):
        name = DEFAULT_RANGE
    if name == EVERYTHING:
        return ChosenRange(name, TimeRange(), since, until)
    today = clock.now().astimezone(UTC).date()
    first_day = today - timedelta(days=int(name) - 1)
    return ChosenRange(name, TimeRange(_start_of(first_day)), since, until)


def _range_between(since: date | None, until: date | None) -> ChosenRange:
    """Return the range; an end that is None is open."""
    start = end = None
    if since is not None:
        start = _start_of(since)
    if until is not None:
        end = _start_of(until + timedelta(days=1))
    if start is not None and end is not None and end <= start:
        problem = "The last day lies before the first."
        return ChosenRange(BETWEEN_TWO_DAYS, TimeRange(), since, until, problem)
    return ChosenRange(BETWEEN_TWO_DAYS, TimeRange(start, end), since, until)


def _parse_day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    if day.year not in YEARS:
        return None
    return day


def _start_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _shown_days(figures: stats.Stats) -> str:
    """Name the days of the charts: an open range is cut to the last ones."""
    if not figures.daily:
        return "nothing yet: the range lies ahead"
    first, last = figures.daily[0].date, figures.daily[-1].date
    return f"{first:%d %b %Y} to {last:%d %b %Y}"


def _charts(figures: stats.Stats) -> dict[str, Any]:
    """Return the series as the page's script draws them."""
    rows, label = figures.daily, "{:%d %b}"
    if len(rows) > WEEKLY_FROM_DAYS:
        rows, label = figures.weekly, "week of {:%d %b}"
    labels = [label.format(row.date) for row in rows]
    wallets = [
        _series("new", "primary", [row.new_wallets for row in rows]),
        _series("seen again", "soft", [row.updated_wallets for row in rows]),
    ]
    run_counts = [
        _series("completed", "good", [row.successful_runs for row in rows]),
        _series("failed", "bad", [row.failed_runs for row in rows]),
        _series(
            "other",
            "dim",
            [row.runs - row.successful_runs - row.failed_runs for row in rows],
        ),
    ]
    return {
        "wallets": {"labels": labels, "stacked": True, "series": wallets},
        "runs": {"labels": labels, "stacked": True, "series": run_counts},
    }


def _series(name: str, tone: str, values: list[int]) -> dict[str, Any]:
    return {"name": name, "tone": tone, "values": values}

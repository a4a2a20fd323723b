"""Figures, charts and the history of runs over one range of dates."""

from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from discovery.admin.pages.access import VIEW_RUNS, render_fragment, staff_view
from discovery.admin.pages.paging import page_number, paged
from discovery.models.enums import RunStatus, Trigger
from discovery.reads import runs, stats
from discovery.reads.paging import TimeRange

ROWS: Final = 10
RANGES: Final = (("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("all", "everything"))
DEFAULT_RANGE: Final = "30"
YEARS: Final = range(2000, 2200)
WEEKLY_FROM_DAYS: Final = 60
"""Longer series are drawn by the week."""


@staff_view(VIEW_RUNS)
def overview(request: HttpRequest) -> HttpResponse:
    """Cards, charts and a page of the history. Five queries; more past the last page and where nothing is found."""
    chosen, values = _range(request)
    status = request.GET.get("status", "")
    trigger = request.GET.get("trigger_type", "")
    wanted = runs.RunFilter(
        status if status in RunStatus.values else None, trigger if trigger in Trigger.values else None, chosen
    )
    figures = stats.stats(chosen)
    number, found = paged(page_number(request), ROWS, partial(runs.run_list, wanted, "-started_at"))
    return render_fragment(
        request,
        "discovery/overview.html",
        {
            **values,
            "stats": figures,
            "week": figures.week_over_week,
            "charts": _charts(figures),
            "shown_days": _shown_days(figures),
            "rows": found.rows,
            "total": found.total,
            "more": found.more,
            "number": number,
            "first_row": (number - 1) * ROWS + 1,
            "last_row": (number - 1) * ROWS + len(found.rows),
            "status": status,
            "trigger": trigger,
            "statuses": RunStatus.choices,
            "triggers": Trigger.choices,
            "ranges": RANGES,
            "any_run": bool(found.total) or runs.any_run(),
        },
    )


def _range(request: HttpRequest) -> tuple[TimeRange, dict[str, Any]]:
    """The range asked for: the last so many days, or two days, both included; and what the fields show."""
    name = request.GET.get("range", DEFAULT_RANGE)
    since, until = _day(request.GET.get("since", "")), _day(request.GET.get("until", ""))
    values: dict[str, Any] = {"range": name, "since": since, "until": until, "range_problem": ""}
    if name == "days":
        if since and until and until < since:
            values["range_problem"] = "The last day lies before the first."
            since = until = None
        return TimeRange(_start(since), _start(until + timedelta(days=1)) if until else None), values
    if name not in dict(RANGES):
        values["range"] = name = DEFAULT_RANGE
    if name == "all":
        return TimeRange(), values
    today = timezone.now().astimezone(UTC).date()
    return TimeRange(_start(today - timedelta(days=int(name) - 1))), values


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year in YEARS else None


def _start(day: date | None) -> datetime | None:
    return None if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)


def _shown_days(figures: stats.Stats) -> str:
    """Which days the charts hold: an open range is cut."""
    if not figures.daily:
        return "nothing yet: the range lies ahead"
    first, last = figures.daily[0].date, figures.daily[-1].date
    return f"{first:%d %b %Y} to {last:%d %b %Y}"


def _charts(figures: stats.Stats) -> dict[str, Any]:
    """The series as the page's script draws them."""
    weekly = len(figures.daily) > WEEKLY_FROM_DAYS
    rows = figures.weekly if weekly else figures.daily
    labels = [f"week of {row.date:%d %b}" if weekly else f"{row.date:%d %b}" for row in rows]
    return {
        "wallets": {
            "labels": labels,
            "stacked": True,
            "series": [
                {"name": "new", "tone": "primary", "values": [row.new_wallets for row in rows]},
                {"name": "seen again", "tone": "soft", "values": [row.updated_wallets for row in rows]},
            ],
        },
        "runs": {
            "labels": labels,
            "stacked": True,
            "series": [
                {"name": "completed", "tone": "good", "values": [row.successful_runs for row in rows]},
                {"name": "failed", "tone": "bad", "values": [row.failed_runs for row in rows]},
                {
                    "name": "other",
                    "tone": "dim",
                    "values": [row.runs - row.successful_runs - row.failed_runs for row in rows],
                },
            ],
        },
    }

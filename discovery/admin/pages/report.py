"""The report page "Does it pay?", and its sentence on the first page."""

from typing import Final

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from discovery.admin.pages.access import (
    VIEW_RUNS,
    VIEW_WALLETS,
    render_fragment,
    render_page,
    staff_view,
)
from discovery.admin.pages.report_charts import report_charts
from discovery.analysis.forward_outlook import ArmOutlook
from discovery.analysis.forward_record import (
    MIN_TOKENS,
    MIN_TRADES,
    MIN_WALLETS,
    ArmGrowth,
    Lift,
)
from discovery.analysis.forward_words import (
    claim_text,
    missing_text,
    most_missing_text,
    unknown_lift_text,
    wait_text,
)
from discovery.domain.judgements import HORIZON_HOURS
from discovery.domain.times import datetime_from_unix
from discovery.domain.units import lamports_to_sol
from discovery.reads.report import DEFAULT_HORIZON_HOURS, Report, report
from discovery.reads.report_sentence import current_sentence
from walltrack import clock

_HOURS_PER_DAY: Final = 24
_HORIZONS: Final = tuple(
    (hours // _HOURS_PER_DAY, "day" if hours == _HOURS_PER_DAY else "days")
    for hours in HORIZON_HOURS
)


class ArmRow(msgspec.Struct, frozen=True):
    """A group as a row. missing: what it misses, and wait:
    about when it has it, in words.
    """

    name: str
    growth: ArmGrowth
    missing: str
    wait: str


class LiftRow(msgspec.Struct, frozen=True):
    """A lift of some of the trades. missing: most, in words, "" if the lift
    is known."""

    name: str
    lift: Lift
    missing: str


@staff_view(VIEW_WALLETS, VIEW_RUNS)
def report_page(request: HttpRequest) -> HttpResponse:
    """Render the report of a horizon: ?days=1, 7, 14 or 30."""
    hours = _chosen_hours(request)
    found = report(clock.now(), hours)
    values = {
        "report": found,
        "sentence": unbroken(found.sentence),
        "days": hours // _HOURS_PER_DAY,
        "horizons": _HORIZONS,
        "stake_sol": lamports_to_sol(settings.FOLLOW.stake_lamports),
        "late_seconds": settings.FOLLOW.delay_seconds,
        "minimum": {"wallets": MIN_WALLETS, "tokens": MIN_TOKENS, "trades": MIN_TRADES},
        "arms": _arm_rows(found),
        "claim": claim_text(found.lift, found.claim),
        "lift_missing": unknown_lift_text(found.lift),
        "regimes": _regime_rows(found),
        "versions": [
            _lift_row(f"version {version}", measured)
            for version, measured in found.by_version.items()
        ],
        "weeks": [
            {"day": datetime_from_unix(week.starts_at), "growth": week}
            for week in found.weeks
        ],
        "waiting": found.outcomes.planned - found.outcomes.measured,
        "charts": report_charts(found),
    }
    return render_page(request, "discovery/report.html", "Does it pay?", values)


@staff_view(VIEW_WALLETS, VIEW_RUNS)
def report_sentence(request: HttpRequest) -> HttpResponse:
    """Render the sentence for the first page, at most ten minutes old."""
    values = {"sentence": unbroken(current_sentence(clock.now()))}
    return render_fragment(request, "discovery/home/report_sentence.html", values)


def unbroken(sentence: str) -> str:
    """Return the sentence without line breaks between a number and its percent sign."""
    return sentence.replace(" %", "\N{NO-BREAK SPACE}%")


def _chosen_hours(request: HttpRequest) -> int:
    by_days = {str(hours // _HOURS_PER_DAY): hours for hours in HORIZON_HOURS}
    return by_days.get(request.GET.get("days", ""), DEFAULT_HORIZON_HOURS)


def _arm_rows(found: Report) -> list[ArmRow]:
    ahead = found.outlook
    return [
        _arm_row("Followed wallets", "followed", found.lift.found, ahead.found),
        _arm_row("Control wallets", "control", found.lift.control, ahead.control),
    ]


def _arm_row(name: str, group: str, growth: ArmGrowth, ahead: ArmOutlook) -> ArmRow:
    return ArmRow(
        name=name,
        growth=growth,
        missing=missing_text(growth.missing, group),
        wait=wait_text(ahead.days),
    )


def _regime_rows(found: Report) -> list[LiftRow]:
    thirds = found.regimes
    return [
        _lift_row("worst third of the days", thirds.lower),
        _lift_row("middle third", thirds.middle),
        _lift_row("best third of the days", thirds.upper),
    ]


def _lift_row(name: str, measured: Lift) -> LiftRow:
    return LiftRow(name, measured, most_missing_text(measured))

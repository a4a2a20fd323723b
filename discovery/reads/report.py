"""Whether following the found wallets pays: the forward record, measured against control
wallets (docs/forward-record.md).
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec
from django.conf import settings
from django.db import connection
from django.db.models import Count, Max, Min, Q

from discovery.analysis.evidence import growth
from discovery.analysis.forward_forecasts import (
    Calibration,
    FalseFollows,
    calibration,
    false_follows,
    forecasts_of,
)
from discovery.analysis.forward_outlook import Outlook, outlook
from discovery.analysis.forward_record import (
    Claim,
    FollowedTrade,
    Lift,
    Regimes,
    claims_lift,
    lift,
    lift_by_version,
    mean_or_none,
    regimes,
)
from discovery.analysis.forward_words import SentenceTerms, sentence
from discovery.analysis.statistics import SECONDS_PER_DAY
from discovery.domain.run_params import Params
from discovery.domain.times import UnixSeconds, unix_from_datetime
from discovery.models import Config, Outcome, Position, Run
from discovery.reads.followed_trades import followed_trades

DEFAULT_HORIZON_HOURS: Final = 7 * 24
_MEDIANS: Final = """
SELECT floor(extract(epoch FROM first_buy_at) / 86400)::bigint,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY profit_pct)
FROM {table}
WHERE profit_pct IS NOT NULL AND first_buy_at >= to_timestamp(%s) AND first_buy_at < to_timestamp(%s)
GROUP BY 1
"""
_WEEK_SECONDS: Final = 7 * SECONDS_PER_DAY
_MONDAY_SECONDS: Final = 4 * SECONDS_PER_DAY
"""The first Monday of unix time."""


class OutcomeCounts(msgspec.Struct, frozen=True):
    """Outcomes of one horizon, of all arms. planned: all of them. overdue: those that
    are due and not measured yet. stopped: measured ones without a purchase.
    unmeasurable: those of which nothing can be known; part of `measured`. next_due_at:
    of those to come. last_measured_at: None before the first.
    """

    planned: int
    measured: int
    overdue: int
    stopped: int
    unmeasurable: int
    next_due_at: datetime | None
    last_measured_at: datetime | None


class RunLuck(msgspec.Struct, frozen=True):
    """Luck as the last run with a prior expects it, 0–1. luck_share: among the wallets
    whose followers seem to gain; follow_luck: among those to follow. None if there are
    none.
    """

    run_id: uuid.UUID
    started_at: datetime
    luck_share: float | None
    follow_luck: float | None


class WeekGrowth(msgspec.Struct, frozen=True):
    """Mean follower growth a trade of the known trades entered in one week, in stakes.
    None without any. starts_at: its Monday, 00:00 UTC.
    """

    starts_at: UnixSeconds
    found_stakes: float | None
    found_trades: int
    control_stakes: float | None
    control_trades: int


class Report(msgspec.Struct, frozen=True):
    """The forward record as of one horizon.

    as_of: the last measurement at this horizon, None before the first. luck: None before
    a run has a prior. control_wallets: how many each run takes as saved now; nothing can
    be shown without. weeks: from the first to the last with a known trade, also those
    between without any.
    """

    horizon_hours: int
    as_of: datetime | None
    sentence: str
    lift: Lift
    claim: Claim
    outlook: Outlook
    calibration: Calibration
    false_follows: FalseFollows
    regimes: Regimes
    by_version: dict[int, Lift]
    weeks: list[WeekGrowth]
    outcomes: OutcomeCounts
    luck: RunLuck | None
    control_wallets: int


def report(now: datetime, horizon_hours: int = DEFAULT_HORIZON_HOURS) -> Report:
    """Return the report at `now`, the time of the product. Five queries, four
    without a known trade."""
    outcomes = _outcome_counts(horizon_hours, now)
    trades = followed_trades(horizon_hours)
    measured = lift(trades)
    claim = claims_lift(measured)
    ahead = outlook(
        trades, unix_from_datetime(now), horizon_days=max(1, horizon_hours // 24)
    )
    terms = SentenceTerms(
        stake_lamports=settings.FOLLOW.stake_lamports,
        late_seconds=settings.FOLLOW.delay_seconds,
    )
    found = [trade for trade in trades if trade.arm == "found"]
    return Report(
        horizon_hours=horizon_hours,
        as_of=outcomes.last_measured_at,
        sentence=sentence(measured, claim, ahead, terms),
        lift=measured,
        claim=claim,
        outlook=ahead,
        calibration=calibration(forecasts_of(found)),
        false_follows=false_follows(trades),
        regimes=regimes(trades, _median_growth_by_day(measured)),
        by_version=lift_by_version(trades),
        weeks=_weeks(trades),
        outcomes=outcomes,
        luck=_last_luck(),
        control_wallets=_control_wallets(),
    )


def _median_growth_by_day(measured: Lift) -> dict[int, float]:
    """Return day (unix seconds // 86400) → growth of its median early buyer, in stakes,
    for the days of the record. At most one query.
    """
    if measured.first_entry_at is None or measured.last_entry_at is None:
        return {}
    first_day = measured.first_entry_at // SECONDS_PER_DAY
    end_day = measured.last_entry_at // SECONDS_PER_DAY + 1
    with connection.cursor() as cursor:
        cursor.execute(
            _MEDIANS.format(table=Position._meta.db_table),
            [first_day * SECONDS_PER_DAY, end_day * SECONDS_PER_DAY],
        )
        rows: Iterable[tuple[int, float]] = cursor.fetchall()
    return {day: growth(float(profit_pct) / 100) for day, profit_pct in rows}


def _outcome_counts(horizon_hours: int, now: datetime) -> OutcomeCounts:
    rows = Outcome.objects.filter(horizon_hours=horizon_hours)
    is_measured = Q(measured_at__isnull=False)
    counts: Mapping[str, int | datetime | None] = rows.aggregate(
        planned=Count("pk"),
        measured=Count("pk", filter=is_measured),
        overdue=Count("pk", filter=~is_measured & Q(due_at__lte=now)),
        stopped=Count("pk", filter=Q(stopped=True)),
        unmeasurable=Count("pk", filter=is_measured & ~Q(problem="")),
        next_due_at=Min("due_at", filter=~is_measured & Q(due_at__gt=now)),
        last_measured_at=Max("measured_at"),
    )
    return msgspec.convert(counts, OutcomeCounts)


def _last_luck() -> RunLuck | None:
    rows = Run.objects.completed().filter(prior__has_key="luck_share")
    run = rows.only("started_at", "prior").order_by("-started_at").first()
    if run is None:
        return None
    return RunLuck(
        run_id=run.pk,
        started_at=run.started_at,
        luck_share=run.prior["luck_share"],
        follow_luck=run.prior.get("follow_luck"),
    )


def _control_wallets() -> int:
    saved = Config.objects.values_list("control_wallets", flat=True).first()
    return Params().control_wallets if saved is None else saved


def _weeks(trades: Iterable[FollowedTrade]) -> list[WeekGrowth]:
    """Return the weeks from the first to the last with a known trade, oldest first."""
    growths: dict[int, dict[str, list[float]]] = {}
    for trade in trades:
        if trade.counts and trade.follower_growth is not None:
            week = (trade.entry_at - _MONDAY_SECONDS) // _WEEK_SECONDS
            arms = growths.setdefault(week, {"found": [], "control": []})
            arms[trade.arm].append(trade.follower_growth)
    if not growths:
        return []
    return [
        _week_growth(week, growths.get(week, {}))
        for week in range(min(growths), max(growths) + 1)
    ]


def _week_growth(week: int, growths: Mapping[str, Sequence[float]]) -> WeekGrowth:
    found, control = growths.get("found", []), growths.get("control", [])
    return WeekGrowth(
        starts_at=week * _WEEK_SECONDS + _MONDAY_SECONDS,
        found_stakes=mean_or_none(found),
        found_trades=len(found),
        control_stakes=mean_or_none(control),
        control_trades=len(control),
    )

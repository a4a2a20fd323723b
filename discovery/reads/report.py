"""Whether following the found wallets pays: the forward record, measured against control
wallets (docs/forward-record.md).
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal

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
    regimes,
)
from discovery.analysis.forward_words import SentenceTerms, sentence
from discovery.analysis.statistics import SECONDS_PER_DAY
from discovery.domain.judgements import Verdict
from discovery.domain.times import unix_from_datetime
from discovery.models import Outcome, OutcomeToken, Position, ScoreSnapshot
from discovery.models.enums import SnapshotArm

HORIZON_HOURS: Final = (24, 7 * 24, 14 * 24, 30 * 24)
DEFAULT_HORIZON_HOURS: Final = 7 * 24
_ARMS: Final[dict[str, Literal["found", "control"]]] = {
    SnapshotArm.FOUND: "found",
    SnapshotArm.CONTROL: "control",
}
_LEVEL_COLUMNS: Final = (
    "follower_return_costs",
    "follower_return_behind",
    "follower_return_late",
)
_MEDIANS: Final = """
SELECT floor(extract(epoch FROM first_buy_at) / 86400)::bigint,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY profit_pct)
FROM {table}
WHERE profit_pct IS NOT NULL AND first_buy_at IS NOT NULL
GROUP BY 1
"""


class OutcomeCounts(msgspec.Struct, frozen=True):
    """Outcomes of one horizon. stopped: measured ones without a purchase. unmeasurable:
    those of which nothing can be known. next_due_at: of those to come.
    """

    planned: int
    measured: int
    stopped: int
    unmeasurable: int
    first_due_at: datetime | None
    next_due_at: datetime | None


class WeekGrowth(msgspec.Struct, frozen=True):
    """Mean follower growth a trade of the known trades entered in one week, in stakes.
    None without any. starts_at: unix seconds.
    """

    starts_at: int
    found_stakes: float | None
    found_trades: int
    control_stakes: float | None
    control_trades: int


class Report(msgspec.Struct, frozen=True):
    """The forward record as of one horizon. as_of: the last measurement."""

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


def report(now: datetime, horizon_hours: int = DEFAULT_HORIZON_HOURS) -> Report:
    """Return the report at `now`, the time of the product. Five queries."""
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
    last = Outcome.objects.measured().aggregate(last=Max("measured_at"))["last"]
    return Report(
        horizon_hours=horizon_hours,
        as_of=last,
        sentence=sentence(measured, claim, ahead, terms),
        lift=measured,
        claim=claim,
        outlook=ahead,
        calibration=calibration(forecasts_of(found)),
        false_follows=false_follows(trades),
        regimes=regimes(trades, median_growth_by_day()),
        by_version=lift_by_version(trades),
        weeks=_weeks(trades),
        outcomes=_outcome_counts(horizon_hours, now),
    )


def followed_trades(horizon_hours: int) -> list[FollowedTrade]:
    """Return one trade for each wallet and token of the measured outcomes of a horizon:
    that of the snapshot that stood when the wallet entered. Two queries.

    A token that was entered after a later snapshot of the wallet belongs to that one: if
    its outcome was not measured, nobody followed the wallet into the token.
    """
    rows = OutcomeToken.objects.filter(
        outcome__horizon_hours=horizon_hours,
        outcome__measured_at__isnull=False,
        outcome__snapshot__arm__in=_ARMS,
    ).values_list(
        "outcome__snapshot_id",
        "mint",
        "entry_at",
        "leader_return",
        *_LEVEL_COLUMNS,
        "unknown_reason",
    )
    snapshots = _Snapshots()
    trades: list[FollowedTrade] = []
    for snapshot_id, mint, entry_at, leader_return, *returns, reason in rows.iterator():
        if not snapshots.stood_at(snapshot_id, entry_at):
            continue
        trades.append(
            _trade(
                snapshots.by_id[snapshot_id],
                mint,
                entry_at,
                leader_return,
                returns,
                reason,
            )
        )
    return trades


class _Snapshot(msgspec.Struct, frozen=True):
    id: int
    wallet_address: str
    at: datetime
    arm: str
    score: float | None
    verdict: str
    score_version: int


class _Snapshots:
    """All snapshots of both arms. One query."""

    def __init__(self) -> None:
        columns = _Snapshot.__struct_fields__
        rows = ScoreSnapshot.objects.order_by("at", "pk").values_list(*columns)
        self.by_id: dict[int, _Snapshot] = {}
        self._times: dict[str, list[datetime]] = {}
        self._ids: dict[str, list[int]] = {}
        for row in rows.iterator():
            snapshot = _Snapshot(*row)
            self.by_id[snapshot.id] = snapshot
            self._times.setdefault(snapshot.wallet_address, []).append(snapshot.at)
            self._ids.setdefault(snapshot.wallet_address, []).append(snapshot.id)

    def stood_at(self, snapshot_id: int, entry_at: datetime) -> bool:
        """Return True if the snapshot was the last of its wallet before the entry."""
        wallet = self.by_id[snapshot_id].wallet_address
        place = bisect_left(self._times[wallet], entry_at)
        return place > 0 and self._ids[wallet][place - 1] == snapshot_id


def _trade(
    snapshot: _Snapshot,
    mint: str,
    entry_at: datetime,
    leader_return: float | None,
    returns: Sequence[float | None],
    unknown_reason: str,
) -> FollowedTrade:
    known = [value for value in returns if value is not None]
    return FollowedTrade(
        arm=_ARMS[snapshot.arm],
        wallet=snapshot.wallet_address,
        mint=mint,
        entry_at=unix_from_datetime(entry_at),
        score=None if snapshot.score is None else float(snapshot.score),
        verdict=Verdict(snapshot.verdict),
        score_version=snapshot.score_version,
        leader_growth=None if leader_return is None else growth(leader_return),
        follower_growth=growth(known[-1]) if known else None,
        level=max(0, len(known) - 1),
        unknown_reason=unknown_reason,
    )


def median_growth_by_day() -> dict[int, float]:
    """Return day (unix seconds // 86400) → growth of its median early buyer, in stakes.
    One query.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MEDIANS.format(table=Position._meta.db_table))
        rows: Iterable[tuple[int, float]] = cursor.fetchall()
    return {day: growth(float(profit_pct) / 100) for day, profit_pct in rows}


def _outcome_counts(horizon_hours: int, now: datetime) -> OutcomeCounts:
    rows = Outcome.objects.filter(horizon_hours=horizon_hours)
    is_measured = Q(measured_at__isnull=False)
    counts: Mapping[str, int | datetime | None] = rows.aggregate(
        planned=Count("pk"),
        measured=Count("pk", filter=is_measured),
        stopped=Count("pk", filter=Q(stopped=True)),
        unmeasurable=Count("pk", filter=is_measured & ~Q(problem="")),
        first_due_at=Min("due_at"),
        next_due_at=Min("due_at", filter=Q(due_at__gt=now)),
    )
    return msgspec.convert(counts, OutcomeCounts)


def _weeks(trades: Iterable[FollowedTrade]) -> list[WeekGrowth]:
    """Return the weeks with known trades, oldest first."""
    growths: dict[int, dict[str, list[float]]] = {}
    for trade in trades:
        if trade.counts and trade.follower_growth is not None:
            week = trade.entry_at // (7 * SECONDS_PER_DAY)
            arms = growths.setdefault(week, {"found": [], "control": []})
            arms[trade.arm].append(trade.follower_growth)
    return [
        WeekGrowth(
            starts_at=week * 7 * SECONDS_PER_DAY,
            found_stakes=_mean(arms["found"]),
            found_trades=len(arms["found"]),
            control_stakes=_mean(arms["control"]),
            control_trades=len(arms["control"]),
        )
        for week, arms in sorted(growths.items())
    ]


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None

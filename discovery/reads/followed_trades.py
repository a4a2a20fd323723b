"""The trades of the forward record: what followed the judgements of both arms, one trade
for each wallet and token (docs/forward-record.md).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal

import msgspec
from django.db.models import Exists, OuterRef, Q

from discovery.analysis.evidence import growth
from discovery.analysis.forward_record import FollowedTrade
from discovery.domain.judgements import Verdict
from discovery.domain.times import unix_from_datetime
from discovery.models import OutcomeToken, ScoreSnapshot
from discovery.models.enums import SnapshotArm

_ARMS: Final[dict[str, Literal["found", "control"]]] = {
    SnapshotArm.FOUND: "found",
    SnapshotArm.CONTROL: "control",
}
_COLUMNS: Final = {
    "arm": "outcome__snapshot__arm",
    "wallet": "outcome__snapshot__wallet_address",
    "mint": "mint",
    "entry_at": "entry_at",
    "score": "outcome__snapshot__score",
    "verdict": "outcome__snapshot__verdict",
    "score_version": "outcome__snapshot__score_version",
    "leader_return": "leader_return",
    "return_costs": "follower_return_costs",
    "return_behind": "follower_return_behind",
    "return_late": "follower_return_late",
    "unknown_reason": "unknown_reason",
}


class _Row(msgspec.Struct, frozen=True, gc=False):
    arm: str
    wallet: str
    mint: str
    entry_at: datetime
    score: Any
    verdict: str
    score_version: int
    leader_return: float | None
    return_costs: float | None
    return_behind: float | None
    return_late: float | None
    unknown_reason: str


def followed_trades(horizon_hours: int) -> list[FollowedTrade]:
    """Return one trade for each wallet and token of the measured outcomes of a horizon,
    oldest first: that of the snapshot that stood when the wallet entered. One query.

    A token that was entered after a later snapshot of the wallet belongs to that one: if
    its outcome was not measured, or it is of no arm, nobody followed the wallet into the
    token. If a wallet entered a token more than once, because an outcome knew only the
    end of a long history, the first entry counts.
    """
    snapshot = "outcome__snapshot"
    later = ScoreSnapshot.objects.filter(
        Q(at__gt=OuterRef(f"{snapshot}__at"))
        | Q(at=OuterRef(f"{snapshot}__at"), pk__gt=OuterRef(f"{snapshot}__pk")),
        wallet_address=OuterRef(f"{snapshot}__wallet_address"),
        at__lt=OuterRef("entry_at"),
    )
    rows = (
        OutcomeToken.objects.filter(
            ~Exists(later),
            outcome__horizon_hours=horizon_hours,
            outcome__measured_at__isnull=False,
            outcome__snapshot__arm__in=_ARMS,
        )
        .order_by("entry_at", "pk")
        .values_list(*_COLUMNS.values())
    )
    trades: dict[tuple[str, str], FollowedTrade] = {}
    for row in rows.iterator():
        trade = _trade(_Row(*row))
        trades.setdefault((trade.wallet, trade.mint), trade)
    return list(trades.values())


def _trade(row: _Row) -> FollowedTrade:
    known = _known_returns([row.return_costs, row.return_behind, row.return_late])
    leader = row.leader_return
    return FollowedTrade(
        arm=_ARMS[row.arm],
        wallet=row.wallet,
        mint=row.mint,
        entry_at=unix_from_datetime(row.entry_at),
        score=None if row.score is None else float(row.score),
        verdict=Verdict(row.verdict),
        score_version=row.score_version,
        leader_growth=None if leader is None else growth(leader),
        follower_growth=growth(known[-1]) if known else None,
        level=max(0, len(known) - 1),
        unknown_reason=row.unknown_reason,
    )


def _known_returns(returns: Sequence[float | None]) -> list[float]:
    """Return the follower's returns, from costs alone to the closest that were seen."""
    return [value for value in returns if value is not None]

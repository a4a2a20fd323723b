"""The score snapshots of a wallet: how it was judged, what changed, and what followed."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from django.db.models import F
from msgspec import Meta

from discovery.domain.display import counted
from discovery.models import Outcome, ScoreSnapshot
from discovery.models.enums import SnapshotArm, SnapshotCause, VerdictChoice
from discovery.models.querysets import ScoreSnapshotQuerySet
from discovery.reads.paging import MAX_ROWS, Page, Slice
from discovery.reads.row_values import one_of
from discovery.reads.score_changes import Population, changes_between
from discovery.reads.watched import require_wallet

MAX_SNAPSHOTS: Final = 200
"""Snapshots of a chart and of the whole history."""
_FIRST: Final = "first judgement"
_NOT_STORED: Final = "not known: the snapshot before is no longer stored"
_PERCENT: Final = 100
_HOURS_PER_DAY: Final = 24


class OutcomeRow(msgspec.Struct, frozen=True):
    """What followed a snapshot within one horizon. Figures are null until it is
    measured, and where nothing is known.
    """

    horizon_hours: int
    due_at: datetime
    measured_at: datetime | None
    tokens: Annotated[
        int | None, Meta(description="Tokens first bought within the horizon.")
    ]
    known_tokens: Annotated[int | None, Meta(description="Those with a known result.")]
    trades: Annotated[
        int | None, Meta(description="Purchases and sales within the horizon.")
    ]
    leader_growth_pct: Annotated[
        float | None, Meta(description="Mean of the tokens, in % of the stake.")
    ]
    follower_growth_pct: Annotated[
        float | None, Meta(description="The same for a follower.")
    ]
    stopped: Annotated[bool | None, Meta(description="No purchase within the horizon.")]
    problem: Annotated[
        str, Meta(description="Why it could not be measured; empty if it was.")
    ]

    @property
    def text(self) -> str:
        """The outcome in words: "7 d: +4.2 % of the stake a token, 3 tokens"."""
        return f"{self.horizon_hours // _HOURS_PER_DAY} d: {self._result_text}"

    @property
    def _result_text(self) -> str:
        if self.measured_at is None:
            return f"due on {self.due_at.day} {self.due_at:%b}"
        if self.problem:
            return f"not measured: {self.problem}"
        if self.stopped:
            return "stopped: no purchase"
        if not self.tokens:
            return "no new token"
        tokens = counted(self.tokens, "token")
        if self.follower_growth_pct is None:
            return f"{tokens}, result not known"
        if self.known_tokens != self.tokens:
            tokens = f"{self.known_tokens} of {tokens} known"
        return f"{self.follower_growth_pct:+.1f} % of the stake a token, {tokens}"


class SnapshotRow(msgspec.Struct, frozen=True):
    """A judgement of a wallet as it was made."""

    at: datetime
    verdict: Annotated[str, one_of(VerdictChoice)]
    verdict_reason: str
    score: Annotated[Decimal | None, Meta(description="0–1; null if it is not known.")]
    edge_pct: Decimal | None
    edge_low_pct: Annotated[
        Decimal | None, Meta(description="Lower end of the 90 % interval.")
    ]
    edge_high_pct: Decimal | None
    q_value: Decimal | None
    p_value: Decimal | None
    tokens: Annotated[int, Meta(description="Tokens with a known result that count.")]
    effective_tokens: Decimal
    basis: Annotated[
        str, Meta(description="How closely a follower's prices were seen.")
    ]
    flags: list[str]
    arm: Annotated[str, one_of(SnapshotArm, "Part in the forward record.")]
    cause: Annotated[str, one_of(SnapshotCause, "Why it was written.")]
    score_version: int
    prior_run: Annotated[
        UUID | None,
        Meta(description="Run whose wallets it was judged against; null: a first run."),
    ]
    changes: Annotated[
        list[str],
        Meta(description="What changed against the snapshot before, in words."),
    ]
    outcomes: Annotated[
        list[OutcomeRow],
        Meta(description="By horizon; empty if this snapshot is not measured."),
    ]


class ScorePoint(msgspec.Struct, frozen=True):
    """A point of the charts. Figures are None where they are not known."""

    at: datetime
    score: Decimal | None
    edge_pct: Decimal | None
    edge_low_pct: Decimal | None


def wallet_scores(
    address: str, page: Page, *, exists: bool = False
) -> Slice[SnapshotRow]:
    """Return a page of the wallet's snapshots, newest first. Raises Wallet.DoesNotExist.

    Four queries; three with `exists`, which skips the check that the wallet is on the
    watchlist.
    """
    if not exists:
        require_wallet(address)
    snapshots = ScoreSnapshot.objects.filter(wallet_address=address)
    total = snapshots.values("pk")[:MAX_ROWS].count()
    start = (page.number - 1) * page.size
    # One row more: that before the last one, which tells what changed.
    fetched = list(_newest_first(snapshots)[start : start + page.size + 1])
    rows = _rows(fetched, page.size)
    return Slice(rows, total, more=len(fetched) > page.size)


def score_history(address: str) -> list[SnapshotRow]:
    """Return the newest 200 snapshots of a wallet, oldest first; also of a control
    wallet. Two queries.
    """
    snapshots = ScoreSnapshot.objects.filter(wallet_address=address)
    fetched = list(_newest_first(snapshots)[: MAX_SNAPSHOTS + 1])
    return _rows(fetched, MAX_SNAPSHOTS)[::-1]


def score_points(address: str) -> list[ScorePoint]:
    """Return score and edge of the newest 200 snapshots, oldest first. One query."""
    rows = ScoreSnapshot.objects.filter(wallet_address=address).order_by("-at", "-id")
    columns = rows.values_list("at", "score", "edge_pct", "edge_low_pct")
    return [ScorePoint(*values) for values in columns[:MAX_SNAPSHOTS]][::-1]


def _newest_first(snapshots: ScoreSnapshotQuerySet) -> Any:
    # Only the start of the run: its prior is large.
    return snapshots.annotate(prior_started_at=F("prior_run__started_at")).order_by(
        "-at", "-id"
    )


def _rows(fetched: Sequence[Any], size: int) -> list[SnapshotRow]:
    """Return the rows of the first `size` snapshots, newest first. One query."""
    listed = fetched[:size]
    outcomes: dict[int, list[OutcomeRow]] = {}
    stored = Outcome.objects.filter(snapshot__in=[row.pk for row in listed])
    for outcome in stored.order_by("snapshot_id", "horizon_hours"):
        outcomes.setdefault(outcome.snapshot_id, []).append(_outcome(outcome))
    befores = [*fetched[1:], None]
    return [
        _row(snapshot, before, outcomes.get(snapshot.pk, []))
        for snapshot, before in zip(listed, befores, strict=False)
    ]


def _row(snapshot: Any, before: Any | None, outcomes: list[OutcomeRow]) -> SnapshotRow:
    return SnapshotRow(
        at=snapshot.at,
        verdict=snapshot.verdict,
        verdict_reason=snapshot.verdict_reason,
        score=snapshot.score,
        edge_pct=snapshot.edge_pct,
        edge_low_pct=snapshot.edge_low_pct,
        edge_high_pct=snapshot.edge_high_pct,
        q_value=snapshot.q_value,
        p_value=snapshot.p_value,
        tokens=snapshot.tokens,
        effective_tokens=snapshot.effective_tokens,
        basis=snapshot.basis,
        flags=snapshot.flags,
        arm=snapshot.arm,
        cause=snapshot.cause,
        score_version=snapshot.score_version,
        prior_run=snapshot.prior_run_id,
        changes=_changes(snapshot, before),
        outcomes=outcomes,
    )


def _changes(snapshot: Any, before: Any | None) -> list[str]:
    if before is not None:
        populations = (_population(before), _population(snapshot))
        return changes_between(before, snapshot, populations)
    if snapshot.cause == SnapshotCause.FIRST:
        return [_FIRST]
    return [_NOT_STORED]


def _population(snapshot: Any) -> Population:
    return Population(snapshot.prior_run_id, snapshot.prior_started_at)


def _outcome(outcome: Outcome) -> OutcomeRow:
    return OutcomeRow(
        horizon_hours=outcome.horizon_hours,
        due_at=outcome.due_at,
        measured_at=outcome.measured_at,
        tokens=outcome.tokens,
        known_tokens=outcome.known_tokens,
        trades=outcome.trades,
        leader_growth_pct=_percent_or_none(outcome.leader_growth),
        follower_growth_pct=_percent_or_none(outcome.follower_growth),
        stopped=outcome.stopped,
        problem=outcome.problem,
    )


def _percent_or_none(stakes: float | None) -> float | None:
    return None if stakes is None else stakes * _PERCENT

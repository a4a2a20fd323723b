"""Judge score snapshots again from the evidence and the prior stored with them: what
happened later has no part in it.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

import msgspec

from discovery.analysis.judging import SCORE_VERSION, judge
from discovery.analysis.population import estimate_prior
from discovery.domain.judgements import Prior
from discovery.models import Run, ScoreSnapshot
from discovery.models.querysets import ScoreSnapshotQuerySet
from discovery.pipeline.scoring import judgement_columns
from discovery.pipeline.token_evidence import evidence_of_snapshot

_BATCH: Final = 200
_COLUMN_OF_FIGURE: Final = {
    "verdict": "verdict",
    "score": "score",
    "edge_pct": "edge_pct",
    "edge_low_pct": "edge_low_pct",
    "edge_high_pct": "edge_high_pct",
    "scored_tokens": "tokens",
}
"""Figures of a judgement that are compared, and their columns in a snapshot."""


class SnapshotDifference(msgspec.Struct, frozen=True):
    """A figure of a snapshot that does not follow from its evidence."""

    wallet: str
    at: datetime
    figure: str
    stored: str
    recomputed: str


class Verification(msgspec.Struct, frozen=True):
    """Result of judging snapshots again. other_versions: those of another version of the
    score, which cannot be judged again.
    """

    checked: int
    other_versions: int
    differences: list[SnapshotDifference]


def verify_snapshots(snapshots: ScoreSnapshotQuerySet) -> Verification:
    """Judge snapshots again and compare verdict, score, edge with its interval, and the
    number of tokens with what is stored. One query for the priors, one for each batch
    of 200 snapshots.
    """
    ordered = snapshots.filter(score_version=SCORE_VERSION).order_by(
        "prior_run_id", "wallet_address", "at", "id"
    )
    priors = _priors(snapshots)
    checked = 0
    differences: list[SnapshotDifference] = []
    rows = ordered.iterator(chunk_size=_BATCH)
    for run_id, of_run in groupby(rows, key=attrgetter("prior_run_id")):
        prior = priors.get(run_id)
        for snapshot in of_run:
            checked += 1
            if prior is None:
                differences.append(_without_prior(snapshot))
            else:
                differences += _differences(snapshot, prior)
    others = snapshots.exclude(score_version=SCORE_VERSION).count()
    return Verification(checked, others, differences)


def recomputed_columns(snapshot: ScoreSnapshot, prior: Prior) -> dict[str, Any]:
    """Return the figures of the judgement that follows from a snapshot's evidence, as
    columns store them.
    """
    (judgement,), _ = judge([evidence_of_snapshot(snapshot)], prior)
    return judgement_columns(judgement)


def _priors(snapshots: ScoreSnapshotQuerySet) -> Mapping[UUID | None, Prior]:
    """Return run → its prior, None → that of a first run. A run whose prior cannot be
    read has none. One query.
    """
    priors: dict[UUID | None, Prior] = {None: estimate_prior([])}
    used = snapshots.order_by().values("prior_run_id")
    for run_id, stored in Run.objects.filter(pk__in=used).values_list("pk", "prior"):
        if stored and stored.get("version") == SCORE_VERSION:
            priors[run_id] = Prior.from_dict(stored)
    return priors


def _without_prior(snapshot: ScoreSnapshot) -> SnapshotDifference:
    return SnapshotDifference(
        wallet=snapshot.wallet_address,
        at=snapshot.at,
        figure="prior",
        stored=f"of run {snapshot.prior_run_id}",
        recomputed="not stored with that run",
    )


def _differences(snapshot: ScoreSnapshot, prior: Prior) -> Iterator[SnapshotDifference]:
    columns = recomputed_columns(snapshot, prior)
    for figure, column in _COLUMN_OF_FIGURE.items():
        stored, recomputed = getattr(snapshot, column), columns[figure]
        if stored != recomputed:
            yield SnapshotDifference(
                wallet=snapshot.wallet_address,
                at=snapshot.at,
                figure=column,
                stored=_text(stored),
                recomputed=_text(recomputed),
            )


def _text(value: Any) -> str:
    return "not known" if value is None else str(value)

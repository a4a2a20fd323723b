"""Score snapshots: each judgement of a wallet as it was made, with the outcomes that will
be measured. A snapshot is written when the judgement changes, and once a week.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from discovery.analysis.judging import SCORE_VERSION
from discovery.domain.judgements import HORIZON_HOURS, Verdict
from discovery.domain.times import unix_from_datetime
from discovery.models import Outcome, Run, ScoreSnapshot
from discovery.models.enums import (
    ARM_OF_ORIGIN,
    SnapshotArm,
    SnapshotCause,
    WalletOrigin,
)
from discovery.pipeline.judged_wallets import JudgedWallet
from discovery.pipeline.save_trades import BATCH
from discovery.pipeline.token_evidence import stored_evidence

MIN_SCORE_CHANGE: Final = Decimal("0.01")
"""A smaller change of the score is not shown either."""
WEEK: Final = timedelta(days=7)
CONTROL_RECORD: Final = timedelta(days=15)
"""Snapshots of a control wallet are written for so long after it was chosen; else each
measurement would plan further ones, and it would be followed for ever.
"""
MEASURED_VERDICTS: Final = frozenset({Verdict.FOLLOW, Verdict.WATCH})
"""Verdicts of which every snapshot is measured."""
SAMPLE_DIVISOR: Final = 5
"""Of the other verdicts every fifth snapshot is measured, chosen by a hash."""


def record_snapshots(
    judged: Mapping[str, JudgedWallet], run: Run | None, now: datetime
) -> int:
    """Write the snapshots of judgements that were just saved, and plan their outcomes;
    return how many. Called in the transaction that saves the judgements. At most three
    queries a batch.

    run: the run whose prior the wallets were judged against. now: the time of the
    product.
    """
    latest = ScoreSnapshot.objects.latest_of(judged)
    rows: list[ScoreSnapshot] = []
    for address in sorted(judged):
        wallet = judged[address]
        last = latest.get(address)
        cause = _cause(wallet, ARM_OF_ORIGIN[wallet.origin], last, now)
        if cause is None or _is_record_over(wallet, last, now):
            continue
        row = _row(wallet, cause, now)
        row.prior_run = run
        rows.append(row)
    ScoreSnapshot.objects.bulk_create(rows, batch_size=BATCH)
    _plan_outcomes(rows)
    return len(rows)


def _cause(
    judged: JudgedWallet,
    arm: SnapshotArm,
    last: ScoreSnapshot | None,
    now: datetime,
) -> SnapshotCause | None:
    """Return why the judgement is to be recorded, None if it is as it was."""
    if last is None:
        return SnapshotCause.FIRST
    if last.verdict != judged.judgement.verdict.value:
        return SnapshotCause.VERDICT
    if last.arm != arm:
        return SnapshotCause.ARM
    if last.score_version != SCORE_VERSION or _has_moved(last.score, judged.score):
        return SnapshotCause.SCORE
    if now - last.at >= WEEK:
        return SnapshotCause.WEEKLY
    return None


def _is_record_over(
    wallet: JudgedWallet, last: ScoreSnapshot | None, now: datetime
) -> bool:
    """Return True for a control wallet that has a snapshot and was chosen more than
    CONTROL_RECORD ago.
    """
    if last is None or wallet.origin != WalletOrigin.CONTROL:
        return False
    return now - wallet.known_since > CONTROL_RECORD


def _has_moved(before: Decimal | None, after: Decimal | None) -> bool:
    if before is None or after is None:
        return before is not after
    return abs(after - before) >= MIN_SCORE_CHANGE


def _row(judged: JudgedWallet, cause: SnapshotCause, now: datetime) -> ScoreSnapshot:
    columns = judged.columns
    return ScoreSnapshot(
        wallet_address=judged.judgement.wallet,
        at=now,
        cause=cause,
        arm=ARM_OF_ORIGIN[judged.origin],
        score_version=columns["score_version"],
        score=columns["score"],
        verdict=columns["verdict"],
        verdict_reason=columns["verdict_reason"],
        edge_pct=columns["edge_pct"],
        edge_low_pct=columns["edge_low_pct"],
        edge_high_pct=columns["edge_high_pct"],
        q_value=columns["q_value"],
        p_value=columns["p_value"],
        tokens=columns["scored_tokens"],
        effective_tokens=columns["n_eff"],
        basis=judged.judgement.basis or "",
        flags=list(judged.flags),
        evidence={
            "as_of": unix_from_datetime(judged.profiled_at),
            "seeds": list(judged.seeds),
            "tokens": stored_evidence(judged.results),
        },
    )


def _plan_outcomes(snapshots: Sequence[ScoreSnapshot]) -> None:
    Outcome.objects.bulk_create(
        [
            Outcome(
                snapshot=snapshot,
                horizon_hours=hours,
                due_at=snapshot.at + timedelta(hours=hours),
            )
            for snapshot in snapshots
            if is_measured(snapshot)
            for hours in HORIZON_HOURS
        ],
        batch_size=BATCH,
    )


def is_measured(snapshot: ScoreSnapshot) -> bool:
    """Return True if the outcomes of a snapshot are measured: all of wallets to follow or
    to watch and of control wallets, and a sample of the others that nobody can choose.
    """
    if snapshot.arm == SnapshotArm.CONTROL or snapshot.verdict in MEASURED_VERDICTS:
        return True
    name = f"{snapshot.wallet_address} {snapshot.at.isoformat()}"
    digest = hashlib.sha256(name.encode()).digest()
    return digest[0] % SAMPLE_DIVISOR == 0

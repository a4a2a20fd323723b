"""Rows of a forward record for tests: snapshots of both arms with their outcomes."""

import random
from datetime import timedelta

from discovery.models import OutcomeToken, ScoreSnapshot
from tests.factories import (
    LAMPORTS_PER_SOL,
    NOW,
    FollowSnapshotFactory,
    OutcomeFactory,
    OutcomeTokenFactory,
    address,
)

FIRST_CONTROL = 500
FIRST_MINT = 100_000
GROWTH = {"found": 0.06, "control": -0.1}


def create_record(
    *,
    wallets: int,
    tokens: int,
    spread: random.Random | None = None,
    horizon_hours: int = 7 * 24,
    days: int = 20,
) -> None:
    """Create a snapshot for each wallet of both arms, `days` days before NOW, and an
    outcome in which it entered every token, one after the other. Found wallets gain,
    control wallets lose, around the swing of each token.
    """
    chance = spread or random.Random(7)
    began_at = NOW - timedelta(days=days)
    swings = [chance.gauss(0, 0.3) for _ in range(tokens)]
    step = timedelta(days=min(days, 15)) / (tokens + 1)
    rows: list[OutcomeToken] = []
    for arm, first in (("found", 0), ("control", FIRST_CONTROL)):
        for wallet in range(wallets):
            snapshot = _snapshot(arm, first + wallet, began_at, chance)
            outcome = OutcomeFactory(snapshot=snapshot, horizon_hours=horizon_hours)
            for token, swing in enumerate(swings):
                gain = max(-0.99, GROWTH[arm] + swing + chance.gauss(0, 0.1))
                rows.append(
                    OutcomeTokenFactory.build(
                        outcome=outcome,
                        mint=address(FIRST_MINT + token),
                        entry_at=began_at + step * (token + 1),
                        put_in_lamports=LAMPORTS_PER_SOL,
                        leader_return=gain + 0.05,
                        follower_return_costs=gain + 0.02,
                        follower_return_behind=gain,
                    )
                )
    OutcomeToken.objects.bulk_create(rows, batch_size=1000)


def _snapshot(
    arm: str, wallet: int, at: object, chance: random.Random
) -> ScoreSnapshot:
    is_found = arm == "found"
    score = chance.uniform(0.8, 0.99) if is_found else chance.uniform(0.1, 0.5)
    snapshot: ScoreSnapshot = FollowSnapshotFactory(
        wallet=wallet,
        at=at,
        arm=arm,
        score=f"{score:.4f}",
        verdict="follow" if is_found else "neutral",
    )
    return snapshot

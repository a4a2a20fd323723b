"""The forward record as the world itself knows it: the trades that the report must count,
each with what a late follower gained.
"""

from datetime import datetime

from discovery.analysis.forward_record import FollowedTrade
from discovery.domain.judgements import Verdict
from discovery.models import Outcome, ScoreSnapshot
from discovery.models.enums import SnapshotArm
from simmarket.worlds.expected_followers import TokenTruth, growth
from tests.living.living_market import Truth

LATE = 2
"""Index of the closest level of seeing in `follower.LEVEL_NAMES`."""


def true_trades(
    truth: Truth, horizon_hours: int, now: datetime
) -> dict[tuple[str, str], FollowedTrade]:
    """Return (wallet, mint) → trade for all outcomes of a horizon that are due at `now`,
    whether or not anything was read of them. A token belongs to the snapshot that stood
    when the wallet first bought it.
    """
    trades: dict[tuple[str, str], FollowedTrade] = {}
    rows = Outcome.objects.filter(horizon_hours=horizon_hours, due_at__lte=now)
    for outcome in rows.select_related("snapshot").order_by("snapshot__at", "pk"):
        snapshot = outcome.snapshot
        at, due = int(snapshot.at.timestamp()), int(outcome.due_at.timestamp())
        stands_until = _stands_until(snapshot, due)
        for mint, token in truth.tokens(snapshot.wallet_address, at, due).items():
            entry_at = truth.unix_seconds(token.first_buy_offset_seconds)
            if entry_at <= stands_until:
                key = (snapshot.wallet_address, mint)
                trades.setdefault(key, _trade(snapshot, token, entry_at))
    return trades


def _stands_until(snapshot: ScoreSnapshot, due: int) -> int:
    later = (
        ScoreSnapshot.objects.filter(
            wallet_address=snapshot.wallet_address, at__gt=snapshot.at
        )
        .order_by("at")
        .values_list("at", flat=True)
        .first()
    )
    return due if later is None else int(later.timestamp())


def _trade(snapshot: ScoreSnapshot, token: TokenTruth, entry_at: int) -> FollowedTrade:
    return FollowedTrade(
        arm="found" if snapshot.arm == SnapshotArm.FOUND else "control",
        wallet=snapshot.wallet_address,
        mint=token.mint,
        entry_at=entry_at,
        score=None if snapshot.score is None else float(snapshot.score),
        verdict=Verdict(snapshot.verdict),
        score_version=snapshot.score_version,
        leader_growth=growth(token.leader.gain),
        follower_growth=growth(token.late.gain),
        level=LATE,
    )

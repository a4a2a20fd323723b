"""Trades of a forward record for tests."""

import random
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

import msgspec

from discovery.analysis.forward_record import FollowedTrade
from discovery.domain.judgements import Verdict

DAY = 86_400
START = 20_760 * DAY  # 3 November 2026
NOISE = 0.1
SCORES = {"found": 0.9, "control": 0.3}
VERDICTS = {"found": Verdict.FOLLOW, "control": Verdict.NEUTRAL}


def followed(arm: Any, wallet: int, token: int, **values: Any) -> FollowedTrade:
    """Return a trade of a wallet and a token, late and known unless `values` say else."""
    growth = values.pop("growth", 0.0)
    fields: dict[str, Any] = {
        "arm": arm,
        "wallet": f"{arm} {wallet}",
        "mint": f"mint {token}",
        "entry_at": START + token * 3600,
        "score": SCORES[arm],
        "verdict": VERDICTS[arm],
        "score_version": 2,
        "leader_growth": growth,
        "follower_growth": growth,
        "level": 2,
    }
    return FollowedTrade(**(fields | values))


def record(
    wallets: int = 12,
    tokens: int = 15,
    found_growth: float = 0.04,
    control_growth: float = -0.08,
    **values: Any,
) -> list[FollowedTrade]:
    """Return trades of each wallet of both arms in a third of the tokens. Around the
    arm's growth, which is the mean of all, they swing with the token, alike in both
    arms, and by chance, the same at each call.
    """
    chance = random.Random(3)
    trades: list[FollowedTrade] = []
    for arm, mean in (("found", found_growth), ("control", control_growth)):
        pairs = [
            (wallet, token)
            for wallet in range(wallets)
            for token in range(wallet % 3, tokens, 3)
        ]
        swings = [0.3 * (-1) ** token + chance.gauss(0, NOISE) for _, token in pairs]
        centre = fmean(swings)
        for (wallet, token), swing in zip(pairs, swings, strict=True):
            growth = mean + swing - centre
            trades.append(followed(arm, wallet, token, growth=growth, **values))
    return trades


def changed(
    trades: Sequence[FollowedTrade], change: Callable[[float], float]
) -> list[FollowedTrade]:
    """Return known trades with another follower growth."""
    return [
        msgspec.structs.replace(trade, follower_growth=change(trade.follower_growth))
        for trade in trades
        if trade.follower_growth is not None
    ]

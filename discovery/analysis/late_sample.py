"""Which tokens of a wallet are measured some seconds late.

Whole tokens are chosen, newest and oldest alike, by a hash of wallet and mint: a later
and larger sample holds an earlier one, and nobody can choose a favourable one.
"""

import hashlib
from collections.abc import Iterable
from typing import Final, NamedTuple

from discovery.analysis.follower import LEVEL_NAMES
from discovery.analysis.token_results import TokenResult

_BEHIND: Final = LEVEL_NAMES.index("behind the leader")


class LateStage(NamedTuple):
    """A wallet with at least `min_score` has `tokens` of its tokens measured late."""

    min_score: float
    tokens: int


STAGES: Final = (LateStage(0.5, 8), LateStage(0.7, 20))
"""More tokens are measured before a wallet can be announced as one to follow. The
margin below the score that this needs is for the population of the run, which is
estimated afterwards.
"""


def late_sample(wallet: str, results: Iterable[TokenResult], tokens: int) -> list[str]:
    """Return the mints of the sample, at most `tokens`: those that count, with known
    prices right behind the wallet.
    """
    mints = [result.mint for result in results if _is_measurable(result)]
    return sorted(mints, key=lambda mint: _rank(wallet, mint))[:tokens]


def _is_measurable(result: TokenResult) -> bool:
    is_evidence = result.exclusion is None and result.leader_return is not None
    return is_evidence and result.level >= _BEHIND


def _rank(wallet: str, mint: str) -> bytes:
    return hashlib.sha256(f"{wallet} {mint}".encode()).digest()

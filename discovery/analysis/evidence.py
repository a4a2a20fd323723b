"""The known results of one wallet as numbers: growth of a follower by token and level
of seeing.
"""

import math
from array import array
from collections.abc import Collection, Iterable, Sequence
from typing import Final

import msgspec

from discovery.analysis.follower import LEVEL_NAMES, FollowTerms
from discovery.analysis.statistics import Moments, effective_n, moments
from discovery.analysis.token_results import TokenResult, token_results
from discovery.domain.flags import HARD_FLAGS
from discovery.domain.histories import Arm, TradingHistory

PURSE_SHARE: Final = 0.1
"""Part of the purse that a trade puts in."""
MAX_RETURN: Final = 20.0
_MISSING: Final = math.nan
LEVELS: Final = len(LEVEL_NAMES)


def growth(total_return: float) -> float:
    """Return ln(1 + F·r)/F: how much a purse grows that puts a tenth (F) into each
    trade, in stakes. The return r is held in [-1, 20].
    """
    held = min(max(total_return, -1.0), MAX_RETURN)
    return math.log1p(PURSE_SHARE * held) / PURSE_SHARE


class Evidence(msgspec.Struct, frozen=True):
    """The evidence of one wallet. The arrays have an entry for each known token.

    growths: the follower's growth by level of seeing, NaN where the token does not reach
    it. hard_flags: those that exclude the wallet.
    """

    wallet: str
    arm: Arm
    hard_flags: tuple[str, ...]
    known_share: float  # by weight; 1 if no token counts
    weights: Sequence[float]
    leader_growths: Sequence[float]
    growths: tuple[Sequence[float], ...]
    levels: Sequence[int]

    @property
    def tokens(self) -> int:
        """Number of known tokens."""
        return len(self.weights)

    @property
    def effective_tokens(self) -> float:
        """Kish's effective number of known tokens."""
        return effective_n(self.weights)

    @property
    def late_tokens(self) -> int:
        """Number of tokens whose late prices were seen."""
        return sum(level == LEVELS - 1 for level in self.levels)

    def step_moments(self, step: int) -> tuple[int, Moments]:
        """Return the number of tokens that reach the level above `step`, and the moments
        of the difference that it makes.
        """
        below, above = self.growths[step], self.growths[step + 1]
        reached = [index for index, level in enumerate(self.levels) if level > step]
        differences = [above[index] - below[index] for index in reached]
        weights = [self.weights[index] for index in reached]
        return len(reached), moments(differences, weights)


def read_evidence(
    wallet: str, arm: Arm, flags: Collection[str], results: Iterable[TokenResult]
) -> Evidence:
    """Return the evidence of a wallet from the results of its tokens. flags: names of
    its flags.
    """
    counted_weights: list[float] = []
    known: list[TokenResult] = []
    for result in results:
        if result.exclusion is not None:
            continue
        counted_weights.append(result.weight)
        if result.leader_return is not None:
            known.append(result)
    weights = array("d", [result.weight for result in known])
    share = 1.0
    if counted_weights:
        share = math.fsum(weights) / math.fsum(counted_weights)
    return Evidence(
        wallet=wallet,
        arm=arm,
        hard_flags=tuple(sorted(HARD_FLAGS.intersection(flags))),
        known_share=share,
        weights=weights,
        leader_growths=array(
            "d", [growth(each.leader_return or 0.0) for each in known]
        ),
        growths=tuple(
            array("d", [_growth_at(each, level) for each in known])
            for level in range(LEVELS)
        ),
        levels=array("b", [each.level for each in known]),
    )


def evidence_of_history(history: TradingHistory, terms: FollowTerms) -> Evidence:
    """Return the evidence of a whole history."""
    results = token_results(history, terms)
    return read_evidence(history.wallet, history.arm, history.flags, results)


def _growth_at(result: TokenResult, level: int) -> float:
    if level > result.level:
        return _MISSING
    return growth(result.follower_returns[level])

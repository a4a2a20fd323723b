"""Judgement of wallets: would following them pay, and is it more than luck?

Everything about a wallet follows from its own evidence and the prior; only its q-value
looks at the other wallets of the list.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final

import msgspec

from discovery.analysis.effects import OWN_TOKENS
from discovery.analysis.estimates import Estimate, estimate_wallet
from discovery.analysis.evidence import Evidence
from discovery.analysis.follower import LEVEL_NAMES
from discovery.analysis.population import (
    FIRST_GAINING,
    MIN_KNOWN_SHARE,
    estimate_prior,
)
from discovery.domain.judgements import Judgement, Population, Prior, Verdict

SCORE_VERSION: Final = 2
"""Raised with every change of a formula: scores of different versions cannot be
compared.
"""
MIN_EFFECTIVE_TOKENS: Final = 5
MIN_SCORE_TO_FOLLOW: Final = 0.80
MAX_Q_TO_FOLLOW: Final = 0.10
MAX_P_TO_FOLLOW: Final = 0.20
_SHARE_DIGITS: Final = 6
_EDGE_DIGITS: Final = 4
_FAMILY_DIGITS: Final = 8


class _Family:
    """Scores of the wallets that are judged together, for the share of luck in a list
    that is cut at one of them.
    """

    def __init__(self, scores: Iterable[float]) -> None:
        self.scores = sorted(scores)
        luck = [1 - score for score in reversed(self.scores)]
        self._luck_of_best = [0.0, *accumulate(luck)]

    def q_value(self, score: float, *, is_member: bool) -> float:
        """Return the mean of 1 - score over the members with at least this score. A
        wallet that is no member is counted with them.
        """
        index = bisect_left(self.scores, score)
        count = len(self.scores) - index
        luck = self._luck_of_best[count]
        if not is_member:
            count += 1
            luck += 1 - score
        return luck / count

    def has(self, score: float) -> bool:
        """Return True if a member has exactly this score."""
        index = bisect_left(self.scores, score)
        return index < len(self.scores) and self.scores[index] == score


def judge(
    evidences: Sequence[Evidence], prior: Prior | None = None
) -> tuple[list[Judgement], Population]:
    """Return a judgement for each wallet in their order, and the population.

    prior: that of an earlier list, with the scores of its wallets; None = estimated from
    these wallets.
    """
    is_own = prior is None
    if prior is None:
        prior = estimate_prior(evidences)
    estimates = [_estimate_or_none(evidence, prior) for evidence in evidences]
    pairs = [*zip(evidences, estimates, strict=True)]
    if is_own:
        scores = [
            estimate.score
            for evidence, estimate in pairs
            if estimate is not None
            and evidence.arm != "other"
            and _is_judged(evidence, estimate)
        ]
        prior = msgspec.structs.replace(prior, family=tuple(sorted(scores)))
    family = _Family(prior.family)
    judgements = [
        _judgement(evidence, estimate, prior, family, is_own=is_own)
        for evidence, estimate in pairs
    ]
    return judgements, _population(pairs, judgements, prior)


def _estimate_or_none(evidence: Evidence, prior: Prior) -> Estimate | None:
    if evidence.hard_flags:
        return None
    return estimate_wallet(evidence, prior)


def _is_judged(evidence: Evidence, estimate: Estimate) -> bool:
    """Return True if there is enough evidence for a verdict."""
    return (
        evidence.known_share >= MIN_KNOWN_SHARE
        and estimate.effect.n >= MIN_EFFECTIVE_TOKENS
    )


def _judgement(
    evidence: Evidence,
    estimate: Estimate | None,
    prior: Prior,
    family: _Family,
    *,
    is_own: bool,
) -> Judgement:
    if estimate is None:
        return _without_estimate(evidence)
    q_value = None
    if _is_judged(evidence, estimate):
        q_value = _q_value(evidence, estimate.score, family, is_own=is_own)
    verdict, reason = _verdict(evidence, estimate, q_value, prior)
    is_readable = evidence.known_share >= MIN_KNOWN_SHARE
    return Judgement(
        wallet=evidence.wallet,
        score=round(estimate.score, _SHARE_DIGITS) if is_readable else None,
        verdict=verdict,
        edge_pct=round(estimate.edge_pct, _EDGE_DIGITS),
        edge_low_pct=round(estimate.edge_low_pct, _EDGE_DIGITS),
        edge_high_pct=round(estimate.edge_high_pct, _EDGE_DIGITS),
        leader_edge_pct=round(estimate.leader_edge_pct, _EDGE_DIGITS),
        tokens=evidence.tokens,
        effective_tokens=round(estimate.effect.n, _EDGE_DIGITS),
        known_share=round(evidence.known_share, _SHARE_DIGITS),
        q_value=None if q_value is None else round(q_value, _SHARE_DIGITS),
        p_value=None if q_value is None else round(estimate.p_value, _SHARE_DIGITS),
        depends_on_one_token=is_readable and estimate.depends_on_one_token,
        basis=_basis(evidence),
        reason=reason,
    )


def _q_value(
    evidence: Evidence, score: float, family: _Family, *, is_own: bool
) -> float:
    if is_own:
        return family.q_value(score, is_member=evidence.arm != "other")
    # A stored family has rounded scores, and this wallet's may be among them.
    rounded = round(score, _FAMILY_DIGITS)
    return family.q_value(rounded, is_member=family.has(rounded))


def _without_estimate(evidence: Evidence) -> Judgement:
    verdict, reason = Verdict.NOT_KNOWN, "no token counts yet"
    if evidence.hard_flags:
        verdict, reason = Verdict.EXCLUDED, ", ".join(evidence.hard_flags)
    return Judgement(
        wallet=evidence.wallet,
        score=None,
        verdict=verdict,
        edge_pct=None,
        edge_low_pct=None,
        edge_high_pct=None,
        leader_edge_pct=None,
        tokens=evidence.tokens,
        effective_tokens=round(evidence.effective_tokens, _EDGE_DIGITS),
        known_share=round(evidence.known_share, _SHARE_DIGITS),
        q_value=None,
        p_value=None,
        depends_on_one_token=False,
        basis=None,
        reason=reason,
    )


def _verdict(
    evidence: Evidence, estimate: Estimate, q_value: float | None, prior: Prior
) -> tuple[Verdict, str]:
    """Return the verdict of a wallet without a hard flag, and the reason in words.

    q_value: None if there is too little evidence for a verdict.
    """
    if evidence.known_share < MIN_KNOWN_SHARE:
        return Verdict.NOT_KNOWN, (
            f"only {_percent_below(evidence.known_share)} of its results are known, "
            f"{MIN_KNOWN_SHARE:.0%} are needed"
        )
    if q_value is None:
        return Verdict.NOT_KNOWN, (
            f"{math.floor(estimate.effect.n * 10) / 10:.1f} effective tokens, "
            f"{MIN_EFFECTIVE_TOKENS} are needed"
        )
    edge = (
        f"{estimate.edge_pct:+.1f} % a trade "
        f"[{estimate.edge_low_pct:+.1f}, {estimate.edge_high_pct:+.1f}] "
        f"from {evidence.tokens} tokens"
    )
    obstacle = _obstacle_to_follow(evidence, estimate, q_value, prior)
    if not obstacle:
        return Verdict.FOLLOW, edge
    if estimate.score >= MIN_SCORE_TO_FOLLOW:
        return Verdict.WATCH, f"{edge}; {obstacle}"
    if estimate.edge_high_pct < 0:
        return Verdict.AVOID, f"{edge}; who follows loses"
    if estimate.edge_pct > 0:
        return Verdict.WATCH, f"{edge}; {obstacle}"
    return Verdict.NEUTRAL, f"{edge}; neither gain nor loss is shown"


def _obstacle_to_follow(
    evidence: Evidence, estimate: Estimate, q_value: float, prior: Prior
) -> str:
    """Return what keeps a wallet from being followed, "" if nothing does."""
    if estimate.score < MIN_SCORE_TO_FOLLOW:
        sure = _percent_below(estimate.score)
        return f"{sure} sure of a gain, {MIN_SCORE_TO_FOLLOW:.0%} are needed"
    if q_value > MAX_Q_TO_FOLLOW:
        return f"{_percent_above(q_value)} of wallets as good as this are lucky ones"
    if estimate.p_value > MAX_P_TO_FOLLOW:
        return f"luck alone does as well in {_percent_above(estimate.p_value)} of cases"
    has_late_prices = prior.steps[-1] is not None
    if has_late_prices and evidence.late_tokens < OWN_TOKENS:
        return f"{evidence.late_tokens} of {OWN_TOKENS} tokens measured late"
    return ""


def _percent_below(share: float) -> str:
    """Return the share in whole percent, rounded down: it is below a limit."""
    return f"{math.floor(share * 100)}%"


def _percent_above(share: float) -> str:
    """Return the share in whole percent, rounded up: it is above a limit."""
    return f"{math.ceil(share * 100)}%"


def _basis(evidence: Evidence) -> str:
    """Return how closely the follower's prices were seen."""
    levels = evidence.levels
    closest = max(levels)
    name = LEVEL_NAMES[closest]
    if min(levels) < closest:
        return f"{name}, part by sample"
    return name


def _population(
    pairs: Sequence[tuple[Evidence, Estimate | None]],
    judgements: Sequence[Judgement],
    prior: Prior,
) -> Population:
    gaining: list[float] = []
    for evidence, estimate in pairs:
        if estimate is None or evidence.arm != "found":
            continue
        if _is_judged(evidence, estimate) and estimate.effect.mean > 0:
            gaining.append(1 - estimate.score)
    followed = [
        1 - estimate.score
        for (_, estimate), judgement in zip(pairs, judgements, strict=True)
        if estimate is not None and judgement.verdict is Verdict.FOLLOW
    ]
    return Population(
        g0=round(prior.g0, _SHARE_DIGITS),
        tau2=round(prior.tau2, _SHARE_DIGITS),
        sigma2=round(prior.sigma2, _SHARE_DIGITS),
        wallets=prior.wallets,
        pi0=round(math.fsum(prior.mass["found"][:FIRST_GAINING]), _SHARE_DIGITS),
        luck_share=_mean_or_none(gaining),
        follow=len(followed),
        follow_luck=_mean_or_none(followed),
        prior=msgspec.structs.replace(
            prior, family=tuple(round(score, _FAMILY_DIGITS) for score in prior.family)
        ),
    )


def _mean_or_none(values: Sequence[float]) -> float | None:
    if not values:
        return None
    return round(math.fsum(values) / len(values), _SHARE_DIGITS)

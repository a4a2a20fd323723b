"""The estimate of one wallet: score, edge with its interval, and luck, from its evidence
and the prior.
"""

import math
from collections.abc import Sequence
from typing import Final

import msgspec

from discovery.analysis.effects import (
    Effect,
    Shift,
    measure,
    shifts_of,
    token_values,
)
from discovery.analysis.evidence import Evidence
from discovery.analysis.luck import sign_test
from discovery.analysis.population import CELL_WIDTH, CENTRES, FIRST_GAINING
from discovery.analysis.statistics import weighted_mean
from discovery.domain.judgements import Prior

_TAIL: Final = 0.05
_EVEN: Final = 0.5


class Estimate(msgspec.Struct, frozen=True):
    """Estimate from the evidence of one wallet and the prior. Edges in % of the
    stake a trade.
    """

    effect: Effect
    score: float
    edge_pct: float
    edge_low_pct: float
    edge_high_pct: float
    leader_edge_pct: float
    p_value: float
    depends_on_one_token: bool


def estimate_wallet(evidence: Evidence, prior: Prior) -> Estimate | None:
    """Return the estimate of a wallet, None without a known token."""
    if not evidence.tokens:
        return None
    mass = prior.mass.get(evidence.arm, prior.mass["other"])
    shifts = shifts_of(evidence, prior.steps)
    values = token_values(evidence, shifts)
    effect = measure(evidence, values, shifts, prior.sigma2)
    posterior = _posterior(effect, mass)
    score = math.fsum(posterior[FIRST_GAINING:])
    mean = math.fsum(p * cell for p, cell in zip(posterior, CENTRES, strict=True))
    weighted = [w * x for w, x in zip(evidence.weights, values, strict=True)]
    scale = 100 * effect.deviation
    return Estimate(
        effect=effect,
        score=score,
        edge_pct=scale * mean,
        edge_low_pct=scale * _quantile(posterior, _TAIL),
        edge_high_pct=scale * _quantile(posterior, 1 - _TAIL),
        leader_edge_pct=100 * weighted_mean(evidence.leader_growths, evidence.weights),
        p_value=sign_test(weighted),
        depends_on_one_token=score > _EVEN
        and _score_without_best(evidence, values, weighted, shifts, prior) <= _EVEN,
    )


def _posterior(effect: Effect, mass: Sequence[float]) -> list[float]:
    """Return the probability of each cell: prior times likelihood."""
    likelihoods = effect.likelihoods(CENTRES)
    joint = [
        prior * likelihood for prior, likelihood in zip(mass, likelihoods, strict=True)
    ]
    total = math.fsum(joint)
    return [cell / total for cell in joint]


def _quantile(posterior: Sequence[float], probability: float) -> float:
    """Return the effect below which `probability` lies, linear within a cell."""
    below = 0.0
    for cell, centre in zip(posterior, CENTRES, strict=True):
        if below + cell >= probability:
            return centre + CELL_WIDTH * ((probability - below) / cell - 0.5)
        below += cell
    return CENTRES[-1] + CELL_WIDTH / 2


def _score_without_best(
    evidence: Evidence,
    values: Sequence[float],
    weighted: Sequence[float],
    shifts: Sequence[Shift],
    prior: Prior,
) -> float:
    """Return the score without the token that gained most, 0 without another one."""
    if len(values) < 2:
        return 0.0
    best = max(range(len(weighted)), key=weighted.__getitem__)
    effect = measure(evidence, values, shifts, prior.sigma2, without=best)
    mass = prior.mass.get(evidence.arm, prior.mass["other"])
    return math.fsum(_posterior(effect, mass)[FIRST_GAINING:])

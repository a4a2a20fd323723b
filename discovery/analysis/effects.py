"""The effect of one wallet: mean growth of its follower in units of its own spread, with
its uncertainty.

A token whose late price was not seen gets the usual difference between the levels: that
of the wallet's other tokens, of the population, or of both.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from discovery.analysis.evidence import LEVELS, Evidence
from discovery.analysis.statistics import moments
from discovery.domain.judgements import LevelStep

SPREAD_TOKENS: Final = 8
"""Tokens that the population's spread counts for."""
OWN_TOKENS: Final = 3
"""Own tokens from which the population says nothing about a step between levels."""


class Shift(NamedTuple):
    """Mean difference between two levels of seeing, and the variance of that mean."""

    mean: float
    variance: float


WITHIN_UNKNOWN: Final = 0.02
"""Variance of a step between the tokens of a wallet where no two tokens show it."""
NO_SHIFT: Final = Shift(0.0, 0.0)


class Effect(NamedTuple):
    """Measured effect of a wallet, with Student's t as its likelihood.

    mean, spread, n: of the follower's growth by token. deviation: the spread's root,
    shrunk towards the population's. value: mean ÷ deviation; variance: of the value.
    """

    n: float
    mean: float
    spread: float
    deviation: float
    value: float
    variance: float
    degrees: float

    def likelihoods(self, effects: Sequence[float]) -> list[float]:
        """Return the likelihood of each true effect, up to a constant factor: that of the
        nearest one is 1. Far from the measured value all of them would be 0 otherwise,
        as floats.
        """
        scale = self.variance * self.degrees
        bases = [1 + (effect - self.value) ** 2 / scale for effect in effects]
        nearest = min(bases)
        exponent = -(self.degrees + 1) / 2
        return [float((base / nearest) ** exponent) for base in bases]


def shifts_of(
    evidence: Evidence, steps: Sequence[LevelStep | None]
) -> tuple[Shift, ...]:
    """Return the wallet's shift of each step between levels."""
    return tuple(_shift(evidence, index, step) for index, step in enumerate(steps))


def _shift(evidence: Evidence, index: int, step: LevelStep | None) -> Shift:
    """Return the shift of one step.

    With 3 own tokens or more their mean; with fewer the mean of them and one token of
    the usual wallet; without any that of the usual wallet. Where the population does not
    show the step, a wallet with fewer than 3 has none.
    """
    count, own = evidence.step_moments(index)
    usual_within = WITHIN_UNKNOWN if step is None else step.within
    within = (2 * usual_within + own.n * own.spread) / (2 + own.n)
    if count >= OWN_TOKENS:
        return Shift(own.mean, within / own.n)
    if step is None:
        return NO_SHIFT
    if not count:
        return Shift(step.median, step.between + step.within)
    mean = (own.n * own.mean + step.median) / (own.n + 1)
    return Shift(mean, within / (own.n + 1) + step.between)


def token_values(evidence: Evidence, shifts: Sequence[Shift]) -> list[float]:
    """Return the growth of the follower by token, at the closest level as it would have
    been.
    """
    rests = [
        math.fsum(shift.mean for shift in shifts[level:]) for level in range(LEVELS)
    ]
    return [
        evidence.growths[level][index] + rests[level]
        for index, level in enumerate(evidence.levels)
    ]


def measure(
    evidence: Evidence,
    values: Sequence[float],
    shifts: Sequence[Shift],
    sigma2: float,
    *,
    without: int | None = None,
) -> Effect:
    """Return the effect of the tokens, at least one.

    sigma2: the population's variance of a token's growth. without: index of a token to
    leave out.
    """
    chosen = [index for index in range(len(values)) if index != without]
    weights = [evidence.weights[index] for index in chosen]
    n, mean, spread = moments([values[index] for index in chosen], weights)
    deviation = math.sqrt((SPREAD_TOKENS * sigma2 + n * spread) / (SPREAD_TOKENS + n))
    total = math.fsum(weights)
    uncertain = 0.0
    for step, shift in enumerate(shifts):
        missing = math.fsum(
            evidence.weights[index]
            for index in chosen
            if evidence.levels[index] <= step
        )
        uncertain += (missing / total) ** 2 * shift.variance
    return Effect(
        n=n,
        mean=mean,
        spread=spread,
        deviation=deviation,
        value=mean / deviation,
        variance=1 / n + uncertain / deviation**2,
        degrees=SPREAD_TOKENS + n - 1,
    )

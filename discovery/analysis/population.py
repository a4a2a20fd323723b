"""The population that wallets are judged against: what to expect of a wallet before its
own record (empirical Bayes).

The prior is a distribution over the effect in cells, estimated by EM from the wallets
themselves (nonparametric maximum likelihood, with pseudo wallets as an anchor): no
shape is assumed of it.
"""

import math
from collections.abc import Sequence
from statistics import median
from typing import Final, NamedTuple

from discovery.analysis.effects import (
    WITHIN_UNKNOWN,
    Effect,
    measure,
    shifts_of,
    token_values,
)
from discovery.analysis.evidence import Evidence
from discovery.analysis.statistics import Moments, moments
from discovery.domain.judgements import LevelStep, Prior

CELLS: Final = 100
CELL_WIDTH: Final = 0.04
CENTRES: Final = tuple(CELL_WIDTH * (index + 0.5 - CELLS / 2) for index in range(CELLS))
"""Middle of each cell of the effect, from -2 to 2. 0 is an edge."""
FIRST_GAINING: Final = CELLS // 2
"""Index of the first cell above 0."""

MIN_KNOWN_SHARE: Final = 0.8
MIN_SAMPLE_TOKENS: Final = 3
"""Effective tokens of a wallet that the prior is estimated from."""
MIN_STEP_WALLETS: Final = 5
_ROUNDS: Final = 100
_ANCHOR_WALLETS: Final = 10
_POOLED_WALLETS: Final = 40
_OPEN_SHARE: Final = 0.02
"""Flat part of every prior: somebody better than all so far stays possible."""
_START_MEAN: Final = -0.2
_START_DEVIATION: Final = 0.3
_START_WALLETS: Final = 10
_START_OPEN_SHARE: Final = 0.1
_MIN_START_DEVIATION: Final = 0.05
_START_TOKENS: Final = 50
"""Imagined tokens of spread 1, so that nobody is his own ruler."""
_NORMAL_DEVIATIONS: Final = 1.4826
"""Median absolute deviation → standard deviation of a normal distribution."""
_MIN_WITHIN: Final = 1e-6
_USUAL_MEAN: Final = -0.2
_USUAL_VARIANCE: Final = 0.05
_USUAL_SPREAD: Final = 0.25

_ARMS: Final = ("found", "control")
_WHOLE: Final = "other"


class _Means(NamedTuple):
    """Mean and variance of the wallets' mean growth."""

    g0: float
    tau2: float


def is_in_sample(evidence: Evidence) -> bool:
    """Return True if the prior is estimated from this wallet."""
    return (
        evidence.arm in _ARMS
        and not evidence.hard_flags
        and evidence.known_share >= MIN_KNOWN_SHARE
        and evidence.effective_tokens >= MIN_SAMPLE_TOKENS
    )


def estimate_prior(evidences: Sequence[Evidence]) -> Prior:
    """Return the prior of these wallets, with an empty family. Wallets outside the
    sample change nothing; the order of wallets does not matter.
    """
    sample = [evidence for evidence in evidences if is_in_sample(evidence)]
    sample.sort(key=lambda evidence: (evidence.wallet, evidence.arm))
    steps = (_level_step(sample, 0), _level_step(sample, 1))
    shifts = [shifts_of(evidence, steps) for evidence in sample]
    values = [
        token_values(evidence, own)
        for evidence, own in zip(sample, shifts, strict=True)
    ]
    rows = [
        moments(own, evidence.weights)
        for evidence, own in zip(sample, values, strict=True)
    ]
    sigma2 = _token_variance(rows)
    effects = [
        measure(evidence, own, own_shifts, sigma2)
        for evidence, own, own_shifts in zip(sample, values, shifts, strict=True)
    ]
    means = _between_wallets(rows)
    return Prior(
        steps=steps,
        sigma2=sigma2,
        g0=means.g0,
        tau2=means.tau2,
        mass=_masses([evidence.arm for evidence in sample], effects),
        wallets=len(sample),
    )


def _level_step(sample: Sequence[Evidence], index: int) -> LevelStep | None:
    """Return the usual difference between two levels of seeing, None if fewer than five
    wallets show it.

    By medians: the difference of an insider is far out, and must not become everybody's.
    """
    means: list[float] = []
    spreads: list[float] = []
    for evidence in sample:
        count, own = evidence.step_moments(index)
        if count:
            means.append(own.mean)
        if count > 1:
            spreads.append(own.spread)
    if len(means) < MIN_STEP_WALLETS:
        return None
    centre = median(means)
    deviation = _NORMAL_DEVIATIONS * median(abs(mean - centre) for mean in means)
    within = max(_MIN_WITHIN, median(spreads)) if spreads else WITHIN_UNKNOWN
    return LevelStep(median=centre, between=deviation**2, within=within)


def _token_variance(rows: Sequence[Moments]) -> float:
    """Return the variance of a token's growth within a wallet."""
    squares = math.fsum(row.n * row.spread for row in rows)
    degrees = math.fsum(max(row.n - 1, 0.0) for row in rows)
    return (squares + _START_TOKENS) / (degrees + _START_TOKENS)


def _between_wallets(rows: Sequence[Moments]) -> _Means:
    """Return mean and variance of the wallets' mean growth (DerSimonian and Laird 1986).

    s² = Σnv/Σmax(n-1, 0); N = Σn, M = Σnm/N;
    τ² = max(0, (Σn(m-M)² - (rows-1)s²)/(N - Σn²/N)); weights 1/(τ² + s²/n).
    """
    if not rows:
        return _Means(_USUAL_MEAN, _USUAL_VARIANCE)
    degrees = math.fsum(max(row.n - 1, 0.0) for row in rows)
    spread = _USUAL_SPREAD
    if degrees:
        spread = math.fsum(row.n * row.spread for row in rows) / degrees
    total = math.fsum(row.n for row in rows)
    mean = math.fsum(row.n * row.mean for row in rows) / total
    squares = math.fsum(row.n * (row.mean - mean) ** 2 for row in rows)
    scale = total - math.fsum(row.n**2 for row in rows) / total
    tau2 = 0.0
    if scale > 0:
        tau2 = max(0.0, (squares - (len(rows) - 1) * spread) / scale)
    weights = [_precision(tau2 + spread / row.n) for row in rows]
    g0 = math.fsum(w * row.mean for w, row in zip(weights, rows, strict=True))
    return _Means(g0 / math.fsum(weights), tau2)


def _precision(variance: float) -> float:
    """Return 1/variance; wallets without any spread weigh alike."""
    return 1 / variance if variance else 1.0


def _masses(
    arms: Sequence[str], effects: Sequence[Effect]
) -> dict[str, tuple[float, ...]]:
    """Return arm → mass of each cell of the effect.

    All wallets together are anchored by ten imagined ones, each arm by forty of all
    together.
    """
    whole = _estimate(effects, _start(effects), _ANCHOR_WALLETS)
    masses = {_WHOLE: whole}
    for arm in _ARMS:
        own = [
            effect
            for effect, own_arm in zip(effects, arms, strict=True)
            if own_arm == arm
        ]
        masses[arm] = _estimate(own, whole, _POOLED_WALLETS)
    return masses


def _start(effects: Sequence[Effect]) -> tuple[float, ...]:
    """Return the mass where EM starts: a normal distribution fitted to the measured
    effects and ten imagined ones, with a flat tenth.
    """
    wallets = len(effects) + _START_WALLETS
    mean = math.fsum(effect.value for effect in effects)
    mean = (mean + _START_WALLETS * _START_MEAN) / wallets
    squares = math.fsum((effect.value - mean) ** 2 for effect in effects)
    imagined = _START_DEVIATION**2 + (_START_MEAN - mean) ** 2
    variance = (squares + _START_WALLETS * imagined) / wallets
    deviation = max(_MIN_START_DEVIATION, math.sqrt(variance))
    bell = [math.exp(-((cell - mean) ** 2) / (2 * deviation**2)) for cell in CENTRES]
    total = math.fsum(bell)
    flat = _START_OPEN_SHARE / CELLS
    return tuple((1 - _START_OPEN_SHARE) * cell / total + flat for cell in bell)


def _estimate(
    effects: Sequence[Effect], anchor: Sequence[float], anchor_wallets: int
) -> tuple[float, ...]:
    """Return the mass after 100 rounds of EM that begin at the anchor, with a flat
    fiftieth. Each round adds up the wallets' posteriors and those of the pseudo wallets.
    """
    mass = _fit(effects, anchor, anchor_wallets) if effects else anchor
    flat = _OPEN_SHARE / CELLS
    return tuple((1 - _OPEN_SHARE) * cell + flat for cell in mass)


def _fit(
    effects: Sequence[Effect], anchor: Sequence[float], anchor_wallets: int
) -> list[float]:
    import numpy as np  # imported late because it takes 80 ms

    likelihoods = np.array([effect.likelihoods(CENTRES) for effect in effects])
    mass = np.array(anchor)
    pseudo = anchor_wallets * mass
    for _ in range(_ROUNDS):
        joint = likelihoods * mass
        posterior = joint / joint.sum(axis=1, keepdims=True)
        mass = pseudo + posterior.sum(axis=0)
        mass /= mass.sum()
    return [float(cell) for cell in mass]

"""The prior of a cohort, towards which a wallet's own record is shrunk (empirical
Bayes).
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from discovery.analysis.figures import counted_cycles
from discovery.analysis.statistics import (
    Z90,
    age_weight,
    effective_n,
    log_roi,
    weighted_mean,
)
from discovery.domain.profiles import Cycle, CycleResult, Prior

SCORE_VERSION: Final = 1
"""Raised with every change of a formula: scores of different versions cannot be
compared.
"""

MIN_WALLETS: Final = 10
MIN_STRENGTH: Final = 4.0
MAX_STRENGTH: Final = 40.0
MIN_MEAN: Final = 0.05
MAX_MEAN: Final = 0.75
"""A cohort that wins more often than this is no yardstick: full win skill is 0.8."""
_NEAR_ZERO: Final = 1e-9


class CycleSample(msgspec.Struct, frozen=True):
    """The counted cycles of one wallet in order. Recent ones weigh more."""

    cycles: tuple[Cycle, ...]
    decided_n: float  # effective number of wins and losses
    win_share: float  # weighted share of wins among them, 0 without any
    n: float  # effective number of all cycles, even ones included
    mean_log_roi: float  # weighted, 0 without any
    spread: float  # weighted mean square around it


class _Beta(NamedTuple):
    """Beta distribution of the win rate."""

    alpha: float
    beta: float


class _Normal(NamedTuple):
    """Normal distribution of log-ROI: g₀, τ² between wallets, σ² between the cycles of
    a wallet.
    """

    g0: float
    tau2: float
    sigma2: float


FALLBACK: Final = _Beta(4.0, 6.0)


def weigh_cycles(cycles: Sequence[Cycle], now: int) -> CycleSample:
    """Return the sample of counted cycles at `now` (unix seconds). Raises
    ZeroDivisionError for a cycle without a cost, which is never counted.
    """
    weights = [age_weight(now - cycle.ended_at) for cycle in cycles]
    weights_by_result: dict[CycleResult, list[float]] = defaultdict(list)
    for weight, cycle in zip(weights, cycles, strict=True):
        weights_by_result[cycle.result].append(weight)
    win_weights, loss_weights = weights_by_result["win"], weights_by_result["loss"]
    decided_weights = win_weights + loss_weights
    win_values = [1.0] * len(win_weights) + [0.0] * len(loss_weights)
    returns = [
        log_roi(cycle.known_net_lamports, cycle.put_in_lamports) for cycle in cycles
    ]
    mean = _mean_or_zero(returns, weights)
    return CycleSample(
        cycles=tuple(cycles),
        decided_n=effective_n(decided_weights),
        win_share=_mean_or_zero(win_values, decided_weights),
        n=effective_n(weights),
        mean_log_roi=mean,
        spread=_mean_or_zero([(value - mean) ** 2 for value in returns], weights),
    )


def _mean_or_zero(values: Sequence[float], weights: Sequence[float]) -> float:
    if not values:
        return 0.0
    return weighted_mean(values, weights)


def edge_bound(
    sample: CycleSample, g0: float, tau2: float, sigma2: float
) -> float | None:
    """Return the 95 % lower bound of the wallet's mean log-ROI, shrunk towards the
    cohort's; None without a cycle.

    λ·ḡ + (1 - λ)·g₀ - 1.645·SE, with λ = n_eff / (n_eff + κ), κ = σ²/τ² and SE² =
    λ·σ²/n_eff, the variance left after shrinking (James–Stein, empirical Bayes). σ² is
    the cohort's: a wallet cannot narrow its bound by losing evenly. If τ² is 0 the
    wallets do not differ, and the bound of each is g₀.
    """
    if not sample.n:
        return None
    if not tau2:
        return g0
    share = sample.n / (sample.n + sigma2 / tau2)
    error = math.sqrt(share * sigma2 / sample.n)
    return share * sample.mean_log_roi + (1 - share) * g0 - Z90 * error


def estimate_prior(samples: Mapping[str, Sequence[Cycle]], now: int) -> Prior:
    """Return the prior of a run, estimated by the method of moments.

    samples: wallet -> its cycles without those of its seed tokens; those that
    statistics leave out are ignored. now: unix seconds. The result does not depend on
    the order of wallets.

    With fewer than 10 wallets that have a win or a loss, the prior is Beta(4, 6) and
    has no edges to compare with.
    """
    weighed = [
        weigh_cycles(counted_cycles(samples[wallet]), now) for wallet in sorted(samples)
    ]
    decided = [sample for sample in weighed if sample.decided_n]
    if len(decided) < MIN_WALLETS:
        return Prior(
            alpha0=FALLBACK.alpha,
            beta0=FALLBACK.beta,
            g0=0.0,
            tau2=0.0,
            sigma2=0.0,
            wallets=len(decided),
            edges=(),
            version=SCORE_VERSION,
        )
    win_rate = _estimate_beta(decided)
    returns = _estimate_normal(decided)
    bounds = [
        edge_bound(sample, returns.g0, returns.tau2, returns.sigma2)
        for sample in decided
    ]
    return Prior(
        alpha0=win_rate.alpha,
        beta0=win_rate.beta,
        g0=returns.g0,
        tau2=returns.tau2,
        sigma2=returns.sigma2,
        wallets=len(decided),
        edges=tuple(sorted(bound for bound in bounds if bound is not None)),
        version=SCORE_VERSION,
    )


def _estimate_beta(samples: Sequence[CycleSample]) -> _Beta:
    """Estimate α₀ and β₀ from the spread of the wallets' win rates beyond what their
    sample sizes explain.

    With wallet i winning p_i of n_i, p the mean over all, N = Σn_i and m wallets: E Σ
    n_i (p_i - p)² = p(1 - p) · ((m - 1)(1 - ρ) + ρ(N - Σn_i²/N)), and α₀ + β₀ = 1/ρ -
    1, limited to 4–40.
    """
    sizes = [sample.decided_n for sample in samples]
    rates = [sample.win_share for sample in samples]
    mean = weighted_mean(rates, sizes)
    strength = min(max(_strength(sizes, rates, mean), MIN_STRENGTH), MAX_STRENGTH)
    mean = min(max(mean, MIN_MEAN), MAX_MEAN)
    return _Beta(strength * mean, strength * (1 - mean))


def _strength(sizes: Sequence[float], rates: Sequence[float], mean: float) -> float:
    """Return α₀ + β₀ without its limits."""
    fewer = len(sizes) - 1
    room = _room(sizes) - fewer
    if room <= _NEAR_ZERO:
        # One cycle each: differences between wallets cannot be told from luck.
        return sum(FALLBACK)
    if not 0 < mean < 1:
        return MAX_STRENGTH
    spread = _squares_around(mean, rates, sizes)
    correlation = (spread / (mean * (1 - mean)) - fewer) / room
    if correlation <= 0:
        return MAX_STRENGTH
    return 1 / correlation - 1


def _estimate_normal(samples: Sequence[CycleSample]) -> _Normal:
    """Estimate g₀, τ² and σ² of log-ROI by DerSimonian and Laird's moments."""
    sizes = [sample.n for sample in samples]
    means = [sample.mean_log_roi for sample in samples]
    sigma2 = _within_variance(samples)
    tau2 = _between_variance(sizes, means, sigma2)
    if not tau2 and not sigma2:
        return _Normal(weighted_mean(means, [1.0] * len(means)), tau2, sigma2)
    weights = [1 / (tau2 + sigma2 / n) for n in sizes]
    return _Normal(weighted_mean(means, weights), tau2, sigma2)


def _within_variance(samples: Sequence[CycleSample]) -> float:
    """Return σ², pooled over the wallets: Σ n_i·s_i² / Σ(n_i - 1); 0 with one cycle
    each.
    """
    freedom = math.fsum(sample.n - 1 for sample in samples)
    if freedom <= _NEAR_ZERO:
        return 0.0
    return math.fsum(sample.n * sample.spread for sample in samples) / freedom


def _between_variance(
    sizes: Sequence[float], means: Sequence[float], sigma2: float
) -> float:
    """Return τ², DerSimonian and Laird (1986): (Σ n_i·(ḡ_i - ḡ)² - (m - 1)·σ²) /
    (N - Σn_i²/N), at least 0.
    """
    room = _room(sizes)
    if room <= _NEAR_ZERO:
        return 0.0
    spread = _squares_around(weighted_mean(means, sizes), means, sizes)
    return max(0.0, (spread - (len(sizes) - 1) * sigma2) / room)


def _room(sizes: Sequence[float]) -> float:
    """Return N - Σn²/N, which is 0 for a single wallet."""
    total = math.fsum(sizes)
    return total - math.fsum(n**2 for n in sizes) / total


def _squares_around(
    mean: float, values: Sequence[float], sizes: Sequence[float]
) -> float:
    """Return Σ n_i·(v_i - mean)²."""
    return math.fsum(
        n * (value - mean) ** 2 for n, value in zip(sizes, values, strict=True)
    )

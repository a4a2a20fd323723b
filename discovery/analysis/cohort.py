"""What a run's candidates say together: the prior towards which a wallet's own record is shrunk (empirical Bayes)."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from discovery.analysis.figures import counted_cycles
from discovery.analysis.statistics import Z90, age_weight, effective_n, log_roi, weighted_mean
from discovery.domain.profiles import Cycle, Prior

SCORE_VERSION: Final = 1
"""Raised with every change of a formula: scores of different versions do not compare."""

MIN_WALLETS: Final = 10
FALLBACK: Final = (4.0, 6.0)
MIN_STRENGTH: Final = 4.0
MAX_STRENGTH: Final = 40.0
MIN_MEAN: Final = 0.05
MAX_MEAN: Final = 0.75
"""A cohort that wins more often than this is no yardstick: full win skill is 0.8."""


class CycleSample(msgspec.Struct, frozen=True):
    """One wallet's counted cycles in order, recent ones weighing more."""

    cycles: tuple[Cycle, ...]
    decided_n: float  # effective number of wins and losses
    win_share: float  # weighted share of wins in them, 0 where there are none
    n: float  # effective number of all cycles, even ones among them
    mean_log_roi: float  # weighted, 0 where there is none
    spread: float  # weighted mean square around it


def weigh_cycles(cycles: Sequence[Cycle], now: int) -> CycleSample:
    """The sample of counted cycles at `now` (unix seconds)."""
    weights = [age_weight(now - (cycle.resolved_at or cycle.last_trade_at)) for cycle in cycles]
    decided = [(w, cycle.result == "win") for w, cycle in zip(weights, cycles, strict=True) if cycle.result != "even"]
    decided_weights = [w for w, _ in decided]
    returns = [log_roi(cycle.net_lamports, cycle.put_in_lamports) for cycle in cycles]
    mean = weighted_mean(returns, weights) if cycles else 0.0
    return CycleSample(
        cycles=tuple(cycles),
        decided_n=effective_n(decided_weights),
        win_share=weighted_mean([float(won) for _, won in decided], decided_weights) if decided else 0.0,
        n=effective_n(weights),
        mean_log_roi=mean,
        spread=weighted_mean([(value - mean) ** 2 for value in returns], weights) if cycles else 0.0,
    )


def edge_bound(sample: CycleSample, g0: float, tau2: float, sigma2: float) -> float | None:
    """The 95 % lower bound of the wallet's mean log-ROI, shrunk towards the cohort's; None without a cycle.

    λ·ḡ + (1 - λ)·g₀ - 1.645·SE, with λ = n_eff / (n_eff + κ), κ = σ²/τ² and SE² = λ·σ²/n_eff, the variance left after
    shrinking (James–Stein, empirical Bayes). σ² is the cohort's: a wallet cannot narrow its bound by losing evenly.
    """
    if not sample.n:
        return None
    if not tau2:
        return g0
    share = sample.n / (sample.n + sigma2 / tau2)
    error = math.sqrt(share * sigma2 / sample.n)
    return share * sample.mean_log_roi + (1 - share) * g0 - Z90 * error


def estimate_prior(samples: Mapping[str, Sequence[Cycle]], now: int) -> Prior:
    """The prior of a run by the method of moments.

    samples: wallet -> its cycles, those of its seed tokens left out. now: unix seconds. With fewer than 10 wallets that
    have a win or a loss: Beta(4, 6), and no edges to compare with.
    """
    whole = [weigh_cycles(counted_cycles(samples[wallet]), now) for wallet in sorted(samples)]
    decided = [sample for sample in whole if sample.decided_n]
    if len(decided) < MIN_WALLETS:
        alpha0, beta0 = FALLBACK
        return Prior(alpha0, beta0, 0.0, 0.0, 0.0, len(decided), (), SCORE_VERSION)
    alpha0, beta0 = _beta(decided)
    g0, tau2, sigma2 = _normal(decided)
    bounds = [edge_bound(sample, g0, tau2, sigma2) for sample in decided]
    edges = tuple(sorted(bound for bound in bounds if bound is not None))
    return Prior(alpha0, beta0, g0, tau2, sigma2, len(decided), edges, SCORE_VERSION)


def _beta(samples: Sequence[CycleSample]) -> tuple[float, float]:
    """α₀ and β₀ from the spread of the wallets' win rates beyond what their sample sizes explain.

    With wallet i winning p_i of n_i, p the mean over all, N = Σn_i and m wallets:
    E Σ n_i (p_i - p)² = p(1 - p) · ((m - 1)(1 - ρ) + ρ(N - Σn_i²/N)), and α₀ + β₀ = 1/ρ - 1, kept within 4–40.
    """
    total = math.fsum(s.decided_n for s in samples)
    mean = math.fsum(s.decided_n * s.win_share for s in samples) / total
    spread = math.fsum(s.decided_n * (s.win_share - mean) ** 2 for s in samples)
    fewer = len(samples) - 1
    room = total - math.fsum(s.decided_n**2 for s in samples) / total - fewer
    if room <= 1e-9:
        # One cycle each: how much wallets differ cannot be told from luck.
        strength = sum(FALLBACK)
    elif not 0 < mean < 1:
        strength = MAX_STRENGTH
    else:
        correlation = (spread / (mean * (1 - mean)) - fewer) / room
        strength = MAX_STRENGTH if correlation <= 0 else 1 / correlation - 1
    strength = min(max(strength, MIN_STRENGTH), MAX_STRENGTH)
    mean = min(max(mean, MIN_MEAN), MAX_MEAN)
    return strength * mean, strength * (1 - mean)


def _normal(samples: Sequence[CycleSample]) -> tuple[float, float, float]:
    """g₀, τ² (between wallets) and σ² (between a wallet's cycles) of log-ROI, by DerSimonian and Laird's moments."""
    freedom = math.fsum(s.n - 1 for s in samples)
    sigma2 = math.fsum(s.n * s.spread for s in samples) / freedom if freedom > 1e-9 else 0.0
    total = math.fsum(s.n for s in samples)
    mean = math.fsum(s.n * s.mean_log_roi for s in samples) / total
    between = math.fsum(s.n * (s.mean_log_roi - mean) ** 2 for s in samples)
    room = total - math.fsum(s.n**2 for s in samples) / total
    tau2 = max(0.0, (between - (len(samples) - 1) * sigma2) / room) if room > 1e-9 else 0.0
    shares = [1 / (tau2 + sigma2 / s.n) if tau2 or sigma2 else 1.0 for s in samples]
    return weighted_mean([s.mean_log_roi for s in samples], shares), tau2, sigma2

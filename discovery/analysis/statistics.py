"""The statistics that profiles and scores rest on. Pure functions of numbers; sums do not depend on the order."""

import math
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from functools import cache, lru_cache
from statistics import NormalDist
from typing import Any, Final

Z90: Final = 1.645
"""Two-sided 90 %: each end of an interval is a one-sided 95 % bound."""

HALF_LIFE_DAYS: Final = 30
SECONDS_PER_DAY: Final = 86_400
MIN_ROI: Final = -0.99
MAX_ROI: Final = 10.0


def wilson_interval(hits: float, n: float, z: float = Z90) -> tuple[float, float]:
    """The interval of a rate of `hits` in `n` trials (Wilson 1927). Raises ValueError where n is not positive."""
    if n <= 0:
        raise ValueError("an interval needs at least one trial")
    rate = hits / n
    centre = rate + z * z / (2 * n)
    reach = z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (centre - reach) / scale), min(1.0, (centre + reach) / scale)


@cache
def _arithmetic() -> Any:
    """A context of our own with 20 digits: the same result on every machine, whatever others set."""
    from mpmath.ctx_mp import MPContext  # type: ignore[import-untyped]  # late: it costs 50 ms

    context = MPContext()
    context.dps = 20
    return context


@lru_cache(maxsize=4096)
def beta_quantile(p: float, a: float, b: float) -> float:
    """The x at which the regularised incomplete beta function I_x(a, b) is `p`, to 10⁻⁹.

    Raises ValueError unless 0 < p < 1 and a, b > 0.
    """
    if not (0 < p < 1 and a > 0 and b > 0):
        raise ValueError("a beta quantile needs 0 < p < 1 and positive parameters")
    context = _arithmetic()
    low, high = 0.0, 1.0
    # Halving alone: 30 steps are quick enough, and no start value can lead astray.
    while high - low > 1e-9:
        middle = (low + high) / 2
        if context.betainc(a, b, 0, middle, regularized=True) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def log_roi(net_lamports: int, put_in_lamports: int) -> float:
    """ln(1 + ROI), ROI between -99 % and +1,000 %, so that one outlier does not carry a mean."""
    return math.log1p(min(max(net_lamports / put_in_lamports, MIN_ROI), MAX_ROI))


def age_weight(age_seconds: int) -> float:
    """What a result that old still says: it halves every 30 days. A result of the future weighs as one of now."""
    return float(2.0 ** (-max(0, age_seconds) / SECONDS_PER_DAY / HALF_LIFE_DAYS))


def effective_n(weights: Sequence[float]) -> float:
    """Kish's effective sample size (Σw)² / Σw²; 0 for none."""
    squares = math.fsum(w * w for w in weights)
    return math.fsum(weights) ** 2 / squares if squares else 0.0


def weighted_mean(values: Sequence[float], weights: Sequence[float]) -> float:
    """Σwv / Σw; the weights must not all be zero."""
    return math.fsum(w * v for w, v in zip(weights, values, strict=True)) / math.fsum(weights)


def probabilistic_sharpe(returns: Sequence[float]) -> float | None:
    """The probability that the true Sharpe ratio is above 0 (Bailey and López de Prado 2012).

    Φ(SR / √((1 - γ₃·SR + (γ₄ - 1)·SR²/4) / (n - 1))), with skewness γ₃ and kurtosis γ₄ of the returns. None where it is
    not defined: fewer than three returns, or none that differ.
    """
    n = len(returns)
    if n < 3:
        return None
    mean = math.fsum(returns) / n
    square = math.fsum((r - mean) ** 2 for r in returns) / n
    if square <= 1e-18:
        return None
    deviation = math.sqrt(square)
    skewness = math.fsum(((r - mean) / deviation) ** 3 for r in returns) / n
    kurtosis = math.fsum(((r - mean) / deviation) ** 4 for r in returns) / n
    ratio = mean / math.sqrt(square * n / (n - 1))
    variance = (1 - skewness * ratio + (kurtosis - 1) * ratio * ratio / 4) / (n - 1)
    if variance <= 1e-12:
        return None
    return NormalDist().cdf(ratio / math.sqrt(variance))


def herfindahl(gains: Iterable[int]) -> Fraction | None:
    """Σ share² of the positive gains: 1 = one made it all, 1/k = k equal ones. None where nothing was gained."""
    positive = [gain for gain in gains if gain > 0]
    total = sum(positive)
    return Fraction(sum(gain * gain for gain in positive), total * total) if total else None


def to_decimal(value: float, places: int = 4) -> Decimal:
    """The float's exact value rounded half-even to `places`."""
    return Decimal(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)

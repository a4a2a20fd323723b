"""Statistics behind profiles and scores. Pure functions of numbers; sums do not depend
on the order.
"""

import math
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from functools import cache, lru_cache
from operator import mul
from statistics import NormalDist, median_high, median_low
from typing import Any, Final, NamedTuple

Z90: Final = 1.645
"""Two-sided 90 %: each end of an interval is a one-sided 95 % bound."""

HALF_LIFE_DAYS: Final = 30
SECONDS_PER_DAY: Final = 86_400
MIN_ROI: Final = -0.99
MAX_ROI: Final = 10.0


def wilson_interval(hits: float, n: float, z: float = Z90) -> tuple[float, float]:
    """Return the interval of a rate of `hits` in `n` trials (Wilson 1927). Raises
    ValueError if n is not positive.
    """
    if n <= 0:
        raise ValueError("an interval needs at least one trial")
    rate = hits / n
    centre = rate + z * z / (2 * n)
    reach = z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (centre - reach) / scale), min(1.0, (centre + reach) / scale)


@cache
def _arithmetic() -> Any:
    """Return a private context with 20 digits: the result is the same on every machine."""
    from mpmath.ctx_mp import MPContext  # type: ignore[import-untyped]  # imported late because it takes 50 ms

    context = MPContext()
    context.dps = 20
    return context


@lru_cache(maxsize=4096)
def beta_quantile(p: float, a: float, b: float) -> float:
    """Return x with I_x(a, b) = `p`, the regularised incomplete beta function, to 10⁻⁹.

    Raises ValueError unless 0 < p < 1 and a, b > 0.
    """
    if not (0 < p < 1 and a > 0 and b > 0):
        raise ValueError("a beta quantile needs 0 < p < 1 and positive parameters")
    context = _arithmetic()
    low, high = 0.0, 1.0
    # Bisection: 30 steps are fast enough, and it converges from any start.
    while high - low > 1e-9:
        middle = (low + high) / 2
        if context.betainc(a, b, 0, middle, regularized=True) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def log_roi(net_lamports: int, put_in_lamports: int) -> float:
    """Return ln(1 + ROI) with ROI limited to -99 % … +1,000 %, so that one outlier does
    not dominate a mean. Raises ZeroDivisionError if nothing was put in.
    """
    roi = net_lamports / put_in_lamports
    return math.log1p(min(max(roi, MIN_ROI), MAX_ROI))


def age_weight(age_seconds: int) -> float:
    """Return the weight of a result of that age: it halves every 30 days. A result in
    the future weighs 1.
    """
    return float(2.0 ** (-max(0, age_seconds) / SECONDS_PER_DAY / HALF_LIFE_DAYS))


def effective_n(weights: Sequence[float]) -> float:
    """Return Kish's effective sample size (Σw)² / Σw², 0 without weights."""
    squares = math.fsum(map(mul, weights, weights))
    if not squares:
        return 0.0
    return math.fsum(weights) ** 2 / squares


def weighted_mean(values: Sequence[float], weights: Sequence[float]) -> float:
    """Return Σwv / Σw. Raises ZeroDivisionError if all weights are zero, ValueError if
    there are not as many weights as values.
    """
    if len(values) != len(weights):
        raise ValueError("each value needs a weight")
    return math.fsum(map(mul, weights, values)) / math.fsum(weights)


def probabilistic_sharpe(returns: Sequence[float]) -> float | None:
    """Return the probability that the true Sharpe ratio is above 0 (Bailey and López de
    Prado 2012).

    Φ(SR / √((1 - γ₃·SR + (γ₄ - 1)·SR²/4) / (n - 1))), with skewness γ₃ and kurtosis γ₄
    of the returns. Returns None where it is not defined: fewer than three returns, or
    returns that are all equal.
    """
    n = len(returns)
    if n < 3:
        return None
    mean = math.fsum(returns) / n
    square = _central_moment(returns, mean, 1.0, 2)
    if square <= 1e-18:
        return None
    deviation = math.sqrt(square)
    skewness = _central_moment(returns, mean, deviation, 3)
    kurtosis = _central_moment(returns, mean, deviation, 4)
    ratio = mean / math.sqrt(square * n / (n - 1))
    variance = (1 - skewness * ratio + (kurtosis - 1) * ratio * ratio / 4) / (n - 1)
    if variance <= 1e-12:
        return None
    return NormalDist().cdf(ratio / math.sqrt(variance))


def _central_moment(
    values: Sequence[float], mean: float, scale: float, order: int
) -> float:
    """Return the mean of ((v - mean) / scale)^order over the values."""
    powers = [((value - mean) / scale) ** order for value in values]
    return math.fsum(powers) / len(values)


def herfindahl(gains: Iterable[int]) -> Fraction | None:
    """Return Σ share² of the positive gains: 1 = a single one, 1/k = k equal ones. None
    if nothing was gained.
    """
    positive = [gain for gain in gains if gain > 0]
    total = sum(positive)
    return quotient(sum(gain * gain for gain in positive), total * total)


def quotient(part: int | Fraction, total: int) -> Fraction | None:
    """Return part ÷ total, exact; None unless the total is positive."""
    if total <= 0:
        return None
    return Fraction(part, total)


def median(values: Sequence[int]) -> Fraction | None:
    """Return the middle value or the mean of the two middle values, None without
    values.
    """
    if not values:
        return None
    return Fraction(median_low(values) + median_high(values), 2)


def tenth_percentile(values: Sequence[int]) -> int | None:
    """Return the 10 % quantile by nearest rank: a tenth of the values are at or below
    it. None without values.
    """
    if not values:
        return None
    rank = math.ceil(Fraction(len(values), 10))
    return sorted(values)[rank - 1]


def to_decimal(value: float, places: int = 4) -> Decimal:
    """Return the exact value of the float rounded half-even to `places`. Raises
    decimal.InvalidOperation for infinity.
    """
    return Decimal(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)


class Moments(NamedTuple):
    """Effective number, mean and mean square deviation of weighted values."""

    n: float
    mean: float
    spread: float


NO_MOMENTS: Final = Moments(0.0, 0.0, 0.0)


def moments(values: Sequence[float], weights: Sequence[float]) -> Moments:
    """Return the moments of the values, NO_MOMENTS without any. The spread is around
    the mean, without a correction for the sample size.
    """
    if not values:
        return NO_MOMENTS
    total = math.fsum(weights)
    mean = weighted_mean(values, weights)
    squares = [(value - mean) ** 2 for value in values]
    spread = math.fsum(map(mul, weights, squares)) / total
    return Moments(effective_n(weights), mean, spread)

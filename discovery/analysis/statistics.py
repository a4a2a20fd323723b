"""Statistics behind profiles and scores. Pure functions of numbers; sums do not depend
on the order.
"""

import math
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from operator import mul
from statistics import median_high, median_low
from typing import Final, NamedTuple

Z90: Final = 1.645
"""Two-sided 90 %: each end of an interval is a one-sided 95 % bound."""

SECONDS_PER_DAY: Final = 86_400


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

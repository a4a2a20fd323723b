"""Student's t distribution, with any positive number of degrees of freedom."""

import math
from functools import lru_cache
from statistics import NormalDist
from typing import Final

_NORMAL: Final = NormalDist()
_TINY: Final = 1e-300
_PRECISION: Final = 1e-13
_MAX_TERMS: Final = 1000
_MAX_STEPS: Final = 200


@lru_cache(maxsize=4096)
def t_quantile(tail: float, degrees: float) -> float:
    """Return the t that is exceeded with probability `tail`, in (0, 0.5].

    Newton's method from the normal quantile: that is below t, and the tail is convex, so
    that the steps climb to t without passing it. Raises ValueError for another `tail`
    and for degrees that are not positive.
    """
    if not 0 < tail <= 0.5:
        raise ValueError("the probability of a tail is in (0, 0.5]")
    if degrees <= 0:
        raise ValueError("degrees of freedom are positive")
    t = max(0.0, -_NORMAL.inv_cdf(tail))
    for _ in range(_MAX_STEPS):
        step = (t_tail(t, degrees) - tail) / _density(t, degrees)
        t += step
        if step <= _PRECISION * max(1.0, t):
            break
    return t


def t_tail(t: float, degrees: float) -> float:
    """Return P(T > t) for t ≥ 0: half the regularised incomplete beta function
    I(ν/2, 1/2) at ν/(ν + t²).
    """
    if not t:
        return 0.5
    x = degrees / (degrees + t * t)
    a, b = degrees / 2, 0.5
    front = math.exp(
        math.lgamma(a + b)
        - math.lgamma(a)
        - math.lgamma(b)
        + a * math.log(x)
        - b * math.log1p(degrees / (t * t))
    )
    if x < (a + 1) / (a + b + 2):
        return front * _beta_fraction(a, b, x) / a / 2
    return (1 - front * _beta_fraction(b, a, 1 - x) / b) / 2


def _density(t: float, degrees: float) -> float:
    half = (degrees + 1) / 2
    log_scale = math.lgamma(half) - math.lgamma(degrees / 2)
    log_scale -= math.log(degrees * math.pi) / 2
    return math.exp(log_scale - half * math.log1p(t * t / degrees))


def _beta_fraction(a: float, b: float, x: float) -> float:
    """Return the continued fraction of the incomplete beta function by Lentz's method
    (NIST Handbook of Mathematical Functions 8.17.22).
    """
    numerator = 1.0
    denominator = 1 / _off_zero(1 - (a + b) * x / (a + 1))
    value = denominator
    for m in range(1, _MAX_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            denominator = 1 / _off_zero(1 + term * denominator)
            numerator = _off_zero(1 + term / numerator)
            value *= numerator * denominator
        if abs(numerator * denominator - 1) < _PRECISION:
            break
    return value


def _off_zero(value: float) -> float:
    return value or _TINY

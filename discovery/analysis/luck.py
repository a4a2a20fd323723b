"""Probability that a wallet with no edge at all does as well, from its own tokens alone."""

import math
from collections.abc import Sequence
from itertools import product
from statistics import NormalDist
from typing import Final

MAX_EXACT: Final = 12
"""Up to so many results all combinations of signs are counted."""
_TIE: Final = 1e-9
_NEAR_ZERO: Final = 0.001
_MAX_DOUBLINGS: Final = 200
_MAX_STEPS: Final = 100
_NORMAL: Final = NormalDist()


def sign_test(values: Sequence[float]) -> float:
    """Return P(sum of ±|v| ≥ sum of v) with every sign a fair coin; 1 without values.

    Exact up to 12 values that are not 0. Beyond that by the saddle point of the sum
    (Lugannani and Rice 1980), held in [2⁻ⁿ, 1].
    """
    sizes = [abs(value) for value in values if value]
    if not sizes:
        return 1.0
    total = math.fsum(values)
    if len(sizes) <= MAX_EXACT:
        return _exact(sizes, total)
    least = 2.0 ** -len(sizes)
    if all(value >= 0 for value in values):
        return least
    if all(value <= 0 for value in values):
        return 1.0
    return min(1.0, max(least, _saddle_point(sizes, total)))


def _exact(sizes: Sequence[float], total: float) -> float:
    least = total - _TIE * math.fsum(sizes)
    sums = [0.0]
    for size in sizes:
        sums = [each + sign * size for each, sign in product(sums, (1, -1))]
    reached = sum(each >= least for each in sums)
    return reached / len(sums)


def _saddle_point(sizes: Sequence[float], total: float) -> float:
    """Return 1 - Φ(r) + φ(r)(1/u - 1/r) at the z where K'(z) = total, with
    K(z) = Σ ln cosh(a·z), r = sign(z)·√(2(z·total - K)), u = z·√K''.
    """
    deviation = math.sqrt(math.fsum(size * size for size in sizes))
    if abs(total) < _NEAR_ZERO * deviation:
        return 1 - _NORMAL.cdf(total / deviation)
    z = _saddle(sizes, total)
    r = math.copysign(math.sqrt(2 * (z * total - _log_moment(sizes, z))), z)
    u = z * math.sqrt(_slopes(sizes, z)[1])
    if not u:
        # Nearly all of one sign: the sum is at its end, and so is the probability.
        return float(total < 0)
    return 1 - _NORMAL.cdf(r) + _NORMAL.pdf(r) * (1 / u - 1 / r)


def _saddle(sizes: Sequence[float], total: float) -> float:
    """Return z with K'(z) = total by Newton's method, held inside a bracket that
    halves where a step would leave it. K' grows with z.
    """
    low, high = _bracket(sizes, total)
    z = (low + high) / 2
    for _ in range(_MAX_STEPS):
        slope, curvature = _slopes(sizes, z)
        if slope < total:
            low = z
        else:
            high = z
        following = (low + high) / 2
        if curvature:
            newton = z - (slope - total) / curvature
            if low < newton < high:
                following = newton
        if following == z or high - low <= abs(z) * 1e-15:
            break
        z = following
    return z


def _bracket(sizes: Sequence[float], total: float) -> tuple[float, float]:
    """Return two ends with K'(z) = total between them. One is 0: K'(0) = 0."""
    end = math.copysign(1 / max(sizes), total)
    for _ in range(_MAX_DOUBLINGS):
        if abs(_slopes(sizes, end)[0]) >= abs(total):
            break
        end *= 2
    return min(0.0, end), max(0.0, end)


def _slopes(sizes: Sequence[float], z: float) -> tuple[float, float]:
    """Return K'(z) = Σ a·tanh(a·z) and K''(z) = Σ a²·(1 - tanh²(a·z))."""
    slope = curvature = 0.0
    for size in sizes:
        tangent = math.tanh(size * z)
        slope += size * tangent
        curvature += size * size * (1 - tangent * tangent)
    return slope, curvature


def _log_moment(sizes: Sequence[float], z: float) -> float:
    """Return Σ ln cosh(a·z), written so that large arguments do not overflow."""
    arguments = [abs(size * z) for size in sizes]
    return math.fsum(
        argument + math.log1p(math.exp(-2 * argument)) - math.log(2)
        for argument in arguments
    )

"""Means of trades that share wallets and tokens, with errors that know it.

Two trades of one wallet resemble each other, and so do two trades in one token, of
whatever arm. A hundred trades in ten tokens say little more than ten trades.
"""

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from functools import cached_property
from statistics import NormalDist
from typing import Final, NamedTuple

import msgspec

from discovery.analysis.statistics import effective_n
from discovery.analysis.student import t_quantile

TAIL: Final = 0.05
"""Probability beyond each end of an interval: two-sided 90 %."""
EFFECT_SCALE_STAKES: Final = 0.35
"""Where the bound for daily looks is near its tightest: for differences of about this
size, in stakes a trade. It holds for any size.
"""
MIN_DEGREES: Final = 2.0
_MIN_CLUSTERS: Final = 2
_MAX_NORMAL: Final = 8.0
_MIN_SKEWNESS: Final = 1e-6
_MAX_SKEWNESS: Final = 0.5
_NORMAL: Final = NormalDist()


class Interval(NamedTuple):
    """Ends of a 90 % interval, in the unit of the values."""

    low: float
    high: float


class Estimate(msgspec.Struct, frozen=True):
    """A mean or a difference of means, in the unit of the values.

    standard_error, degrees: for Student's t. skewness: of the estimate's own
    distribution, 0 if it is symmetric.
    """

    value: float
    standard_error: float
    degrees: float
    skewness: float = 0.0

    def interval(self) -> Interval:
        """Return the 90 % interval of one look: who looks every day finds the truth
        outside far more often.

        Each end is that of Student's t, or of Hall (1992), On the removal of skewness by
        transformation, where it is farther out: a few large wins pull the mean of a
        sample without them, and its error, down together.
        """
        t = t_quantile(TAIL, self.degrees)
        return Interval(
            self.value - self.standard_error * max(t, self._unskewed(t)),
            self.value - self.standard_error * min(-t, self._unskewed(-t)),
        )

    def sequential_interval(self) -> Interval:
        """Return the 90 % interval of a confidence sequence: it holds at all looks
        together, however many there are and whenever they stop.

        Robbins' normal mixture on the standard error s, Waudby-Smith, Arbour, Sinha,
        Kennedy and Ramdas (2024), Time-uniform central limit theory and asymptotic
        confidence sequences, arXiv 2103.06476, the two-sided boundary with tρ² = τ²/s²:
        reach = s·√((1 + s²/τ²)·(2 ln(1/α) + ln(1 + τ²/s²))), α = 0.1, τ =
        EFFECT_SCALE_STAKES. The theorem is one of large samples; for small ones the
        normal quantile reach/s is replaced by Student's t with the same tail. Wallets
        that stay make the looks resemble each other, which keeps the promise. No end is
        within the interval of one look.
        """
        error = self.standard_error
        if not error:
            return Interval(self.value, self.value)
        ratio = (EFFECT_SCALE_STAKES / error) ** 2
        normal = math.sqrt(
            (1 + 1 / ratio) * (math.log1p(ratio) - 2 * math.log(2 * TAIL))
        )
        reach = _like_student(normal, self.degrees) * error
        low, high = self.interval()
        return Interval(min(low, self.value - reach), max(high, self.value + reach))

    def _unskewed(self, t: float) -> float:
        """Return the standardised deviation that Hall's transformation maps to t:
        3/a·((1 + a(t - a/6))^⅓ - 1) with a = skewness.
        """
        a = min(max(self.skewness, -_MAX_SKEWNESS), _MAX_SKEWNESS)
        if abs(a) < _MIN_SKEWNESS:
            return t
        base = 1 + a * (t - a / 6)
        root = math.copysign(abs(base) ** (1 / 3), base)
        return 3 / a * (root - 1)


class Sample:
    """Values with the wallet and the token of each, and their sums by either."""

    def __init__(
        self, values: Sequence[float], wallets: Sequence[str], tokens: Sequence[str]
    ) -> None:
        self.values = values
        self.count = len(values)
        self.total = math.fsum(values)
        self._labels = (wallets, tokens)
        self.by_wallet = _sums(values, wallets)
        self.by_token = _sums(values, tokens)

    @property
    def mean(self) -> float:
        """Mean of the values."""
        return self.total / self.count

    @cached_property
    def by_pair(self) -> "Sums":
        """Sums by wallet and token."""
        return _sums(self.values, list(zip(*self._labels, strict=True)))


Sums = dict[Hashable, tuple[float, int]]
"""Cluster → sum and number of its values."""


def _sums(values: Sequence[float], labels: Sequence[Hashable]) -> Sums:
    by_label: defaultdict[Hashable, list[float]] = defaultdict(list)
    for label, value in zip(labels, values, strict=True):
        by_label[label].append(value)
    return {label: (math.fsum(own), len(own)) for label, own in by_label.items()}


def clustered_mean(sample: Sample) -> Estimate:
    """Return the mean of the sample. Raises ValueError unless it has two wallets and two
    tokens.
    """
    return _estimate([sample])


def clustered_difference(sample: Sample, other: Sample) -> Estimate:
    """Return the mean of `sample` less the mean of `other`. A wallet or token of both
    is one cluster, so that what they share cancels. Raises ValueError unless each has
    two wallets and two tokens.
    """
    return _estimate([sample, other])


def _estimate(samples: Sequence[Sample]) -> Estimate:
    """Return the mean of the first sample, less that of the second if there is one.

    Variance: that of the cluster jackknife by wallet plus that by token less that by
    both (Cameron, Gelbach and Miller 2011; MacKinnon, Nielsen and Webb 2024, Jackknife
    inference with two-way clustering, arXiv 2406.08880). This sum is often too small and
    may be negative; the largest of it, wallets and tokens, which that paper proposes, is
    too large where clusters matter little. Their mean is nearest to the truth in the
    worlds of `python -m benchmarks report`; a sum that is not positive does not count.
    """
    wallets = [sample.by_wallet for sample in samples]
    tokens = [sample.by_token for sample in samples]
    if min(map(len, [*wallets, *tokens])) < _MIN_CLUSTERS:
        raise ValueError("an error needs two wallets and two tokens in each sample")
    by_wallet = _jackknife(samples, wallets)
    by_token = _jackknife(samples, tokens)
    by_pair = _jackknife(samples, [sample.by_pair for sample in samples])
    total = by_wallet.variance + by_token.variance - by_pair.variance
    largest = max(total, by_wallet.variance, by_token.variance)
    variance = (total + largest) / 2 if total > 0 else largest
    error = math.sqrt(variance)
    third = by_wallet.third + by_token.third - by_pair.third
    means = [sample.mean for sample in samples]
    degrees = min(
        _welch_degrees(map(_effective_clusters, wallets)),
        min(map(_effective_clusters, tokens)) - 1,
    )
    return Estimate(
        value=means[0] - math.fsum(means[1:]),
        standard_error=error,
        degrees=max(MIN_DEGREES, degrees),
        skewness=third / error**3 if error else 0.0,
    )


class _Jackknife(NamedTuple):
    """Variance and third central moment of an estimate."""

    variance: float
    third: float


def _jackknife(samples: Sequence[Sample], clusters: Sequence[Sums]) -> _Jackknife:
    """Return the moments from the changes of the estimate without one of G clusters:
    (G - 1)/G · Σ change² and -((G - 1)/G)² · Σ change³.
    """
    changes: dict[Hashable, float] = {}
    for sample, sums in zip(samples, clusters, strict=True):
        sign = -1 if changes else 1
        mean, count, total = sample.mean, sample.count, sample.total
        for name, (own_total, own_count) in sums.items():
            change = sign * ((total - own_total) / (count - own_count) - mean)
            changes[name] = changes.get(name, 0.0) + change
    scale = (len(changes) - 1) / len(changes)
    return _Jackknife(
        scale * math.fsum(change * change for change in changes.values()),
        -(scale**2)
        * math.fsum(change * change * change for change in changes.values()),
    )


def _effective_clusters(sums: Sums) -> float:
    """Return the number of clusters of equal size that would say as much (Kish)."""
    return effective_n([count for _, count in sums.values()])


def _welch_degrees(cluster_counts: Iterable[float]) -> float:
    """Return Welch's degrees of freedom of a difference whose sides have variances in
    proportion to 1/count.
    """
    total = parts = 0.0
    for count in cluster_counts:
        total += 1 / count
        parts += 1 / count**2 / max(1.0, count - 1)
    return total * total / parts


def _like_student(normal: float, degrees: float) -> float:
    """Return the quantile of Student's t with the tail that a normal one has. Beyond 8
    standard errors, where the tail is no number any more, in proportion.
    """
    held = min(normal, _MAX_NORMAL)
    return t_quantile(_NORMAL.cdf(-held), degrees) * normal / held

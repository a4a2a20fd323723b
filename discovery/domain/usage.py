"""Usage of providers: calls, credits and rate-limited responses, by provider."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

Usage = dict[str, dict[str, int]]
"""Provider → USAGE_COUNTS."""
USAGE_COUNTS: Final = ("calls", "credits", "rate_limited")


def empty_counts() -> dict[str, int]:
    """Return the counts of a provider that was not used yet."""
    return dict.fromkeys(USAGE_COUNTS, 0)


def sum_usage(usages: Iterable[Mapping[str, Any]]) -> Usage:
    """Return several usages as one, sorted by provider. A count that a row lacks is 0;
    names beside USAGE_COUNTS are dropped.
    """
    sums: Usage = {}
    for usage in usages:
        for provider, row in usage.items():
            counts = sums.setdefault(provider, empty_counts())
            for name in USAGE_COUNTS:
                counts[name] += row.get(name, 0)
    return dict(sorted(sums.items()))

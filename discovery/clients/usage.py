"""What a step uses of its providers, and the limit its run must not pass."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

Usage = dict[str, dict[str, int]]
"""By provider: calls, credits, rate_limited."""
_COUNTS: Final = ("calls", "credits", "rate_limited")


class BudgetSpent(Exception):
    """The run has made all the calls it may. Not a provider's error: nothing is asked again."""


class RunMeter:
    """Counts calls, credits and 429s by provider. Raises BudgetSpent before the call that would pass the limit.

    most_calls: what the run may make in all, None = no limit. used_calls: what its other steps have made.
    """

    def __init__(self, most_calls: int | None = None, used_calls: int = 0) -> None:
        self.most_calls = most_calls
        self.used_calls = used_calls
        self._counts: Usage = {}

    def _add(self, provider: str, what: str, count: int) -> None:
        row = self._counts.setdefault(provider, dict.fromkeys(_COUNTS, 0))
        row[what] += count

    @property
    def total_calls(self) -> int:
        """Calls of all providers."""
        return sum(row["calls"] for row in self._counts.values())

    def charge(self, provider: str, calls: int) -> None:
        """Count `calls` about to be made."""
        used = self.used_calls + self.total_calls
        if self.most_calls is not None and used + calls > self.most_calls:
            raise BudgetSpent(f"the run's {self.most_calls:,} calls are used up")
        self._add(provider, "calls", calls)

    def credit(self, provider: str, credits_used: int) -> None:
        """Count credits that an answer cost."""
        self._add(provider, "credits", credits_used)

    def limited(self, provider: str) -> None:
        """Count a 429."""
        self._add(provider, "rate_limited", 1)

    def usage(self) -> Usage:
        """What was counted so far, by provider."""
        return {provider: dict(row) for provider, row in sorted(self._counts.items())}


def total(usages: Iterable[Mapping[str, Any]]) -> Usage:
    """Several usages as one."""
    added: Usage = {}
    for usage in usages:
        for provider, row in usage.items():
            counts = added.setdefault(provider, dict.fromkeys(_COUNTS, 0))
            for name in _COUNTS:
                counts[name] += row.get(name, 0)
    return dict(sorted(added.items()))


_meter: ContextVar[RunMeter | None] = ContextVar("meter", default=None)


@contextmanager
def metered(meter: RunMeter) -> Iterator[None]:
    """Whatever is asked within counts on `meter`, also in tasks begun there."""
    token = _meter.set(meter)
    try:
        yield
    finally:
        _meter.reset(token)


class StepMeter:
    """A Meter for clients that several steps share: each call counts on the meter of the step that makes it."""

    def charge(self, provider: str, calls: int) -> None:
        """See Meter."""
        if (meter := _meter.get()) is not None:
            meter.charge(provider, calls)

    def credit(self, provider: str, credits_used: int) -> None:
        """See Meter."""
        if (meter := _meter.get()) is not None:
            meter.credit(provider, credits_used)

    def limited(self, provider: str) -> None:
        """See Meter."""
        if (meter := _meter.get()) is not None:
            meter.limited(provider)

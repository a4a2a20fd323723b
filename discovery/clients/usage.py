"""Usage of providers by the steps of a run, and the budget of the run."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from discovery.domain.usage import Usage, empty_counts, sum_usage


class BudgetExhausted(Exception):
    """The run has made all the calls it may make. Not a provider's error: nothing is
    retried.
    """


class UsageMeter:
    """A Meter that counts the usage of one step. Raises BudgetExhausted before the call
    that would exceed the budget.

    max_calls: the budget of the whole run, None = unlimited. used_calls: the calls of
    the run's other steps.
    """

    def __init__(self, max_calls: int | None = None, used_calls: int = 0) -> None:
        self.max_calls = max_calls
        self.used_calls = used_calls
        self._usage: Usage = {}
        self._answered_at = time.monotonic()

    @property
    def silent_seconds(self) -> float:
        """Seconds since a provider answered last, or since the meter was made."""
        return time.monotonic() - self._answered_at

    def note_answer(self) -> None:
        """Note that a provider answers, with a refusal too."""
        self._answered_at = time.monotonic()

    @property
    def total_calls(self) -> int:
        """The calls of this step to all providers."""
        return sum(counts["calls"] for counts in self._usage.values())

    def charge(self, provider: str, calls: int) -> None:
        """Count calls before they are made.

        Raises BudgetExhausted, and counts nothing, if they exceed the budget.
        """
        run_calls = self.used_calls + self.total_calls + calls
        if self.max_calls is not None and run_calls > self.max_calls:
            raise BudgetExhausted(f"the run's {self.max_calls:,} calls are used up")
        self._add(provider, "calls", calls)

    def add_credits(self, provider: str, credits_used: int) -> None:
        """Count the credits that a response cost."""
        self._add(provider, "credits", credits_used)

    def add_rate_limit(self, provider: str) -> None:
        """Count a 429, which is an answer."""
        self.note_answer()
        self._add(provider, "rate_limited", 1)

    def usage(self) -> Usage:
        """Return a copy of the counts, providers in alphabetical order."""
        return sum_usage([self._usage])

    def _add(self, provider: str, name: str, count: int) -> None:
        counts = self._usage.setdefault(provider, empty_counts())
        counts[name] += count


_no_step: Final = UsageMeter()
"""Counts requests outside of `use_meter`. Nothing reads it, and it has no budget."""
_current_meter: ContextVar[UsageMeter] = ContextVar("current_meter", default=_no_step)


@contextmanager
def use_meter(meter: UsageMeter) -> Iterator[None]:
    """Count requests of the block on `meter`, also requests of tasks that the block
    starts.
    """
    token = _current_meter.set(meter)
    try:
        yield
    finally:
        _current_meter.reset(token)


class CurrentMeter:
    """A Meter for clients that several steps share: counts on the meter of the step
    that sends the request.

    Requests outside of `use_meter` count for no step.
    """

    def charge(self, provider: str, calls: int) -> None:
        """Count calls of the current step. Raises its BudgetExhausted."""
        _current_meter.get().charge(provider, calls)

    def note_answer(self) -> None:
        """Note that a provider answers the current step."""
        _current_meter.get().note_answer()

    def add_credits(self, provider: str, credits_used: int) -> None:
        """Count the credits that a response cost the current step."""
        _current_meter.get().add_credits(provider, credits_used)

    def add_rate_limit(self, provider: str) -> None:
        """Count a 429 of the current step."""
        _current_meter.get().add_rate_limit(provider)

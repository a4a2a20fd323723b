"""What a run uses of its providers, and the limit it must not pass."""

from typing import Any


class BudgetSpent(Exception):
    """The run has made all the calls it may. Not a provider's error: nothing is asked again."""


class RunMeter:
    """Counts calls, credits and 429s by provider. `most_calls` None = no limit. Raises BudgetSpent before the call."""

    def __init__(self, most_calls: int | None = None) -> None:
        self.most_calls = most_calls
        self.calls: dict[str, int] = {}
        self.credits: dict[str, int] = {}
        self.limits: dict[str, int] = {}

    @property
    def total_calls(self) -> int:
        """Calls of all providers."""
        return sum(self.calls.values())

    def charge(self, provider: str, calls: int) -> None:
        """Count `calls` about to be made."""
        if self.most_calls is not None and self.total_calls + calls > self.most_calls:
            raise BudgetSpent(f"the run's {self.most_calls:,} calls are used up")
        self.calls[provider] = self.calls.get(provider, 0) + calls

    def credit(self, provider: str, credits_used: int) -> None:
        """Count credits that an answer cost."""
        self.credits[provider] = self.credits.get(provider, 0) + credits_used

    def limited(self, provider: str) -> None:
        """Count a 429."""
        self.limits[provider] = self.limits.get(provider, 0) + 1

    def usage(self) -> dict[str, Any]:
        """By provider: calls, credits, rate_limited."""
        return {
            provider: {
                "calls": calls,
                "credits": self.credits.get(provider, 0),
                "rate_limited": self.limits.get(provider, 0),
            }
            for provider, calls in sorted(self.calls.items())
        }

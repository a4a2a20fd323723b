"""Counters of the served and of the unknown requests."""

from collections import defaultdict
from typing import Any

_MAX_UNHANDLED = 200
_MAX_UNHANDLED_LENGTH = 300


class Stats:
    """Counters of one server."""

    def __init__(self) -> None:
        self.served: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.credits: dict[str, int] = {"helius": 0}
        self.limited: dict[str, int] = defaultdict(int)
        self.failed: dict[str, int] = defaultdict(int)
        self.unhandled: list[str] = []
        self.unhandled_count = 0

    def count_served(self, provider: str, name: str) -> None:
        """Count one call."""
        self.served[provider][name] += 1

    def add_unhandled(self, provider: str, text: str) -> None:
        """Record a request that this market does not implement."""
        self.unhandled_count += 1
        if len(self.unhandled) < _MAX_UNHANDLED:
            self.unhandled.append(f"{provider}: {text}"[:_MAX_UNHANDLED_LENGTH])

    def snapshot(self) -> dict[str, Any]:
        """Return plain counters for JSON."""
        return {
            "served": {
                provider: dict(names) for provider, names in self.served.items()
            },
            "credits": dict(self.credits),
            "limited": dict(self.limited),
            "faults": dict(self.failed),
            "unhandled": list(self.unhandled),
            "unhandled_count": self.unhandled_count,
        }

"""What a server served, and what it did not understand."""

from collections import defaultdict
from typing import Any

_KEPT = 200


class Stats:
    """Counters of one server."""

    def __init__(self) -> None:
        self.served: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.credits: dict[str, int] = {"helius": 0}
        self.limited: dict[str, int] = defaultdict(int)
        self.failed: dict[str, int] = defaultdict(int)
        self.unhandled: list[str] = []
        self.unhandled_count = 0

    def serve(self, provider: str, name: str) -> None:
        """Count one call."""
        self.served[provider][name] += 1

    def not_understood(self, provider: str, text: str) -> None:
        """Note something asked that this market does not know."""
        self.unhandled_count += 1
        if len(self.unhandled) < _KEPT:
            self.unhandled.append(f"{provider}: {text}"[:300])

    def snapshot(self) -> dict[str, Any]:
        """Plain counters for JSON."""
        return {
            "served": {provider: dict(names) for provider, names in self.served.items()},
            "credits": dict(self.credits),
            "limited": dict(self.limited),
            "faults": dict(self.failed),
            "unhandled": list(self.unhandled),
            "unhandled_count": self.unhandled_count,
        }

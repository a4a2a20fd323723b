"""Rate limits: one figure for all, or the documented ones."""

import time
from collections import defaultdict, deque
from dataclasses import dataclass

_RPC_METHOD_PER_10_SECONDS = {
    "getBlock": 6,
    "getBlockTime": 10,
    "getSignaturesForAddress": 10,
    "getTransaction": 10,
    "getAccountInfo": 50,
    "getMultipleAccounts": 50,
    "getTokenLargestAccounts": 40,
}
_DEXSCREENER_SLOW = ("token-profiles", "token-boosts")


@dataclass(slots=True, frozen=True)
class Rule:
    """So many calls within so many seconds, counted under a key."""

    key: str
    calls: int
    seconds: float


class Limits:
    """Sliding windows per rule. `calls_per_second` None means the documented limits of each provider."""

    def __init__(self, calls_per_second: int | None) -> None:
        self.calls_per_second = calls_per_second
        self._seen: dict[str, deque[float]] = defaultdict(deque)

    @property
    def documented(self) -> bool:
        """Whether the documented limits are in force (then batch items count one by one)."""
        return self.calls_per_second is None

    def refused(self, provider: str, names: list[str]) -> Rule | None:
        """The rule that refuses these calls now, or None when they are counted and allowed."""
        if self.calls_per_second is not None:
            wanted = [(Rule(provider, self.calls_per_second, 1.0), 1)]
        else:
            wanted = _documented(provider, names)
        now = time.monotonic()
        for rule, cost in wanted:
            seen = self._seen[rule.key]
            while seen and seen[0] <= now - rule.seconds:
                seen.popleft()
            if len(seen) + cost > rule.calls:
                return rule
        for rule, cost in wanted:
            self._seen[rule.key].extend([now] * cost)
        return None

    def used(self, rule_key: str) -> int:
        """Calls counted in the current window of a rule."""
        return len(self._seen[rule_key])


def _documented(provider: str, names: list[str]) -> list[tuple[Rule, int]]:
    if provider == "dexscreener":
        slow = names[0].startswith(_DEXSCREENER_SLOW)
        rule = Rule("dexscreener/feeds", 60, 60.0) if slow else Rule("dexscreener/pairs", 300, 60.0)
        return [(rule, 1)]
    if provider in {"geckoterminal", "jupiter"}:
        return [(Rule(provider, 30, 60.0), 1)]
    if provider == "helius":
        return [(Rule("helius", 10, 1.0), len(names))]
    if provider == "prices":
        return [(Rule("prices", 3000, 60.0), 1)]
    rules = [(Rule("rpc", 100, 10.0), len(names))]
    for name in sorted(set(names)):
        calls = _RPC_METHOD_PER_10_SECONDS.get(name, 40)
        rules.append((Rule(f"rpc/{name}", calls, 10.0), names.count(name)))
    return rules

"""Rate limits: one number for all providers, or the documented ones."""

import time
from collections import defaultdict, deque
from dataclasses import dataclass

_DOCUMENTED_CALLS = {
    "dexscreener/feeds": 60,
    "dexscreener/pairs": 300,
    "geckoterminal": 30,
    "jupiter": 30,
    "prices": 3000,
}  # per minute
_RPC_METHOD_PER_10_SECONDS = {
    "getBlock": 6,
    "getBlockTime": 10,
    "getSignaturesForAddress": 10,
    "getTransaction": 10,
    "getAccountInfo": 50,
    "getMultipleAccounts": 50,
    "getTokenLargestAccounts": 40,
}
_OTHER_RPC_METHOD_PER_10_SECONDS = 40
_DEXSCREENER_FEEDS = ("token-profiles", "token-boosts")


@dataclass(slots=True, frozen=True)
class Rule:
    """A maximum of calls within so many seconds, counted under a key."""

    key: str
    max_calls: int
    seconds: float


class Limits:
    """Sliding windows per rule. `calls_per_second` None: the documented limits of each
    provider.
    """

    def __init__(self, calls_per_second: int | None) -> None:
        self.calls_per_second = calls_per_second
        self._call_times: dict[str, deque[float]] = defaultdict(deque)

    @property
    def are_documented(self) -> bool:
        """True if the documented limits apply (then batch items count one by one)."""
        return self.calls_per_second is None

    def exceeded_rule(self, provider: str, names: list[str]) -> Rule | None:
        """Return the rule that refuses these calls now; if there is none, count the
        calls and return None.
        """
        now = time.monotonic()
        costs = self._costs(provider, names)
        for rule, cost in costs:
            call_times = self._call_times[rule.key]
            while call_times and call_times[0] <= now - rule.seconds:
                call_times.popleft()
            if len(call_times) + cost > rule.max_calls:
                return rule
        for rule, cost in costs:
            self._call_times[rule.key].extend([now] * cost)
        return None

    def call_count(self, rule_key: str) -> int:
        """Return the calls counted in the current window of a rule."""
        return len(self._call_times[rule_key])

    def _costs(self, provider: str, names: list[str]) -> list[tuple[Rule, int]]:
        """Return the rules that apply, each with the number of calls to count."""
        if self.calls_per_second is not None:
            return [(Rule(provider, self.calls_per_second, 1.0), 1)]
        return _documented_costs(provider, names)


def _documented_costs(provider: str, names: list[str]) -> list[tuple[Rule, int]]:
    if provider == "rpc":
        return _rpc_costs(names)
    if provider == "helius":
        return [(Rule("helius", 10, 1.0), len(names))]
    key = provider
    if provider == "dexscreener":
        is_feed = names[0].startswith(_DEXSCREENER_FEEDS)
        key = "dexscreener/feeds" if is_feed else "dexscreener/pairs"
    return [(Rule(key, _DOCUMENTED_CALLS[key], 60.0), 1)]


def _rpc_costs(names: list[str]) -> list[tuple[Rule, int]]:
    costs = [(Rule("rpc", 100, 10.0), len(names))]
    for name in sorted(set(names)):
        max_calls = _RPC_METHOD_PER_10_SECONDS.get(
            name, _OTHER_RPC_METHOD_PER_10_SECONDS
        )
        costs.append((Rule(f"rpc/{name}", max_calls, 10.0), names.count(name)))
    return costs

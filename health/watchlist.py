"""The check `watchlist`: whether profiles are refreshed as their rules say."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from discovery.reads.freshness import Freshness
from discovery.reads.health import ProviderState
from health.results import CheckResult, age_text

SWITCHED_OFF: Final = "wallets are read again by runs only: REFRESH_CALLS_PER_DAY is 0, so refreshing is switched off"
REMEDY: Final = "raise REFRESH_CALLS_PER_DAY, or look at the workers check"
_NODES: Final = frozenset({"helius", "solana_rpc"})
"""Providers that a refresh needs."""


def evaluate_watchlist(
    freshness: Freshness, providers: Sequence[ProviderState], now: datetime
) -> CheckResult:
    """Warn if profiles are older than twice their rule while the market answers. now:
    the time of the product.
    """
    facts = {
        "wallets": freshness.wallets,
        "unprofiled": freshness.unprofiled,
        "stale": freshness.stale,
        "calls_per_day": freshness.calls_per_day,
    }
    if not freshness.calls_per_day:
        return CheckResult(status="pass", time=now, output=SWITCHED_OFF, facts=facts)
    if freshness.oldest_at is None:
        output = f"{freshness.wallets} wallets, none older than twice its rule"
        return CheckResult(status="pass", time=now, output=output, facts=facts)
    age = age_text((now - freshness.oldest_at).total_seconds())
    output = f"{freshness.stale} of {freshness.wallets} wallets are older than twice their rule, the oldest {age}"
    if not _market_answers(providers, now):
        output += ": the market does not answer, look at the providers check"
        return CheckResult(status="pass", time=now, output=output, facts=facts)
    return CheckResult(
        status="warn", time=now, output=f"{output}: {REMEDY}", facts=facts
    )


def _market_answers(providers: Sequence[ProviderState], now: datetime) -> bool:
    """Return True if a node answers, or if none was asked yet."""
    nodes = [provider for provider in providers if provider.name in _NODES]
    used = [node for node in nodes if node.last_success_at or node.last_failure_at]
    if not used:
        return True
    return any(not node.is_failing() and not node.is_circuit_open(now) for node in used)

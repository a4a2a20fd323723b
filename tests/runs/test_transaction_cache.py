"""The cache of transactions, so that each is fetched once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from discovery.jobs import retention
from discovery.models import Transaction
from simmarket import worlds
from simmarket.worlds import expected_results as truth


def test_a_second_analysis_of_a_token_fetches_no_transaction_again(
    use_market: Callable, discover: Callable, settings
) -> None:
    use_market("--world", "small", "--seed", "2", source="solana_rpc")
    settings.RETENTION_CACHE_HOURS = 24
    mint = min(truth.pumped(worlds.build("small", 2)))
    first = discover("--all-buyers", f"--token={mint}")
    assert Transaction.objects.exists()
    second = discover("--all-buyers", f"--token={mint}")
    assert (
        second["usage"]["solana_rpc"]["calls"]
        < first["usage"]["solana_rpc"]["calls"] * 0.8
    )
    assert wallets_of(first) == wallets_of(second)


def wallets_of(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the wallets of a run without `is_new`, which differs between the first run
    and the second.
    """
    return [
        {name: value for name, value in row.items() if name != "is_new"}
        for row in answer["wallets"]
    ]


def test_retention_deletes_expired_transactions(db: None, settings) -> None:
    settings.RETENTION_CACHE_HOURS = 24
    now = timezone.now()
    for name, hours in (("old", 25), ("new", 23)):
        Transaction.objects.create(
            signature=name, body=b"", fetched_at=now - timedelta(hours=hours)
        )
    assert retention.apply_retention(now)["discovery_transactions"] == 1
    assert Transaction.objects.get().signature == "new"

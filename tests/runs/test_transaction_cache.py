"""Transactions that were paid for once are not paid for again."""

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from discovery.jobs import maintenance
from discovery.models import Transaction
from simmarket import worlds
from simmarket.worlds import expected_results as truth


def test_a_second_look_at_a_token_asks_for_no_transaction_again(
    use_market: Callable, discover: Callable, settings
) -> None:
    use_market("--world", "small", "--seed", "2", source="solana_rpc")
    settings.RETENTION_CACHE_HOURS = 24
    mint = min(truth.pumped(worlds.build("small", 2)))
    first = discover("--all-buyers", f"--token={mint}")
    assert Transaction.objects.exists()
    second = discover("--all-buyers", f"--token={mint}")
    assert second["usage"]["solana_rpc"]["calls"] < first["usage"]["solana_rpc"]["calls"] * 0.8
    drop = ("is_new",)
    plain = [[{k: v for k, v in row.items() if k not in drop} for row in each["wallets"]] for each in (first, second)]
    assert plain[0] == plain[1]


def test_retention_empties_the_cache_of_what_is_too_old(db: None, settings) -> None:
    settings.RETENTION_CACHE_HOURS = 24
    now = timezone.now()
    for name, hours in (("old", 25), ("new", 23)):
        Transaction.objects.create(signature=name, body=b"", fetched_at=now - timedelta(hours=hours))
    assert maintenance.apply_retention(now) == {"trades": 0, "transactions": 1, "sessions": 0}
    assert Transaction.objects.get().signature == "new"

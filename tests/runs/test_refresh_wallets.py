"""Wallets that are read again: only what is newer, with the same result."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async

from discovery.clients.provider_clients import Providers, open_providers
from discovery.domain.run_errors import WarningSink
from discovery.models import Wallet
from discovery.models import WalletHistory as WalletHistoryRow
from discovery.pipeline import read_wallet as reading_of_wallets
from discovery.pipeline.profile_wallet import WalletResult, profile_reading
from discovery.pipeline.read_wallet import StoredHistory, read_wallet
from discovery.pipeline.refresh_wallets import Refresh, refresh_wallets
from discovery.pipeline.save_refresh import load_wallets_to_refresh, save_refresh
from discovery.pipeline.stored_histories import stored_histories
from discovery.pipeline.wallet_context import load_wallet_context
from discovery.pipeline.wallet_history import WalletHistory
from walltrack import clock

WORLD = ("--world", "small", "--seed", "2")
SOURCES = ["helius", "solana_rpc"]


def with_providers(work: Callable, *args: Any) -> Any:
    async def run() -> Any:
        async with open_providers(shared=False) as providers:
            return await work(providers, *args)

    return async_to_sync(run)()


async def profile_from(
    providers: Providers, address: str, stored: StoredHistory | None, now: int
) -> WalletResult:
    warnings = WarningSink("test")
    source = providers.transaction_source(warnings)
    reading = await read_wallet(address, stored, source, now=now)
    context = load_context(address)
    result = await profile_reading(
        reading, await context, providers, source, now=now, warnings=warnings
    )
    assert warnings.messages == []
    return result


async def load_context(address: str) -> Any:
    return await sync_to_async(load_wallet_context)(address)


async def all_transactions(providers: Providers, address: str, now: int) -> list:
    source = providers.transaction_source(WarningSink("test"))
    found = await source.fetch_all_or_none(address, now - 90 * 86_400, 5_000)
    assert found
    return found


def facts(result: WalletResult) -> tuple[Any, ...]:
    return (
        result.profile,
        result.cycles,
        result.token_results,
        result.trades,
        result.other_changes,
        result.flags,
        result.reading.history.funder,
        len(result.reading.history.times),
    )


@pytest.mark.parametrize("source", SOURCES)
def test_a_profile_from_what_is_stored_and_what_is_newer_is_that_of_everything(
    source: str, use_market: Callable, discover: Callable
) -> None:
    use_market(*WORLD, source=source)
    discover(profiles=True)
    now = int(time.time())
    addresses = Wallet.objects.listed().order_by("address").values_list("pk", flat=True)
    for address in list(addresses)[:8]:
        everything = with_providers(profile_from, address, None, now)
        transactions = with_providers(all_transactions, address, now)
        half = WalletHistory(address, transactions[: len(transactions) // 2])
        body = WalletHistory.from_bytes(address, half.to_bytes())
        stored = StoredHistory(body, now - 91 * 86_400, is_cut=False)
        refreshed = with_providers(profile_from, address, stored, now)
        assert refreshed.reading.is_refresh
        assert refreshed.reading.history.new_count == len(transactions) - len(
            half.times
        )
        assert facts(refreshed) == facts(everything)


@pytest.mark.parametrize("source", SOURCES)
def test_what_left_the_days_of_a_profile_is_dropped(
    source: str, use_market: Callable, discover: Callable, settings: Any
) -> None:
    use_market(*WORLD, source=source)
    discover(profiles=True)
    now = int(time.time())
    address = _oldest_wallet()
    stored = stored_histories([address])[address]
    settings.PROFILE_LOOKBACK_DAYS = 10
    everything = with_providers(profile_from, address, None, now)
    refreshed = with_providers(profile_from, address, stored, now)
    assert (
        len(stored.history.times)
        < WalletHistoryRow.objects.get(pk=address).transactions
    )
    assert facts(refreshed)[:6] == facts(everything)[:6]


def _oldest_wallet() -> str:
    rows = WalletHistoryRow.objects.filter(
        wallet_address__in=Wallet.objects.listed().values("pk")
    )
    return str(rows.order_by("-transactions").first().pk)


async def refresh_all(providers: Providers, addresses: list[str], now: int) -> Refresh:
    wallets = await sync_to_async(load_wallets_to_refresh)(addresses, clock.now())
    return await refresh_wallets(
        wallets, providers, now=now, warnings=WarningSink("test")
    )


@pytest.mark.parametrize("source", SOURCES)
def test_a_quiet_wallet_costs_at_most_one_and_three_tenths_of_a_call(
    source: str, use_market: Callable, discover: Callable
) -> None:
    market = use_market(*WORLD, source=source)
    discover(profiles=True)
    addresses = list(Wallet.objects.values_list("address", flat=True)[:20])
    before = node_calls(market)
    refresh = with_providers(refresh_all, addresses, int(time.time()))
    # The first call asks whether the key may read transactions by time.
    used = node_calls(market) - before - (source == "helius")
    assert refresh.failed == {}
    assert len(refresh.refreshed) == 20
    assert used <= 1.3 * 20


def node_calls(market: Any) -> int:
    served = market.stats()["served"]
    return sum(sum(served.get(name, {}).values()) for name in ("helius", "rpc"))


@pytest.mark.parametrize("source", SOURCES)
def test_a_wallet_with_too_many_transactions_is_read_over_a_shorter_time(
    source: str,
    use_market: Callable,
    discover: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_market(*WORLD, source=source)
    discover(profiles=True)
    address = _oldest_wallet()
    number = WalletHistoryRow.objects.get(pk=address).transactions
    monkeypatch.setattr(reading_of_wallets, "MAX_TRANSACTIONS_BY_TIME", number // 2)
    monkeypatch.setattr(
        reading_of_wallets, "MAX_TRANSACTIONS_BY_SIGNATURE", number // 2
    )
    WalletHistoryRow.objects.all().delete()
    now = int(time.time()) + 60
    refresh = with_providers(refresh_all, [address], now)
    save_refresh(refresh, now)
    wallet = Wallet.objects.get(pk=address)
    row = WalletHistoryRow.objects.get(pk=address)
    assert row.is_cut
    assert 0 < row.transactions <= number // 2
    assert wallet.read_from == row.begins_at

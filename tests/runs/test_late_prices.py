"""Prices some seconds after a wallet's trades: what a follower would have met."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from discovery.clients.helius_history import HeliusTransactionSource
from discovery.clients.usage import BudgetExhausted
from discovery.models import Run, RunWallet, TokenResult, Trade, Wallet
from simmarket import worlds
from simmarket.chain.world import World

WORLD = ("--world", "small", "--seed", "2")
DELAY_SECONDS = 15
Reserves = tuple[int, int]
Key = tuple[str, str, int]  # wallet, pool, units


@pytest.fixture(scope="module")
def world() -> World:
    return worlds.build("small", 2)


def log_of(world: World) -> Iterator[tuple[Key, Reserves]]:
    """Each trade with the reserves of its pool after the delay, by the market's log."""
    address = world.accounts.address
    for token in world.tokens.values():
        for pool in token.pools:
            offsets = [trade.offset_seconds for trade in pool.trades]
            for trade in pool.trades:
                until = trade.offset_seconds + DELAY_SECONDS
                last = pool.trades[bisect_right(offsets, until) - 1]
                key = (address(trade.wallet), address(pool.account), trade.units)
                yield key, (last.quote_reserve, last.base_reserve)


def stored() -> dict[Key, Reserves]:
    rows = Trade.objects.filter(later_seconds=DELAY_SECONDS)
    return {
        (row.wallet_address, row.pool, int(row.token_units)): (
            int(row.pool_quote_later),
            int(row.pool_base_later),
        )
        for row in rows
    }


def stored_by_trade() -> dict[tuple[str, str, str], Reserves]:
    """Each trade by itself: a wallet may buy and sell the same units in one pool."""
    rows = Trade.objects.filter(later_seconds=DELAY_SECONDS)
    return {
        (row.wallet_address, row.signature, row.mint): (
            int(row.pool_quote_later),
            int(row.pool_base_later),
        )
        for row in rows
    }


@pytest.mark.parametrize("source", ["helius", "solana_rpc"])
def test_late_prices_are_those_of_the_market_at_that_time(
    source: str, world: World, use_market: Callable, discover: Callable
) -> None:
    use_market(*WORLD, source=source)
    discover(profiles=True)
    expected: dict[Key, set[Reserves]] = {}
    for key, reserves in log_of(world):
        expected.setdefault(key, set()).add(reserves)
    late = stored()
    assert len(late) > 400
    wrong = [key for key, reserves in late.items() if reserves not in expected[key]]
    assert wrong == []
    assert Run.objects.get().errors == []


def test_nobody_is_to_be_followed_who_was_not_measured_late(
    use_market: Callable, discover: Callable
) -> None:
    use_market(*WORLD)
    discover(profiles=True)
    followed = Wallet.objects.filter(verdict="follow")
    assert followed
    seeds = RunWallet.objects.seeds(wallet.address for wallet in followed)
    late = TokenResult.objects.filter(follower_return_late__isnull=False, exclusion="")
    for wallet in followed:
        own = late.filter(wallet_address=wallet.address)
        assert own.exclude(mint__in=seeds[wallet.address]).count() >= 3


def test_what_was_read_late_is_not_read_again(
    use_market: Callable, discover: Callable
) -> None:
    use_market(*WORLD)
    discover(profiles=True)
    first = stored_by_trade()
    Wallet.objects.update(profiled_at=None)
    calls = Run.objects.get().usage["helius"]["calls"]
    answer = discover(profiles=True)
    again = Run.objects.get(pk=answer["run_id"]).usage["helius"]["calls"]
    assert first.items() <= stored_by_trade().items()
    assert again < calls - 300


def test_prices_of_another_delay_are_read_anew(
    use_market: Callable, discover: Callable, settings: Any
) -> None:
    use_market(*WORLD)
    discover(profiles=True)
    settings.FOLLOW = settings.FOLLOW._replace(delay_seconds=60)
    Wallet.objects.update(profiled_at=None)
    discover(profiles=True)
    assert Trade.objects.filter(later_seconds=60).count() > 300


def test_a_run_without_calls_left_keeps_the_profiles_it_has(
    use_market: Callable, discover: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: Any) -> None:
        raise BudgetExhausted("the run has made all its calls")

    monkeypatch.setattr(HeliusTransactionSource, "fetch_latest", refuse)
    use_market(*WORLD)
    answer = discover(profiles=True)
    assert answer["status"] == "completed"
    assert not Wallet.objects.filter(profiled_at=None).exists()
    messages = [error["message"] for error in answer["errors"]]
    assert any("prices behind the wallet: not read" in text for text in messages)

"""What the units that wallets still hold would bring, from the chain and without it."""

from collections.abc import Callable

import pytest

from discovery.models import Cycle, TokenResult
from simmarket import worlds
from simmarket.chain.world import Pool

WORLD = ("--world", "small", "--seed", "2")


def held() -> dict[tuple[str, str], Cycle]:
    """What is left of the only holding of a token."""
    rows = Cycle.objects.filter(held_units__gt=0, number=1, closed_at=None)
    return {(row.wallet_address, row.mint): row for row in rows}


def sources() -> dict[tuple[str, str], str]:
    rows = TokenResult.objects.exclude(bag_source="")
    return {(row.wallet_address, row.mint): row.bag_source for row in rows}


def curves() -> dict[str, Pool]:
    """The curves that still trade."""
    tokens = worlds.build("small", 2).tokens
    return {
        mint: token.pools[0]
        for mint, token in tokens.items()
        if token.pools[0].is_curve and not token.pools[0].is_complete
    }


def pools() -> dict[str, list[Pool]]:
    """The pools of tokens that have left their curve."""
    tokens = worlds.build("small", 2).tokens
    return {
        mint: token.pools[1:]
        for mint, token in tokens.items()
        if token.pools[0].is_complete
    }


def value_in(pool: Pool, units: int) -> int:
    last = pool.trades[-1]
    gross = last.quote_reserve * units // (last.base_reserve + units)
    return gross * 99 // 100


def test_units_on_a_curve_are_worth_what_the_curve_would_pay_for_them(
    use_market: Callable, discover: Callable
) -> None:
    use_market(*WORLD)
    discover(profiles=True)
    open_curves = curves()
    by_source = sources()
    compared = 0
    for key, cycle in held().items():
        curve = open_curves.get(key[1])
        if curve is None or key not in by_source:
            continue
        units = int(cycle.held_units)
        gross = curve.virtual_quote * units // (curve.virtual_base + units)
        assert abs(cycle.liquidation_value_lamports - gross * 99 // 100) <= 1
        assert by_source[key] == "chain"
        compared += 1
    assert compared > 10


def test_without_a_list_of_pairs_units_in_pools_are_valued_by_the_vaults(
    use_market: Callable, discover: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("discovery.providers.http.MAX_ATTEMPTS", 1)
    market = use_market(*WORLD)
    market.fault("dexscreener", "503", count=100_000)
    discover(profiles=True)
    by_source = sources()
    assert set(by_source.values()) == {"chain"}
    migrated = pools()
    compared = 0
    for key, cycle in held().items():
        if key[1] not in migrated or key not in by_source:
            continue
        units = int(cycle.held_units)
        expected = {value_in(pool, units) for pool in migrated[key[1]]}
        value = cycle.liquidation_value_lamports
        assert min(abs(value - each) for each in expected) <= 1
        compared += 1
    assert compared > 5

"""Wallets that do something beside buying and selling, against what the simulated
market knows of them.
"""

from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from discovery.models import Cycle, Wallet
from simmarket import worlds
from simmarket.chain.world import World
from simmarket.worlds import expected_results as truth
from tests.markets import EVERYTHING

SEED = 3


@cache
def world() -> World:
    return worlds.build("habits", SEED)


def figures(row: dict[str, Any]) -> tuple[Any, ...]:
    realised, profit = row["realised_lamports"], row["profit_pct"]
    return (
        row["entry_rank"],
        int(row["cost_lamports"]),
        None if realised is None else int(realised),
        None if profit is None else Decimal(str(profit)),
        row["knowledge"],
        row["qualified"],
    )


def true_figures(buyer: truth.ExpectedWallet) -> tuple[Any, ...]:
    return (
        buyer.entry_rank,
        buyer.cost_lamports,
        buyer.realised_lamports,
        buyer.profit_pct,
        buyer.knowledge,
        buyer.qualified,
    )


@pytest.fixture(params=["helius", "solana_rpc"])
def answer(
    request: pytest.FixtureRequest, use_market: Callable, discover: Callable
) -> dict[str, Any]:
    use_market("--world", "habits", "--seed", str(SEED), source=request.param)
    named = [f"--token={mint}" for mint in world().tokens]
    return discover("--all-buyers", *EVERYTHING[-1:], *named)


def test_every_habit_has_its_expected_result(answer: dict[str, Any]) -> None:
    expected = {
        (mint, address): true_figures(buyer)
        for mint, token in truth.tokens(world()).items()
        for address, buyer in token.early_buyers.items()
    }
    found = {(row["mint"], row["address"]): figures(row) for row in answer["wallets"]}
    habits = {key: world().behaviours.get(key[1], []) for key in expected | found}
    differing = {
        tuple(habits[key]): (found.get(key), expected.get(key))
        for key in expected | found
        if found.get(key) != expected.get(key)
    }
    assert differing == {}
    assert answer["errors"] == []


def test_a_wallet_that_only_loops_is_no_early_buyer(answer: dict[str, Any]) -> None:
    loops = {
        address for address, labels in world().behaviours.items() if "loop" in labels
    }
    assert loops
    assert loops.isdisjoint(row["address"] for row in answer["wallets"])


def test_unknown_results_say_why(answer: dict[str, Any]) -> None:
    reasons = {
        label: row["unknown_reason"]
        for row in answer["wallets"]
        for label in world().behaviours.get(row["address"], [])
        if row["knowledge"] == "unknown"
    }
    assert reasons == {
        "order open": "out_order_open",
        "borrower": "out_loan",
        "liquidity provider": "out_liquidity",
    }


def test_the_creator_on_another_launchpad_is_flagged(answer: dict[str, Any]) -> None:
    (creator,) = (
        row
        for row in answer["wallets"]
        if world().behaviours.get(row["address"]) == ["creator"]
    )
    assert "creator" in creator["flags"]
    assert creator["rejection"] == "flag_creator"


@pytest.mark.parametrize("source", ["helius", "solana_rpc"])
def test_profiles_have_the_same_cycles_as_the_simulated_market(
    source: str, use_market: Callable, discover: Callable
) -> None:
    use_market("--world", "habits", "--seed", str(SEED), source=source)
    named = [f"--token={mint}" for mint in world().tokens]
    discover(*EVERYTHING[-1:], *named, profiles=True)
    true = truth.cycles(world())
    profiled = list(Wallet.objects.filter(profiled_at__isnull=False))
    assert len(profiled) >= 8
    for wallet in profiled:
        expected = [
            (each.mint, each.put_in_lamports, each.matched_lamports, each.knowledge)
            for each in true[wallet.address]
        ]
        found = Cycle.objects.filter(wallet_address=wallet.address).values_list(
            "mint", "put_in_lamports", "matched_lamports", "knowledge"
        )
        assert sorted(found) == sorted(expected), world().behaviours[wallet.address]

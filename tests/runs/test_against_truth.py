"""A discovery over the seeded world, found by search, against what the world knows to
be true.
"""

from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from discovery.domain.programs import WRAPPED_SOL
from discovery.models import Position, Run, RunWallet, Trade, Wallet
from simmarket import worlds
from simmarket.chain.world import World
from simmarket.worlds import expected_results as truth
from tests.markets import EVERYTHING

SOURCES = ["helius", "solana_rpc"]


@cache
def world_of(seed: int) -> World:
    return worlds.build("small", seed)


def figures(answer: dict[str, Any], mint: str) -> dict[str, tuple]:
    return {
        row["address"]: (
            row["entry_rank"],
            int(row["cost_lamports"]),
            None if row["realised_lamports"] is None else int(row["realised_lamports"]),
            None if row["profit_pct"] is None else Decimal(str(row["profit_pct"])),
            row["knowledge"],
            row["qualified"],
            row["history_incomplete"],
        )
        for row in answer["wallets"]
        if row["mint"] == mint
    }


def true_figures(token: truth.ExpectedToken) -> dict[str, tuple]:
    return {
        row.address: (
            row.entry_rank,
            row.cost_lamports,
            row.realised_lamports,
            row.profit_pct,
            row.knowledge,
            row.qualified,
            row.history_incomplete,
        )
        for row in token.early_buyers.values()
    }


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_search_finds_every_early_buyer_of_every_token_with_exact_lamports(
    seed: int, source: str, use_market: Callable, discover: Callable
) -> None:
    market = use_market("--world", "small", "--seed", str(seed), source=source)
    served_before = market.stats()["served"].get("helius", {})
    answer = discover("--all-buyers", *EVERYTHING)
    world = world_of(seed)
    expected = truth.tokens(world)
    found = {token["mint"] for token in answer["tokens"]}
    zero = Decimal(0)
    assert found == truth.pumped(
        world,
        min_price_change_pct=zero,
        min_volume_usd=zero,
        min_liquidity_usd=zero,
        max_token_age_hours=168,
    )
    assert len(found) >= 15
    for mint in found:
        assert figures(answer, mint) == true_figures(expected[mint]), expected[
            mint
        ].kind
    assert answer["status"] == "completed"
    assert answer["errors"] == []
    served = market.stats()["served"]
    if source == "helius":
        assert served["helius"]["getTransactionsForAddress"] > 0
    else:
        assert served.get("helius", {}) == served_before
        assert served["rpc"]["getTransaction"] > 0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_tokens_that_no_search_would_take_are_as_exact_when_named(
    seed: int, use_market: Callable, discover: Callable
) -> None:
    """Too old, falling or thin: `--token` goes past the filters."""
    use_market("--world", "small", "--seed", str(seed))
    expected = truth.tokens(world_of(seed))
    named = sorted(expected.keys() - truth.pumped(world_of(seed)))
    answer = discover("--all-buyers", *(f"--token={mint}" for mint in named))
    assert [token["mint"] for token in answer["tokens"]] == named
    for mint in named:
        assert figures(answer, mint) == true_figures(expected[mint]), expected[
            mint
        ].kind


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_default_filters_take_the_pumped_tokens_and_no_other(
    seed: int, use_market: Callable, discover: Callable
) -> None:
    use_market("--world", "small", "--seed", str(seed))
    answer = discover()
    assert {token["mint"] for token in answer["tokens"]} == truth.pumped(world_of(seed))


@pytest.mark.parametrize("path", ["pool", "accounts"])
def test_following_the_market_and_following_each_account_agree(
    path: str, use_market: Callable, discover: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_market("--world", "small", "--seed", "1")
    monkeypatch.setattr(
        "discovery.pipeline.analyse_token.cheaper_path", lambda *_: path
    )
    expected = truth.tokens(world_of(1))
    answer = discover("--all-buyers", *EVERYTHING)
    for token in answer["tokens"]:
        assert figures(answer, token["mint"]) == true_figures(
            expected[token["mint"]]
        ), expected[token["mint"]].kind


def test_a_narrow_window_and_another_threshold_change_the_answer_as_the_truth_says(
    use_market: Callable, discover: Callable
) -> None:
    use_market("--world", "small", "--seed", "2")
    expected = truth.tokens(
        world_of(2), early_window_minutes=5, min_profit_pct=Decimal("12.5")
    )
    answer = discover(
        "--all-buyers", "--early-window-minutes=5", "--min-profit-pct=12.5", *EVERYTHING
    )
    for token in answer["tokens"]:
        assert figures(answer, token["mint"]) == true_figures(expected[token["mint"]])


def test_the_rows_say_what_the_answer_says(
    use_market: Callable, discover: Callable
) -> None:
    use_market("--world", "small", "--seed", "1")
    answer = discover("--all-buyers")
    run = Run.objects.get(pk=answer["run_id"])
    qualified = [row for row in answer["wallets"] if row["qualified"]]
    assert {
        (
            w.wallet_address,
            w.source_token,
            w.profit_pct,
            w.realised_lamports,
            w.cost_lamports,
            w.entry_rank,
        )
        for w in RunWallet.objects.filter(run=run)
    } == {
        (
            row["address"],
            row["mint"],
            Decimal(str(row["profit_pct"])).quantize(Decimal("0.01")),
            int(row["realised_lamports"]),
            int(row["cost_lamports"]),
            row["entry_rank"],
        )
        for row in qualified
    }
    assert (
        run.new_wallets
        == len({row["address"] for row in qualified})
        == Wallet.objects.count()
    )
    assert run.updated_wallets == 0
    assert (
        run.tokens_analyzed
        == len(answer["tokens"])
        == run.steps.filter(kind="token", status="done").count()
    )
    assert run.profiled_wallets == run.steps.filter(kind="wallet").count() == 0
    assert (
        run.steps_done
        == run.steps_total
        == run.tokens_analyzed + run.profiled_wallets + 2
    )  # search, finish
    assert Position.objects.count() == len(answer["wallets"])
    assert run.duration_seconds > 0
    assert run.usage["helius"]["calls"] > 0
    assert run.funnel == answer["funnel"]
    assert {wallet.status for wallet in Wallet.objects.all()} == {"insufficient_data"}


def test_every_figure_opens_to_its_trades(
    use_market: Callable, discover: Callable
) -> None:
    use_market("--world", "small", "--seed", "1")
    discover()
    positions = list(Position.objects.filter(history_incomplete=False, later_cycles=0))
    assert len(positions) > 100
    for position in positions:
        trades = Trade.objects.filter(
            wallet_address=position.wallet_address, mint=position.mint
        )
        buys = [trade for trade in trades if trade.side == "buy"]
        assert len(buys) == position.buys
        assert len(trades) - len(buys) == position.sells
        put_in = sum(
            trade.value_lamports
            + trade.network_fee_lamports
            + trade.tip_lamports
            + trade.platform_fee_lamports
            for trade in buys
        )
        # Each stable trade is rounded for its own row, the position once at its end.
        assert abs(put_in - position.cost_lamports) <= len(buys)


def test_a_second_run_knows_the_wallets_of_the_first(
    use_market: Callable, discover: Callable
) -> None:
    use_market("--world", "small", "--seed", "1")
    first = Run.objects.get(pk=discover()["run_id"])
    second = Run.objects.get(pk=discover()["run_id"])
    assert (second.new_wallets, second.updated_wallets) == (0, first.new_wallets)
    assert {wallet.discovery_count for wallet in Wallet.objects.all()} == {2}
    assert second.wallets.filter(is_new=True).count() == 0
    assert {wallet.first_run_id for wallet in Wallet.objects.all()} == {first.pk}


def test_reserves_after_a_trade_are_those_of_the_market(
    use_market: Callable, discover: Callable
) -> None:
    use_market("--world", "small", "--seed", "1")
    discover()
    world = world_of(1)
    native = world.ledger.native
    expected: dict[tuple[str, int], set[tuple[int, int]]] = {}
    for token in world.tokens.values():
        for pool in token.pools:
            if pool.quote is not native:
                continue
            for trade in pool.trades:
                key = (world.accounts.address(trade.wallet), trade.units)
                after = (trade.quote_reserve, trade.base_reserve)
                expected.setdefault(key, set()).add(after)
    compared = 0
    for row in Trade.objects.filter(quote_mint=WRAPPED_SOL):
        assert row.pool_quote_after is not None, row.signature
        after = (int(row.pool_quote_after), int(row.pool_base_after))
        assert after in expected[row.wallet_address, int(row.token_units)]
        compared += 1
    assert compared > 300

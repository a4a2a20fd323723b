"""World `traders`: its tokens, its traders, and the providers that answer for it."""

import json
from decimal import Decimal

import pytest

from simmarket import worlds
from simmarket.api.market import Options
from simmarket.chain.figures import SERVER_START_OFFSET_SECONDS, main_pool
from simmarket.chain.world import BUY, SELL, TRANSFER_IN, TRANSFER_OUT
from simmarket.worlds import expected_results
from simmarket.worlds.expected_followers import wallets_by_habit
from simmarket.worlds.traders_world import (
    HABITS,
    INSIDER,
    MOVER,
    SECOND_WALLET,
    SPRAY_BOT,
    WASHER,
)
from tests.simmarket.past import DAY, oldest, past_tokens

SEEDS = [1, 2, 7]
NEWEST = {"maxSupportedTransactionVersion": 1}
HELIUS = "/helius/?api-key=key"
MINUTE = 60


@pytest.fixture(params=SEEDS)
def world(request, traders_of_seed):
    return traders_of_seed(request.param)


@pytest.fixture
def market(start_market, traders_of_seed):
    """A client of the world's market."""
    return start_market(Options(calls_per_second=100_000), traders_of_seed(7))


def movements_of(world, habit):
    """Return the movements of all wallets of a habit in tokens of the past."""
    past = {token.mint.account for token in past_tokens(world).values()}
    wallets = set(wallets_by_habit(world)[habit])
    return [
        movement
        for movement in world.movements
        if movement.mint in past and world.accounts.address(movement.wallet) in wallets
    ]


def offset_of(world, movement):
    return world.transactions[movement.position].offset_seconds


def seconds_after_launch(world, movement):
    token = world.tokens[world.accounts.address(movement.mint)]
    return offset_of(world, movement) - token.launched_offset_seconds


def tokens_bought(world, address):
    """Return the mints that a wallet bought."""
    return {
        world.accounts.address(movement.mint)
        for movement in world.movements
        if movement.kind == BUY and world.accounts.address(movement.wallet) == address
    }


def test_the_same_seed_gives_the_same_traders(traders_of_seed):
    first, second = traders_of_seed(7), worlds.build("traders", 7)
    assert [each.signature for each in first.transactions] == [
        each.signature for each in second.transactions
    ]
    assert first.ledger.lamports == second.ledger.lamports
    assert first.behaviours == second.behaviours


def test_another_seed_gives_other_traders(traders_of_seed):
    first, second = traders_of_seed(1), traders_of_seed(2)
    assert not first.behaviours.keys() & second.behaviours.keys()


def test_world_small_keeps_its_transactions(seeded_world):
    sizes = [len(seeded_world(seed).transactions) for seed in (1, 7)]
    assert sizes == [9_441, 9_417]


@pytest.mark.parametrize("habit", HABITS)
def test_each_habit_has_at_least_four_wallets(habit, world):
    assert len(wallets_by_habit(world)[habit]) >= 4


@pytest.mark.parametrize("habit", HABITS)
def test_each_trader_traded_eight_to_forty_tokens_most_of_them_long_ago(habit, world):
    past = past_tokens(world).keys()
    for address in wallets_by_habit(world)[habit]:
        bought = tokens_bought(world, address)
        assert 8 <= len(bought) <= 40
        assert len(bought & past) > len(bought - past) >= 1


def test_past_tokens_lived_thirty_to_ninety_days_ago(world):
    launches = [token.launched_offset_seconds for token in past_tokens(world).values()]
    assert len(launches) == 90
    assert -90 * DAY <= min(launches) < -85 * DAY
    assert -35 * DAY < max(launches) <= -30 * DAY


def test_past_tokens_have_next_to_nothing_left(world):
    for token in past_tokens(world).values():
        _, figures = main_pool(world, token, SERVER_START_OFFSET_SECONDS)
        assert figures.liquidity_usd < 10_000


def test_some_past_tokens_moved_from_their_curve_to_a_pool(world):
    dexes = {pool.dex for token in past_tokens(world).values() for pool in token.pools}
    assert dexes == {"pumpfun", "pumpswap"}


def test_a_run_finds_every_token_of_the_last_hours_and_no_other(world):
    assert expected_results.pumped(world) == (
        world.tokens.keys() - past_tokens(world).keys()
    )


def test_every_trader_is_an_early_buyer_with_a_qualifying_profit(world):
    tokens = expected_results.tokens(world)
    qualified = set()
    for mint in expected_results.pumped(world):
        buyers = tokens[mint].early_buyers.values()
        qualified |= {buyer.address for buyer in buyers if buyer.qualified}
    wallets = wallets_by_habit(world)
    for habit in HABITS:
        assert qualified >= set(wallets[habit]), habit


def test_insiders_buy_in_the_slot_of_the_launch_or_the_next_one(world):
    for movement in movements_of(world, INSIDER):
        transaction = world.transactions[movement.position]
        token = world.tokens[world.accounts.address(movement.mint)]
        launch_slot = world.clock.slot_at(token.launched_offset_seconds)
        if movement.kind == BUY:
            assert 0 <= transaction.slot - launch_slot <= 1


def test_the_price_doubles_within_fifteen_seconds_of_an_insiders_buy(world):
    for movement in movements_of(world, INSIDER):
        if movement.kind != BUY:
            continue
        curve = world.tokens[world.accounts.address(movement.mint)].pools[0]
        bought_at = offset_of(world, movement)
        own = next(t for t in curve.trades if t.wallet == movement.wallet)
        later = [t for t in curve.trades if t.offset_seconds <= bought_at + 15][-1]
        price = own.quote_reserve / own.base_reserve
        assert later.quote_reserve / later.base_reserve > 2 * price


def test_spray_bots_buy_little_and_are_gone_within_the_minute(world):
    for movement in movements_of(world, SPRAY_BOT):
        assert seconds_after_launch(world, movement) <= MINUTE
        assert movement.kind == SELL or movement.quote_units < 10**9 // 8


def test_washers_buy_and_sell_a_token_eight_times(world):
    rounds = {}
    for movement in movements_of(world, WASHER):
        if movement.kind == SELL:
            key = (movement.wallet, movement.mint)
            rounds[key] = rounds.get(key, 0) + 1
    assert set(rounds.values()) == {8}


def test_movers_send_units_to_second_wallets_and_half_of_those_sell(world):
    sent = [m for m in movements_of(world, MOVER) if m.kind == TRANSFER_OUT]
    received = movements_of(world, SECOND_WALLET)
    arrived = [m for m in received if m.kind == TRANSFER_IN]
    sold = [m for m in received if m.kind == SELL]
    assert [m.units for m in sent] == [m.units for m in arrived]
    assert 0.25 < len(sold) / len(sent) < 0.75


@pytest.mark.parametrize("habit", HABITS)
def test_every_transaction_of_a_trader_is_served(habit, market, traders_of_seed):
    address = wallets_by_habit(traders_of_seed(7))[habit][0]
    rows = market.rpc("getSignaturesForAddress", address)
    assert len(rows) >= 16
    for row in rows:
        transaction = market.rpc("getTransaction", row["signature"], NEWEST)
        assert transaction["slot"] == row["slot"]
        assert address in json.dumps(transaction["transaction"]["message"])
    assert market.stats()["unhandled_count"] == 0


def test_a_trader_has_the_same_history_by_both_sources(market, traders_of_seed):
    address = wallets_by_habit(traders_of_seed(7))[INSIDER][0]
    plain = market.rpc("getSignaturesForAddress", address)
    config = {"sortOrder": "desc", "filters": {"status": "any"}}
    helius = market.rpc("getTransactionsForAddress", address, config, path=HELIUS)
    assert [row["signature"] for row in helius["data"]] == [
        row["signature"] for row in plain
    ]
    assert market.stats()["unhandled_count"] == 0


def test_the_market_knows_dead_and_living_tokens_by_their_mints(
    market, traders_of_seed
):
    world = traders_of_seed(7)
    living = sorted(world.tokens.keys() - past_tokens(world).keys())
    mint, _ = oldest(world)
    pairs = market.get(f"/dexscreener/tokens/v1/solana/{','.join([mint, *living])}")
    assert {pair["baseToken"]["address"] for pair in pairs} >= {mint, *living}
    prices = market.get(f"/jupiter/price/v3?ids={','.join([mint, *living])}")
    assert prices.keys() == {mint, *living}
    changes = [prices[each]["priceChange24h"] for each in living]
    assert min(Decimal(str(change)) for change in changes) > 100
    assert market.stats()["unhandled_count"] == 0


def test_feeds_show_the_tokens_of_the_run_only(market, traders_of_seed):
    world = traders_of_seed(7)
    text = "".join(
        market.raw("GET", path)[2].decode()
        for path in (
            "/geckoterminal/networks/solana/trending_pools?page=1",
            "/geckoterminal/networks/solana/pools?page=1",
            "/jupiter/tokens/v2/toptraded/24h?limit=100",
        )
    )
    assert all(mint in text for mint in expected_results.pumped(world))
    assert not any(mint in text for mint in past_tokens(world))
    assert market.stats()["unhandled_count"] == 0

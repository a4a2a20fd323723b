"""The past of world `small`: the records that wallets earned there, and providers that
still know old times.
"""

import json
from decimal import Decimal
from functools import cache
from itertools import chain

import pytest

from simmarket.chain.figures import SERVER_START_OFFSET_SECONDS, main_pool
from simmarket.chain.world import BUY, SELL
from simmarket.worlds import expected_results

DAY = 86_400
NEWEST = {"maxSupportedTransactionVersion": 1}
HELIUS = "/helius/?api-key=key"
METHOD = "getTransactionsForAddress"
SEEDS = [1, 2, 3, 7]
GECKO, JUPITER, DEX = (
    "/geckoterminal/networks/solana",
    "/jupiter/tokens/v2",
    "/dexscreener",
)
LISTS = [
    *(
        f"{DEX}/{feed}/v1"
        for feed in ("token-profiles/latest", "token-boosts/latest", "token-boosts/top")
    ),
    *(f"{GECKO}/trending_pools?page={page}" for page in range(1, 5)),
    *(f"{GECKO}/new_pools?page={page}" for page in range(1, 5)),
    *(f"{GECKO}/pools?page={page}" for page in range(1, 5)),
    *(f"{GECKO}/dexes/pump-fun/pools?page={page}" for page in range(1, 5)),
    *(f"{GECKO}/dexes/pumpswap/pools?page={page}" for page in range(1, 5)),
    *(
        f"{JUPITER}/{category}/24h?limit=100"
        for category in ("toptrending", "toptraded", "toporganicscore")
    ),
    f"{JUPITER}/recent",
]


def past_tokens(world):
    """Return the tokens of the past by mint."""
    return {mint: token for mint, token in world.tokens.items() if token.kind == "past"}


def past_accounts(world):
    """Return the account ids of the mints of the past."""
    return {token.mint.account for token in past_tokens(world).values()}


@pytest.fixture(scope="session")
def past_cycles(seeded_world):
    """Returns the cycles in tokens of the past by wallet for a seed."""

    @cache
    def of_seed(seed):
        world = seeded_world(seed)
        past = past_tokens(world)
        by_wallet = expected_results.cycles(world)
        return {
            address: [cycle for cycle in rows if cycle.mint in past]
            for address, rows in by_wallet.items()
        }

    return of_seed


@pytest.fixture
def skilled_records(seeded_world, past_cycles):
    """Returns the past cycles of each skilled wallet for a seed."""
    return lambda seed: [
        past_cycles(seed)[address]
        for address in expected_results.skilled(seeded_world(seed))
    ]


@pytest.fixture
def lucky_records(seeded_world, past_cycles):
    """Returns the past cycles of each lucky wallet for a seed."""
    return lambda seed: [
        past_cycles(seed)[address]
        for address in expected_results.lucky_once(seeded_world(seed))
    ]


def oldest(world):
    """Return (mint, token) of the oldest token."""
    return min(
        past_tokens(world).items(), key=lambda item: item[1].launched_offset_seconds
    )


def first_block_at_or_after(market, slot):
    """Return (slot, block time); the slots before it were skipped."""
    envelope = market.envelope("getBlockTime", slot)
    while "error" in envelope:
        assert envelope["error"]["code"] == -32009
        slot += 1
        envelope = market.envelope("getBlockTime", slot)
    return slot, envelope["result"]


@pytest.mark.parametrize("seed", SEEDS)
def test_tokens_of_the_past_are_old_and_short_lived(seed, seeded_world):
    world = seeded_world(seed)
    past = past_tokens(world)
    assert 16 <= len(past) <= 20
    for token in past.values():
        launch = token.launched_offset_seconds
        assert 9 * DAY <= -launch <= 40 * DAY
        positions = world.positions_of(token.mint.account)
        assert 50 <= len(positions) <= 140
        last = world.transactions[positions[-1]].offset_seconds
        assert launch < last < min(-7 * DAY - 3600, launch + 2 * DAY)


@pytest.mark.parametrize("seed", SEEDS)
def test_tokens_of_the_past_have_little_liquidity_left(seed, seeded_world):
    world = seeded_world(seed)
    for token in past_tokens(world).values():
        _, figures = main_pool(world, token, SERVER_START_OFFSET_SECONDS)
        assert figures.liquidity_usd < 10_000


@pytest.mark.parametrize("seed", SEEDS)
def test_two_tokens_of_the_past_migrated_and_one_traded_against_usdc(
    seed, seeded_world
):
    world = seeded_world(seed)
    past = past_tokens(world)
    assert (
        sum(token.graduated_offset_seconds is not None for token in past.values()) == 2
    )
    assert any(
        token.pools[0].quote is not world.ledger.native for token in past.values()
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_the_past_is_over_before_the_present_begins(seed, seeded_world):
    world = seeded_world(seed)
    past = past_accounts(world)
    last_of_past = max(m.position for m in world.movements if m.mint in past)
    assert last_of_past < min(m.position for m in world.movements if m.mint not in past)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_search_up_to_a_week_back_takes_a_token_of_the_past(seed, seeded_world):
    world = seeded_world(seed)
    minimum = Decimal(-100)
    pumped = expected_results.pumped(
        world,
        min_price_change_pct=minimum,
        min_volume_usd=minimum,
        min_liquidity_usd=minimum,
        max_token_age_hours=168,
    )
    assert pumped
    assert not pumped & past_tokens(world).keys()


@pytest.mark.parametrize("seed", SEEDS)
def test_each_skilled_wallet_wins_most_of_its_past_but_not_all(seed, skilled_records):
    for rows in skilled_records(seed):
        closed = [cycle for cycle in rows if cycle.is_closed]
        assert len(closed) >= 5
        assert len({cycle.mint for cycle in closed}) >= 5
        wins = sum(cycle.net_lamports > 0 for cycle in closed)
        assert 0.6 <= wins / len(closed) < 1
        assert (
            sum(cycle.net_lamports for cycle in rows)
            > max(cycle.net_lamports for cycle in rows)
            > 0
        )


@pytest.mark.parametrize("seed", SEEDS)
def test_skilled_wallets_together_win_four_of_five_cycles(seed, skilled_records):
    cycles = list(chain.from_iterable(skilled_records(seed)))
    assert 0.75 <= sum(cycle.net_lamports > 0 for cycle in cycles) / len(cycles) <= 0.85


@pytest.mark.parametrize("seed", SEEDS)
def test_the_gains_of_skilled_wallets_range_from_small_to_large(seed, skilled_records):
    cycles = list(chain.from_iterable(skilled_records(seed)))
    gains_pct = [
        100 * cycle.net_lamports // cycle.put_in_lamports
        for cycle in cycles
        if cycle.net_lamports > 0
    ]
    assert min(gains_pct) < 50
    assert max(gains_pct) > 300


@pytest.mark.parametrize("seed", SEEDS)
def test_skilled_wallets_have_long_and_short_records(seed, skilled_records):
    sizes = []
    for rows in skilled_records(seed):
        sizes.append(sum(cycle.is_closed for cycle in rows))
        if sizes[-1] >= 10:
            assert len({cycle.opened_offset_seconds // DAY for cycle in rows}) >= 10
    assert sum(size >= 10 for size in sizes) >= 4
    assert sum(5 <= size <= 9 for size in sizes) >= 4


@pytest.mark.parametrize("seed", SEEDS)
def test_each_lucky_wallet_mostly_loses_in_the_past(seed, lucky_records):
    for rows in lucky_records(seed):
        assert len({cycle.mint for cycle in rows}) >= 6
        losses = sum(cycle.net_lamports < 0 for cycle in rows)
        assert losses / len(rows) >= 0.75
        assert all(
            cycle.net_lamports * 100 < 50 * cycle.put_in_lamports for cycle in rows
        )
        assert sum(cycle.net_lamports for cycle in rows) < 0


@pytest.mark.parametrize("seed", SEEDS)
def test_some_cycles_of_lucky_wallets_win_and_some_are_open(seed, lucky_records):
    cycles = list(chain.from_iterable(lucky_records(seed)))
    assert any(cycle.net_lamports > 0 for cycle in cycles)
    assert any(not cycle.is_closed for cycle in cycles)


def test_wallets_of_other_behaviours_have_a_past_too(small_world):
    past = past_accounts(small_world)
    traders = {m.wallet for m in small_world.movements if m.mint in past}
    labels = [
        small_world.behaviours[small_world.accounts.address(wallet)]
        for wallet in traders
    ]
    seen = set().union(*labels)
    assert seen >= {
        "bag holder",
        "sniper",
        "clip seller",
        "transfer-out loser",
        "bot user",
        "creator",
    }
    assert sum(not each for each in labels) > 20


def test_skilled_and_lucky_wallets_traded_in_the_last_days(small_world):
    last_trades = {}
    for movement in small_world.movements:
        if movement.kind in {BUY, SELL}:
            address = small_world.accounts.address(movement.wallet)
            last_trades[address] = small_world.transactions[
                movement.position
            ].offset_seconds
    wallets = expected_results.skilled(small_world) | expected_results.lucky_once(
        small_world
    )
    assert all(last_trades[wallet] > -4 * DAY for wallet in wallets)


def test_no_feed_and_no_ranking_contains_a_token_of_the_past(market, small_world):
    text = "".join(market.raw("GET", path)[2].decode() for path in LISTS)
    assert any(mint in text for mint in small_world.tokens)
    listed = {
        token.symbol for mint, token in past_tokens(small_world).items() if mint in text
    }
    assert listed == set()


def test_dexscreener_still_knows_dead_tokens_by_their_mints(market, small_world):
    mints = list(past_tokens(small_world))
    pairs = market.get(f"{DEX}/tokens/v1/solana/{','.join(mints)}")
    assert {pair["baseToken"]["address"] for pair in pairs} >= set(mints)
    for pair in pairs:
        assert pair["volume"]["h24"] == 0
        assert "priceChange" not in pair
        assert (pair.get("liquidity", {"usd": 0})["usd"] or 0) < 10_000


def test_jupiter_still_knows_dead_tokens_by_their_mints(market, small_world):
    mints = list(past_tokens(small_world))
    rows = market.get(f"{JUPITER}/search?query={','.join(mints)}")
    assert [row["id"] for row in rows] == mints
    assert all("stats24h" not in row and row["usdPrice"] > 0 for row in rows)
    assert set(market.get(f"/jupiter/price/v3?ids={','.join(mints)}")) == set(mints)


def test_geckoterminal_still_knows_dead_tokens_by_their_mints(market, small_world):
    past = past_tokens(small_world)
    rows = market.get(f"{GECKO}/tokens/multi/{','.join(past)}")["data"]
    assert {row["attributes"]["address"] for row in rows} == set(past)
    for mint, token in past.items():
        pools = market.get(f"{GECKO}/tokens/{mint}/pools")["data"]
        assert len(pools) == len(token.pools)


def test_pairs_of_the_past_have_the_age_of_the_launch(market, small_world):
    shift = market.stats()["shift_seconds"]
    for mint, token in past_tokens(small_world).items():
        created_ms = (token.launched_offset_seconds + shift) * 1000
        pairs = market.get(f"{DEX}/token-pairs/v1/solana/{mint}")
        curves = [pair for pair in pairs if pair["dexId"] == "pumpfun"]
        assert all(pair["pairCreatedAt"] == created_ms for pair in curves)


def candles_of_oldest_curve(market, world, query):
    _, token = oldest(world)
    address = world.accounts.address(token.pools[0].account)
    return market.get(f"{GECKO}/pools/{address}/ohlcv/minute?{query}")["data"][
        "attributes"
    ]["ohlcv_list"]


def test_candles_of_a_dead_pool_end_with_its_last_trade(market, small_world):
    rows = candles_of_oldest_curve(
        market, small_world, "limit=200&include_empty_intervals=false"
    )
    _, token = oldest(small_world)
    last_trade = (
        token.pools[0].trades[-1].offset_seconds + market.stats()["shift_seconds"]
    )
    assert last_trade - 120 < rows[0][0] <= last_trade
    assert rows == sorted(rows, reverse=True)


def test_empty_candles_of_a_dead_pool_end_now(market, small_world):
    rows = candles_of_oldest_curve(
        market, small_world, "limit=200&include_empty_intervals=true"
    )
    now = market.stats()["now"]
    assert now - 120 < rows[0][0] <= now
    assert rows == sorted(rows, reverse=True)
    assert len(rows) == 200
    assert {row[5] for row in rows} == {0}


@pytest.mark.parametrize("days", [1, 9, 40, 90])
def test_the_price_of_sol_reaches_back_ninety_days(market, small_world, days):
    start = market.stats()["shift_seconds"] - days * DAY
    rows = market.get(
        f"/prices/api/v3/klines?symbol=SOLUSDT&interval=1m&startTime={start * 1000}&limit=3"
    )
    assert [row[0] for row in rows] == [(start + 60 * n) * 1000 for n in range(3)]
    closes = [small_world.price.close_cents(-days * 1440 + n) for n in range(3)]
    assert [Decimal(row[4]) * 100 for row in rows] == closes


@pytest.mark.parametrize("days", [9, 20, 40, 90])
def test_slots_have_times_as_far_back_as_a_profile_reads(market, small_world, days):
    slot, block_time = first_block_at_or_after(
        market, small_world.clock.slot_at(-days * DAY)
    )
    assert 0 <= block_time - (market.stats()["shift_seconds"] - days * DAY) <= 2
    block = market.rpc(
        "getBlock", slot, {"transactionDetails": "signatures", "rewards": False}
    )
    assert block["blockTime"] == block_time


@pytest.mark.parametrize("days", [9, 20, 40, 90])
def test_a_signature_of_an_old_block_is_a_cursor(market, small_world, wallet, days):
    slot, _ = first_block_at_or_after(market, small_world.clock.slot_at(-days * DAY))
    block = market.rpc(
        "getBlock", slot, {"transactionDetails": "signatures", "rewards": False}
    )
    older = market.rpc(
        "getSignaturesForAddress", wallet, {"before": block["signatures"][-1]}
    )
    assert all(row["slot"] <= slot for row in older)
    assert bool(older) == (days < 30)


@pytest.fixture
def wallet(small_world, past_cycles):
    """A skilled wallet whose past begins more than twenty days ago and less than forty."""
    cycles = past_cycles(small_world.seed)

    def begin(address):
        return min(cycle.opened_offset_seconds for cycle in cycles[address])

    return min(expected_results.skilled(small_world), key=begin)


def signatures_between(market, wallet, **block_time):
    """Return a wallet's signatures inside a period, newest first."""
    config = {"filters": {"blockTime": block_time}, "sortOrder": "desc"}
    return [
        row["signature"]
        for row in market.rpc(METHOD, wallet, config, path=HELIUS)["data"]
    ]


def test_a_period_from_before_the_world_has_the_whole_history(market, wallet):
    shift = market.stats()["shift_seconds"]
    everything = [
        row["signature"] for row in market.rpc("getSignaturesForAddress", wallet)
    ]
    assert signatures_between(market, wallet, gte=shift - 90 * DAY) == everything


def test_a_period_of_a_week_has_a_part_of_the_history(market, wallet):
    shift = market.stats()["shift_seconds"]
    everything = [
        row["signature"] for row in market.rpc("getSignaturesForAddress", wallet)
    ]
    assert (
        0
        < len(signatures_between(market, wallet, gte=shift - 7 * DAY))
        < len(everything)
    )


def test_a_period_before_the_world_is_empty(market, wallet):
    shift = market.stats()["shift_seconds"]
    assert signatures_between(market, wallet, lt=shift - 60 * DAY) == []


def test_transactions_of_the_past_are_served_in_full(market, small_world):
    mint, token = oldest(small_world)
    curve = small_world.accounts.address(token.pools[0].account)
    first = market.rpc("getSignaturesForAddress", curve)[-1]
    assert (
        first["blockTime"]
        == token.launched_offset_seconds + market.stats()["shift_seconds"]
    )
    transaction = market.rpc("getTransaction", first["signature"], NEWEST)
    assert transaction["blockTime"] == first["blockTime"]
    assert mint in json.dumps(transaction["meta"]["postTokenBalances"])


def test_mints_of_the_past_are_served_without_unhandled_requests(market, small_world):
    before = market.stats()["unhandled_count"]
    mint, _ = oldest(small_world)
    assert market.rpc("getTokenSupply", mint)["value"]["amount"] == str(10**15)
    assert market.rpc("getTokenLargestAccounts", mint)["value"]
    assert market.stats()["unhandled_count"] == before

"""Requests about the past of world `small`: providers still know old tokens and times."""

import json
from decimal import Decimal

import pytest

from simmarket.worlds import expected_results
from tests.simmarket.past import DAY, oldest, past_tokens

NEWEST = {"maxSupportedTransactionVersion": 1}
HELIUS = "/helius/?api-key=key"
METHOD = "getTransactionsForAddress"
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


def first_block_at_or_after(market, slot):
    """Return (slot, block time); the slots before it were skipped."""
    envelope = market.envelope("getBlockTime", slot)
    while "error" in envelope:
        assert envelope["error"]["code"] == -32009
        slot += 1
        envelope = market.envelope("getBlockTime", slot)
    return slot, envelope["result"]


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

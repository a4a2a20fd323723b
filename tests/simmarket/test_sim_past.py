"""The past of world `small`: who earned a record there, and that every provider knows times long gone."""

import json
from decimal import Decimal

import pytest

from simmarket.chain.figures import SERVER_START_OFFSET_SECONDS, main_pool
from simmarket.chain.world import BUY, SELL
from simmarket.worlds import expected_results as truth

DAY = 86_400
NEWEST = {"maxSupportedTransactionVersion": 1}
HELIUS = "/helius/?api-key=key"
METHOD = "getTransactionsForAddress"
SEEDS = [1, 2, 3, 7]


def _past(world):
    return {mint: token for mint, token in world.tokens.items() if token.kind == "past"}


def _records(world, addresses):
    """Cycles in tokens of the past by wallet."""
    past, cycles = _past(world), truth.cycles(world)
    return {address: [cycle for cycle in cycles[address] if cycle.mint in past] for address in addresses}


def _oldest(world):
    """(mint, token) of the oldest token."""
    return min(_past(world).items(), key=lambda item: item[1].launched_offset_seconds)


@pytest.mark.parametrize("seed", SEEDS)
def test_tokens_of_the_past_are_small_old_and_dead(seed, seeded_world):
    world = seeded_world(seed)
    past = _past(world)
    assert 16 <= len(past) <= 20
    for token in past.values():
        assert 9 * DAY <= -token.launched_offset_seconds <= 40 * DAY
        places = world.naming(token.mint.account)
        assert 50 <= len(places) <= 140
        last = world.transactions[places[-1]].offset_seconds
        assert token.launched_offset_seconds < last < min(-7 * DAY - 3600, token.launched_offset_seconds + 2 * DAY)
        assert main_pool(world, token, SERVER_START_OFFSET_SECONDS)[1].liquidity_usd < 10_000
    assert sum(token.graduated_offset_seconds is not None for token in past.values()) == 2
    assert any(token.pools[0].quote is not world.ledger.native for token in past.values())


@pytest.mark.parametrize("seed", SEEDS)
def test_the_past_is_over_before_the_present_begins(seed, seeded_world):
    world = seeded_world(seed)
    past = {token.mint.account for token in _past(world).values()}
    last = max(m.transaction for m in world.movements if m.mint in past)
    assert last < min(m.transaction for m in world.movements if m.mint not in past)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_search_up_to_a_week_back_takes_a_token_of_the_past(seed, seeded_world):
    world = seeded_world(seed)
    nothing = Decimal(-100)
    taken = truth.pumped(
        world, min_price_change_pct=nothing, min_volume_usd=nothing, min_liquidity_usd=nothing, max_token_age_hours=168
    )
    assert taken
    assert not taken & _past(world).keys()


@pytest.mark.parametrize("seed", SEEDS)
def test_skilled_wallets_win_most_of_their_past_and_never_all_of_it(seed, seeded_world):
    world = seeded_world(seed)
    records = _records(world, truth.skilled(world))
    every = [cycle for rows in records.values() for cycle in rows]
    assert 0.75 <= sum(cycle.net_lamports > 0 for cycle in every) / len(every) <= 0.85
    for rows in records.values():
        closed = [cycle for cycle in rows if cycle.closed]
        assert len(closed) >= 5
        assert len({cycle.mint for cycle in closed}) >= 5
        won = sum(cycle.net_lamports > 0 for cycle in closed)
        assert 0.6 <= won / len(closed) < 1
        assert sum(cycle.net_lamports for cycle in rows) > max(cycle.net_lamports for cycle in rows) > 0
    gains = [100 * cycle.net_lamports // cycle.put_in_lamports for cycle in every if cycle.net_lamports > 0]
    assert min(gains) < 50
    assert max(gains) > 300


@pytest.mark.parametrize("seed", SEEDS)
def test_some_skilled_wallets_have_a_long_past_and_others_a_short_one(seed, seeded_world):
    world = seeded_world(seed)
    sizes = []
    for rows in _records(world, truth.skilled(world)).values():
        sizes.append(sum(cycle.closed for cycle in rows))
        if sizes[-1] >= 10:
            assert len({cycle.opened_offset_seconds // DAY for cycle in rows}) >= 10
    assert sum(size >= 10 for size in sizes) >= 4
    assert sum(5 <= size <= 9 for size in sizes) >= 4


@pytest.mark.parametrize("seed", SEEDS)
def test_lucky_wallets_mostly_lose_in_the_past_and_never_win_much(seed, seeded_world):
    world = seeded_world(seed)
    records = _records(world, truth.lucky_once(world))
    for rows in records.values():
        assert len({cycle.mint for cycle in rows}) >= 6
        lost = sum(cycle.net_lamports < 0 for cycle in rows)
        assert lost / len(rows) >= 0.75
        assert all(cycle.net_lamports * 100 < 50 * cycle.put_in_lamports for cycle in rows)
        assert sum(cycle.net_lamports for cycle in rows) < 0
    every = [cycle for rows in records.values() for cycle in rows]
    assert any(cycle.net_lamports > 0 for cycle in every)
    assert any(not cycle.closed for cycle in every)


def test_other_habits_have_a_past_too(small_world):
    past = {token.mint.account for token in _past(small_world).values()}
    actors = {m.wallet for m in small_world.movements if m.mint in past}
    seen = {habit for wallet in actors for habit in small_world.habits[small_world.accounts.address(wallet)]}
    assert seen >= {"bag holder", "sniper", "clip seller", "transfer-out loser", "bot user", "creator"}
    assert sum(not small_world.habits[small_world.accounts.address(wallet)] for wallet in actors) > 20


def test_skilled_and_lucky_wallets_traded_in_the_last_days(small_world):
    last = {}
    for movement in small_world.movements:
        if movement.kind in {BUY, SELL}:
            address = small_world.accounts.address(movement.wallet)
            last[address] = small_world.transactions[movement.transaction].offset_seconds
    assert all(last[each] > -4 * DAY for each in truth.skilled(small_world) | truth.lucky_once(small_world))


def test_no_feed_and_no_ranking_names_a_token_of_the_past(market, small_world):
    gecko, jupiter = "/geckoterminal/networks/solana", "/jupiter/tokens/v2"
    paths = [f"/dexscreener/{feed}/v1" for feed in ("token-profiles/latest", "token-boosts/latest", "token-boosts/top")]
    for listing in ("trending_pools", "new_pools", "pools", "dexes/pump-fun/pools", "dexes/pumpswap/pools"):
        paths += [f"{gecko}/{listing}?page={page}" for page in range(1, 5)]
    paths += [f"{jupiter}/{kind}/24h?limit=100" for kind in ("toptrending", "toptraded", "toporganicscore")]
    shown = "".join(market.raw("GET", path)[2].decode() for path in [*paths, f"{jupiter}/recent"])
    assert any(mint in shown for mint in small_world.tokens)
    named = {token.symbol for mint, token in _past(small_world).items() if mint in shown}
    assert named == set()


def test_every_provider_still_knows_a_dead_token_by_its_mint(market, small_world):
    mints = list(_past(small_world))
    batch = ",".join(mints)
    pairs = market.get(f"/dexscreener/tokens/v1/solana/{batch}")
    assert {pair["baseToken"]["address"] for pair in pairs} >= set(mints)
    for pair in pairs:
        assert pair["volume"]["h24"] == 0
        assert "priceChange" not in pair
        assert (pair.get("liquidity", {"usd": 0})["usd"] or 0) < 10_000
    known = market.get(f"/jupiter/tokens/v2/search?query={batch}")
    assert [row["id"] for row in known] == mints
    assert all("stats24h" not in row and row["usdPrice"] > 0 for row in known)
    tokens = market.get(f"/geckoterminal/networks/solana/tokens/multi/{batch}")["data"]
    assert {row["attributes"]["address"] for row in tokens} == set(mints)
    assert set(market.get(f"/jupiter/price/v3?ids={batch}")) == set(mints)
    for mint, token in _past(small_world).items():
        rows = market.get(f"/geckoterminal/networks/solana/tokens/{mint}/pools")["data"]
        assert len(rows) == len(token.pools)


def test_the_age_on_the_wire_is_that_of_the_launch(market, small_world):
    shift = market.stats()["shift_seconds"]
    for mint, token in _past(small_world).items():
        created = (token.launched_offset_seconds + shift) * 1000
        pairs = market.get(f"/dexscreener/token-pairs/v1/solana/{mint}")
        curves = [pair for pair in pairs if pair["dexId"] == "pumpfun"]
        assert all(pair["pairCreatedAt"] == created for pair in curves)


@pytest.mark.parametrize("empty", ["false", "true"])
def test_candles_of_a_dead_pool_end_with_its_last_trade_unless_empty_ones_are_wanted(market, small_world, empty):
    _, token = _oldest(small_world)
    address, shift = small_world.accounts.address(token.pools[0].account), market.stats()["shift_seconds"]
    path = f"/geckoterminal/networks/solana/pools/{address}/ohlcv/minute"
    rows = market.get(f"{path}?limit=200&include_empty_intervals={empty}")["data"]["attributes"]["ohlcv_list"]
    last = token.pools[0].trades[-1].offset_seconds + shift
    newest = last if empty == "false" else market.stats()["now"]
    assert newest - 120 < rows[0][0] <= newest
    assert rows == sorted(rows, reverse=True)
    if empty == "true":
        assert len(rows) == 200
        assert {row[5] for row in rows} == {0}


@pytest.mark.parametrize("days", [1, 9, 40, 90])
def test_the_price_of_sol_reaches_back_ninety_days(market, small_world, days):
    shift = market.stats()["shift_seconds"]
    start = shift - days * DAY
    rows = market.get(f"/prices/api/v3/klines?symbol=SOLUSDT&interval=1m&startTime={start * 1000}&limit=3")
    assert [row[0] for row in rows] == [(start + 60 * nth) * 1000 for nth in range(3)]
    assert [Decimal(row[4]) * 100 for row in rows] == [
        small_world.price.close_cents(-days * 1440 + nth) for nth in range(3)
    ]


@pytest.mark.parametrize("days", [9, 20, 40, 90])
def test_slots_have_times_as_far_back_as_a_profile_looks(market, small_world, days):
    slot = small_world.clock.slot_at(-days * DAY)
    while "error" in (answer := market.envelope("getBlockTime", slot)):
        assert answer["error"]["code"] == -32009
        slot += 1
    assert 0 <= answer["result"] - (market.stats()["shift_seconds"] - days * DAY) <= 2
    block = market.rpc("getBlock", slot, {"transactionDetails": "signatures", "rewards": False})
    assert block["blockTime"] == answer["result"]
    older = market.rpc("getSignaturesForAddress", _wallet(small_world), {"before": block["signatures"][-1]})
    assert all(row["slot"] <= slot for row in older)
    assert bool(older) == (days < 30)


def _wallet(world):
    """A skilled wallet whose past begins more than twenty days ago and less than forty."""
    records = _records(world, truth.skilled(world))
    return min(records, key=lambda address: min(cycle.opened_offset_seconds for cycle in records[address]))


def test_a_wallets_history_asked_from_before_the_world_is_all_of_it(market, small_world):
    wallet, shift = _wallet(small_world), market.stats()["shift_seconds"]
    everything = [row["signature"] for row in market.rpc("getSignaturesForAddress", wallet)]
    window = {"blockTime": {"gte": shift - 90 * DAY}}
    page = market.rpc(METHOD, wallet, {"filters": window, "sortOrder": "desc"}, path=HELIUS)
    assert [row["signature"] for row in page["data"]] == everything
    week = {"blockTime": {"gte": shift - 7 * DAY}}
    recent = market.rpc(METHOD, wallet, {"filters": week, "sortOrder": "desc"}, path=HELIUS)["data"]
    assert 0 < len(recent) < len(everything)
    assert market.rpc(METHOD, wallet, {"filters": {"blockTime": {"lt": shift - 60 * DAY}}}, path=HELIUS)["data"] == []


def test_transactions_of_the_past_are_served_whole(market, small_world):
    mint, token = _oldest(small_world)
    before = market.stats()
    shift = before["shift_seconds"]
    curve = small_world.accounts.address(token.pools[0].account)
    rows = market.rpc("getSignaturesForAddress", curve)
    assert rows[-1]["blockTime"] == token.launched_offset_seconds + shift
    first = market.rpc("getTransaction", rows[-1]["signature"], NEWEST)
    assert first["blockTime"] == rows[-1]["blockTime"]
    assert mint in json.dumps(first["meta"]["postTokenBalances"])
    assert market.rpc("getTokenSupply", mint)["value"]["amount"] == str(10**15)
    assert market.rpc("getTokenLargestAccounts", mint)["value"]
    assert market.stats()["unhandled_count"] == before["unhandled_count"]

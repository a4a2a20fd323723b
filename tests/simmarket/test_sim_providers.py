"""GeckoTerminal, Jupiter and the klines: shapes, quirks, figures of the ledger, and the
tokens that pass the filters of a run.
"""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from simmarket import worlds
from simmarket.api.market import Options
from simmarket.chain import programs
from simmarket.worlds import expected_results
from tests.simmarket.payloads import (
    DEX,
    GECKO,
    JUPITER,
    assert_same_shape,
    mint_of,
    pumpswap_pair,
)


def test_jupiter_knows_launch_and_migration_of_a_token(market, small_world):
    mint = mint_of(small_world, "LATEGEM")
    row = market.get(f"{JUPITER}/search?query={mint}")[0]
    assert row["createdAt"] == row["firstPool"]["createdAt"] < row["graduatedAt"]
    assert row["graduatedPool"] == pumpswap_pair(market, mint)["pairAddress"]


def test_jupiter_names_the_mint_as_the_first_pool_of_a_pump_fun_token(
    market, small_world
):
    mint = mint_of(small_world, "LATEGEM")
    row = market.get(f"{JUPITER}/search?query={mint}")[0]
    assert (row["launchpad"], row["firstPool"]["id"]) == ("pump.fun", mint)


def test_a_token_without_a_launchpad_is_days_older_than_its_first_pool(
    start_market, realdata
):
    path = realdata / "trades/pump_launch_first_300s.csv"
    world = worlds.from_trades(path)
    market = start_market(Options(), world)
    for mint, token in world.tokens.items():
        row = market.get(f"{JUPITER}/search?query={mint}")[0]
        assert "launchpad" not in row
        address = world.accounts.address(token.pools[0].account)
        assert row["firstPool"]["id"] == address
        created, launched = (
            datetime.fromisoformat(text)
            for text in (row["createdAt"], row["firstPool"]["createdAt"])
        )
        assert timedelta(days=2) <= launched - created <= timedelta(days=5)


def test_gecko_pools_have_the_captured_keys_and_types(market, captured):
    real = captured("geckoterminal", "onchain_networks_network_trending_pools.json")
    body = market.get(f"{GECKO}/trending_pools?include=base_token,quote_token,dex")
    for row in body["data"]:
        assert_same_shape(row, real["data"][0])
    for row in body["included"]:
        assert_same_shape(
            row, next(item for item in real["included"] if item["type"] == row["type"])
        )


def test_gecko_money_is_text_and_market_caps_can_be_null(market):
    rows = (
        market.get(f"{GECKO}/pools")["data"]
        + market.get(f"{GECKO}/pools?page=2")["data"]
    )
    assert all(isinstance(row["attributes"]["reserve_in_usd"], str) for row in rows)
    assert any(row["attributes"]["market_cap_usd"] is None for row in rows)


def test_gecko_pages_overlap_but_miss_nothing(market, small_world):
    pages = [market.get(f"{GECKO}/new_pools?page={page}")["data"] for page in (1, 2, 3)]
    assert pages[1][0]["id"] == pages[0][-1]["id"]
    ids = {row["id"] for row in pages[0] + pages[1] + pages[2]}
    traded = [token for token in small_world.tokens.values() if token.kind != "past"]
    assert len(ids) == sum(len(token.pools) for token in traded)


def test_gecko_token_rows_have_the_captured_keys(market, small_world, captured):
    real = captured(
        "geckoterminal", "onchain_networks_network_tokens_multi_addresses.json"
    )
    mints = list(small_world.tokens)[:5]
    rows = market.get(f"{GECKO}/tokens/multi/{','.join(mints)},unknown")["data"]
    assert {row["attributes"]["address"] for row in rows} == set(mints)
    for row in rows:
        assert_same_shape(row, {**real["data"][0], **real["data"][1]})


def test_an_unknown_gecko_pool_is_a_json_api_error(market):
    status, _, body = market.raw("GET", f"{GECKO}/pools/unknown")
    assert status == 404
    assert json.loads(body)["errors"][0]["status"] == "404"


@pytest.fixture
def gecko_candles(market, small_world):
    token = small_world.tokens[mint_of(small_world, "TWINS")]
    pool = small_world.accounts.address(token.pools[1].account)
    return market.get(f"{GECKO}/pools/{pool}/ohlcv/minute?limit=50")


def test_gecko_candles_describe_their_tokens_as_captured(gecko_candles, captured):
    name = "onchain_networks_network_pools_pool_address_ohlcv_timeframe.json"
    real = captured("geckoterminal", name)
    assert set(gecko_candles["meta"]["base"]) == set(real["meta"]["base"])


def test_gecko_candles_are_consistent_and_newest_first(gecko_candles):
    rows = gecko_candles["data"]["attributes"]["ohlcv_list"]
    assert rows == sorted(rows, reverse=True)
    assert all(
        low <= opening <= high and low <= close <= high
        for _, opening, high, low, close, _ in rows
    )


def test_jupiter_omits_zeros(market):
    for row in market.get(f"{JUPITER}/toptraded/24h?limit=100"):
        assert "stats5m" not in row
        assert all(row.get("stats24h", {}).values())


def test_jupiter_responses_have_the_rate_headers(market):
    _, headers, _ = market.raw("GET", f"{JUPITER}/recent")
    assert {"x-ratelimit-remaining", "x-ratelimit-current", "x-ratelimit-reset"} <= set(
        headers
    )


def test_jupiter_refuses_an_invalid_key(market):
    assert (
        market.raw("GET", f"{JUPITER}/recent", headers={"x-api-key": "bad"})[0] == 401
    )


def test_jupiter_prices_omit_unknown_mints(market, small_world):
    mint = mint_of(small_world, "TWINS")
    assert set(market.get(f"/jupiter/price/v3?ids={mint},{mint[:-1]}q")) == {mint}


@pytest.fixture
def klines(market):
    """1000 one-minute candles that begin a day before the world's end."""
    start = (market.stats()["shift_seconds"] - 86_400) // 60 * 60_000
    return market.get(
        f"/prices/api/v3/klines?symbol=SOLUSDT&interval=1m&startTime={start}&limit=1000"
    )


def test_klines_have_the_binance_shape(klines):
    assert len(klines) == 1000
    assert all(len(row) == 12 and row[6] == row[0] + 59_999 for row in klines)
    assert [type(cell) for cell in klines[0]] == [
        int,
        *[str] * 5,
        int,
        str,
        int,
        str,
        str,
        str,
    ]


def test_each_kline_opens_at_the_close_of_the_one_before(klines):
    assert all(
        before[0] + 60_000 == after[0] and before[4] == after[1]
        for before, after in pairwise(klines)
    )


def test_klines_close_at_the_price_of_the_world(klines, market, small_world):
    shift = market.stats()["shift_seconds"]
    for row in klines[::100]:
        minute = (row[0] // 1000 - shift) // 60
        assert Decimal(row[4]) * 100 == small_world.price.close_cents(minute)


def test_an_unknown_symbol_is_refused_as_binance_does(market):
    status, _, body = market.raw(
        "GET", "/prices/api/v3/klines?symbol=BTCUSDT&interval=1m"
    )
    assert (status, json.loads(body)["code"]) == (400, -1121)


def test_geckoterminal_serves_the_figures_of_the_ledger(
    market, small_world, main_pools
):
    for pool, figures in main_pools.values():
        day = figures.windows["h24"]
        address = small_world.accounts.address(pool.account)
        attributes = market.get(f"{GECKO}/pools/{address}")["data"]["attributes"]
        assert float(attributes["volume_usd"]["h24"]) == pytest.approx(
            float(day.volume_usd), rel=0.05, abs=1
        )
        assert attributes["transactions"]["h24"]["buys"] == pytest.approx(
            day.buys, abs=3
        )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ten_tokens_of_kind_pump_pass_the_usual_filters(seed, seeded_world):
    world = seeded_world(seed)
    pumped = expected_results.pumped(world)
    assert {world.tokens[mint].kind for mint in pumped} == {"pump"}
    assert len(pumped) == 10


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    ("change_pct", "volume_usd", "liquidity_usd"),
    [(150, 75_000, 15_000), (75, 40_000, 8_000)],
    ids=["tight", "loose"],
)
def test_pumped_tokens_are_far_from_the_limits(
    seed, change_pct, volume_usd, liquidity_usd, seeded_world
):
    world = seeded_world(seed)
    pumped = expected_results.pumped(
        world,
        min_price_change_pct=Decimal(change_pct),
        min_volume_usd=Decimal(volume_usd),
        min_liquidity_usd=Decimal(liquidity_usd),
    )
    assert pumped == expected_results.pumped(world)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_older_tokens_pass_the_filters_without_the_age(seed, seeded_world):
    world = seeded_world(seed)
    older = expected_results.pumped(
        world, max_token_age_hours=168
    ) - expected_results.pumped(world)
    assert {world.tokens[mint].symbol for mint in older} == {"ELDER", "REBORN"}


def test_jupiter_alone_gives_the_same_pumped_tokens(market, small_world):
    stats = market.stats()

    def is_pumped(row):
        day = row.get("stats24h", {})
        volume = day.get("buyVolume", 0) + day.get("sellVolume", 0)
        launch = (
            small_world.tokens[row["id"]].launched_offset_seconds
            + stats["shift_seconds"]
        )
        is_rising = day.get("priceChange", 0) >= 100 and volume >= 50_000
        is_young = stats["now"] - launch < 72 * 3600
        return is_rising and is_young and row["liquidity"] >= 10_000

    rows = market.get(f"{JUPITER}/toptraded/24h?limit=100")
    assert {row["id"] for row in rows if is_pumped(row)} == expected_results.pumped(
        small_world
    )


@pytest.mark.parametrize(
    "path",
    [
        f"{DEX}/ads/latest/v1",
        f"{GECKO}/pools?sorting=up",
        f"{JUPITER}/tag?query=lst",
        "/birdeye/defi/price",
    ],
)
def test_an_unknown_path_or_parameter_is_an_error_and_counted(market, path):
    before = market.stats()["unhandled_count"]
    assert market.raw("GET", path)[0] in {400, 404}
    assert market.stats()["unhandled_count"] == before + 1


def test_the_empty_world_has_empty_responses(start_market):
    empty = start_market(Options(), worlds.build("empty"))
    assert empty.get(f"{JUPITER}/toptrending/24h") == []
    assert empty.get(f"{GECKO}/trending_pools") == {"data": []}
    assert empty.rpc("getSlot") > 0
    assert empty.rpc("getSignaturesForAddress", programs.WSOL) == []

"""DexScreener, GeckoTerminal, Jupiter and the klines: shapes, quirks, and figures that
follow from the ledger.
"""

import json
from decimal import Decimal
from itertools import pairwise

import pytest

from simmarket import worlds
from simmarket.api.market import Options
from simmarket.chain import programs
from simmarket.chain.figures import main_pool
from simmarket.worlds import expected_results

DEX, GECKO, JUPITER = (
    "/dexscreener",
    "/geckoterminal/networks/solana",
    "/jupiter/tokens/v2",
)


def mint_of(world, symbol):
    return next(mint for mint, token in world.tokens.items() if token.symbol == symbol)


def type_name(value):
    """Return the type as JSON knows it: integers and floats are numbers."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    return type(value).__name__


def assert_same_shape(served, captured, path=""):
    """Every served key is in the captured payload and has the same type there (null has
    any type).
    """
    for key, value in served.items():
        assert key in captured, f"{path}.{key}"
        if value is None or captured[key] is None:
            continue
        assert type_name(value) == type_name(captured[key]), f"{path}.{key}"
        if isinstance(value, dict):
            assert_same_shape(value, captured[key], f"{path}.{key}")


@pytest.fixture
def captured(real_data):
    """Returns a captured payload by its path."""

    def load(*parts):
        return json.loads(real_data.joinpath("http", *parts).read_text())

    return load


def merged(pairs):
    """Return one pair with all keys of the given ones."""
    merged_pair = {}
    for pair in pairs:
        for key, value in pair.items():
            if isinstance(value, dict):
                merged_pair[key] = {**merged_pair.get(key, {}), **value}
            else:
                merged_pair[key] = value
    return merged_pair


@pytest.fixture
def all_pairs(market, small_world):
    pairs = []
    for mint in small_world.tokens:
        pairs += market.get(f"{DEX}/token-pairs/v1/solana/{mint}")
    return pairs


def test_dexscreener_pairs_have_the_captured_keys_and_types(all_pairs, captured):
    captured_pair = merged(captured("dexscreener", "token_pairs_v1.json"))
    for pair in all_pairs:
        assert_same_shape(pair, captured_pair)


def test_dexscreener_prices_are_strings(all_pairs):
    assert all(isinstance(pair["priceNative"], str) for pair in all_pairs)


def test_curves_have_no_liquidity_on_dexscreener(all_pairs):
    curves = [pair for pair in all_pairs if pair["dexId"] == "pumpfun"]
    assert all(
        "liquidity" not in pair or pair["liquidity"]["usd"] == 0 for pair in curves
    )
    assert any("liquidity" not in pair for pair in curves)


def test_a_complete_curve_can_stay_listed_without_liquidity(market, small_world):
    pairs = market.get(f"{DEX}/token-pairs/v1/solana/{mint_of(small_world, 'RUSHED')}")
    pump_pairs = [pair for pair in pairs if pair["dexId"].startswith("pump")]
    has_liquidity = [
        (pair["dexId"], pair["liquidity"]["usd"] > 0) for pair in pump_pairs
    ]
    assert has_liquidity == [("pumpswap", True), ("pumpfun", False)]


def test_dexscreener_omits_the_price_change_of_quiet_windows(all_pairs):
    assert all("m5" not in pair.get("priceChange", {}) for pair in all_pairs)


def test_dexscreener_omits_some_market_caps(all_pairs):
    assert any("marketCap" not in pair for pair in all_pairs)


def test_dexscreener_has_no_pairs_of_an_unknown_mint(market):
    assert market.get(f"{DEX}/tokens/v1/solana/{programs.WSOL}") == []
    assert market.get(f"{DEX}/latest/dex/tokens/{programs.WSOL}") == {
        "schemaVersion": "1.0.0",
        "pairs": None,
    }


def test_a_dexscreener_batch_returns_at_most_thirty_pairs(market, small_world):
    mints = list(small_world.tokens)[:30]
    assert len(market.get(f"{DEX}/tokens/v1/solana/{','.join(mints)}")) == 30


def test_a_dexscreener_batch_accepts_at_most_thirty_mints(market, small_world):
    mints = list(small_world.tokens)[:31]
    assert market.raw("GET", f"{DEX}/tokens/v1/solana/{','.join(mints)}")[0] == 400


def pumpswap_pair(market, mint):
    pairs = market.get(f"{DEX}/token-pairs/v1/solana/{mint}")
    return next(pair for pair in pairs if pair["dexId"] == "pumpswap")


def test_the_pair_of_a_migrated_token_is_as_old_as_its_migration(market, small_world):
    mint = mint_of(small_world, "LATEGEM")
    token = small_world.tokens[mint]
    migrated = token.graduated_offset_seconds + market.stats()["shift_seconds"]
    assert pumpswap_pair(market, mint)["pairCreatedAt"] == migrated * 1000
    assert token.graduated_offset_seconds - token.launched_offset_seconds > 3600


def test_jupiter_knows_launch_and_migration_of_a_token(market, small_world):
    mint = mint_of(small_world, "LATEGEM")
    row = market.get(f"{JUPITER}/search?query={mint}")[0]
    assert row["createdAt"] == row["firstPool"]["createdAt"] < row["graduatedAt"]
    assert row["graduatedPool"] == pumpswap_pair(market, mint)["pairAddress"]


def test_one_token_is_the_quote_of_a_pair(all_pairs, small_world):
    assert any(
        pair["quoteToken"]["address"] in small_world.tokens for pair in all_pairs
    )


def test_one_token_has_two_pumpswap_pools(market, small_world):
    pairs = market.get(f"{DEX}/token-pairs/v1/solana/{mint_of(small_world, 'TWINS')}")
    assert sum(pair["dexId"] == "pumpswap" for pair in pairs) == 2


def test_one_pumped_token_has_no_dexscreener_pair(market, small_world):
    mint = mint_of(small_world, "HIDDEN")
    assert market.get(f"{DEX}/tokens/v1/solana/{mint}") == []
    assert market.get(f"{JUPITER}/search?query={mint}")[0]["symbol"] == "HIDDEN"


def test_the_profiles_contain_other_chains(market):
    assert {
        row["chainId"] for row in market.get(f"{DEX}/token-profiles/latest/v1")
    } == {"base", "solana"}


def test_a_search_contains_other_chains(market):
    pairs = market.get(f"{DEX}/latest/dex/search?q=mooncat")["pairs"]
    assert {pair["chainId"] for pair in pairs} == {"base", "solana"}


@pytest.mark.parametrize(("path", "has_amount"), [("latest", True), ("top", False)])
def test_only_the_latest_boosts_have_an_amount(market, path, has_amount):
    rows = market.get(f"{DEX}/token-boosts/{path}/v1")
    assert rows
    assert all(("amount" in row) == has_amount for row in rows)


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


@pytest.fixture
def main_pools(market, small_world):
    """The main pool and its figures now, by mint."""
    stats = market.stats()
    now = int(stats["now"]) - stats["shift_seconds"]
    return {
        mint: main_pool(small_world, token, now)
        for mint, token in small_world.tokens.items()
    }


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


def test_dexscreener_serves_the_figures_of_the_ledger(market, small_world, main_pools):
    for mint, (pool, figures) in main_pools.items():
        if pool.is_listed:
            address = small_world.accounts.address(pool.account)
            pair = market.get(f"{DEX}/latest/dex/pairs/solana/{address}")["pairs"][0]
            volume = float(figures.windows["h24"].volume_usd)
            assert pair["volume"]["h24"] == pytest.approx(volume, rel=0.05, abs=1)
            assert pair["baseToken"]["address"] == mint


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

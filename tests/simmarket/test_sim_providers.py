"""DexScreener, GeckoTerminal, Jupiter and the klines: shapes, quirks, and figures that follow from the ledger."""

import json
from decimal import Decimal
from itertools import pairwise

import pytest

from simmarket import worlds
from simmarket.api.market import Options
from simmarket.chain.figures import main_pool
from simmarket.worlds import expected_results as truth

DEX, GECKO, JUPITER = "/dexscreener", "/geckoterminal/networks/solana", "/jupiter/tokens/v2"


def _mint(world, symbol):
    return next(mint for mint, token in world.tokens.items() if token.symbol == symbol)


def _types(value):
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def _compare(ours, real, path=""):
    """Every key of ours is one of the captured payload's, and holds the same kind of value (null is free)."""
    for key, value in ours.items():
        assert key in real, f"{path}.{key}"
        if value is None or real[key] is None:
            continue
        assert _types(value) == _types(real[key]), f"{path}.{key}"
        if isinstance(value, dict):
            _compare(value, real[key], f"{path}.{key}")


def _captured_pair(real_data):
    """All keys of the captured pairs in one."""
    pairs = json.loads((real_data / "http" / "dexscreener" / "token_pairs_v1.json").read_text())
    merged = {}
    for pair in pairs:
        for key, value in pair.items():
            merged[key] = {**merged.get(key, {}), **value} if isinstance(value, dict) else value
    return merged


def _all_pairs(market, world):
    return [pair for mint in world.tokens for pair in market.get(f"{DEX}/token-pairs/v1/solana/{mint}")]


def test_dexscreener_pairs_have_the_captured_keys_and_types(market, small_world, real_data):
    real = _captured_pair(real_data)
    for pair in _all_pairs(market, small_world):
        _compare(pair, real)


def test_dexscreener_prices_are_strings_and_curves_have_no_liquidity(market, small_world):
    pairs = _all_pairs(market, small_world)
    assert all(isinstance(pair["priceNative"], str) for pair in pairs)
    curves = [pair for pair in pairs if pair["dexId"] == "pumpfun"]
    assert all("liquidity" not in pair or pair["liquidity"]["usd"] == 0 for pair in curves)
    assert any("liquidity" not in pair for pair in curves)


def test_a_finished_curve_may_stay_listed_with_nothing_in_it(market, small_world):
    pairs = market.get(f"{DEX}/token-pairs/v1/solana/{_mint(small_world, 'RUSHED')}")
    assert [(pair["dexId"], pair["liquidity"]["usd"] > 0) for pair in pairs if pair["dexId"].startswith("pump")] == [
        ("pumpswap", True),
        ("pumpfun", False),
    ]


def test_dexscreener_leaves_out_keys_of_quiet_windows(market, small_world):
    pairs = _all_pairs(market, small_world)
    assert all("m5" not in pair.get("priceChange", {}) for pair in pairs)
    assert any("marketCap" not in pair for pair in pairs)


def test_dexscreener_answers_unknown_mints_with_nothing(market):
    stranger = "So11111111111111111111111111111111111111112"
    assert market.get(f"{DEX}/tokens/v1/solana/{stranger}") == []
    assert market.get(f"{DEX}/latest/dex/tokens/{stranger}") == {"schemaVersion": "1.0.0", "pairs": None}


def test_a_dexscreener_batch_is_cut_at_thirty_pairs_and_thirty_mints(market, small_world):
    mints = list(small_world.tokens)
    rows = market.get(f"{DEX}/tokens/v1/solana/{','.join(mints[:30])}")
    assert len(rows) == 30
    assert market.raw("GET", f"{DEX}/tokens/v1/solana/{','.join(mints[:31])}")[0] == 400


def test_the_pair_of_a_migrated_token_dates_from_its_migration(market, small_world):
    mint = _mint(small_world, "LATEGEM")
    token = small_world.tokens[mint]
    pair = next(p for p in market.get(f"{DEX}/token-pairs/v1/solana/{mint}") if p["dexId"] == "pumpswap")
    shift = market.stats()["shift_seconds"]
    assert pair["pairCreatedAt"] == (token.graduated_offset_seconds + shift) * 1000
    assert token.graduated_offset_seconds - token.launched_offset_seconds > 3600
    known = market.get(f"{JUPITER}/search?query={mint}")[0]
    assert known["createdAt"] == known["firstPool"]["createdAt"] < known["graduatedAt"]
    assert known["graduatedPool"] == pair["pairAddress"]


def test_one_token_stands_on_the_quote_side_somewhere(market, small_world):
    pairs = _all_pairs(market, small_world)
    assert any(pair["quoteToken"]["address"] in small_world.tokens for pair in pairs)


def test_one_token_has_two_pumpswap_pools(market, small_world):
    pairs = market.get(f"{DEX}/token-pairs/v1/solana/{_mint(small_world, 'TWINS')}")
    assert sum(pair["dexId"] == "pumpswap" for pair in pairs) == 2


def test_one_pumped_token_has_no_dexscreener_pair(market, small_world):
    mint = _mint(small_world, "HIDDEN")
    assert market.get(f"{DEX}/tokens/v1/solana/{mint}") == []
    assert market.get(f"{JUPITER}/search?query={mint}")[0]["symbol"] == "HIDDEN"


def test_feeds_and_searches_contain_other_chains(market):
    assert {row["chainId"] for row in market.get(f"{DEX}/token-profiles/latest/v1")} == {"base", "solana"}
    found = market.get(f"{DEX}/latest/dex/search?q=mooncat")["pairs"]
    assert {pair["chainId"] for pair in found} == {"base", "solana"}


@pytest.mark.parametrize(("path", "has_amount"), [("latest", True), ("top", False)])
def test_only_the_latest_boosts_carry_an_amount(market, path, has_amount):
    rows = market.get(f"{DEX}/token-boosts/{path}/v1")
    assert rows
    assert all(("amount" in row) == has_amount for row in rows)


def test_gecko_pools_have_the_captured_keys_and_types(market, real_data):
    folder = real_data / "http" / "geckoterminal"
    real = json.loads((folder / "onchain_networks_network_trending_pools.json").read_text())
    body = market.get(f"{GECKO}/trending_pools?include=base_token,quote_token,dex")
    for row in body["data"]:
        _compare(row, real["data"][0])
    for row in body["included"]:
        _compare(row, next(item for item in real["included"] if item["type"] == row["type"]))


def test_gecko_money_is_text_and_some_reserves_are_negative(market):
    rows = market.get(f"{GECKO}/pools")["data"] + market.get(f"{GECKO}/pools?page=2")["data"]
    assert all(isinstance(row["attributes"]["reserve_in_usd"], str) for row in rows)
    assert any(row["attributes"]["market_cap_usd"] is None for row in rows)


def test_gecko_pages_overlap_but_lose_nothing(market, small_world):
    pages = [market.get(f"{GECKO}/new_pools?page={page}")["data"] for page in (1, 2, 3)]
    ids = [row["id"] for page in pages for row in page]
    assert pages[1][0]["id"] == pages[0][-1]["id"]
    traded = [token for token in small_world.tokens.values() if token.kind != "past"]
    assert len(set(ids)) == sum(len(token.pools) for token in traded)


def test_gecko_token_rows_have_the_captured_keys(market, small_world, real_data):
    folder = real_data / "http" / "geckoterminal"
    real = json.loads((folder / "onchain_networks_network_tokens_multi_addresses.json").read_text())
    mints = list(small_world.tokens)[:5]
    rows = market.get(f"{GECKO}/tokens/multi/{','.join(mints)},unknown")["data"]
    assert {row["attributes"]["address"] for row in rows} == set(mints)
    for row in rows:
        _compare(row, {**real["data"][0], **real["data"][1]})


def test_gecko_unknown_pools_are_json_api_errors(market):
    status, _, body = market.raw("GET", f"{GECKO}/pools/unknown")
    assert status == 404
    assert json.loads(body)["errors"][0]["status"] == "404"


def test_gecko_candles_are_numbers_newest_first(market, small_world, real_data):
    folder = real_data / "http" / "geckoterminal"
    name = "onchain_networks_network_pools_pool_address_ohlcv_timeframe.json"
    real = json.loads((folder / name).read_text())
    pool = small_world.accounts.address(small_world.tokens[_mint(small_world, "TWINS")].pools[1].account)
    body = market.get(f"{GECKO}/pools/{pool}/ohlcv/minute?limit=50")
    assert set(body["meta"]["base"]) == set(real["meta"]["base"])
    rows = body["data"]["attributes"]["ohlcv_list"]
    assert rows == sorted(rows, reverse=True)
    assert all(low <= opening <= high and low <= close <= high for _, opening, high, low, close, _ in rows)


def test_jupiter_leaves_out_zeros(market):
    for row in market.get(f"{JUPITER}/toptraded/24h?limit=100"):
        assert "stats5m" not in row
        assert all(value for value in row.get("stats24h", {}).values())


def test_jupiter_answers_carry_the_rate_headers(market):
    _, headers, _ = market.raw("GET", f"{JUPITER}/recent")
    assert {"x-ratelimit-remaining", "x-ratelimit-current", "x-ratelimit-reset"} <= set(headers)
    assert market.raw("GET", f"{JUPITER}/recent", headers={"x-api-key": "bad"})[0] == 401


def test_jupiter_prices_omit_unknown_mints(market, small_world):
    mint = _mint(small_world, "TWINS")
    assert set(market.get(f"/jupiter/price/v3?ids={mint},{mint[:-1]}q")) == {mint}


def test_candles_have_the_binance_shape_and_join(market, small_world):
    shift = market.stats()["shift_seconds"]
    start = (shift - 86_400) // 60 * 60_000
    rows = market.get(f"/prices/api/v3/klines?symbol=SOLUSDT&interval=1m&startTime={start}&limit=1000")
    assert len(rows) == 1000
    assert all(len(row) == 12 and row[6] == row[0] + 59_999 for row in rows)
    assert [type(cell) for cell in rows[0]] == [int, *[str] * 5, int, str, int, str, str, str]
    assert all(before[0] + 60_000 == after[0] and before[4] == after[1] for before, after in pairwise(rows))
    for row in rows[::100]:
        assert Decimal(row[4]) * 100 == small_world.price.close_cents((row[0] // 1000 - shift) // 60)


def test_an_unknown_symbol_is_refused_as_binance_does(market):
    status, _, body = market.raw("GET", "/prices/api/v3/klines?symbol=BTCUSDT&interval=1m")
    assert (status, json.loads(body)["code"]) == (400, -1121)


def test_every_provider_shows_the_figures_of_the_ledger(market, small_world):
    now = int(market.stats()["now"]) - market.stats()["shift_seconds"]
    for mint, token in small_world.tokens.items():
        pool, figures = main_pool(small_world, token, now)
        day = figures.windows["h24"]
        address = small_world.accounts.address(pool.account)
        gecko = market.get(f"{GECKO}/pools/{address}")["data"]["attributes"]
        assert float(gecko["volume_usd"]["h24"]) == pytest.approx(float(day.volume_usd), rel=0.05, abs=1)
        assert gecko["transactions"]["h24"]["buys"] == pytest.approx(day.buys, abs=3)
        if pool.listed:
            shown = market.get(f"{DEX}/latest/dex/pairs/solana/{address}")["pairs"][0]
            assert shown["volume"]["h24"] == pytest.approx(float(day.volume_usd), rel=0.05, abs=1)
            assert shown["baseToken"]["address"] == mint


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_pumped_tokens_are_clear_on_every_wire(seed, seeded_world):
    world = seeded_world(seed)
    usual = truth.pumped(world)
    assert {world.tokens[mint].kind for mint in usual} == {"pump"}
    assert len(usual) == 10
    tight = {
        "min_price_change_pct": Decimal(150),
        "min_volume_usd": Decimal(75_000),
        "min_liquidity_usd": Decimal(15_000),
    }
    assert truth.pumped(world, **tight) == usual
    loose = {
        "min_price_change_pct": Decimal(75),
        "min_volume_usd": Decimal(40_000),
        "min_liquidity_usd": Decimal(8_000),
    }
    assert truth.pumped(world, **loose) == usual
    older = truth.pumped(world, max_token_age_hours=168) - usual
    assert {world.tokens[mint].symbol for mint in older} == {"ELDER", "REBORN"}


def test_jupiter_alone_names_the_same_pumped_tokens(market, small_world):
    chosen = set()
    shift, now = market.stats()["shift_seconds"], market.stats()["now"]
    for row in market.get(f"{JUPITER}/toptraded/24h?limit=100"):
        stats = row.get("stats24h", {})
        volume = stats.get("buyVolume", 0) + stats.get("sellVolume", 0)
        launch = small_world.tokens[row["id"]].launched_offset_seconds + shift
        if (
            stats.get("priceChange", 0) >= 100
            and volume >= 50_000
            and row["liquidity"] >= 10_000
            and now - launch < 72 * 3600
        ):
            chosen.add(row["id"])
    assert chosen == truth.pumped(small_world)


def test_an_unknown_path_or_parameter_is_an_error_and_counted(market):
    before = market.stats()["unhandled_count"]
    for path in (
        f"{DEX}/ads/latest/v1",
        f"{GECKO}/pools?sorting=up",
        f"{JUPITER}/tag?query=lst",
        "/birdeye/defi/price",
    ):
        assert market.raw("GET", path)[0] in {400, 404}
    assert market.stats()["unhandled_count"] == before + 4


def test_the_empty_world_answers_empty(fresh):
    empty = fresh(Options(), worlds.build("empty"))
    assert empty.get(f"{JUPITER}/toptrending/24h") == []
    assert empty.get(f"{GECKO}/trending_pools") == {"data": []}
    assert empty.rpc("getSlot") > 0
    assert empty.rpc("getSignaturesForAddress", "So11111111111111111111111111111111111111112") == []

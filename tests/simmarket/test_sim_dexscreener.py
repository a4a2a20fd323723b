"""DexScreener: shapes, quirks, and figures that follow from the ledger."""

import pytest

from simmarket.chain import programs
from tests.simmarket.payloads import (
    DEX,
    JUPITER,
    assert_same_shape,
    mint_of,
    pumpswap_pair,
)


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


def test_a_curve_has_no_liquidity_when_it_is_complete_either(market, small_world):
    pairs = market.get(f"{DEX}/token-pairs/v1/solana/{mint_of(small_world, 'RUSHED')}")
    pump_pairs = [pair for pair in pairs if pair["dexId"].startswith("pump")]
    assert [(pair["dexId"], "liquidity" in pair) for pair in pump_pairs] == [
        ("pumpswap", True),
        ("pumpfun", False),
    ]


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


def test_a_dexscreener_batch_returns_one_pair_of_each_token(market, small_world):
    mints = [mint_of(small_world, symbol) for symbol in ("TWINS", "RUSHED", "MOONCAT")]
    rows = market.get(f"{DEX}/tokens/v1/solana/{','.join(mints)}")
    assert [row["baseToken"]["address"] for row in rows] == mints
    assert [row["dexId"] for row in rows] == ["pumpswap", "pumpswap", "pumpfun"]


def test_a_dexscreener_batch_accepts_at_most_thirty_mints(market, small_world):
    mints = list(small_world.tokens)[:31]
    assert market.raw("GET", f"{DEX}/tokens/v1/solana/{','.join(mints)}")[0] == 400


def test_the_pair_of_a_migrated_token_is_as_old_as_its_migration(market, small_world):
    mint = mint_of(small_world, "LATEGEM")
    token = small_world.tokens[mint]
    migrated = token.graduated_offset_seconds + market.stats()["shift_seconds"]
    assert pumpswap_pair(market, mint)["pairCreatedAt"] == migrated * 1000
    assert token.graduated_offset_seconds - token.launched_offset_seconds > 3600


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


def test_dexscreener_serves_the_figures_of_the_ledger(market, small_world, main_pools):
    for mint, (pool, figures) in main_pools.items():
        if pool.is_listed:
            address = small_world.accounts.address(pool.account)
            pair = market.get(f"{DEX}/latest/dex/pairs/solana/{address}")["pairs"][0]
            volume = float(figures.windows["h24"].volume_usd)
            assert pair["volume"]["h24"] == pytest.approx(volume, rel=0.05, abs=1)
            assert pair["baseToken"]["address"] == mint

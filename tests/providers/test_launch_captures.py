"""Captured answers that name the mint for a pool, the mint's clock for the market's, and
one pair for all: what the search makes of them.
"""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from discovery.pipeline.find_tokens import TokenAggregator
from discovery.providers.dexscreener import DexScreener
from discovery.providers.jupiter import Jupiter
from tests.providers.local_server import LocalServer, json_reply, run_client


@pytest.fixture
def captures(realdata: Path) -> Path:
    return realdata / "captures-2026-10"


def rows_of(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text())


def test_the_mint_of_a_pump_fun_token_is_not_taken_for_its_first_pool(
    server: LocalServer, captures: Path
) -> None:
    (wire,) = rows_of(captures / "jupiter_search_pumpfun_first_pool_is_the_mint.json")
    assert wire["firstPool"]["id"] == wire["id"]
    server.replies = [json_reply([wire])]
    (record,) = run_client(
        server.url, lambda client: Jupiter(client).tokens([wire["id"]])
    )
    assert record.first_pool is None
    tokens = TokenAggregator()
    tokens.replace_record(record)
    token = tokens.candidate(wire["id"])
    assert token.pools == (wire["graduatedPool"],)
    assert (token.launched_at, token.launch_clock) == (1_791_466_106, "jupiter")


def test_a_mint_that_is_days_older_than_its_pool_launches_with_the_pool(
    server: LocalServer, captures: Path
) -> None:
    wire = rows_of(captures / "jupiter_toptrending_mint_older_than_first_pool.json")
    server.replies = [json_reply(wire)]
    records = run_client(server.url, lambda client: Jupiter(client).trending("1h"))
    assert (len(records), records.rejected) == (3, 0)
    for record in records:
        tokens = TokenAggregator()
        tokens.replace_record(record)
        token = tokens.candidate(record.mint)
        assert token.launched_at == record.first_pool_at
        assert token.launched_at - record.created_at > 86_400


def test_a_batch_with_one_pair_each_needs_no_further_request(
    server: LocalServer, captures: Path
) -> None:
    wire = rows_of(captures / "dexscreener_tokens_v1_batch_one_pair_each.json")
    server.replies = [json_reply(wire)]
    mints = [row["baseToken"]["address"] for row in wire]
    pairs = run_client(server.url, lambda client: DexScreener(client).pairs(mints))
    assert [pair.mint for pair in pairs] == mints
    assert len(server.requests) == 1


def test_all_pairs_of_a_token_are_asked_for_by_themselves(
    server: LocalServer, captures: Path
) -> None:
    wire = rows_of(captures / "dexscreener_token_pairs.json")
    server.replies = [json_reply(wire)]
    mint = wire[0]["baseToken"]["address"]
    pairs = run_client(server.url, lambda client: DexScreener(client).all_pairs(mint))
    assert [request.path for request in server.requests] == [
        f"/token-pairs/v1/solana/{mint}"
    ]
    pool, curve = pairs
    assert (pool.dex, pool.liquidity_usd) == ("pumpswap", Decimal("73411.54"))
    assert (curve.dex, curve.liquidity_usd) == ("pumpfun", None)
    tokens = TokenAggregator()
    for pair in pairs:
        tokens.replace_pair(pair)
    token = tokens.candidate(mint)
    assert token.pools == (pool.pool, curve.pool)
    assert token.transactions_24h == 9_647 + 5_103 + 7
    assert token.liquidity_usd == pool.liquidity_usd

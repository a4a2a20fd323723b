"""DexScreener: full responses, missing keys, other chains, garbled rows."""

import json
from decimal import Decimal

import pytest

from discovery.domain.programs import USDC, WRAPPED_SOL
from discovery.providers.dexscreener import DexScreener
from discovery.providers.errors import BadPayload
from tests.providers.local_server import Reply, json_reply, run_client

MINT, OTHER = (
    "USD1ttGY1N17NEEHLmELoaybftRBUSErhqYiQzvEmuB",
    "GMvCfcZg8YvkkQmwDaAzCtHDrrEtgE74nQpQ7xNabonk",
)
POOL = "BCDdHonby65iduz3Ev3c9v5XjNkzyu5e56KRFHpBM4T9"


def pair(mint=MINT, quote=WRAPPED_SOL, **fields):
    return {
        "chainId": "solana",
        "dexId": "pumpswap",
        "pairAddress": POOL,
        "baseToken": {"address": mint, "name": "Some Name", "symbol": "SOME"},
        "quoteToken": {"address": quote, "name": "Wrapped SOL", "symbol": "SOL"},
        "priceUsd": "0.00021",
        "txns": {"h24": {"buys": 9, "sells": 4}},
        "volume": {"h24": 1234.5},
        "priceChange": {"h24": 340},
        "liquidity": {"usd": 12345.67, "base": 1, "quote": 2},
        "fdv": 210000,
        "marketCap": 200000,
        "pairCreatedAt": 1790000000999,
        **fields,
    }


def pairs(server, rows, mints=(MINT,)):
    server.replies = [json_reply(rows)]
    return run_client(server.url, lambda client: DexScreener(client).pairs(mints))


def requested_mints(server):
    return [request.path.rsplit("/", 1)[1].split(",") for request in server.requests]


def test_a_pair_becomes_a_record(server):
    (row,) = pairs(server, [pair()])
    assert (row.mint, row.pool, row.dex, row.quote_mint) == (
        MINT,
        POOL,
        "pumpswap",
        WRAPPED_SOL,
    )
    assert (row.symbol, row.name, row.transactions_24h, row.pool_created_at) == (
        "SOME",
        "Some Name",
        13,
        1_790_000_000,
    )
    assert (row.price_usd, row.price_change_24h_pct) == (
        Decimal("0.00021"),
        Decimal(340),
    )
    assert (row.volume_24h_usd, row.liquidity_usd, row.market_cap_usd) == (
        Decimal("1234.5"),
        Decimal("12345.67"),
        Decimal(200000),
    )


def test_missing_keys_are_unknown_not_zero(server):
    (row,) = pairs(
        server,
        [{"chainId": "solana", "pairAddress": POOL, "baseToken": {"address": MINT}}],
    )
    figures = (
        row.price_usd,
        row.price_change_24h_pct,
        row.volume_24h_usd,
        row.liquidity_usd,
        row.market_cap_usd,
    )
    assert figures == (None,) * 5
    assert (row.quote_mint, row.symbol, row.transactions_24h, row.pool_created_at) == (
        None,
        "",
        None,
        None,
    )


@pytest.mark.parametrize(
    "nulls",
    [
        dict.fromkeys(
            (
                "quoteToken",
                "priceUsd",
                "txns",
                "volume",
                "priceChange",
                "liquidity",
                "fdv",
                "marketCap",
            )
        ),
        {
            "priceChange": {},
            "volume": {},
            "txns": {},
            "liquidity": {"usd": None},
            "quoteToken": {"address": None},
        },
        {"labels": None, "info": None, "boosts": None, "pairCreatedAt": None},
    ],
    ids=["objects", "fields", "rest"],
)
def test_nulls_are_unknown(server, nulls):
    rows = pairs(server, [pair(**nulls)])
    assert (len(rows), rows.rejected) == (1, 0)


def test_without_a_market_cap_the_fully_diluted_one_is_used(server):
    assert pairs(server, [pair(marketCap=None)])[0].market_cap_usd == Decimal(210000)


def test_rows_of_other_chains_are_dropped(server):
    rows = pairs(server, [pair(chainId="bsc"), pair()])
    assert (len(rows), rows.rejected) == (1, 0)


def test_a_pair_is_not_a_market_of_its_quote_token(server):
    rows = pairs(server, [pair(OTHER, quote=MINT), pair(MINT, quote=USDC)])
    assert [(row.mint, row.quote_mint) for row in rows] == [(MINT, USDC)]


@pytest.mark.parametrize(
    "garbled",
    [
        7,
        "?",
        {"chainId": "solana"},
        pair(priceUsd="cheap"),
        pair(pairCreatedAt="yesterday"),
        pair(pairCreatedAt=10**20),
        pair(pairCreatedAt=-1),
        pair(txns=[]),
        pair(pairAddress="not an address"),
    ],
    ids=range(9),
)
def test_one_garbled_row_is_counted_and_skipped(server, garbled):
    rows = pairs(server, [pair(), garbled, pair(pairAddress=MINT)])
    assert ([row.pool for row in rows], rows.rejected) == ([POOL, MINT], 1)
    assert rows.cause.startswith("dexscreener: ")


@pytest.mark.parametrize("nonsense", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_a_figure_that_is_not_finite_is_unknown(server, nonsense):
    figures = {
        "priceUsd": nonsense,
        "liquidity": {"usd": nonsense},
        "marketCap": nonsense,
        "fdv": nonsense,
    }
    (row,) = pairs(
        server,
        [pair(**figures, priceChange={"h24": nonsense}, volume={"h24": nonsense})],
    )
    assert (row.price_usd, row.liquidity_usd, row.market_cap_usd) == (None, None, None)
    assert (row.price_change_24h_pct, row.volume_24h_usd) == (None, None)


def test_names_are_cleaned(server):
    (row,) = pairs(
        server,
        [
            pair(
                baseToken={
                    "address": MINT,
                    "name": "a\u202eb\x00",
                    "symbol": "S\u200bX" * 99,
                }
            )
        ],
    )
    assert (row.name, len(row.symbol)) == ("ab", 64)


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"null", b"{}", b'{"pairs":null}', b"7", b"\xff\xfe", b"[" * 99_999],
)
def test_a_body_that_is_not_a_list_is_a_bad_payload(server, body):
    server.replies = [Reply(body)]
    with pytest.raises(BadPayload):
        run_client(server.url, lambda client: DexScreener(client).pairs([MINT]))


def test_a_call_requests_up_to_thirty_mints(server):
    mints = [f"{number:02}" for number in range(65)]
    assert pairs(server, [], mints) == []
    assert [len(call) for call in requested_mints(server)] == [30, 30, 5]


def test_a_repeated_mint_is_requested_once(server):
    pairs(server, [], [MINT, MINT])
    assert requested_mints(server) == [[MINT]]


def pairs_with_full_batches(server, crowd):
    """Return the pairs of two mints from a server whose batches hold `crowd` only, and
    single responses one pair.
    """
    server.answer = lambda request: json_reply(
        crowd
        if "," in request.path
        else [pair(request.path.rsplit("/", 1)[1], pairAddress=MINT)]
    )
    return run_client(
        server.url, lambda client: DexScreener(client).pairs([MINT, OTHER])
    )


def test_a_mint_missing_in_a_full_response_is_requested_by_itself(server):
    rows = pairs_with_full_batches(server, [pair() for _ in range(30)])
    assert requested_mints(server) == [[MINT, OTHER], [OTHER]]
    assert {row.mint for row in rows} == {MINT, OTHER}


def test_a_response_full_of_quote_pairs_crowds_out_mints_too(server):
    """Captured responses hold more pairs with the token on the quote side than on the
    base side.
    """
    rows = pairs_with_full_batches(
        server,
        [pair() for _ in range(11)] + [pair(POOL, quote=MINT) for _ in range(19)],
    )
    assert requested_mints(server) == [[MINT, OTHER], [OTHER]]
    assert {row.mint for row in rows} == {MINT, OTHER}


def test_a_mint_missing_in_a_response_with_room_has_no_pair(server):
    pairs_with_full_batches(server, [pair() for _ in range(5)])
    assert requested_mints(server) == [[MINT, OTHER]]


def test_a_feed_returns_solana_tokens_with_their_source(server):
    row = {"chainId": "solana", "tokenAddress": MINT, "url": "u", "links": None}
    garbled = [
        {"chainId": "solana"},
        {"chainId": "solana", "tokenAddress": "no address"},
    ]
    server.replies = [
        json_reply([row, {**row, "chainId": "base", "tokenAddress": "0xabc"}, *garbled])
    ]
    rows = run_client(
        server.url, lambda client: DexScreener(client).feed("/token-boosts/top/v1")
    )
    assert [(each.mint, each.source) for each in rows] == [
        (MINT, "dexscreener/token-boosts/top")
    ]
    assert rows.rejected == 2


def captured(realdata, name):
    content = json.loads(
        (realdata / "http" / "dexscreener" / f"{name}.json").read_text()
    )
    return content["pairs"] if isinstance(content, dict) else content


@pytest.mark.parametrize(
    "name",
    [
        "tokens_v1_batch",
        "token_pairs_v1",
        "latest_dex_tokens",
        "latest_dex_tokens_2",
        "search",
    ],
)
def test_every_captured_solana_pair_becomes_a_record(server, realdata, name):
    wire = [row for row in captured(realdata, name) if row["chainId"] == "solana"]
    mints = list({row["baseToken"]["address"] for row in wire})
    server.answer = lambda request: json_reply(
        captured(realdata, name) if "," in request.path or len(mints) == 1 else []
    )
    rows = run_client(server.url, lambda client: DexScreener(client).pairs(mints))
    assert (len(rows), rows.rejected, rows.cause) == (len(wire), 0, "")
    for record, row in zip(rows, wire, strict=True):
        assert (record.mint, record.pool, record.dex) == (
            row["baseToken"]["address"],
            row["pairAddress"],
            row["dexId"],
        )
        assert record.pool_created_at == row["pairCreatedAt"] // 1000
        assert record.price_usd == Decimal(row["priceUsd"])


def test_a_captured_pair_has_the_values_of_the_response(server, realdata):
    rows = pairs(server, captured(realdata, "tokens_v1_batch"))
    (wire,) = captured(realdata, "tokens_v1_batch")
    (row,) = rows
    assert (row.mint, row.quote_mint, row.symbol) == (MINT, USDC, "USD1")
    assert row.liquidity_usd == Decimal(str(wire["liquidity"]["usd"]))
    assert row.volume_24h_usd == Decimal(str(wire["volume"]["h24"]))
    assert (
        row.transactions_24h
        == wire["txns"]["h24"]["buys"] + wire["txns"]["h24"]["sells"]
    )


@pytest.mark.parametrize(
    ("name", "count"),
    [("token_boosts_latest_v1", 30), ("token_profiles_latest_v1", 20)],
)
def test_a_captured_feed_returns_its_solana_rows(server, realdata, name, count):
    server.replies = [json_reply(captured(realdata, name))]
    rows = run_client(
        server.url, lambda client: DexScreener(client).feed("/token-boosts/latest/v1")
    )
    assert (len(rows), rows.rejected) == (count, 0)

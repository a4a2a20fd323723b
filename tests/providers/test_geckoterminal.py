"""GeckoTerminal: strings for numbers, negative reserves, nulls, rows of other networks."""

import json
from decimal import Decimal

import pytest

from discovery.domain.programs import WRAPPED_SOL
from discovery.providers.errors import BadPayload, RateLimited
from discovery.providers.geckoterminal import GeckoTerminal
from tests.providers.local_server import Reply, json_reply, run_client

MINT = "USD1ttGY1N17NEEHLmELoaybftRBUSErhqYiQzvEmuB"
POOL = "BCDdHonby65iduz3Ev3c9v5XjNkzyu5e56KRFHpBM4T9"


def pool(base=f"solana_{MINT}", **attributes):
    return {
        "id": f"solana_{POOL}",
        "type": "pool",
        "attributes": {
            "base_token_price_usd": "0.0012",
            "address": POOL,
            "name": "ABC / SOL 0.25%",
            "pool_created_at": "2026-09-01T12:00:05Z",
            "fdv_usd": "1200000",
            "market_cap_usd": None,
            "price_change_percentage": {"m5": "-0.355", "h24": "410.5"},
            "transactions": {"h24": {"buys": 7, "sells": 2, "buyers": 1, "sellers": 2}},
            "volume_usd": {"h24": "5000.25"},
            "reserve_in_usd": "34000.2",
            **attributes,
        },
        "relationships": {
            "base_token": {"data": {"id": base, "type": "token"}},
            "quote_token": {"data": {"id": f"solana_{WRAPPED_SOL}", "type": "token"}},
            "dex": {"data": {"id": "pumpswap", "type": "dex"}},
        },
    }


def trending(server, rows, duration="5m"):
    server.replies = [json_reply({"data": rows})]
    return run_client(
        server.url, lambda client: GeckoTerminal(client).trending(duration)
    )


def test_strings_become_exact_numbers(server):
    (row,) = trending(server, [pool()])
    assert (row.mint, row.pool, row.dex, row.quote_mint, row.symbol) == (
        MINT,
        POOL,
        "pumpswap",
        WRAPPED_SOL,
        "ABC",
    )
    assert (row.price_usd, row.price_change_24h_pct) == (
        Decimal("0.0012"),
        Decimal("410.5"),
    )
    assert (row.volume_24h_usd, row.liquidity_usd) == (
        Decimal("5000.25"),
        Decimal("34000.2"),
    )
    assert (row.market_cap_usd, row.transactions_24h) == (Decimal(1200000), 9)
    assert row.pool_created_at == 1_788_264_005


def test_the_request_names_duration_or_dex(server):
    trending(server, [], "24h")
    server.replies = [json_reply({"data": []})]
    run_client(
        server.url, lambda client: GeckoTerminal(client).dex_pools("meteora-dbc")
    )
    assert [request.path for request in server.requests] == [
        "/networks/solana/trending_pools?duration=24h&page=1",
        "/networks/solana/dexes/meteora-dbc/pools?page=1",
    ]


@pytest.mark.parametrize(
    ("reserve", "liquidity"),
    [("-12.5", None), (None, None), ("0", Decimal(0)), ("NaN", None)],
)
def test_a_negative_reserve_is_not_a_liquidity(server, reserve, liquidity):
    assert (
        trending(server, [pool(reserve_in_usd=reserve)])[0].liquidity_usd == liquidity
    )


def test_the_market_cap_comes_before_the_fully_diluted_one(server):
    assert trending(server, [pool(market_cap_usd="7.5")])[0].market_cap_usd == Decimal(
        "7.5"
    )


@pytest.mark.parametrize(
    "nulls",
    [
        dict.fromkeys(
            (
                "name",
                "base_token_price_usd",
                "pool_created_at",
                "fdv_usd",
                "reserve_in_usd",
            )
        ),
        dict.fromkeys(("price_change_percentage", "volume_usd", "transactions")),
        {
            "price_change_percentage": {},
            "volume_usd": {"h24": None},
            "transactions": {},
        },
    ],
    ids=["figures", "objects", "fields"],
)
def test_nulls_are_unknown(server, nulls):
    rows = trending(server, [pool(**nulls)])
    assert (len(rows), rows.rejected) == (1, 0)


def test_pools_of_other_networks_are_dropped(server):
    rows = trending(
        server, [pool(base="eth_0x6469b34a2a4723163c4902dbbdea728d20693c12"), pool()]
    )
    assert ([row.mint for row in rows], rows.rejected) == ([MINT], 0)


@pytest.mark.parametrize(
    "garbled",
    [
        None,
        {"id": "x"},
        pool(reserve_in_usd="lots"),
        pool(pool_created_at="lately"),
        pool(pool_created_at="2026-09-01T12:00:05"),
        pool(pool_created_at="0001-01-01T00:00:00+23:59"),
        pool(base="solana_nonsense"),
        pool(address="nonsense"),
    ],
    ids=range(8),
)
def test_a_garbled_pool_is_counted_and_skipped(server, garbled):
    rows = trending(server, [pool(), garbled])
    assert (len(rows), rows.rejected) == (1, 1)
    assert rows.cause.startswith("geckoterminal: ")


def test_a_pool_without_a_base_token_is_dropped(server):
    row = pool()
    row["relationships"]["base_token"] = {"data": None}
    assert trending(server, [row]) == []


def test_a_rate_limit_with_status_200_is_an_error(server):
    server.replies = [
        json_reply(
            {
                "status": {
                    "error_code": 429,
                    "error_message": "You've exceeded the Rate Limit",
                }
            }
        )
    ]
    with pytest.raises(BadPayload, match="data"):
        run_client(server.url, lambda client: GeckoTerminal(client).trending("1h"))


def test_a_429_with_retry_after_zero_is_retried_until_it_fails(server):
    server.replies = [Reply(b"", 429, {"Retry-After": "0"})]
    with pytest.raises(RateLimited) as caught:
        run_client(server.url, lambda client: GeckoTerminal(client).trending("1h"))
    assert caught.value.wait_seconds is None
    assert len(server.requests) > 1


def captured(realdata):
    """Pages of pools, by file name."""
    for path in sorted((realdata / "http" / "geckoterminal").glob("onchain_*.json")):
        page = json.loads(path.read_text())
        if isinstance(page["data"], list) and page["data"][0]["type"] == "pool":
            yield path.stem, page


def test_every_captured_solana_pool_is_a_record(server, realdata):
    pages = dict(captured(realdata))
    assert len(pages) >= 10
    for name, page in pages.items():
        server.replies = [json_reply(page)]
        rows = run_client(
            server.url, lambda client: GeckoTerminal(client).trending("5m")
        )
        solana = [row for row in page["data"] if row["id"].startswith("solana_")]
        assert (len(rows), rows.rejected, rows.cause) == (len(solana), 0, ""), name


def test_a_captured_solana_pool_has_the_values_of_the_response(server, realdata):
    page = dict(captured(realdata))["onchain_categories_category_id_pools"]
    server.replies = [json_reply(page)]
    (row,) = run_client(server.url, lambda client: GeckoTerminal(client).trending("5m"))
    assert row.pool == "DaZJ1A8ZqiSbSr7M5uFudafDUXLSNQX1zVpcyDhJZEzF"
    assert row.liquidity_usd == Decimal("1123.21403520731")
    assert row.price_usd == Decimal(
        "0.0000013253687934057798494580598374625617972585734733709883585887625"
    )


def test_a_captured_pool_with_nulls_is_a_record(server, realdata):
    server.replies = [
        json_reply(dict(captured(realdata))["onchain_networks_new_pools"])
    ]
    (row,) = run_client(server.url, lambda client: GeckoTerminal(client).trending("5m"))
    assert (row.liquidity_usd, row.pool) == (
        None,
        "6EiJDBoHqRA3m6FqYBphpGomspmFxtj4mawUKYMZtcVG",
    )

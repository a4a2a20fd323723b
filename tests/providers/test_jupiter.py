"""Jupiter: omitted figures are zero, unknown mints have no record."""

from decimal import Decimal

import pytest

from discovery.providers.errors import BadPayload
from discovery.providers.jupiter import Jupiter
from tests.providers.local_server import Reply, json_reply, run_client

MINT = "USD1ttGY1N17NEEHLmELoaybftRBUSErhqYiQzvEmuB"
POOL = "BCDdHonby65iduz3Ev3c9v5XjNkzyu5e56KRFHpBM4T9"


def token(mint=MINT, **fields):
    return {
        "id": mint,
        "name": "Some Name",
        "symbol": "SOME",
        "decimals": 6,
        "createdAt": "2026-09-01T12:00:05Z",
        "firstPool": {"id": POOL, "createdAt": "2026-09-01T12:00:06.123456789Z"},
        "graduatedPool": POOL,
        "graduatedAt": "2026-09-01T13:00:00Z",
        "usdPrice": 0.00021,
        "liquidity": 12345.6789,
        "mcap": 210000.5,
        "stats24h": {
            "priceChange": 340.25,
            "buyVolume": 100.5,
            "sellVolume": 50.25,
            "numBuys": 7,
        },
        **fields,
    }


def tokens(server, rows, mints=(MINT,)):
    server.replies = [json_reply(rows)]
    return run_client(server.url, lambda client: Jupiter(client).tokens(mints))


def test_a_token_becomes_a_record(server):
    (row,) = tokens(server, [token()])
    assert (row.mint, row.symbol, row.name, row.decimals) == (
        MINT,
        "SOME",
        "Some Name",
        6,
    )
    assert (row.created_at, row.first_pool_at, row.graduated_at) == (
        1_788_264_005,
        1_788_264_006,
        1_788_267_600,
    )
    assert (row.first_pool, row.graduated_pool) == (POOL, POOL)
    assert (row.price_usd, row.price_change_24h_pct) == (
        Decimal("0.00021"),
        Decimal("340.25"),
    )
    assert (row.volume_24h_usd, row.liquidity_usd) == (
        Decimal("150.75"),
        Decimal("12345.6789"),
    )
    assert row.market_cap_usd == Decimal("210000.5")


@pytest.mark.parametrize(
    ("stats", "volume"),
    [
        ({"buyVolume": 5.5}, Decimal("5.5")),
        ({"sellVolume": 2}, Decimal(2)),
        ({}, Decimal(0)),
        (None, None),
        ({"buyVolume": "NaN"}, Decimal(0)),
    ],
)
def test_an_omitted_volume_is_zero_and_omitted_statistics_are_unknown(
    server, stats, volume
):
    assert tokens(server, [token(stats24h=stats)])[0].volume_24h_usd == volume


def test_a_token_with_an_id_alone_is_a_record(server):
    (row,) = tokens(server, [{"id": MINT}])
    assert (row.created_at, row.first_pool, row.price_usd, row.volume_24h_usd) == (
        None,
        None,
        None,
        None,
    )


def test_unknown_and_foreign_mints_have_no_record(server):
    assert [
        row.mint for row in tokens(server, [token(), token(POOL)], [MINT, "unknown"])
    ] == [MINT]


def test_a_call_requests_up_to_a_hundred_mints(server):
    tokens(server, [], [f"m{number}" for number in range(230)])
    assert [
        request.path.count("%2C") + request.path.count(",") + 1
        for request in server.requests
    ] == [100, 100, 30]


@pytest.mark.parametrize(
    "garbled",
    [
        7,
        {"symbol": "X"},
        token(createdAt="soon"),
        token(usdPrice="dear"),
        token("not an address"),
    ],
    ids=range(5),
)
def test_a_garbled_token_is_counted_and_skipped(server, garbled):
    server.replies = [json_reply([garbled, token()])]
    rows = run_client(server.url, lambda client: Jupiter(client).trending("1h"))
    assert ([row.mint for row in rows], rows.rejected) == ([MINT], 1)


def test_rejected_rows_of_all_calls_are_counted(server):
    rows = tokens(server, [7], [f"m{number}" for number in range(150)])
    assert (rows.rejected, rows.cause.startswith("jupiter: ")) == (2, True)


def test_trending_requests_interval_and_limit(server):
    server.replies = [json_reply([])]
    run_client(server.url, lambda client: Jupiter(client).trending("6h"))
    assert server.requests[0].path == "/tokens/v2/toptrending/6h?limit=100"


@pytest.mark.parametrize("body", [b"{}", b"oops", b'{"error":"x"}'])
def test_a_body_that_is_not_a_list_is_a_bad_payload(server, body):
    server.replies = [Reply(body)]
    with pytest.raises(BadPayload):
        run_client(server.url, lambda client: Jupiter(client).trending("1h"))

"""SOL/USD at a time: only closed, recent and valid candles."""

from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest

from discovery.providers.errors import BadPayload, BadRequest, RateLimited
from discovery.providers.prices import CANDLES_PER_CALL, MINUTE_MS, SolPrices
from tests.providers.local_server import ClientSetup, json_reply, run_client, text_reply

SPAN = MINUTE_MS * CANDLES_PER_CALL // 1000
START = 1_790_000_000 // SPAN * SPAN + 600 * 60
"""A full minute inside one window of candles."""


def candle(minute, close="172.41"):
    """Return the candle of the `minute`-th minute after START, as Binance sends it."""
    opened = (START + minute * 60) * 1000
    return [
        opened,
        "1",
        "2",
        "0.5",
        close,
        "9.9",
        opened + 59_999,
        "1",
        7,
        "1",
        "1",
        "0",
    ]


def prices(server, rows, times, at=None, **options):
    """Load the prices of `times` and return those at `at` (default: `times`)."""
    server.replies = [json_reply(rows)]

    async def work(client):
        sol_prices = SolPrices(client, **{"clock": lambda: START + 86_400} | options)
        await sol_prices.load(times)
        return [sol_prices.at(time) for time in at or times]

    return run_client(server.url, work)


def test_the_price_is_the_close_of_the_last_candle_that_ended_before(server):
    rows = [candle(0, "150.01"), candle(1, "151.02"), candle(2, "152.03")]
    times = [START + 59, START + 60, START + 119, START + 120, START + 121]
    assert prices(server, rows, times) == [
        None,
        *map(Decimal, ("150.01", "150.01", "151.02", "151.02")),
    ]


def test_an_open_candle_is_not_used(server):
    now = START + 90
    rows = [candle(0, "150"), candle(1, "999")]
    assert prices(server, rows, [now], [now, START + 125], clock=lambda: now) == [
        Decimal(150),
        Decimal(150),
    ]


def test_candles_loaded_before_a_time_are_loaded_again(server):
    now = [START + 90]

    async def work(client):
        sol_prices = SolPrices(client, clock=lambda: now[0])
        await sol_prices.load([START + 85])
        server.replies = [
            json_reply([candle(0, "150"), candle(1, "151"), candle(2, "999")])
        ]
        now[0] = START + 130
        await sol_prices.load([START + 125])
        return sol_prices.at(START + 125)

    server.replies = [json_reply([candle(0, "150"), candle(1, "999")])]
    assert run_client(server.url, work) == Decimal(151)
    assert len(server.requests) == 2


def test_a_price_older_than_an_hour_is_unknown(server):
    rows = [candle(0)]
    closed = START + 60
    results = prices(
        server, rows, [closed], [closed + 3599, closed + 3600, closed + 3601]
    )
    assert results == [Decimal("172.41"), None, None]


def test_a_price_before_the_first_candle_is_unknown(server):
    assert prices(server, [candle(5)], [START]) == [None]


def test_a_window_is_requested_once(server):
    setup = ClientSetup()

    async def work(client):
        sol_prices = SolPrices(client, clock=lambda: START + 86_400)
        await sol_prices.load([START, START + 60])
        await sol_prices.load([START + 120])

    server.replies = [json_reply([candle(0)])]
    run_client(server.url, work, setup=setup)
    (request,) = server.requests
    query = {
        name: values[0]
        for name, values in parse_qs(urlsplit(request.path).query).items()
    }
    assert (query["symbol"], query["interval"], query["limit"]) == (
        "SOLUSDT",
        "1m",
        "1000",
    )
    assert int(query["startTime"]) <= START * 1000 <= int(query["endTime"])


def test_the_first_second_of_a_window_has_the_price_of_the_candle_before(server):
    first = START // SPAN * SPAN
    minutes = (first - START) // 60
    server.answer = lambda request: json_reply(
        [candle(minutes - 1, "149")]
        if str((first - SPAN) * 1000) in request.path
        else [candle(minutes, "150")]
    )

    async def work(client):
        sol_prices = SolPrices(client, clock=lambda: START + 86_400)
        await sol_prices.load([first])
        return sol_prices.at(first)

    assert run_client(server.url, work) == Decimal(149)


@pytest.mark.parametrize(
    "row",
    [
        [],
        ["x"] * 12,
        candle(0, None),
        candle(0, "dear"),
        candle(0, "NaN"),
        candle(0, "0"),
        candle(0, "-5"),
        {"open": 1},
    ],
    ids=range(8),
)
def test_a_candle_without_a_price_is_a_bad_payload(server, row):
    with pytest.raises(BadPayload, match="prices: "):
        prices(server, [row], [START + 60])


@pytest.mark.parametrize("body", [{"code": -1121, "msg": "Invalid symbol."}, None, "x"])
def test_a_body_that_is_not_a_list_is_a_bad_payload(server, body):
    with pytest.raises(BadPayload):
        prices(server, body, [START])


@pytest.mark.parametrize(("status", "error"), [(451, BadRequest), (418, RateLimited)])
def test_a_blocked_country_is_final_and_a_ban_is_retried(server, status, error):
    server.replies = [text_reply("{}", status)]
    with pytest.raises(error):
        run_client(server.url, lambda client: SolPrices(client).load([START]))
    assert (len(server.requests) > 1) == error.retryable


def test_candles_of_the_simulated_market_have_the_price_of_its_world(
    chain, chain_world
):
    end = chain.market.unix(0)

    async def work(client):
        sol_prices = SolPrices(client)
        await sol_prices.load([end])
        return sol_prices.at(end)

    assert 100 < run_client(f"{chain.url}/prices", work) < 250

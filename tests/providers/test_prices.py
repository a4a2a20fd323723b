"""SOL/USD at a time: only closed, recent and valid candles."""

from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest

from discovery.providers.geckoterminal import GeckoTerminal
from discovery.providers.prices import CANDLES_PER_CALL, BinanceCandles, SolPrices
from discovery.providers.records import MINUTE_MS
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
def test_a_candle_without_a_price_is_told_and_gives_none(server, row):
    server.replies = [json_reply([row])]
    cause, price = run_client(server.url, price_with_cause)
    assert "not as documented" in cause
    assert price is None


@pytest.mark.parametrize("body", [{"code": -1121, "msg": "Invalid symbol."}, None, "x"])
def test_a_body_that_is_not_a_list_is_told_and_gives_no_price(server, body):
    server.replies = [json_reply(body)]
    cause, price = run_client(server.url, price_with_cause)
    assert cause.startswith("Binance: response not as documented")
    assert price is None


@pytest.mark.parametrize(
    ("status", "words", "is_retried"),
    [
        (451, "Binance: request refused (HTTP 451)", False),
        (418, "Binance: too many requests", True),
        (503, "Binance: server error (HTTP 503)", True),
    ],
)
def test_a_source_that_refuses_is_told_and_gives_no_price(
    server, status, words, is_retried
):
    server.replies = [text_reply("{}", status)]
    assert run_client(server.url, price_with_cause) == (words, None)
    assert (len(server.requests) > 1) == is_retried


async def price_with_cause(client):
    sol_prices = SolPrices(client, clock=lambda: START + 86_400)
    cause = await sol_prices.load([START + 60])
    return cause, sol_prices.at(START + 60)


def gecko_reply(*rows):
    attributes = {"ohlcv_list": [list(row) for row in rows]}
    return json_reply({"data": {"id": "x", "attributes": attributes}, "meta": {}})


def gecko_row(minute, close):
    return (START + minute * 60, 1.0, 2.0, 0.5, close, 9.9)


def both_sources(server, binance, gecko):
    """Answer as both sources do: `binance` and `gecko` are replies."""
    server.answer = lambda request: gecko if "/ohlcv/" in request.path else binance


def with_second(times, **options):
    async def work(client):
        sol_prices = SolPrices(
            client,
            second=GeckoTerminal(client),
            **{"clock": lambda: START + 86_400} | options,
        )
        cause = await sol_prices.load(times)
        return (
            cause,
            [sol_prices.at(time) for time in times],
            [sol_prices.is_from_second_source(time) for time in times],
        )

    return work


@pytest.mark.parametrize("status", [451, 418, 503])
def test_the_second_source_answers_for_the_first(server, status):
    gecko = gecko_reply(gecko_row(1, 151.25), gecko_row(0, 150.5))
    both_sources(server, text_reply("{}", status), gecko)
    times = [START + 61, START + 121]
    assert run_client(server.url, with_second(times)) == (
        "",
        [Decimal("150.5"), Decimal("151.25")],
        [True, True],
    )
    path = server.requests[-1].path
    assert "/pools/Czfq3xZZDmsdGdUyrNLtRhGc47cXcZtLG4crryfu44zE/ohlcv/minute?" in path
    query = parse_qs(urlsplit(path).query)
    assert query["token"] == ["So11111111111111111111111111111111111111112"]
    assert (query["currency"], query["aggregate"]) == (["usd"], ["1"])
    assert int(query["before_timestamp"][0]) % SPAN == 0
    assert query["limit"] == ["1000"]


def test_the_second_source_fills_a_gap_of_the_first(server):
    both_sources(
        server,
        json_reply([candle(0, "150"), candle(200, "160")]),
        gecko_reply(gecko_row(120, 155.5)),
    )
    times = [START + 61, START + 121 * 60 + 1, START + 201 * 60 + 1]
    cause, found, second = run_client(server.url, with_second(times))
    assert cause == ""
    assert found == [Decimal(150), Decimal("155.5"), Decimal(160)]
    assert second == [False, True, False]


def test_an_open_candle_of_the_second_source_is_not_used(server):
    now = START + 90
    gecko = gecko_reply(gecko_row(1, 999), gecko_row(0, 150.5))
    both_sources(server, text_reply("{}", 451), gecko)
    _, found, _ = run_client(server.url, with_second([now], clock=lambda: now))
    assert found == [Decimal("150.5")]


def test_both_causes_are_told_if_no_source_answers(server):
    both_sources(server, text_reply("{}", 451), text_reply("no", 404))
    cause, found, _ = run_client(server.url, with_second([START]))
    assert cause == ("Binance: request refused (HTTP 451); GeckoTerminal: not found")
    assert found == [None]


def test_the_second_source_is_not_asked_while_the_first_answers(server):
    both_sources(server, json_reply([candle(0)]), text_reply("no", 500))
    run_client(server.url, with_second([START + 61]))
    assert ["/klines?" in request.path for request in server.requests] == [True]


def test_a_refused_hour_has_the_price_of_the_second_source(server):
    hour = START // 3600 * 3600
    gecko = gecko_reply((hour, 1.0, 2.0, 0.5, 171.5, 9.9))
    both_sources(server, text_reply("{}", 451), gecko)

    async def work(client):
        sol_prices = SolPrices(
            client, second=GeckoTerminal(client), clock=lambda: hour + 86_400
        )
        return await sol_prices.load_hours(hour, hour + 4_000), sol_prices.at_hour(
            hour + 4_000
        )

    assert run_client(server.url, work) == ("", Decimal("171.5"))


def test_candles_of_the_simulated_market_have_the_price_of_its_world(
    chain, chain_world
):
    end = chain.market.unix(0)

    async def work(client):
        sol_prices = SolPrices(client)
        await sol_prices.load([end])
        return sol_prices.at(end)

    assert 100 < run_client(f"{chain.url}/prices", work) < 250


def test_both_sources_of_the_simulated_market_have_the_same_prices(chain):
    end = chain.market.unix(0)
    times = range(end - 7_200, end, 600)

    async def work(client):
        first, second = BinanceCandles(client), GeckoTerminal(client)
        source = second if client._base_url.endswith("geckoterminal") else first
        candles = await source.sol_candles("1m", times[0] * 1000, times[-1] * 1000)
        return {candle.open_time_ms: candle.close for candle in candles}

    binance = run_client(f"{chain.url}/prices", work)
    gecko = run_client(f"{chain.url}/geckoterminal", work)
    assert len(binance) > 100
    assert gecko == binance

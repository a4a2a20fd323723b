"""SOL/USD at a time: closed candles only, none of them old, none of them nonsense."""

from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from local_server import Line, of, talk, text

from discovery.providers.errors import BadPayload, BadRequest, RateLimited
from discovery.providers.prices import CANDLE_MS, CANDLES_A_CALL, SolPrices

SPAN = CANDLE_MS * CANDLES_A_CALL // 1000
START = 1_790_000_000 // SPAN * SPAN + 600 * 60
"""A full minute well inside one window of candles."""


def candle(minute, close="172.41"):
    """The candle of the `minute`-th minute after START, as Binance sends it."""
    opened = (START + minute * 60) * 1000
    return [opened, "1", "2", "0.5", close, "9.9", opened + 59_999, "1", 7, "1", "1", "0"]


def prices(server, rows, times, at=None, **options):
    """Prices at `at` (default: `times`) after a load for `times`."""
    server.replies = [of(rows)]

    async def work(door):
        found = SolPrices(door, **{"clock": lambda: START + 86_400} | options)
        await found.load(times)
        return [found.at(time) for time in at or times]

    return talk(server.url, work)


def test_the_price_is_the_close_of_the_last_candle_that_ended_before(server):
    rows = [candle(0, "150.01"), candle(1, "151.02"), candle(2, "152.03")]
    asked = [START + 59, START + 60, START + 119, START + 120, START + 121]
    assert prices(server, rows, asked) == [None, *map(Decimal, ("150.01", "150.01", "151.02", "151.02"))]


def test_the_candle_that_is_still_open_is_not_used(server):
    now = START + 90
    rows = [candle(0, "150"), candle(1, "999")]
    assert prices(server, rows, [now], [now, START + 125], clock=lambda: now) == [Decimal(150), Decimal(150)]


def test_an_answer_from_before_a_time_is_asked_for_again(server):
    now = [START + 90]

    async def work(door):
        found = SolPrices(door, clock=lambda: now[0])
        await found.load([START + 85])
        server.replies = [of([candle(0, "150"), candle(1, "151"), candle(2, "999")])]
        now[0] = START + 130
        await found.load([START + 125])
        return found.at(START + 125)

    server.replies = [of([candle(0, "150"), candle(1, "999")])]
    assert talk(server.url, work) == Decimal(151)
    assert len(server.asked) == 2


def test_a_price_older_than_an_hour_is_none(server):
    rows = [candle(0)]
    closed = START + 60
    found = prices(server, rows, [closed], [closed + 3599, closed + 3600, closed + 3601])
    assert found == [Decimal("172.41"), None, None]


def test_nothing_is_known_before_the_first_candle(server):
    assert prices(server, [candle(5)], [START]) == [None]


def test_a_window_is_asked_once(server):
    line = Line()

    async def work(door):
        found = SolPrices(door, clock=lambda: START + 86_400)
        await found.load([START, START + 60])
        await found.load([START + 120])

    server.replies = [of([candle(0)])]
    talk(server.url, work, line=line)
    (request,) = server.asked
    query = {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}
    assert (query["symbol"], query["interval"], query["limit"]) == ("SOLUSDT", "1m", "1000")
    assert int(query["startTime"]) <= START * 1000 <= int(query["endTime"])


def test_a_time_at_a_windows_first_second_has_the_candle_before_it(server):
    first = START // SPAN * SPAN
    minutes = (first - START) // 60
    server.answer = lambda request: of(
        [candle(minutes - 1, "149")] if str((first - SPAN) * 1000) in request.path else [candle(minutes, "150")]
    )

    async def work(door):
        found = SolPrices(door, clock=lambda: START + 86_400)
        await found.load([first])
        return found.at(first)

    assert talk(server.url, work) == Decimal(149)


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
def test_a_candle_that_is_no_price_is_a_bad_payload(server, row):
    with pytest.raises(BadPayload, match="prices: "):
        prices(server, [row], [START + 60])


@pytest.mark.parametrize("body", [{"code": -1121, "msg": "Invalid symbol."}, None, "x"])
def test_a_body_that_is_no_list_is_a_bad_payload(server, body):
    with pytest.raises(BadPayload):
        prices(server, body, [START])


@pytest.mark.parametrize(("status", "error"), [(451, BadRequest), (418, RateLimited)])
def test_a_blocked_country_is_final_and_a_ban_waits(server, status, error):
    server.replies = [text("{}", status)]
    with pytest.raises(error):
        talk(server.url, lambda door: SolPrices(door).load([START]))
    assert (len(server.asked) > 1) == error.retryable


def test_the_markets_candles_have_the_price_of_its_world(chain, chain_world):
    end = chain.market.unix(0)

    async def work(door):
        found = SolPrices(door)
        await found.load([end])
        return found.at(end)

    assert 100 < talk(f"{chain.url}/prices", work) < 250

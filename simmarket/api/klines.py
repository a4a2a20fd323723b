"""Binance's klines for SOLUSDT."""

from typing import Any

from simmarket.api.http_messages import Response, json_response
from simmarket.api.market import Market
from simmarket.api.rest_endpoint import (
    ErrorResponses,
    Refusal,
    RestEndpoint,
    RestRequest,
    route,
)
from simmarket.chain.stable_hash import stable_hash

_INTERVAL_MINUTES = {"1m": 1, "1h": 60}
_MAX_CANDLES = 1000


class Klines:
    """Serves candles of the world's minute series."""

    def __init__(self, market: Market) -> None:
        self._market = market

    def endpoint(self) -> RestEndpoint:
        """Return the provider with its route."""
        routes = [
            route(
                "/api/v3/klines",
                self._klines,
                "symbol interval startTime endTime limit",
            )
        ]
        errors = ErrorResponses(
            not_found=lambda: json_response({"code": -1, "msg": "Not Found"}, 404),
            bad_request=lambda text: _error(-1101, text),
            too_many=_too_many,
        )
        return RestEndpoint(self._market, "prices", routes, errors)

    def _klines(self, request: RestRequest) -> Response:
        symbol = request.query.get("symbol")
        if symbol != "SOLUSDT":
            raise Refusal(_error(-1121, "Invalid symbol."), f"symbol {symbol}")
        interval = request.query.get("interval")
        minutes = _INTERVAL_MINUTES.get(interval or "")
        if minutes is None:
            raise Refusal(_error(-1120, "Invalid interval."), f"interval {interval}")
        try:
            open_times = self._open_times(request.query, minutes * 60_000)
        except ValueError:
            raise Refusal(
                _error(-1100, "Illegal characters found in a parameter.")
            ) from None
        return json_response([self._candle(open_ms, minutes) for open_ms in open_times])

    def _open_times(self, query: dict[str, str], step_ms: int) -> range:
        """Return the open times in milliseconds, oldest first. Raises ValueError for a
        parameter that is no number.
        """
        limit = min(int(query.get("limit", 500)), _MAX_CANDLES)
        now = self._market.unix(self._market.now()) * 1000
        end = min(int(query.get("endTime", now)), now)
        if "startTime" in query:
            start = int(query["startTime"])
            first = -(-start // step_ms) * step_ms
        else:
            first = (end // step_ms - limit + 1) * step_ms
        return range(first, end + 1, step_ms)[:limit]

    def _candle(self, open_ms: int, minutes: int) -> list[Any]:
        first_minute = (open_ms // 1000 - self._market.shift_seconds) // 60
        price = self._market.world.price
        # the newest candle is open: its last price is that of the last closed minute
        end = min(first_minute + minutes, self._market.now() // 60)
        closes = [price.close_cents(minute) for minute in range(first_minute - 1, end)]
        spread = stable_hash("spread", first_minute) % 9
        volume = 1_000_00 + stable_hash("volume", first_minute) % 900_000
        return [
            open_ms,
            _price(closes[0]),
            _price(max(closes) + spread),
            _price(min(closes) - spread),
            _price(closes[-1]),
            f"{volume // 100}.{volume % 100:02d}000000",
            open_ms + minutes * 60_000 - 1,
            f"{volume * closes[-1] // 10_000}.00000000",
            100 + volume % 4000,
            f"{volume // 200}.00000000",
            f"{volume * closes[-1] // 20_000}.00000000",
            "0",
        ]


def _price(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _error(code: int, text: str) -> Response:
    return json_response({"code": code, "msg": text}, 400)


def _too_many(retry_after_seconds: float | None) -> Response:
    response = json_response(
        {"code": -1003, "msg": "Too many requests; current limit exceeded."}, 429
    )
    if retry_after_seconds is not None:
        response.headers.append(("Retry-After", f"{retry_after_seconds:g}"))
    return response

"""Binance's klines for SOLUSDT."""

from typing import Any

from simmarket.api.http_messages import Response, json_response
from simmarket.api.market import Market
from simmarket.api.rest_endpoint import Asked, Refused, RestDoor, route
from simmarket.chain.accounts import mixed

_MINUTES = {"1m": 1, "1h": 60}


class Klines:
    """Candles out of the world's minute series."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._hours: dict[int, list[int]] = {}

    def door(self) -> RestDoor:
        """The provider with its route."""
        routes = [route("/api/v3/klines", self._klines, "symbol interval startTime endTime limit")]
        return RestDoor(
            self._market,
            "prices",
            routes,
            lambda: json_response({"code": -1, "msg": "Not Found"}, 404),
            lambda text: _error(-1101, text),
            _too_many,
        )

    def _klines(self, asked: Asked) -> Response:
        query = asked.query
        if query.get("symbol") != "SOLUSDT":
            raise Refused(_error(-1121, "Invalid symbol."), f"symbol {query.get('symbol')}")
        minutes = _MINUTES.get(query.get("interval", ""))
        if minutes is None:
            raise Refused(_error(-1120, "Invalid interval."), f"interval {query.get('interval')}")
        try:
            limit = min(int(query.get("limit", 500)), 1000)
            now = self._market.unix(self._market.now()) * 1000
            end = min(int(query.get("endTime", now)), now)
            start = int(query["startTime"]) if "startTime" in query else None
        except ValueError:
            raise Refused(_error(-1100, "Illegal characters found in a parameter.")) from None
        step = minutes * 60_000
        first = -(-start // step) * step if start is not None else (end // step - limit + 1) * step
        if "endTime" not in query and start is None:
            first = (now // step - limit + 1) * step
        rows = [self._candle(open_ms, minutes) for open_ms in range(first, end + 1, step)[:limit]]
        return json_response(rows)

    def _candle(self, open_ms: int, minutes: int) -> list[Any]:
        minute = (open_ms // 1000 - self._market.shift_seconds) // 60
        close = self._market.world.price.close_cents
        closes = [close(each) for each in range(minute - 1, minute + minutes)]
        spread = mixed("spread", minute) % 9
        volume = 1_000_00 + mixed("volume", minute) % 900_000
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


def _too_many(retry_after: float | None) -> Response:
    response = json_response({"code": -1003, "msg": "Too many requests; current limit exceeded."}, 429)
    if retry_after is not None:
        response.headers.append(("Retry-After", f"{retry_after:g}"))
    return response

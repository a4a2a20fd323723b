"""Jupiter's wire: tokens v2 and price v3."""

import time
from fractions import Fraction
from typing import Any

from simmarket.api.http_messages import Request, Response, json_response, text_response
from simmarket.api.market import Market
from simmarket.api.rest_endpoint import (
    Asked,
    FigureBook,
    Refused,
    RestDoor,
    iso,
    number,
    route,
    significant,
    whole_parameter,
)
from simmarket.api.token_figures import TokenBook, TokenFigures
from simmarket.chain import programs
from simmarket.chain.figures import Window, forgotten
from simmarket.chain.world import Token

Json = dict[str, Any]
_SPANS = {"5m": "m5", "1h": "h1", "6h": "h6", "24h": "h24"}


class Jupiter:
    """Renders the world's tokens as Jupiter knows them."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._world = market.world
        self._book = TokenBook(FigureBook(market))
        routes = [
            route("/tokens/v2/search", self._search, "query"),
            route("/tokens/v2/recent", self._recent),
            route("/tokens/v2/{category}/{span}", self._category, "limit"),
            route("/price/v3", self._prices, "ids"),
        ]
        self._door = RestDoor(
            market,
            "jupiter",
            routes,
            lambda: json_response({"error": "Not Found"}, 404),
            lambda text: json_response({"error": text}, 400),
            self._too_many,
        )

    def answer(self, request: Request) -> Response:
        """One HTTP exchange; every answer carries the rate headers."""
        if request.headers.get("x-api-key", "").startswith("bad"):
            return json_response({"code": 401, "message": "Unauthorized"}, 401)
        response = self._door.answer(request)
        if response.status != 429:
            response.headers += self._rate_headers(0)
        return response

    def _rate_headers(self, wait_seconds: float) -> list[tuple[str, str]]:
        limits = self._market.limits
        most = limits.calls_per_second or 30
        used = min(limits.used("jupiter"), most)
        reset = int(time.time()) + max(1, int(wait_seconds))
        return [
            ("x-ratelimit-remaining", str(most - used)),
            ("x-ratelimit-current", str(used)),
            ("x-ratelimit-reset", str(reset)),
        ]

    def _too_many(self, retry_after: float | None) -> Response:
        response = text_response("[API Gateway] Too many requests", 429)
        if retry_after is not None:
            response.headers += self._rate_headers(retry_after)
        return response

    def _search(self, asked: Asked) -> Response:
        query = asked.query.get("query", "").strip()
        if not query:
            raise Refused(json_response({"error": "query is required"}, 400))
        parts = [part.strip() for part in query.split(",")]
        if len(parts) > 100:
            raise Refused(json_response({"error": "at most 100 mints"}, 400))
        found = [(mint, self._world.tokens[mint]) for mint in dict.fromkeys(parts) if mint in self._world.tokens]
        if not found and len(parts) == 1:
            text = query.lower()
            every = self._world.tokens.items()
            found = [item for item in every if text in item[1].symbol.lower() or text in item[1].name.lower()][:20]
        return json_response([self._information(mint, token) for mint, token in found])

    def _recent(self, _: Asked) -> Response:
        newest = sorted(self._listed().items(), key=lambda item: -item[1].launched_offset_seconds)
        return json_response([self._information(mint, token) for mint, token in newest[:30]])

    def _category(self, asked: Asked) -> Response:
        category, span = asked.parts
        if category not in {"toptrending", "toptraded", "toporganicscore"} or span not in _SPANS:
            text = f"unknown category {category}/{span}"
            raise Refused(json_response({"error": text}, 404), text)
        try:
            limit = whole_parameter(asked.query, "limit", 50, 100)
        except ValueError as error:
            raise Refused(json_response({"error": str(error)}, 400)) from error
        name = _SPANS[span]
        figures = {mint: self._book.of(token) for mint, token in self._listed().items()}

        def rank(mint: str) -> tuple[Fraction, Fraction, str]:
            window, day = figures[mint].windows[name], figures[mint].windows["h24"]
            first = window.change_pct if category == "toptrending" and window.trades else window.volume_usd
            return -first, -day.volume_usd, mint

        order = sorted(figures, key=rank)[:limit]
        return json_response([self._information(mint, self._world.tokens[mint]) for mint in order])

    def _listed(self) -> dict[str, Token]:
        now = self._market.now()
        return {mint: token for mint, token in self._world.tokens.items() if not forgotten(token, now)}

    def _prices(self, asked: Asked) -> Response:
        mints = [mint for mint in asked.query.get("ids", "").split(",") if mint]
        if not mints or len(mints) > 50:
            raise Refused(json_response({"error": "ids: 1 to 50 mints"}, 400))
        found: Json = {}
        for mint in mints:
            token = self._world.tokens.get(mint)
            if mint == programs.WSOL:
                cents = self._world.price.cents_at(self._market.now())
                found[mint] = {"createdAt": "2024-06-05T08:55:25.527Z", "usdPrice": cents / 100, "decimals": 9}
                found[mint] |= {"liquidity": 650_000_000.5, "blockId": None, "priceChange24h": None}
            elif token is not None:
                figures = self._book.of(token)
                found[mint] = {
                    "createdAt": self._iso(token.launched_offset_seconds),
                    "liquidity": number(figures.liquidity_usd),
                    "usdPrice": significant(figures.price_usd),
                    "blockId": self._world.transactions[-1].slot,
                    "decimals": token.mint.decimals,
                    "priceChange24h": number(figures.windows["h24"].change_pct, 6),
                }
        return json_response(found)

    def _information(self, mint: str, token: Token) -> Json:
        figures = self._book.of(token)
        supply = token.mint.supply // 10**token.mint.decimals
        address = self._world.accounts.address
        value = number(figures.price_usd * supply)
        shown: Json = {
            "id": mint,
            "name": token.name,
            "symbol": token.symbol,
            "icon": None,
            "decimals": token.mint.decimals,
            "tokenProgram": token.mint.program,
            "createdAt": self._iso(token.launched_offset_seconds),
            "dev": address(token.creator),
            "circSupply": supply,
            "totalSupply": supply,
            "launchpad": "pump.fun",
            "firstPool": {
                "id": address(token.pools[0].account),
                "createdAt": self._iso(token.launched_offset_seconds),
            },
            "holderCount": figures.holders,
            "audit": {"mintAuthorityDisabled": True, "freezeAuthorityDisabled": True, "devMints": 1},
            "organicScore": 0,
            "organicScoreLabel": "low",
            "isVerified": False,
            "fdv": value,
            "mcap": value,
            "usdPrice": significant(figures.price_usd),
            "priceBlockId": self._world.transactions[-1].slot,
            "liquidity": number(figures.liquidity_usd),
            "updatedAt": self._iso(self._market.now()),
        }
        if token.graduated_offset_seconds is not None:
            shown["graduatedPool"] = address(token.pools[1].account)
            shown["graduatedAt"] = self._iso(token.graduated_offset_seconds)
        if token.profiled:
            shown["twitter"] = f"https://x.com/{token.symbol.lower()}"
        for span, name in _SPANS.items():
            if stats := _stats(figures, figures.windows[name]):
                shown[f"stats{span}"] = stats
        return shown

    def _iso(self, offset_seconds: int) -> str:
        return iso(self._market.unix(offset_seconds))


def _stats(figures: TokenFigures, window: Window) -> Json:
    """A window's stats; zeros are left out, not sent."""
    values: Json = {
        "priceChange": number(window.change_pct, 6) if window.trades else 0,
        "buyVolume": number(Fraction(window.buy_micro_usd, 10**6), 6),
        "sellVolume": number(Fraction(window.sell_micro_usd, 10**6), 6),
        "numBuys": window.buys,
        "numSells": window.sells,
        "numTraders": min(window.buyers + window.sellers, max(figures.holders, window.trades)),
        "numNetBuyers": max(window.buyers - window.sellers, 0),
    }
    return {key: value for key, value in values.items() if value}

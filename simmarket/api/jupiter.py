"""The Jupiter API: tokens v2 and price v3."""

import time
from fractions import Fraction
from typing import Any

from simmarket.api.figure_cache import FigureCache
from simmarket.api.http_messages import Request, Response, json_response, text_response
from simmarket.api.market import Market
from simmarket.api.number_format import iso, number, significant
from simmarket.api.rest_endpoint import (
    ErrorResponses,
    Refusal,
    RestEndpoint,
    RestRequest,
    positive_integer,
    route,
)
from simmarket.api.token_figures import TokenFigureCache, TokenFigures
from simmarket.chain import programs
from simmarket.chain.figures import Window, is_idle
from simmarket.chain.world import Token

Json = dict[str, Any]
_SPANS = {"5m": "m5", "1h": "h1", "6h": "h6", "24h": "h24"}
_CATEGORIES = frozenset(("toptrending", "toptraded", "toporganicscore"))
_MAX_SEARCH_MINTS = 100
_MAX_SEARCH_RESULTS = 20
_MAX_RECENT = 30
_MAX_PRICES = 50
_DOCUMENTED_CALLS = 30
_LAUNCHPADS = {"pumpfun": "pump.fun", "launchlab": "bonk.fun"}
"""By the DEX of the first pool."""
_DAY_SECONDS = 86_400


class Jupiter:
    """Serves the world's tokens as Jupiter does."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._world = market.world
        self._figures = TokenFigureCache(FigureCache(market))
        routes = [
            route("/tokens/v2/search", self._search, "query"),
            route("/tokens/v2/recent", self._recent),
            route("/tokens/v2/{category}/{span}", self._category, "limit"),
            route("/price/v3", self._prices, "ids"),
        ]
        errors = ErrorResponses(
            not_found=lambda: _error("Not Found", 404),
            bad_request=_error,
            too_many=self._too_many,
        )
        self._endpoint = RestEndpoint(market, "jupiter", routes, errors)

    def handle(self, request: Request) -> Response:
        """Return the response to one request; every response has the rate headers."""
        if request.headers.get("x-api-key", "").startswith("bad"):
            return json_response({"code": 401, "message": "Unauthorized"}, 401)
        response = self._endpoint.handle(request)
        if response.status != 429:
            response.headers += self._rate_headers(0)
        return response

    def _rate_headers(self, wait_seconds: float) -> list[tuple[str, str]]:
        limits = self._market.limits
        max_calls = limits.calls_per_second or _DOCUMENTED_CALLS
        call_count = min(limits.call_count("jupiter"), max_calls)
        reset_at = int(time.time()) + max(1, int(wait_seconds))
        return [
            ("x-ratelimit-remaining", str(max_calls - call_count)),
            ("x-ratelimit-current", str(call_count)),
            ("x-ratelimit-reset", str(reset_at)),
        ]

    def _too_many(self, retry_after_seconds: float | None) -> Response:
        response = text_response("[API Gateway] Too many requests", 429)
        if retry_after_seconds is not None:
            response.headers += self._rate_headers(retry_after_seconds)
        return response

    def _search(self, request: RestRequest) -> Response:
        query = request.query.get("query", "").strip()
        if not query:
            raise Refusal(_error("query is required"))
        terms = [term.strip() for term in query.split(",")]
        if len(terms) > _MAX_SEARCH_MINTS:
            raise Refusal(_error(f"at most {_MAX_SEARCH_MINTS} mints"))
        tokens = self._world.tokens
        matches = [
            (mint, tokens[mint]) for mint in dict.fromkeys(terms) if mint in tokens
        ]
        if not matches and len(terms) == 1:
            matches = self._search_by_name(query.lower())
        return json_response(
            [self._information(mint, token) for mint, token in matches]
        )

    def _search_by_name(self, text: str) -> list[tuple[str, Token]]:
        matches: list[tuple[str, Token]] = []
        for mint, token in self._world.tokens.items():
            if text in token.symbol.lower() or text in token.name.lower():
                matches.append((mint, token))
        return matches[:_MAX_SEARCH_RESULTS]

    def _recent(self, _: RestRequest) -> Response:
        newest = sorted(
            self._listed().items(), key=lambda item: -item[1].launched_offset_seconds
        )
        return json_response(
            [self._information(mint, token) for mint, token in newest[:_MAX_RECENT]]
        )

    def _category(self, request: RestRequest) -> Response:
        category, span = request.parts
        if category not in _CATEGORIES or span not in _SPANS:
            text = f"unknown category {category}/{span}"
            raise Refusal(_error(text, 404), text)
        try:
            limit = positive_integer(request.query, "limit", 50, 100)
        except ValueError as error:
            raise Refusal(_error(str(error))) from error
        figures = {
            mint: self._figures.of(token) for mint, token in self._listed().items()
        }

        def rank(mint: str) -> tuple[Fraction, Fraction, str]:
            windows = figures[mint].windows
            first = _category_value(category, windows[_SPANS[span]])
            return -first, -windows["h24"].volume_usd, mint

        mints = sorted(figures, key=rank)[:limit]
        return json_response(
            [self._information(mint, self._world.tokens[mint]) for mint in mints]
        )

    def _listed(self) -> dict[str, Token]:
        """Return the tokens that were traded in the last week."""
        now = self._market.now()
        return {
            mint: token
            for mint, token in self._world.tokens.items()
            if not is_idle(token, now)
        }

    def _prices(self, request: RestRequest) -> Response:
        mints = [mint for mint in request.query.get("ids", "").split(",") if mint]
        if not mints or len(mints) > _MAX_PRICES:
            raise Refusal(_error(f"ids: 1 to {_MAX_PRICES} mints"))
        prices: Json = {}
        for mint in mints:
            if mint == programs.WSOL:
                prices[mint] = self._sol_price()
            elif mint in self._world.tokens:
                prices[mint] = self._token_price(self._world.tokens[mint])
        return json_response(prices)

    def _sol_price(self) -> Json:
        cents = self._world.price.cents_at(self._market.now())
        return {
            "createdAt": "2024-06-05T08:55:25.527Z",
            "usdPrice": cents / 100,
            "decimals": 9,
            "liquidity": 650_000_000.5,
            "blockId": None,
            "priceChange24h": None,
        }

    def _token_price(self, token: Token) -> Json:
        figures = self._figures.of(token)
        return {
            "createdAt": self._iso(_minted_offset_seconds(token)),
            "liquidity": number(figures.liquidity_usd),
            "usdPrice": significant(figures.price_usd),
            "blockId": self._world.transactions[-1].slot,
            "decimals": token.mint.decimals,
            "priceChange24h": number(figures.windows["h24"].change_pct, 6),
        }

    def _information(self, mint: str, token: Token) -> Json:
        figures = self._figures.of(token)
        supply = token.mint.supply // 10**token.mint.decimals
        address = self._world.accounts.address
        market_cap = number(figures.price_usd * supply)
        first_pool = token.pools[0]
        information: Json = {
            "id": mint,
            "name": token.name,
            "symbol": token.symbol,
            "icon": None,
            "decimals": token.mint.decimals,
            "tokenProgram": token.mint.program,
            "createdAt": self._iso(_minted_offset_seconds(token)),
            "dev": address(token.creator),
            "circSupply": supply,
            "totalSupply": supply,
            "firstPool": {
                # The mint stands for the curve of pump.fun.
                "id": mint if first_pool.is_curve else address(first_pool.account),
                "createdAt": self._iso(token.launched_offset_seconds),
            },
            "holderCount": figures.holder_count,
            "audit": {
                "mintAuthorityDisabled": True,
                "freezeAuthorityDisabled": True,
                "devMints": 1,
            },
            "organicScore": 0,
            "organicScoreLabel": "low",
            "isVerified": False,
            "fdv": market_cap,
            "mcap": market_cap,
            "usdPrice": significant(figures.price_usd),
            "priceBlockId": self._world.transactions[-1].slot,
            "liquidity": number(figures.liquidity_usd),
            "updatedAt": self._iso(self._market.now()),
        }
        launchpad = _LAUNCHPADS.get(first_pool.dex)
        if launchpad is not None:
            information["launchpad"] = launchpad
        if token.graduated_offset_seconds is not None:
            information["graduatedPool"] = address(token.pools[1].account)
            information["graduatedAt"] = self._iso(token.graduated_offset_seconds)
        if token.has_profile:
            information["twitter"] = f"https://x.com/{token.symbol.lower()}"
        for span, name in _SPANS.items():
            stats = _stats(figures, figures.windows[name])
            if stats:
                information[f"stats{span}"] = stats
        return information

    def _iso(self, offset_seconds: int) -> str:
        return iso(self._market.unix(offset_seconds))


def _minted_offset_seconds(token: Token) -> int:
    """Return the creation of the mint: two to five days before the first pool if no
    launchpad made both (captured in October 2026).
    """
    if token.pools[0].dex in _LAUNCHPADS:
        return token.launched_offset_seconds
    days = 2 + token.mint.account % 4
    return token.launched_offset_seconds - days * _DAY_SECONDS


def _error(text: str, status: int = 400) -> Response:
    return json_response({"error": text}, status)


def _category_value(category: str, window: Window) -> Fraction:
    """Return the value that a category sorts by: the price change of traded tokens, or
    the volume.
    """
    if category == "toptrending" and window.trades:
        return window.change_pct
    return window.volume_usd


def _stats(figures: TokenFigures, window: Window) -> Json:
    """Return a window's stats; the real API leaves zeros out."""
    max_traders = max(figures.holder_count, window.trades)
    values: Json = {
        "priceChange": number(window.change_pct, 6) if window.trades else 0,
        "buyVolume": number(Fraction(window.buy_micro_usd, 10**6), 6),
        "sellVolume": number(Fraction(window.sell_micro_usd, 10**6), 6),
        "numBuys": window.buys,
        "numSells": window.sells,
        "numTraders": min(window.buyers + window.sellers, max_traders),
        "numNetBuyers": max(window.buyers - window.sellers, 0),
    }
    return {key: value for key, value in values.items() if value}

"""GeckoTerminal's wire: pools, tokens, candles. JSON:API; money and percentages are strings."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any
from uuid import UUID

from simmarket.api.candles import candles
from simmarket.api.http_messages import Response, json_response
from simmarket.api.market import Market
from simmarket.api.rest_endpoint import Asked, FigureBook, Refused, RestDoor, iso, number_text, route, whole_parameter
from simmarket.chain.accounts import mixed
from simmarket.chain.figures import WINDOWS, Window, forgotten, quote_usd
from simmarket.chain.pumpfun import CURVE_BASE
from simmarket.chain.world import Pool, Token

Json = dict[str, Any]
Listed = tuple[Token, Pool]
_PAGE = 20
_DEXES = {"pumpfun": ("pump-fun", "Pump.fun"), "pumpswap": ("pumpswap", "PumpSwap")}
_IDLE_DEXES = ("raydium", "raydium-clmm", "raydium-launchlab", "meteora", "meteora-dbc", "orca")
_DURATIONS = {"5m": "m5", "1h": "h1", "6h": "h6", "24h": "h24"}
_NETWORK = "/networks/solana"


class GeckoTerminal:
    """Renders the world's pools as GeckoTerminal shows them."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._world = market.world
        self._book = FigureBook(market)

    def door(self) -> RestDoor:
        """The provider with its routes."""
        lists = "include page sort include_gt_community_data"
        routes = [
            route(f"{_NETWORK}/trending_pools", self._trending, "include page duration include_gt_community_data"),
            route(f"{_NETWORK}/new_pools", self._new, lists),
            route(f"{_NETWORK}/pools", self._top, lists),
            route(f"{_NETWORK}/dexes", self._dexes, "page"),
            route(f"{_NETWORK}/dexes/{{dex}}/pools", self._of_dex, lists),
            route(f"{_NETWORK}/tokens/multi/{{addresses}}", self._tokens, "include"),
            route(f"{_NETWORK}/tokens/{{address}}", self._token, "include"),
            route(f"{_NETWORK}/tokens/{{address}}/pools", self._of_token, f"{lists} include_inactive_source"),
            route(f"{_NETWORK}/pools/multi/{{addresses}}", self._pools, "include"),
            route(f"{_NETWORK}/pools/{{address}}", self._pool, "include"),
            route(
                f"{_NETWORK}/pools/{{address}}/ohlcv/{{timeframe}}",
                self._candles,
                "aggregate before_timestamp limit currency token include_empty_intervals",
            ),
        ]
        return RestDoor(self._market, "geckoterminal", routes, _not_found, _bad_request, _too_many)

    def _every(self) -> list[Listed]:
        return [(token, pool) for token in self._world.tokens.values() for pool in token.pools]

    def _listed(self) -> list[Listed]:
        now = self._market.now()
        return [(token, pool) for token, pool in self._every() if not forgotten(token, now)]

    def _trending(self, asked: Asked) -> Response:
        window = _DURATIONS.get(asked.query.get("duration", "24h"))
        if window is None:
            raise Refused(_bad_request("duration"), f"duration {asked.query['duration']}")

        def rank(item: Listed) -> Any:
            windows = self._book.of(item[1]).windows
            return -windows[window].volume_usd, -windows["h24"].volume_usd, item[1].account

        return self._page(asked, [item for item in self._listed() if not item[1].complete], rank)

    def _new(self, asked: Asked) -> Response:
        return self._page(asked, self._listed(), lambda item: (-item[1].created_offset_seconds, item[1].account))

    def _top(self, asked: Asked) -> Response:
        return self._page(asked, self._listed(), self._order(asked))

    def _of_dex(self, asked: Asked) -> Response:
        chosen = [item for item in self._listed() if _DEXES[item[1].dex][0] == asked.parts[0]]
        if not chosen and asked.parts[0] not in {*_IDLE_DEXES, *(dex for dex, _ in _DEXES.values())}:
            raise Refused(_not_found())
        return self._page(asked, chosen, self._order(asked))

    def _of_token(self, asked: Asked) -> Response:
        token = self._world.tokens.get(asked.parts[0])
        if token is None:
            raise Refused(_not_found())
        return self._page(asked, [(token, pool) for pool in token.pools], self._order(asked))

    def _order(self, asked: Asked) -> Callable[[Listed], Any]:
        sort = asked.query.get("sort", "h24_tx_count_desc")

        def rank(item: Listed) -> Any:
            day = self._book.of(item[1]).windows["h24"]
            first = Fraction(day.trades) if sort == "h24_tx_count_desc" else day.volume_usd
            return -first, item[1].account

        return rank

    def _page(self, asked: Asked, items: list[Listed], rank: Callable[[Listed], Any]) -> Response:
        """One page of 20. The list shifts between two calls: a later page begins with the row before it."""
        try:
            page = whole_parameter(asked.query, "page", 1, 10**6)
        except ValueError:
            raise Refused(_bad_request("page")) from None
        if page > 10:
            raise Refused(json_response({"error": "Exclusive page range: pages above 10 need a paid plan"}, 401))
        if asked.fault == "repeat_page":
            page = 1
        first = (page - 1) * _PAGE
        chosen = sorted(items, key=rank)[max(first - (page > 1), 0) : first + _PAGE - (page > 1)]
        if asked.fault == "missing_pair":
            chosen = []
        body: Json = {"data": [self._pool_row(token, pool) for token, pool in chosen]}
        self._include(body, asked, chosen)
        return json_response(body)

    def _include(self, body: Json, asked: Asked, items: list[Listed]) -> None:
        wanted = {part for part in asked.query.get("include", "").split(",") if part}
        strange = wanted - {"base_token", "quote_token", "dex", "top_pools"}
        if strange:
            raise Refused(_bad_request("include"), f"include {', '.join(sorted(strange))}")
        if not wanted:
            return
        found: dict[str, Json] = {}
        for token, pool in items:
            if "base_token" in wanted:
                row = self._token_stub(token)
                found[row["id"]] = row
            if "quote_token" in wanted:
                row = self._quote_stub(pool)
                found[row["id"]] = row
            if "dex" in wanted:
                dex, name = _DEXES[pool.dex]
                found[dex] = {"id": dex, "type": "dex", "attributes": {"name": name}}
        body["included"] = list(found.values())

    def _pool(self, asked: Asked) -> Response:
        items = [item for item in self._every() if self._address(item[1].account) == asked.parts[0]]
        if not items or asked.fault == "missing_pair":
            raise Refused(_not_found())
        body: Json = {"data": self._pool_row(*items[0])}
        self._include(body, asked, items)
        return json_response(body)

    def _pools(self, asked: Asked) -> Response:
        wanted = set(asked.parts[0].split(","))
        items = [item for item in self._every() if self._address(item[1].account) in wanted]
        body: Json = {"data": [self._pool_row(*item) for item in items]}
        self._include(body, asked, items)
        return json_response(body)

    def _token(self, asked: Asked) -> Response:
        token = self._world.tokens.get(asked.parts[0])
        if token is None:
            raise Refused(_not_found())
        return json_response({"data": self._token_row(token)})

    def _tokens(self, asked: Asked) -> Response:
        wanted = set(asked.parts[0].split(","))
        if len(wanted) > 30:
            raise Refused(_bad_request("at most 30 addresses"))
        # not in the order asked for; unknown addresses are dropped silently
        found = [token for mint, token in sorted(self._world.tokens.items()) if mint in wanted]
        body: Json = {"data": [self._token_row(token) for token in found]}
        if "top_pools" in asked.query.get("include", ""):
            body["included"] = [self._pool_row(token, token.pools[-1]) for token in found]
        return json_response(body)

    def _dexes(self, asked: Asked) -> Response:
        named = [*_DEXES.values(), *((dex, dex.title()) for dex in _IDLE_DEXES)]
        rows = [{"id": dex, "type": "dex", "attributes": {"name": name}} for dex, name in named]
        return json_response({"data": rows if asked.query.get("page", "1") == "1" else []})

    def _candles(self, asked: Asked) -> Response:
        address, timeframe = asked.parts
        items = [item for item in self._every() if self._address(item[1].account) == address]
        if not items:
            raise Refused(_not_found())
        token, pool = items[0]
        try:
            rows = candles(self._market, pool, timeframe, asked.query)
        except ValueError as error:
            raise Refused(_bad_request(str(error)), f"ohlcv {error}") from None
        base, quote = self._token_stub(token)["attributes"], self._quote_stub(pool)["attributes"]
        keys = ("address", "name", "symbol", "coingecko_coin_id")
        identity = str(UUID(int=mixed("ohlcv", address) << 64 | mixed(timeframe, address)))
        attributes = {"ohlcv_list": rows}
        return json_response(
            {
                "data": {"id": identity, "type": "ohlcv_request_response", "attributes": attributes},
                "meta": {"base": {k: base[k] for k in keys}, "quote": {k: quote[k] for k in keys}},
            }
        )

    def _address(self, account: int) -> str:
        return self._world.accounts.address(account)

    def _pool_row(self, token: Token, pool: Pool) -> Json:
        figures = self._book.of(pool)
        usd = quote_usd(self._world, pool, self._market.now())
        sol = Fraction(self._world.price.cents_at(self._market.now()), 100)
        price = figures.price_quote
        reserve = number_text(figures.liquidity_usd, 10)
        if token.kind == "dull" and token.launched_offset_seconds < -86_400:
            reserve = "-97.3671492356286"
        fee = "" if pool.is_curve else " 0.3%"
        windows = figures.windows
        cap = number_text(figures.price_usd * token.mint.supply / 10**token.mint.decimals, 12)
        address = self._address(pool.account)
        quote = self._quote_stub(pool)
        attributes: Json = {
            "base_token_price_usd": number_text(figures.price_usd, 15),
            "base_token_price_native_currency": number_text(figures.price_usd / sol, 15),
            "quote_token_price_usd": number_text(usd, 15),
            "quote_token_price_native_currency": number_text(usd / sol, 15),
            "base_token_price_quote_token": number_text(price, 12),
            "quote_token_price_base_token": number_text(1 / price if price else Fraction(0), 15),
            "address": address,
            "name": f"{token.symbol} / {quote['attributes']['symbol']}{fee}",
            "pool_created_at": iso(self._market.unix(pool.created_offset_seconds)),
            "fdv_usd": cap,
            "market_cap_usd": cap if token.mint.account % 6 == 0 else None,
            "price_change_percentage": {name: number_text(round(windows[name].change_pct, 3), 12) for name in WINDOWS},
            "transactions": {name: _counts(windows[name]) for name in WINDOWS},
            "volume_usd": {name: number_text(windows[name].volume_usd, 15) for name in WINDOWS},
            "reserve_in_usd": reserve,
        }
        return {
            "id": f"solana_{address}",
            "type": "pool",
            "attributes": attributes,
            "relationships": {
                "base_token": {"data": {"id": self._token_stub(token)["id"], "type": "token"}},
                "quote_token": {"data": {"id": quote["id"], "type": "token"}},
                "dex": {"data": {"id": _DEXES[pool.dex][0], "type": "dex"}},
            },
        }

    def _token_stub(self, token: Token) -> Json:
        mint = self._address(token.mint.account)
        attributes = {"address": mint, "name": token.name, "symbol": token.symbol, "decimals": token.mint.decimals}
        attributes |= {"image_url": None, "coingecko_coin_id": None}
        return {"id": f"solana_{mint}", "type": "token", "attributes": attributes}

    def _quote_stub(self, pool: Pool) -> Json:
        mint = self._address(pool.quote.account)
        native = pool.quote is self._world.ledger.native
        name, symbol, coin = ("Wrapped SOL", "SOL", "wrapped-solana") if native else ("USD Coin", "USDC", "usd-coin")
        attributes = {"address": mint, "name": name, "symbol": symbol, "decimals": pool.quote.decimals}
        attributes |= {"image_url": None, "coingecko_coin_id": coin}
        return {"id": f"solana_{mint}", "type": "token", "attributes": attributes}

    def _token_row(self, token: Token) -> Json:
        row = self._token_stub(token)
        pool, figures = self._book.main(token)
        supply = token.mint.supply
        graduated = token.graduated_offset_seconds
        destination = self._address(token.pools[1].account) if graduated is not None else None
        curve = token.pools[0]
        sold = Fraction(100 * (CURVE_BASE - curve.real_base), CURVE_BASE) if curve.is_curve else Fraction(0)
        row["attributes"] |= {
            "total_supply": f"{supply}.0",
            "normalized_total_supply": number_text(Fraction(supply, 10**token.mint.decimals), 20),
            "price_usd": number_text(figures.price_usd, 15),
            "fdv_usd": number_text(figures.price_usd * supply / 10**token.mint.decimals, 15),
            "total_reserve_in_usd": number_text(figures.liquidity_usd, 15),
            "volume_usd": {"h24": number_text(figures.windows["h24"].volume_usd, 15)},
            "market_cap_usd": None,
            "launchpad_details": {
                "graduation_percentage": 100 if graduated is not None else float(round(sold, 2)),
                "completed": graduated is not None,
                "completed_at": iso(self._market.unix(graduated)) if graduated is not None else None,
                "migrated_destination_pool_address": destination,
            },
        }
        tops = [{"id": f"solana_{self._address(pool.account)}", "type": "pool"}]
        row["relationships"] = {"top_pools": {"data": tops}}
        return row


def _counts(window: Window) -> Json:
    return {"buys": window.buys, "sells": window.sells, "buyers": window.buyers, "sellers": window.sellers}


def _not_found() -> Response:
    identity = "b5a1c7de-0000-4000-8000-5f0e6d1c2b3a"
    return json_response({"errors": [{"status": "404", "title": "Not Found"}], "meta": {"ref_id": identity}}, 404)


def _bad_request(text: str) -> Response:
    return json_response({"errors": [{"status": "400", "title": text}]}, 400)


def _too_many(retry_after: float | None) -> Response:
    message = "You've exceeded the Rate Limit. Please visit https://www.coingecko.com/en/api/pricing"
    response = json_response({"status": {"error_code": 429, "error_message": message}}, 429)
    if retry_after is not None:
        response.headers.append(("Retry-After", "0"))  # as seen in the wild: the header is no help
    return response

"""The GeckoTerminal API: pools, tokens, candles."""

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any
from uuid import UUID

from simmarket.api.candles import candles
from simmarket.api.figure_cache import FigureCache
from simmarket.api.geckoterminal_rows import (
    DEXES,
    IDLE_DEXES,
    Json,
    TokenPool,
    bad_request,
    dex_row,
    not_found,
    pool_row,
    quote_stub,
    token_row,
    token_stub,
    too_many,
)
from simmarket.api.http_messages import Response, json_response
from simmarket.api.market import Market
from simmarket.api.rest_endpoint import (
    ErrorResponses,
    Refusal,
    RestEndpoint,
    RestRequest,
    positive_integer,
    route,
)
from simmarket.api.sol_candles import SOL_USDC_POOL, WRAPPED_SOL, sol_candles
from simmarket.chain.figures import is_idle
from simmarket.chain.stable_hash import stable_hash
from simmarket.chain.world import Token

Rank = Callable[[TokenPool], Any]
_PAGE_SIZE = 20
_MAX_PAGE = 10
_MAX_ADDRESSES = 30
_DURATIONS = {"5m": "m5", "1h": "h1", "6h": "h6", "24h": "h24"}
_INCLUDES = frozenset(("base_token", "quote_token", "dex", "top_pools"))
_NETWORK = "/networks/solana"
_LIST_KEYS = "include page sort include_gt_community_data"
_TRENDING_KEYS = "include page duration include_gt_community_data"
_CANDLE_KEYS = "aggregate before_timestamp limit currency token include_empty_intervals"


class GeckoTerminal:
    """Serves the world's pools as GeckoTerminal does."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._world = market.world
        self._figures = FigureCache(market)

    def endpoint(self) -> RestEndpoint:
        """Return the provider with its routes."""
        routes = [
            route(f"{_NETWORK}/trending_pools", self._trending, _TRENDING_KEYS),
            route(f"{_NETWORK}/new_pools", self._new, _LIST_KEYS),
            route(f"{_NETWORK}/pools", self._top, _LIST_KEYS),
            route(f"{_NETWORK}/dexes", self._dexes, "page"),
            route(f"{_NETWORK}/dexes/{{dex}}/pools", self._of_dex, _LIST_KEYS),
            route(f"{_NETWORK}/tokens/multi/{{addresses}}", self._tokens, "include"),
            route(f"{_NETWORK}/tokens/{{address}}", self._token, "include"),
            route(
                f"{_NETWORK}/tokens/{{address}}/pools",
                self._of_token,
                f"{_LIST_KEYS} include_inactive_source",
            ),
            route(f"{_NETWORK}/pools/multi/{{addresses}}", self._pools, "include"),
            route(f"{_NETWORK}/pools/{{address}}", self._pool, "include"),
            route(
                f"{_NETWORK}/pools/{{address}}/ohlcv/{{timeframe}}",
                self._candles,
                _CANDLE_KEYS,
            ),
        ]
        errors = ErrorResponses(
            not_found=not_found, bad_request=bad_request, too_many=too_many
        )
        return RestEndpoint(self._market, "geckoterminal", routes, errors)

    def _all(self) -> list[TokenPool]:
        pools: list[TokenPool] = []
        for token in self._world.tokens.values():
            pools += [TokenPool(token, pool) for pool in token.pools]
        return pools

    def _listed(self) -> list[TokenPool]:
        """Return the pools of all tokens that were traded in the last week."""
        now = self._market.now()
        return [item for item in self._all() if not is_idle(item.token, now)]

    def _with_addresses(self, addresses: Iterable[str]) -> list[TokenPool]:
        wanted = set(addresses)
        address = self._world.accounts.address
        return [item for item in self._all() if address(item.pool.account) in wanted]

    def _known_token(self, address: str) -> Token:
        """Return the token of a mint. Raises Refusal if there is none."""
        token = self._world.tokens.get(address)
        if token is None:
            raise Refusal(not_found())
        return token

    def _trending(self, request: RestRequest) -> Response:
        name = _DURATIONS.get(request.query.get("duration", "24h"))
        if name is None:
            raise Refusal(
                bad_request("duration"), f"duration {request.query['duration']}"
            )

        def rank(item: TokenPool) -> Any:
            windows = self._figures.of(item.pool).windows
            return (
                -windows[name].volume_usd,
                -windows["h24"].volume_usd,
                item.pool.account,
            )

        active = [item for item in self._listed() if not item.pool.is_complete]
        return self._page(request, active, rank)

    def _new(self, request: RestRequest) -> Response:
        def rank(item: TokenPool) -> Any:
            return -item.pool.created_offset_seconds, item.pool.account

        return self._page(request, self._listed(), rank)

    def _top(self, request: RestRequest) -> Response:
        return self._page(request, self._listed(), self._rank(request))

    def _of_dex(self, request: RestRequest) -> Response:
        dex = request.parts[0]
        pools = [item for item in self._listed() if DEXES[item.pool.dex][0] == dex]
        known_dexes = {*IDLE_DEXES, *(name for name, _ in DEXES.values())}
        if not pools and dex not in known_dexes:
            raise Refusal(not_found())
        return self._page(request, pools, self._rank(request))

    def _of_token(self, request: RestRequest) -> Response:
        token = self._known_token(request.parts[0])
        pools = [TokenPool(token, pool) for pool in token.pools]
        return self._page(request, pools, self._rank(request))

    def _rank(self, request: RestRequest) -> Rank:
        """Return the sort key of a list: by transactions or by volume of a day."""
        sort = request.query.get("sort", "h24_tx_count_desc")

        def rank(item: TokenPool) -> Any:
            day = self._figures.of(item.pool).windows["h24"]
            first = (
                Fraction(day.trades) if sort == "h24_tx_count_desc" else day.volume_usd
            )
            return -first, item.pool.account

        return rank

    def _page(
        self, request: RestRequest, items: list[TokenPool], rank: Rank
    ) -> Response:
        """Return one page of 20.

        Real lists shift between two requests: a later page begins with the last row of
        the page before it.
        """
        page = _page_number(request)
        overlap = 1 if page > 1 else 0
        first = (page - 1) * _PAGE_SIZE - overlap
        rows = sorted(items, key=rank)[first : first + _PAGE_SIZE]
        if request.fault == "missing_pair":
            rows = []
        body: Json = {"data": [self._pool_row(item) for item in rows]}
        self._include(body, request, rows)
        return json_response(body)

    def _include(
        self, body: Json, request: RestRequest, items: list[TokenPool]
    ) -> None:
        """Add the related resources that the request includes. Raises Refusal for an
        unknown kind.
        """
        wanted = {part for part in request.query.get("include", "").split(",") if part}
        unknown = wanted - _INCLUDES
        if unknown:
            raise Refusal(
                bad_request("include"), f"include {', '.join(sorted(unknown))}"
            )
        if not wanted:
            return
        rows: dict[str, Json] = {}
        for item in items:
            for row in self._related(item, wanted):
                rows[row["id"]] = row
        body["included"] = list(rows.values())

    def _related(self, item: TokenPool, wanted: set[str]) -> list[Json]:
        rows: list[Json] = []
        if "base_token" in wanted:
            rows.append(token_stub(self._world, item.token))
        if "quote_token" in wanted:
            rows.append(quote_stub(self._world, item.pool))
        if "dex" in wanted:
            rows.append(dex_row(*DEXES[item.pool.dex]))
        return rows

    def _pool(self, request: RestRequest) -> Response:
        items = self._with_addresses(request.parts)
        if not items or request.fault == "missing_pair":
            raise Refusal(not_found())
        body: Json = {"data": self._pool_row(items[0])}
        self._include(body, request, items)
        return json_response(body)

    def _pools(self, request: RestRequest) -> Response:
        items = self._with_addresses(request.parts[0].split(","))
        body: Json = {"data": [self._pool_row(item) for item in items]}
        self._include(body, request, items)
        return json_response(body)

    def _token(self, request: RestRequest) -> Response:
        token = self._known_token(request.parts[0])
        return json_response({"data": self._token_row(token)})

    def _tokens(self, request: RestRequest) -> Response:
        mints = set(request.parts[0].split(","))
        if len(mints) > _MAX_ADDRESSES:
            raise Refusal(bad_request(f"at most {_MAX_ADDRESSES} addresses"))
        # sorted, not in the order of the request; unknown addresses are dropped
        # silently
        tokens = [
            token for mint, token in sorted(self._world.tokens.items()) if mint in mints
        ]
        body: Json = {"data": [self._token_row(token) for token in tokens]}
        if "top_pools" in request.query.get("include", ""):
            body["included"] = [
                self._pool_row(TokenPool(token, token.pools[-1])) for token in tokens
            ]
        return json_response(body)

    def _dexes(self, request: RestRequest) -> Response:
        if request.query.get("page", "1") != "1":
            return json_response({"data": []})
        rows = [dex_row(dex, name) for dex, name in DEXES.values()]
        rows += [dex_row(dex, dex.title()) for dex in IDLE_DEXES]
        return json_response({"data": rows})

    def _candles(self, request: RestRequest) -> Response:
        address, timeframe = request.parts
        if address == SOL_USDC_POOL:
            return self._sol_candles(request, timeframe)
        items = self._with_addresses([address])
        if not items:
            raise Refusal(not_found())
        token, pool = items[0]
        try:
            rows = candles(self._market, pool, timeframe, request.query)
        except ValueError as error:
            raise Refusal(bad_request(str(error)), f"ohlcv {error}") from None
        meta = {
            "base": _candle_token(token_stub(self._world, token)),
            "quote": _candle_token(quote_stub(self._world, pool)),
        }
        return _candle_response(address, timeframe, rows, meta)

    def _sol_candles(self, request: RestRequest, timeframe: str) -> Response:
        try:
            rows = sol_candles(self._market, timeframe, request.query)
        except ValueError as error:
            raise Refusal(bad_request(str(error)), f"ohlcv {error}") from None
        meta = {"base": {"address": WRAPPED_SOL, "symbol": "SOL"}, "quote": {}}
        return _candle_response(SOL_USDC_POOL, timeframe, rows, meta)

    def _pool_row(self, item: TokenPool) -> Json:
        return pool_row(self._market, item, self._figures.of(item.pool))

    def _token_row(self, token: Token) -> Json:
        main_pool, figures = self._figures.main_pool(token)
        return token_row(self._market, TokenPool(token, main_pool), figures)


def _page_number(request: RestRequest) -> int:
    """Return the number of the page. Raises Refusal if it is invalid."""
    try:
        page = positive_integer(request.query, "page", 1, 10**6)
    except ValueError:
        raise Refusal(bad_request("page")) from None
    if page > _MAX_PAGE:
        message = f"Exclusive page range: pages above {_MAX_PAGE} need a paid plan"
        raise Refusal(json_response({"error": message}, 401))
    if request.fault == "repeat_page":
        return 1
    return page


def _candle_response(
    address: str, timeframe: str, rows: Iterable[Any], meta: Json
) -> Response:
    identity = UUID(
        int=stable_hash("ohlcv", address) << 64 | stable_hash(timeframe, address)
    )
    data = {
        "id": str(identity),
        "type": "ohlcv_request_response",
        "attributes": {"ohlcv_list": list(rows)},
    }
    return json_response({"data": data, "meta": meta})


def _candle_token(stub: Json) -> Json:
    """Return the attributes of a token that the candles contain."""
    keys = ("address", "name", "symbol", "coingecko_coin_id")
    return {key: stub["attributes"][key] for key in keys}

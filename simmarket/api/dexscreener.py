"""The DexScreener API: pairs, feeds, search."""

from typing import Any

from simmarket.api.figure_cache import FigureCache
from simmarket.api.http_messages import Response, json_response, text_response
from simmarket.api.market import Market
from simmarket.api.number_format import number, number_text
from simmarket.api.rest_endpoint import (
    ErrorResponses,
    Refusal,
    RestEndpoint,
    RestRequest,
    route,
)
from simmarket.chain import base58
from simmarket.chain.figures import PoolFigures
from simmarket.chain.stable_hash import stable_hash
from simmarket.chain.world import Pool, Token

Json = dict[str, Any]
_MAX_PAIRS = 30
_MAX_ADDRESSES = 30
_WINDOWS = ("m5", "h1", "h6", "h24")
_QUOTES = {
    "So11111111111111111111111111111111111111112": ("Wrapped SOL", "SOL"),
    "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v": ("USD Coin", "USDC"),
}
_FOREIGN_TOKEN = "0xaF2E4F3E10B8d06ecEcABBB7F8A7022c6EAb7B07"
_FOREIGN_PAIR = "0x76a411f14a704099ba476ce8dffc288a53295218"
_IMAGES = "https://cdn.dexscreener.com/cms/images"


class DexScreener:
    """Serves the world's pools as DexScreener does."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._world = market.world
        self._figures = FigureCache(market)

    def endpoint(self) -> RestEndpoint:
        """Return the provider with its routes."""
        routes = [
            route("/tokens/v1/solana/{addresses}", self._tokens),
            route("/token-pairs/v1/solana/{address}", self._token_pairs),
            route("/latest/dex/search", self._search, "q"),
            route("/latest/dex/pairs/solana/{ids}", self._pairs),
            route("/latest/dex/tokens/{addresses}", self._legacy_tokens),
            route("/token-profiles/latest/v1", self._profiles),
            route("/token-boosts/latest/v1", self._latest_boosts),
            route("/token-boosts/top/v1", self._top_boosts),
        ]
        errors = ErrorResponses(
            not_found=lambda: json_response({"error": "Not Found"}, 404),
            bad_request=_bad_request,
            too_many=_too_many,
        )
        return RestEndpoint(self._market, "dexscreener", routes, errors)

    def _tokens(self, request: RestRequest) -> Response:
        if request.fault == "missing_pair":
            return json_response([])
        return json_response(self._batch(request.parts[0]))

    def _legacy_tokens(self, request: RestRequest) -> Response:
        if request.fault == "missing_pair":
            return _wrapped([])
        return _wrapped(self._batch(request.parts[0]))

    def _batch(self, text: str) -> list[Json]:
        """Return one pair for each of up to 30 mints: the one with the most liquidity.

        So captured in October 2026: a token with a curve and a pool has one row.
        """
        addresses = text.split(",")
        if len(addresses) > _MAX_ADDRESSES:
            raise Refusal(_bad_request(f"at most {_MAX_ADDRESSES} addresses"))
        pairs: list[tuple[Pool, Json]] = []
        for address in dict.fromkeys(addresses):
            pairs += self._pairs_of(address)[:1]
        pairs.sort(key=self._by_liquidity)
        return [row for _, row in pairs[:_MAX_PAIRS]]

    def _token_pairs(self, request: RestRequest) -> Response:
        if request.fault == "missing_pair":
            return json_response([])
        pairs = self._pairs_of(request.parts[0])
        return json_response([row for _, row in pairs[:_MAX_PAIRS]])

    def _pairs(self, request: RestRequest) -> Response:
        rows: list[Json] = []
        if request.fault != "missing_pair":
            rows = self._pairs_by_address(set(request.parts[0].split(",")))
        first = rows[0] if rows else None
        return json_response(
            {"schemaVersion": "1.0.0", "pairs": rows or None, "pair": first}
        )

    def _pairs_by_address(self, addresses: set[str]) -> list[Json]:
        address = self._world.accounts.address
        rows: list[Json] = []
        for token in self._world.tokens.values():
            listed = [pool for pool in token.pools if pool.is_listed]
            rows += [
                self._pair(token, pool)
                for pool in listed
                if address(pool.account) in addresses
            ]
        return rows

    def _search(self, request: RestRequest) -> Response:
        if request.fault == "missing_pair":
            return _wrapped([])
        text = request.query.get("q", "").strip().lower()
        rows: list[Json] = []
        for mint, token in self._world.tokens.items():
            if _matches(text, mint, token):
                rows += [row for _, row in self._pairs_of(mint)]
        if rows:
            # the same symbol exists on other chains
            rows.insert(1, _on_another_chain(rows[0]))
        return _wrapped(rows[:_MAX_PAIRS])

    def _profiles(self, _: RestRequest) -> Response:
        rows: list[Json] = [_foreign_profile()]
        rows += [
            _profile(mint, token)
            for mint, token in self._newest_first()
            if token.has_profile
        ]
        return json_response(rows[:_MAX_PAIRS])

    def _latest_boosts(self, _: RestRequest) -> Response:
        rows = self._boosts()
        for row in rows:
            row["amount"] = 10
        return json_response(rows)

    def _top_boosts(self, _: RestRequest) -> Response:
        return json_response(self._boosts())

    def _boosts(self) -> list[Json]:
        rows: list[Json] = []
        for mint, token in self._newest_first():
            if token.boost_count:
                row = _profile(mint, token)
                del row["cto"]
                row["totalAmount"] = token.boost_count
                rows.append(row)
        return rows[:_MAX_PAIRS]

    def _newest_first(self) -> list[tuple[str, Token]]:
        listed = [
            (mint, token)
            for mint, token in self._world.tokens.items()
            if token.pools[0].is_listed
        ]
        return sorted(listed, key=lambda item: -item[1].launched_offset_seconds)

    def _pairs_of(self, address: str) -> list[tuple[Pool, Json]]:
        """Return the pairs of a mint, the one with the most liquidity first."""
        token = self._world.tokens.get(address)
        if token is None:
            return []
        pairs = [
            (pool, self._pair(token, pool))
            for pool in token.pools
            if _is_shown(token, pool)
        ]
        if pairs and token.mint.account % 5 == 0:
            first_pool, first_row = pairs[0]
            pairs.append((first_pool, _as_quote(first_row, address)))
        pairs.sort(key=self._by_liquidity)
        return pairs

    def _by_liquidity(self, pair: tuple[Pool, Json]) -> Any:
        return -self._figures.of(pair[0]).liquidity_usd

    def _pair(self, token: Token, pool: Pool) -> Json:
        figures = self._figures.of(pool)
        address = self._world.accounts.address(pool.account)
        quote = self._world.accounts.address(pool.quote.account)
        quote_name, quote_symbol = _QUOTES.get(quote, ("Unknown", "?"))
        row: Json = {
            "chainId": "solana",
            "dexId": pool.dex,
            "url": f"https://dexscreener.com/solana/{address.lower()}",
            "pairAddress": address,
            "baseToken": {
                "address": self._world.accounts.address(token.mint.account),
                "name": token.name,
                "symbol": token.symbol,
            },
            "quoteToken": {
                "address": quote,
                "name": quote_name,
                "symbol": quote_symbol,
            },
            "priceNative": number_text(figures.price_quote, 7),
            "priceUsd": number_text(figures.price_usd, 7),
            "txns": {name: _transaction_counts(figures, name) for name in _WINDOWS},
            "volume": {
                name: number(figures.windows[name].volume_usd)
                for name in reversed(_WINDOWS)
            },
        }
        changes = _price_changes(figures)
        if changes:
            row["priceChange"] = changes
        _add_liquidity(row, pool, figures)
        market_cap = number(
            figures.price_usd * token.mint.supply / 10**token.mint.decimals, 0
        )
        row["fdv"] = market_cap
        if token.mint.account % 7:
            row["marketCap"] = market_cap
        row["pairCreatedAt"] = self._market.unix(pool.created_offset_seconds) * 1000
        if token.has_profile:
            row["info"] = _info(token)
        if token.boost_count:
            row["boosts"] = {"active": token.boost_count}
        return row


def _matches(text: str, mint: str, token: Token) -> bool:
    if not text:
        return False
    return (
        text in token.symbol.lower()
        or text in token.name.lower()
        or text == mint.lower()
    )


def _is_shown(token: Token, pool: Pool) -> bool:
    """Return True if a pool is listed; a complete curve stays listed for some tokens
    only.
    """
    is_hidden_curve = pool.is_curve and pool.is_complete and len(token.symbol) % 2 == 1
    return pool.is_listed and not is_hidden_curve


def _transaction_counts(figures: PoolFigures, name: str) -> Json:
    window = figures.windows[name]
    return {"buys": window.buys, "sells": window.sells}


def _price_changes(figures: PoolFigures) -> Json:
    """Return percent by window; a window without trades or without change has no key."""
    changes: Json = {}
    for name in _WINDOWS:
        window = figures.windows[name]
        if window.trades and round(window.change_pct, 2) != 0:
            changes[name] = number(window.change_pct)
    return changes


def _add_liquidity(row: Json, pool: Pool, figures: PoolFigures) -> None:
    """Add the liquidity. A curve has none here, a complete one neither (captured in
    October 2026).
    """
    if pool.is_curve:
        return
    row["liquidity"] = {
        "usd": number(figures.liquidity_usd),
        "base": figures.base_reserve // 10**pool.mint.decimals,
        "quote": round(figures.quote_reserve / 10**pool.quote.decimals, 4),
    }


def _info(token: Token) -> Json:
    return {
        "imageUrl": f"{_IMAGES}/{token.symbol.lower()}.png",
        "websites": [
            {"label": "Website", "url": f"https://{token.symbol.lower()}.invalid"}
        ],
        "socials": [
            {"type": "twitter", "url": f"https://x.com/{token.symbol.lower()}"}
        ],
    }


def _as_quote(row: Json, mint: str) -> Json:
    """Return a pair with little liquidity in which the token is the quote side."""
    other_token = base58.encode(stable_hash("stranger", mint).to_bytes(8, "big") * 4)
    return {
        "chainId": row["chainId"],
        "fdv": row["fdv"],
        "pairCreatedAt": row["pairCreatedAt"],
        "dexId": "meteora",
        "labels": ["DLMM"],
        "url": f"https://dexscreener.com/solana/{other_token.lower()}",
        "pairAddress": other_token,
        "baseToken": {"address": other_token, "name": "Stranger", "symbol": "STRANGE"},
        "quoteToken": row["baseToken"],
        "priceNative": "12.5",
        "txns": {name: {"buys": 0, "sells": 0} for name in _WINDOWS},
        "volume": dict.fromkeys(reversed(_WINDOWS), 0),
        "liquidity": {"usd": None, "base": 3, "quote": 40},
    }


def _on_another_chain(row: Json) -> Json:
    """Return a pair of another chain with the same symbol."""
    return {
        **row,
        "chainId": "base",
        "dexId": "uniswap",
        "url": f"https://dexscreener.com/base/{_FOREIGN_PAIR}",
        "pairAddress": _FOREIGN_PAIR,
        "labels": ["v3"],
        "baseToken": {**row["baseToken"], "address": _FOREIGN_TOKEN},
        "quoteToken": {"address": None, "name": "Ether", "symbol": "ETH"},
        "priceUsd": None,
    }


def _profile(mint: str, token: Token) -> Json:
    return {
        "url": f"https://dexscreener.com/solana/{mint.lower()}",
        "chainId": "solana",
        "tokenAddress": mint,
        "icon": f"{_IMAGES}/{token.symbol.lower()}.png",
        "openGraph": f"https://cdn.dexscreener.com/token-images/og/solana/{mint}",
        "description": f"{token.name}, to the moon",
        "links": [
            {"label": "Website", "url": f"https://{token.symbol.lower()}.invalid"},
            {"type": "twitter", "url": "https://x.com/sim"},
        ],
        "cto": False,
    }


def _foreign_profile() -> Json:
    return {
        "url": f"https://dexscreener.com/base/{_FOREIGN_TOKEN.lower()}",
        "chainId": "base",
        "tokenAddress": _FOREIGN_TOKEN,
        "icon": f"{_IMAGES}/base.png",
        "openGraph": f"https://cdn.dexscreener.com/token-images/og/base/{_FOREIGN_TOKEN.lower()}",
        "description": "a token of another chain",
        "links": [{"label": "Website", "url": "https://base.invalid"}],
        "cto": False,
    }


def _wrapped(pairs: list[Json]) -> Response:
    return json_response({"schemaVersion": "1.0.0", "pairs": pairs or None})


def _bad_request(text: str) -> Response:
    return json_response({"error": text}, 400)


def _too_many(retry_after_seconds: float | None) -> Response:
    response = text_response("error code: 1015", 429)
    if retry_after_seconds is not None:
        response.headers.append(("Retry-After", f"{retry_after_seconds:g}"))
    return response

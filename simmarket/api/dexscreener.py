"""DexScreener's wire: pairs, feeds, search."""

from typing import Any

from simmarket.api.http_messages import Response, json_response, text_response
from simmarket.api.market import Market
from simmarket.api.rest_endpoint import Asked, FigureBook, Refused, RestDoor, number, number_text, route
from simmarket.chain import base58
from simmarket.chain.accounts import mixed
from simmarket.chain.figures import PoolFigures, Window
from simmarket.chain.world import Pool, Token

Json = dict[str, Any]
_MOST_PAIRS = 30
_MOST_ADDRESSES = 30
_WINDOWS = ("m5", "h1", "h6", "h24")
_QUOTES = {
    "So11111111111111111111111111111111111111112": ("Wrapped SOL", "SOL"),
    "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v": ("USD Coin", "USDC"),
}
_FOREIGN = "0xaF2E4F3E10B8d06ecEcABBB7F8A7022c6EAb7B07"
_IMAGES = "https://cdn.dexscreener.com/cms/images"


class DexScreener:
    """Renders what the world's pools look like there."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._world = market.world
        self._book = FigureBook(market)

    def door(self) -> RestDoor:
        """The provider with its routes."""
        routes = [
            route("/tokens/v1/solana/{addresses}", self._tokens),
            route("/token-pairs/v1/solana/{address}", self._token_pairs),
            route("/latest/dex/search", self._search, "q"),
            route("/latest/dex/pairs/solana/{ids}", self._pairs),
            route("/latest/dex/tokens/{addresses}", self._legacy_tokens),
            route("/token-profiles/latest/v1", self._profiles),
            route("/token-boosts/latest/v1", lambda asked: self._boosts(asked, latest=True)),
            route("/token-boosts/top/v1", lambda asked: self._boosts(asked, latest=False)),
        ]
        return RestDoor(
            self._market,
            "dexscreener",
            routes,
            lambda: json_response({"error": "Not Found"}, 404),
            lambda text: json_response({"error": text}, 400),
            _too_many,
        )

    def _tokens(self, asked: Asked) -> Response:
        return json_response([] if asked.fault == "missing_pair" else self._batch(asked.parts[0]))

    def _legacy_tokens(self, asked: Asked) -> Response:
        pairs = [] if asked.fault == "missing_pair" else self._batch(asked.parts[0])
        return _wrapped(pairs)

    def _batch(self, text: str) -> list[Json]:
        """Pairs of up to 30 mints, 30 in all: the deepest crowd out the rest."""
        addresses = text.split(",")
        if len(addresses) > _MOST_ADDRESSES:
            raise Refused(json_response({"error": f"at most {_MOST_ADDRESSES} addresses"}, 400))
        rows: list[tuple[Pool, Json]] = []
        for address in dict.fromkeys(addresses):
            rows += self._pairs_of(address)
        rows.sort(key=lambda row: -self._book.of(row[0]).liquidity_usd)
        return [row for _, row in rows][:_MOST_PAIRS]

    def _token_pairs(self, asked: Asked) -> Response:
        rows = [] if asked.fault == "missing_pair" else self._pairs_of(asked.parts[0])
        return json_response([row for _, row in rows][:_MOST_PAIRS])

    def _pairs(self, asked: Asked) -> Response:
        wanted = set(asked.parts[0].split(","))
        found = [
            self._pair(token, pool)
            for token in self._world.tokens.values()
            for pool in token.pools
            if pool.listed and self._world.accounts.address(pool.account) in wanted
        ]
        if asked.fault == "missing_pair":
            found = []
        pairs = found or None
        return json_response({"schemaVersion": "1.0.0", "pairs": pairs, "pair": found[0] if found else None})

    def _search(self, asked: Asked) -> Response:
        text = asked.query.get("q", "").strip().lower()
        found: list[Json] = []
        for mint, token in self._world.tokens.items():
            if text and (text in token.symbol.lower() or text in token.name.lower() or text == mint.lower()):
                found += [row for _, row in self._pairs_of(mint)]
        if found:  # the same symbol exists on other chains
            found.insert(min(1, len(found)), _on_another_chain(found[0]))
        return _wrapped([] if asked.fault == "missing_pair" else found[:_MOST_PAIRS])

    def _profiles(self, _: Asked) -> Response:
        rows: list[Json] = [_foreign_profile()]
        for mint, token in self._newest():
            if token.profiled:
                rows.append(_profile(mint, token))
        return json_response(rows[:_MOST_PAIRS])

    def _boosts(self, _: Asked, *, latest: bool) -> Response:
        rows: list[Json] = []
        for mint, token in self._newest():
            if token.boosted:
                row = _profile(mint, token)
                del row["cto"]
                row["totalAmount"] = token.boosted
                if latest:
                    row["amount"] = 10
                rows.append(row)
        return json_response(rows[:_MOST_PAIRS])

    def _newest(self) -> list[tuple[str, Token]]:
        listed = [(mint, token) for mint, token in self._world.tokens.items() if token.pools[0].listed]
        return sorted(listed, key=lambda item: -item[1].launched_offset_seconds)

    def _pairs_of(self, address: str) -> list[tuple[Pool, Json]]:
        token = self._world.tokens.get(address)
        if token is None:
            return []
        # a curve that was left behind stays listed for some tokens only
        rows = [
            (pool, self._pair(token, pool))
            for pool in token.pools
            if pool.listed and not (pool.is_curve and pool.complete and len(token.symbol) % 2)
        ]
        if rows and token.mint.account % 5 == 0:
            rows.append((rows[0][0], _as_quote(rows[0][1], address)))
        rows.sort(key=lambda row: -self._book.of(row[0]).liquidity_usd)
        return rows

    def _pair(self, token: Token, pool: Pool) -> Json:
        figures = self._book.of(pool)
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
            "quoteToken": {"address": quote, "name": quote_name, "symbol": quote_symbol},
            "priceNative": number_text(figures.price_quote, 7),
            "priceUsd": number_text(figures.price_usd, 7),
            "txns": {w: {"buys": figures.windows[w].buys, "sells": figures.windows[w].sells} for w in _WINDOWS},
            "volume": {w: number(figures.windows[w].volume_usd) for w in reversed(_WINDOWS)},
        }
        if change := _changes(figures):
            row["priceChange"] = change
        _add_depth(row, pool, figures)
        cap = number(figures.price_usd * token.mint.supply / 10**token.mint.decimals, 0)
        row["fdv"] = cap
        if token.mint.account % 7:
            row["marketCap"] = cap
        row["pairCreatedAt"] = self._market.unix(pool.created_offset_seconds) * 1000
        if token.profiled:
            row["info"] = _info(token)
        if token.boosted:
            row["boosts"] = {"active": token.boosted}
        return row


def _changes(figures: PoolFigures) -> Json:
    """Percent by window; a quiet window has no key."""

    def shown(window: Window) -> bool:
        return bool(window.trades) and round(window.change_pct, 2) != 0

    return {name: number(figures.windows[name].change_pct) for name in _WINDOWS if shown(figures.windows[name])}


def _add_depth(row: Json, pool: Pool, figures: PoolFigures) -> None:
    """Curves have no liquidity here; one that is finished may show zeros."""
    if pool.is_curve:
        if pool.complete:
            row["liquidity"] = {"usd": 0, "base": 0, "quote": 0}
        return
    row["liquidity"] = {
        "usd": number(figures.liquidity_usd),
        "base": figures.base_reserve // 10**pool.mint.decimals,
        "quote": round(figures.quote_reserve / 10**pool.quote.decimals, 4),
    }


def _info(token: Token) -> Json:
    return {
        "imageUrl": f"{_IMAGES}/{token.symbol.lower()}.png",
        "websites": [{"label": "Website", "url": f"https://{token.symbol.lower()}.invalid"}],
        "socials": [{"type": "twitter", "url": f"https://x.com/{token.symbol.lower()}"}],
    }


def _as_quote(row: Json, mint: str) -> Json:
    """A dusty pair in which the token is the quote side."""
    stranger = base58.encode(mixed("stranger", mint).to_bytes(8, "big") * 4)
    quiet = {name: {"buys": 0, "sells": 0} for name in _WINDOWS}
    return {
        **{key: row[key] for key in ("chainId", "fdv", "pairCreatedAt")},
        "dexId": "meteora",
        "labels": ["DLMM"],
        "url": f"https://dexscreener.com/solana/{stranger.lower()}",
        "pairAddress": stranger,
        "baseToken": {"address": stranger, "name": "Stranger", "symbol": "STRANGE"},
        "quoteToken": row["baseToken"],
        "priceNative": "12.5",
        "txns": quiet,
        "volume": dict.fromkeys(reversed(_WINDOWS), 0),
        "liquidity": {"usd": None, "base": 3, "quote": 40},
    }


def _on_another_chain(row: Json) -> Json:
    pair = "0x76a411f14a704099ba476ce8dffc288a53295218"
    return {
        **row,
        "chainId": "base",
        "dexId": "uniswap",
        "url": f"https://dexscreener.com/base/{pair}",
        "pairAddress": pair,
        "labels": ["v3"],
        "baseToken": {**row["baseToken"], "address": _FOREIGN},
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
        "url": f"https://dexscreener.com/base/{_FOREIGN.lower()}",
        "chainId": "base",
        "tokenAddress": _FOREIGN,
        "icon": f"{_IMAGES}/base.png",
        "openGraph": f"https://cdn.dexscreener.com/token-images/og/base/{_FOREIGN.lower()}",
        "description": "a token of another chain",
        "links": [{"label": "Website", "url": "https://base.invalid"}],
        "cto": False,
    }


def _wrapped(pairs: list[Json]) -> Response:
    return json_response({"schemaVersion": "1.0.0", "pairs": pairs or None})


def _too_many(retry_after: float | None) -> Response:
    response = text_response("error code: 1015", 429)
    if retry_after is not None:
        response.headers.append(("Retry-After", f"{retry_after:g}"))
    return response

"""The resources of the GeckoTerminal API. JSON:API; money and percentages are strings."""

from fractions import Fraction
from typing import Any, NamedTuple

from simmarket.api.http_messages import Response, json_response
from simmarket.api.market import Market
from simmarket.api.number_format import iso, number_text
from simmarket.chain.figures import WINDOWS, PoolFigures, Window, quote_usd
from simmarket.chain.pumpfun import CURVE_BASE
from simmarket.chain.world import Pool, Token, World

Json = dict[str, Any]
DEXES = {
    "pumpfun": ("pump-fun", "Pump.fun"),
    "pumpswap": ("pumpswap", "PumpSwap"),
    "launchlab": ("raydium-launchlab", "Raydium Launchlab"),
    "raydium": ("raydium", "Raydium"),
}
IDLE_DEXES = (
    "raydium-clmm",
    "meteora",
    "meteora-dbc",
    "orca",
)
_DAY_SECONDS = 86_400


class TokenPool(NamedTuple):
    """A pool with its token."""

    token: Token
    pool: Pool


def pool_row(market: Market, item: TokenPool, figures: PoolFigures) -> Json:
    """Return a pool."""
    token, pool = item
    address = market.world.accounts.address(pool.account)
    quote = quote_stub(market.world, pool)
    return {
        "id": f"solana_{address}",
        "type": "pool",
        "attributes": _pool_attributes(
            market, item, figures, quote["attributes"]["symbol"]
        ),
        "relationships": {
            "base_token": {
                "data": {"id": token_stub(market.world, token)["id"], "type": "token"}
            },
            "quote_token": {"data": {"id": quote["id"], "type": "token"}},
            "dex": {"data": {"id": DEXES[pool.dex][0], "type": "dex"}},
        },
    }


def _pool_attributes(
    market: Market, item: TokenPool, figures: PoolFigures, quote_symbol: str
) -> Json:
    token, pool = item
    now = market.now()
    quote_price = quote_usd(market.world, pool, now)
    sol_price = Fraction(market.world.price.cents_at(now), 100)
    price = figures.price_quote
    inverse_price = 1 / price if price else Fraction(0)
    fee = "" if pool.is_curve else " 0.3%"
    market_cap = number_text(
        figures.price_usd * token.mint.supply / 10**token.mint.decimals, 12
    )
    windows = figures.windows
    return {
        "base_token_price_usd": number_text(figures.price_usd, 15),
        "base_token_price_native_currency": number_text(
            figures.price_usd / sol_price, 15
        ),
        "quote_token_price_usd": number_text(quote_price, 15),
        "quote_token_price_native_currency": number_text(quote_price / sol_price, 15),
        "base_token_price_quote_token": number_text(price, 12),
        "quote_token_price_base_token": number_text(inverse_price, 15),
        "address": market.world.accounts.address(pool.account),
        "name": f"{token.symbol} / {quote_symbol}{fee}",
        "pool_created_at": iso(market.unix(pool.created_offset_seconds)),
        "fdv_usd": market_cap,
        "market_cap_usd": market_cap if token.mint.account % 6 == 0 else None,
        "price_change_percentage": {
            name: number_text(round(windows[name].change_pct, 3), 12)
            for name in WINDOWS
        },
        "transactions": {name: _counts(windows[name]) for name in WINDOWS},
        "volume_usd": {
            name: number_text(windows[name].volume_usd, 15) for name in WINDOWS
        },
        "reserve_in_usd": _reserve_text(token, figures),
    }


def _reserve_text(token: Token, figures: PoolFigures) -> str:
    """Return the reserve; some old tokens have a negative one, as on the real API."""
    if token.kind == "dull" and token.launched_offset_seconds < -_DAY_SECONDS:
        return "-97.3671492356286"
    return number_text(figures.liquidity_usd, 10)


def token_stub(world: World, token: Token) -> Json:
    """Return a token as a list includes it."""
    mint = world.accounts.address(token.mint.account)
    return _stub(
        mint, token.name, token.symbol, decimals=token.mint.decimals, coin_id=None
    )


def quote_stub(world: World, pool: Pool) -> Json:
    """Return a pool's quote token as a list includes it."""
    mint = world.accounts.address(pool.quote.account)
    if pool.quote is world.ledger.native:
        return _stub(
            mint,
            "Wrapped SOL",
            "SOL",
            decimals=pool.quote.decimals,
            coin_id="wrapped-solana",
        )
    return _stub(
        mint, "USD Coin", "USDC", decimals=pool.quote.decimals, coin_id="usd-coin"
    )


def _stub(
    mint: str, name: str, symbol: str, *, decimals: int, coin_id: str | None
) -> Json:
    attributes = {
        "address": mint,
        "name": name,
        "symbol": symbol,
        "decimals": decimals,
        "image_url": None,
        "coingecko_coin_id": coin_id,
    }
    return {"id": f"solana_{mint}", "type": "token", "attributes": attributes}


def dex_row(dex: str, name: str) -> Json:
    """Return a DEX."""
    return {"id": dex, "type": "dex", "attributes": {"name": name}}


def token_row(market: Market, item: TokenPool, figures: PoolFigures) -> Json:
    """Return a token with its main pool and the figures of that pool."""
    token, main_pool = item
    supply = token.mint.supply
    whole_supply = Fraction(supply, 10**token.mint.decimals)
    row = token_stub(market.world, token)
    row["attributes"] |= {
        "total_supply": f"{supply}.0",
        "normalized_total_supply": number_text(whole_supply, 20),
        "price_usd": number_text(figures.price_usd, 15),
        "fdv_usd": number_text(figures.price_usd * whole_supply, 15),
        "total_reserve_in_usd": number_text(figures.liquidity_usd, 15),
        "volume_usd": {"h24": number_text(figures.windows["h24"].volume_usd, 15)},
        "market_cap_usd": None,
        "launchpad_details": _launchpad_details(market, token),
    }
    pool_address = market.world.accounts.address(main_pool.account)
    row["relationships"] = {
        "top_pools": {"data": [{"id": f"solana_{pool_address}", "type": "pool"}]}
    }
    return row


def _launchpad_details(market: Market, token: Token) -> Json:
    graduated = token.graduated_offset_seconds
    if graduated is not None:
        return {
            "graduation_percentage": 100,
            "completed": True,
            "completed_at": iso(market.unix(graduated)),
            "migrated_destination_pool_address": market.world.accounts.address(
                token.pools[1].account
            ),
        }
    curve = token.pools[0]
    sold_pct = Fraction(0)
    if curve.is_curve:
        sold_pct = Fraction(100 * (CURVE_BASE - curve.real_base), CURVE_BASE)
    return {
        "graduation_percentage": float(round(sold_pct, 2)),
        "completed": False,
        "completed_at": None,
        "migrated_destination_pool_address": None,
    }


def _counts(window: Window) -> Json:
    return {
        "buys": window.buys,
        "sells": window.sells,
        "buyers": window.buyers,
        "sellers": window.sellers,
    }


def not_found() -> Response:
    """Return the response to an unknown path or address."""
    identity = "b5a1c7de-0000-4000-8000-5f0e6d1c2b3a"
    return json_response(
        {
            "errors": [{"status": "404", "title": "Not Found"}],
            "meta": {"ref_id": identity},
        },
        404,
    )


def bad_request(text: str) -> Response:
    """Return the response to an invalid parameter."""
    return json_response({"errors": [{"status": "400", "title": text}]}, 400)


def too_many(retry_after_seconds: float | None) -> Response:
    """Return the response above the rate limit."""
    message = "You've exceeded the Rate Limit. Please visit https://www.coingecko.com/en/api/pricing"
    response = json_response(
        {"status": {"error_code": 429, "error_message": message}}, 429
    )
    if retry_after_seconds is not None:
        response.headers.append(
            ("Retry-After", "0")
        )  # as observed on the real API: the header does not help
    return response

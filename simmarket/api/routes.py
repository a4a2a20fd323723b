"""The providers with GET requests by path prefix."""

from collections.abc import Callable

from simmarket.api.dexscreener import DexScreener
from simmarket.api.geckoterminal import GeckoTerminal
from simmarket.api.http_messages import Request, Response
from simmarket.api.jupiter import Jupiter
from simmarket.api.klines import Klines
from simmarket.api.market import Market


def rest_routes(market: Market) -> dict[str, Callable[[Request], Response]]:
    """Return the handlers by path prefix."""
    return {
        "dexscreener": DexScreener(market).endpoint().handle,
        "geckoterminal": GeckoTerminal(market).endpoint().handle,
        "jupiter": Jupiter(market).handle,
        "prices": Klines(market).endpoint().handle,
    }

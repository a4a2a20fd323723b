"""The GET providers by path prefix."""

from collections.abc import Callable

from simmarket.api.dexscreener import DexScreener
from simmarket.api.geckoterminal import GeckoTerminal
from simmarket.api.http_messages import Request, Response
from simmarket.api.jupiter import Jupiter
from simmarket.api.klines import Klines
from simmarket.api.market import Market


def rest_doors(market: Market) -> dict[str, Callable[[Request], Response]]:
    """Answer functions by path prefix."""
    return {
        "dexscreener": DexScreener(market).door().answer,
        "geckoterminal": GeckoTerminal(market).door().answer,
        "jupiter": Jupiter(market).answer,
        "prices": Klines(market).door().answer,
    }

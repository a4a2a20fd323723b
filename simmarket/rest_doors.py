"""The GET providers by path prefix."""

from collections.abc import Callable

from simmarket.dexscreener import DexScreener
from simmarket.geckoterminal import GeckoTerminal
from simmarket.jupiter import Jupiter
from simmarket.klines import Klines
from simmarket.market import Market
from simmarket.wire import Request, Response


def rest_doors(market: Market) -> dict[str, Callable[[Request], Response]]:
    """Answer functions by path prefix."""
    return {
        "dexscreener": DexScreener(market).door().answer,
        "geckoterminal": GeckoTerminal(market).door().answer,
        "jupiter": Jupiter(market).answer,
        "prices": Klines(market).door().answer,
    }

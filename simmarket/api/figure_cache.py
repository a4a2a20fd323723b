"""Pool figures, cached for a few seconds."""

from simmarket.api.market import Market
from simmarket.chain.figures import PoolFigures, deepest, pool_figures
from simmarket.chain.world import Pool, Token

_FRESH_SECONDS = 15


class FigureCache:
    """The figures of every pool at most 15 seconds ago."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self._cached: dict[int, tuple[int, PoolFigures]] = {}

    def of(self, pool: Pool) -> PoolFigures:
        """Return the figures of a pool now."""
        now = self.market.now()
        period = now // _FRESH_SECONDS
        cached = self._cached.get(pool.account)
        if cached is not None and cached[0] == period:
            return cached[1]
        figures = pool_figures(self.market.world, pool, now)
        self._cached[pool.account] = period, figures
        return figures

    def main_pool(self, token: Token) -> tuple[Pool, PoolFigures]:
        """Return the deepest pool of a token now."""
        return deepest([(pool, self.of(pool)) for pool in token.pools])

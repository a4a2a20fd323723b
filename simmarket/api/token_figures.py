"""Figures of a whole token (all its pools together), as Jupiter reports them."""

from dataclasses import dataclass
from fractions import Fraction

from simmarket.api.figure_cache import FigureCache
from simmarket.chain.figures import WINDOWS, PoolFigures, Window, change_pct, price_at
from simmarket.chain.world import Pool, Token


@dataclass(slots=True, frozen=True)
class TokenFigures:
    """A token's price, liquidity and windows (change over the token's life, not one
    pool's).
    """

    price_usd: Fraction
    liquidity_usd: Fraction
    windows: dict[str, Window]
    holder_count: int


class TokenFigureCache:
    """Token figures, computed from pool figures."""

    def __init__(self, pools: FigureCache) -> None:
        self.pools = pools
        self._world = pools.market.world
        self._cached: dict[int, tuple[PoolFigures, TokenFigures]] = {}

    def of(self, token: Token) -> TokenFigures:
        """Return the figures of a token now."""
        main_pool, main_figures = self.pools.main_pool(token)
        cached = self._cached.get(token.mint.account)
        if cached is not None and cached[0] is main_figures:
            return cached[1]
        figures = TokenFigures(
            price_usd=main_figures.price_usd,
            liquidity_usd=sum(
                (self.pools.of(pool).liquidity_usd for pool in token.pools), Fraction(0)
            ),
            windows={name: self._window(token, main_pool, name) for name in WINDOWS},
            holder_count=self._holder_count(token),
        )
        self._cached[token.mint.account] = main_figures, figures
        return figures

    def _window(self, token: Token, main_pool: Pool, name: str) -> Window:
        """Add up the windows of all pools; the change goes from the pool of that time
        to the main pool now.
        """
        now = self.pools.market.now()
        since = now - WINDOWS[name]
        before = price_at(self._world, _canonical_pool(token, since), since)
        after = price_at(self._world, main_pool, now)
        windows = [self.pools.of(pool).windows[name] for pool in token.pools]
        return Window(
            buys=sum(window.buys for window in windows),
            sells=sum(window.sells for window in windows),
            buyers=sum(window.buyers for window in windows),
            sellers=sum(window.sellers for window in windows),
            buy_micro_usd=sum(window.buy_micro_usd for window in windows),
            sell_micro_usd=sum(window.sell_micro_usd for window in windows),
            change_pct=change_pct(before, after),
        )

    def _holder_count(self, token: Token) -> int:
        accounts = self._world.holdings.of_mint(token.mint.account).values()
        return sum(account.units > 0 for account in accounts)


def _canonical_pool(token: Token, moment: int) -> Pool:
    """Return the curve or the canonical pool of a moment; before the launch the curve."""
    canonical = token.pools[0]
    for pool in token.pools:
        if pool.index == 0 and pool.created_offset_seconds <= moment:
            canonical = pool
    return canonical

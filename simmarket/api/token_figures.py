"""Figures of a whole token (all its pools together), as Jupiter reports them."""

from dataclasses import dataclass
from fractions import Fraction

from simmarket.api.rest_endpoint import FigureBook
from simmarket.chain.figures import WINDOWS, PoolFigures, Window, price_at
from simmarket.chain.world import Pool, Token


@dataclass(slots=True, frozen=True)
class TokenFigures:
    """A token's price, liquidity and windows (change over the token's life, not one pool's)."""

    price_usd: Fraction
    liquidity_usd: Fraction
    windows: dict[str, Window]
    holders: int


class TokenBook:
    """Token figures out of pool figures."""

    def __init__(self, book: FigureBook) -> None:
        self.pools = book
        self._world = book.market.world
        self._holders: dict[int, int] = {}
        self._kept: dict[int, tuple[PoolFigures, TokenFigures]] = {}

    def of(self, token: Token) -> TokenFigures:
        """Figures of a token now."""
        now = self.pools.market.now()
        main, figures = self.pools.main(token)
        kept = self._kept.get(token.mint.account)
        if kept is not None and kept[0] is figures:
            return kept[1]
        found = TokenFigures(
            price_usd=figures.price_usd,
            liquidity_usd=sum((self.pools.of(pool).liquidity_usd for pool in token.pools), Fraction(0)),
            windows={name: self._window(token, main, name, now) for name in WINDOWS},
            holders=self._count_holders(token),
        )
        self._kept[token.mint.account] = figures, found
        return found

    def _window(self, token: Token, main: Pool, name: str, now: int) -> Window:
        windows = [self.pools.of(pool).windows[name] for pool in token.pools]
        since = now - WINDOWS[name]
        first = [pool for pool in token.pools if pool.index == 0 and pool.created_offset_seconds <= since]
        before = price_at(self._world, first[-1] if first else token.pools[0], since)
        after = price_at(self._world, main, now)
        return Window(
            buys=sum(each.buys for each in windows),
            sells=sum(each.sells for each in windows),
            buyers=sum(each.buyers for each in windows),
            sellers=sum(each.sellers for each in windows),
            buy_micro_usd=sum(each.buy_micro_usd for each in windows),
            sell_micro_usd=sum(each.sell_micro_usd for each in windows),
            change_pct=(after / before - 1) * 100 if before else Fraction(0),
        )

    def _count_holders(self, token: Token) -> int:
        known = self._holders.get(token.mint.account)
        if known is None:
            held = self._world.ledger.tokens.values()
            known = sum(account.mint is token.mint and account.units > 0 for account in held)
            self._holders[token.mint.account] = known
        return known

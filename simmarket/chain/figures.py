"""Market figures of pools, computed from their trades: price, change, volume,
liquidity.

USD amounts are exact fractions (or whole micro-USD in the sums); only the APIs turn
them into JSON numbers.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from fractions import Fraction

from simmarket.chain.world import Pool, PoolTrade, Token, World

WINDOWS = {"m5": 300, "m15": 900, "m30": 1800, "h1": 3600, "h6": 21_600, "h24": 86_400}
SERVER_START_OFFSET_SECONDS = 600
_MAX_IDLE_SECONDS = 7 * 86_400


@dataclass(slots=True, frozen=True)
class Window:
    """The trades of a pool within a period that ends now."""

    buys: int
    sells: int
    buyers: int
    sellers: int
    buy_micro_usd: int
    sell_micro_usd: int
    change_pct: Fraction

    @property
    def volume_usd(self) -> Fraction:
        """Traded value in USD."""
        return Fraction(self.buy_micro_usd + self.sell_micro_usd, 10**6)

    @property
    def trades(self) -> int:
        """Number of trades."""
        return self.buys + self.sells


@dataclass(slots=True, frozen=True)
class PoolFigures:
    """A pool's figures at one moment."""

    price_quote: Fraction  # quote per base, whole tokens
    price_usd: Fraction
    liquidity_usd: Fraction
    base_reserve: int
    quote_reserve: int
    windows: dict[str, Window]


def micro_usd(world: World, pool: Pool, quote_units: int, offset_seconds: int) -> int:
    """Return the value of raw quote units at a moment, in millionths of a USD."""
    if pool.quote is world.ledger.native:
        return quote_units * world.price.cents_at(offset_seconds) // 10**5
    return quote_units


def quote_usd(world: World, pool: Pool, offset_seconds: int) -> Fraction:
    """Return the USD price of one whole quote token."""
    if pool.quote is world.ledger.native:
        return Fraction(world.price.cents_at(offset_seconds), 100)
    return Fraction(1)


def pool_figures(world: World, pool: Pool, now: int) -> PoolFigures:
    """Return the figures at offset `now` (seconds after the world's end)."""
    last_trade = pool.trades[-1] if pool.trades else None
    price = _price(pool, last_trade)
    usd = quote_usd(world, pool, now)
    quote_reserve, base_reserve = _reserves(world, pool)
    return PoolFigures(
        price_quote=price,
        price_usd=price * usd,
        liquidity_usd=Fraction(2 * quote_reserve, 10**pool.quote.decimals) * usd,
        base_reserve=base_reserve,
        quote_reserve=quote_reserve,
        windows={
            name: _window(world, pool, now, seconds)
            for name, seconds in WINDOWS.items()
        },
    )


def _reserves(world: World, pool: Pool) -> tuple[int, int]:
    """Return the (quote, base) units that a pool really holds."""
    if pool.is_curve:
        return max(pool.virtual_quote - pool.opening_quote, 0), pool.real_base
    return world.ledger.units(pool.quote_vault), world.ledger.units(pool.base_vault)


def main_pool(world: World, token: Token, now: int) -> tuple[Pool, PoolFigures]:
    """Return the deepest pool of a token, with its figures at a moment."""
    return deepest([(pool, pool_figures(world, pool, now)) for pool in token.pools])


def deepest(pools: list[tuple[Pool, PoolFigures]]) -> tuple[Pool, PoolFigures]:
    """Return the pool with the most liquidity, then the most volume."""
    return max(
        pools,
        key=lambda item: (item[1].liquidity_usd, item[1].windows["h24"].volume_usd),
    )


def is_idle(token: Token, now: int) -> bool:
    """Return True if nobody traded a token for a week.

    Lists leave such a token out; queries by address still return it.
    """
    last_trades = [
        pool.trades[-1].offset_seconds for pool in token.pools if pool.trades
    ]
    return (
        now - max(last_trades, default=token.launched_offset_seconds)
        > _MAX_IDLE_SECONDS
    )


def _price(pool: Pool, trade: PoolTrade | None) -> Fraction:
    """Return the price after a trade in quote per base, whole tokens; without a trade
    the opening price.
    """
    if trade is not None:
        quote, base = trade.quote_reserve, trade.base_reserve
    else:
        quote, base = pool.opening_price or (pool.opening_quote, pool.opening_base)
    if not base:
        return Fraction(0)
    return Fraction(quote, base) * Fraction(
        10**pool.mint.decimals, 10**pool.quote.decimals
    )


def price_at(world: World, pool: Pool, moment: int) -> Fraction:
    """Return the USD price at a moment; before the pool's first trade its opening
    price.
    """
    count = bisect_right(pool.trades, moment, key=lambda trade: trade.offset_seconds)
    last_trade = pool.trades[count - 1] if count else None
    return _price(pool, last_trade) * quote_usd(
        world, pool, max(moment, pool.created_offset_seconds)
    )


def change_pct(before: Fraction, after: Fraction) -> Fraction:
    """Return the change between two prices in percent; 0 if there is no price before."""
    if not before:
        return Fraction(0)
    return (after / before - 1) * 100


@dataclass(slots=True)
class _Side:
    """The buys or the sales of a window while they are added up."""

    count: int = 0
    micro_usd: int = 0
    wallets: set[int] = field(default_factory=set)


def _window(world: World, pool: Pool, now: int, seconds: int) -> Window:
    since = now - seconds
    first = bisect_left(pool.trades, since, key=lambda trade: trade.offset_seconds)
    buys, sells = _Side(), _Side()
    for trade in pool.trades[first:]:
        side = buys if trade.is_buy else sells
        side.count += 1
        side.micro_usd += micro_usd(
            world, pool, trade.quote_units, trade.offset_seconds
        )
        side.wallets.add(trade.wallet)
    return Window(
        buys=buys.count,
        sells=sells.count,
        buyers=len(buys.wallets),
        sellers=len(sells.wallets),
        buy_micro_usd=buys.micro_usd,
        sell_micro_usd=sells.micro_usd,
        change_pct=change_pct(price_at(world, pool, since), price_at(world, pool, now)),
    )

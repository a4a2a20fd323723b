"""Market figures of pools and tokens, straight from their trades: price, change, volume, liquidity.

USD amounts are exact fractions (or whole micro-USD in the sums); only the wire turns them into JSON numbers.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from simmarket.chain.world import Pool, PoolTrade, Token, World

WINDOWS = {"m5": 300, "m15": 900, "m30": 1800, "h1": 3600, "h6": 21_600, "h24": 86_400}
SERVER_START_OFFSET_SECONDS = 600
_FORGOTTEN_SECONDS = 7 * 86_400


@dataclass(slots=True, frozen=True)
class Window:
    """What happened in a pool within the last so many seconds. Change is None where nothing can be said."""

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
    """Value of raw quote units at a moment, in millionths of a USD."""
    if pool.quote is world.ledger.native:
        return quote_units * world.price.cents_at(offset_seconds) // 10**5
    return quote_units


def quote_usd(world: World, pool: Pool, offset_seconds: int) -> Fraction:
    """USD price of one whole quote token."""
    if pool.quote is world.ledger.native:
        return Fraction(world.price.cents_at(offset_seconds), 100)
    return Fraction(1)


def pool_figures(world: World, pool: Pool, now: int) -> PoolFigures:
    """Figures at offset `now` (seconds after the world's end)."""
    price = _price(pool, pool.trades[-1] if pool.trades else None)
    usd = quote_usd(world, pool, now)
    units, vault = pool.base_vault, pool.quote_vault
    if pool.is_curve:
        quote_reserve = max(pool.virtual_quote - pool.opening_quote, 0)
        base_reserve = pool.real_base
    else:
        quote_reserve, base_reserve = world.ledger.units(vault), world.ledger.units(units)
    return PoolFigures(
        price_quote=price,
        price_usd=price * usd,
        liquidity_usd=Fraction(2 * quote_reserve, 10**pool.quote.decimals) * usd,
        base_reserve=base_reserve,
        quote_reserve=quote_reserve,
        windows={name: _window(world, pool, now, seconds) for name, seconds in WINDOWS.items()},
    )


def main_pool(world: World, token: Token, now: int) -> tuple[Pool, PoolFigures]:
    """The pool that speaks for a token, with its figures at a moment."""
    return deepest([(pool, pool_figures(world, pool, now)) for pool in token.pools])


def deepest(every: list[tuple[Pool, PoolFigures]]) -> tuple[Pool, PoolFigures]:
    """The deepest pool, then the busiest."""
    return max(every, key=lambda item: (item[1].liquidity_usd, item[1].windows["h24"].volume_usd))


def forgotten(token: Token, now: int) -> bool:
    """Whether nobody traded a token for a week: no list shows it, but who names it still gets an answer."""
    trades = [pool.trades[-1].offset_seconds for pool in token.pools if pool.trades]
    return now - max(trades, default=token.launched_offset_seconds) > _FORGOTTEN_SECONDS


def pumped_mints(
    world: World,
    *,
    min_price_change_pct: Decimal,
    min_volume_usd: Decimal,
    min_liquidity_usd: Decimal,
    max_token_age_hours: int,
    now: int = SERVER_START_OFFSET_SECONDS,
) -> set[str]:
    """Mints whose main pool passes every filter; the age counts from the launch."""
    found = set()
    for mint, token in world.tokens.items():
        _, figures = main_pool(world, token, now)
        day = figures.windows["h24"]
        if (
            day.change_pct >= Fraction(min_price_change_pct)
            and day.volume_usd >= Fraction(min_volume_usd)
            and figures.liquidity_usd >= Fraction(min_liquidity_usd)
            and now - token.launched_offset_seconds <= max_token_age_hours * 3600
        ):
            found.add(mint)
    return found


def _price(pool: Pool, trade: PoolTrade | None) -> Fraction:
    if trade is not None:
        quote, base = trade.quote_reserve, trade.base_reserve
    else:
        quote, base = pool.opening_price or (pool.opening_quote, pool.opening_base)
    if not base:
        return Fraction(0)
    return Fraction(quote, base) * Fraction(10**pool.mint.decimals, 10**pool.quote.decimals)


def price_at(world: World, pool: Pool, moment: int) -> Fraction:
    """USD price at a moment; before the pool's first trade its opening price."""
    place = bisect_right(pool.trades, moment, key=lambda trade: trade.offset_seconds)
    price = _price(pool, pool.trades[place - 1] if place else None)
    return price * quote_usd(world, pool, max(moment, pool.created_offset_seconds))


def _window(world: World, pool: Pool, now: int, seconds: int) -> Window:
    since = now - seconds
    first = bisect_left(pool.trades, since, key=lambda trade: trade.offset_seconds)
    volume = {True: 0, False: 0}
    count = {True: 0, False: 0}
    people: dict[bool, set[int]] = {True: set(), False: set()}
    for trade in pool.trades[first:]:
        volume[trade.is_buy] += micro_usd(world, pool, trade.quote_units, trade.offset_seconds)
        count[trade.is_buy] += 1
        people[trade.is_buy].add(trade.wallet)
    before = price_at(world, pool, since)
    after = price_at(world, pool, now)
    return Window(
        buys=count[True],
        sells=count[False],
        buyers=len(people[True]),
        sellers=len(people[False]),
        buy_micro_usd=volume[True],
        sell_micro_usd=volume[False],
        change_pct=(after / before - 1) * 100 if before else Fraction(0),
    )

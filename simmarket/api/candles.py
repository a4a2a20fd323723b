"""OHLCV of a pool out of its trades."""

from fractions import Fraction

from simmarket.api.market import Market
from simmarket.api.rest_endpoint import significant
from simmarket.chain.figures import micro_usd, price_at
from simmarket.chain.world import Pool

_STEPS = {"minute": (60, (1, 5, 15)), "hour": (3600, (1, 4, 12)), "day": (86_400, (1,))}
Row = list[float | int]


def candles(market: Market, pool: Pool, timeframe: str, query: dict[str, str]) -> list[Row]:
    """[[open time s, open, high, low, close, volume USD], ...] newest first; ValueError for bad parameters."""
    if timeframe not in _STEPS:
        raise ValueError(f"unknown timeframe {timeframe}")
    unit, allowed = _STEPS[timeframe]
    aggregate = int(query.get("aggregate", "1"))
    limit = min(int(query.get("limit", "100")), 1000)
    if aggregate not in allowed or limit < 1:
        raise ValueError("aggregate or limit out of range")
    if query.get("currency", "usd") != "usd" or query.get("token", "base") != "base":
        raise ValueError("only currency=usd and token=base exist here")
    empty = query.get("include_empty_intervals", "false") == "true"
    step = unit * aggregate
    before = int(query.get("before_timestamp", market.unix(market.now()) + 1))
    by_start: dict[int, list[tuple[Fraction, int]]] = {}
    for trade in pool.trades:
        moment = market.unix(trade.offset_seconds)
        if moment < before:
            value = micro_usd(market.world, pool, trade.quote_units, trade.offset_seconds)
            price = price_at(market.world, pool, trade.offset_seconds)
            by_start.setdefault(moment - moment % step, []).append((price, value))
    if not by_start:
        return []
    starts = sorted(by_start)
    if empty:
        starts = list(range(starts[0], min(before, market.unix(market.now())), step))
    rows: list[Row] = []
    last = price_at(market.world, pool, pool.created_offset_seconds - 1)
    for left, start in enumerate(starts, start=-len(starts)):
        trades = by_start.get(start, [])
        prices = [last, *(price for price, _ in trades)]
        volume = Fraction(sum(value for _, value in trades), 10**6)
        shown = (prices[0], max(prices), min(prices), prices[-1])
        last = prices[-1]
        if left >= -limit:  # a pool that died weeks ago has tens of thousands of empty minutes
            rows.append([start, *(significant(price, 15) for price in shown), significant(volume, 15)])
    return rows[::-1]

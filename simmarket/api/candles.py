"""OHLCV of a pool, computed from its trades."""

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction

from simmarket.api.market import Market
from simmarket.api.number_format import significant
from simmarket.chain.figures import micro_usd, price_at
from simmarket.chain.world import Pool

_TIMEFRAMES = {
    "minute": (60, (1, 5, 15)),
    "hour": (3600, (1, 4, 12)),
    "day": (86_400, (1,)),
}
_MAX_CANDLES = 1000
Row = list[float | int]


@dataclass(slots=True, frozen=True)
class _Parameters:
    """The parameters of a request; `before` in unix seconds."""

    step_seconds: int
    limit: int
    before: int
    includes_empty: bool


@dataclass(slots=True)
class _Interval:
    """The prices and the volume of the trades in one interval."""

    prices: list[Fraction] = field(default_factory=list)
    micro_usd: int = 0


def candles(
    market: Market, pool: Pool, timeframe: str, query: dict[str, str]
) -> list[Row]:
    """Return [[open time s, open, high, low, close, volume USD], ...], newest first.

    Raises ValueError for invalid parameters.
    """
    parameters = _parse(market, timeframe, query)
    intervals = _intervals(market, pool, parameters)
    if not intervals:
        return []
    starts = sorted(intervals)
    if parameters.includes_empty:
        end = min(parameters.before, market.unix(market.now()))
        starts = list(range(starts[0], end, parameters.step_seconds))
    rows: list[Row] = []
    close = price_at(market.world, pool, pool.created_offset_seconds - 1)
    first_row = len(starts) - parameters.limit
    for index, start in enumerate(starts):
        interval = intervals.get(start, _Interval())
        prices = [close, *interval.prices]
        close = prices[-1]
        if (
            index >= first_row
        ):  # a pool that died weeks ago has tens of thousands of empty minutes
            rows.append(_row(start, prices, interval))
    return rows[::-1]


def _parse(market: Market, timeframe: str, query: dict[str, str]) -> _Parameters:
    if timeframe not in _TIMEFRAMES:
        raise ValueError(f"unknown timeframe {timeframe}")
    unit_seconds, aggregates = _TIMEFRAMES[timeframe]
    aggregate = int(query.get("aggregate", "1"))
    limit = min(int(query.get("limit", "100")), _MAX_CANDLES)
    if aggregate not in aggregates or limit < 1:
        raise ValueError("aggregate or limit out of range")
    if query.get("currency", "usd") != "usd" or query.get("token", "base") != "base":
        raise ValueError("only currency=usd and token=base exist here")
    return _Parameters(
        step_seconds=unit_seconds * aggregate,
        limit=limit,
        before=int(query.get("before_timestamp", market.unix(market.now()) + 1)),
        includes_empty=query.get("include_empty_intervals", "false") == "true",
    )


def _intervals(
    market: Market, pool: Pool, parameters: _Parameters
) -> dict[int, _Interval]:
    """Return the intervals with trades by their start in unix seconds."""
    intervals: dict[int, _Interval] = defaultdict(_Interval)
    for trade in pool.trades:
        time = market.unix(trade.offset_seconds)
        if time >= parameters.before:
            continue
        interval = intervals[time - time % parameters.step_seconds]
        interval.prices.append(price_at(market.world, pool, trade.offset_seconds))
        interval.micro_usd += micro_usd(
            market.world, pool, trade.quote_units, trade.offset_seconds
        )
    return dict(intervals)


def _row(start: int, prices: list[Fraction], interval: _Interval) -> Row:
    volume = Fraction(interval.micro_usd, 10**6)
    ohlc = (prices[0], max(prices), min(prices), prices[-1])
    return [start, *(significant(price, 15) for price in ohlc), significant(volume, 15)]

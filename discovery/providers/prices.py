"""SOL in USD at a past time: Binance candles of SOLUSDT (USDT stands for USD, basis
about 0.1 %), and a second source for what they lack. No key.

Only closed candles are used: the price at a time is the close of the last candle that
ended before it. A price is never the condition of anything: what no source answers is
not known.
"""

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Protocol

from msgspec import Struct

from discovery.providers.errors import BadPayload, ProviderError
from discovery.providers.http import ProviderClient
from discovery.providers.records import (
    HOUR_MS,
    INTERVAL_MS,
    MINUTE_MS,
    Candle,
    Interval,
    decode_body,
    finite,
)

NAME: Final = "prices"
CANDLES_PER_CALL: Final = 1000
MAX_MINUTE_AGE_MS: Final = HOUR_MS
MAX_HOUR_AGE_MS: Final = 6 * HOUR_MS


class CandleSource(Protocol):
    """A source of candles of SOL in USD. `name`: for operators."""

    name: str

    async def sol_candles(
        self, interval: Interval, start_ms: int, end_ms: int
    ) -> list[Candle]:
        """Return the candles that open from `start_ms` to before `end_ms` (unix
        milliseconds), at most CANDLES_PER_CALL; one may be open. Raises ProviderError.
        """


class BinanceCandles:
    """Candles of Binance's data host. It refuses some countries with 451."""

    name = "Binance"

    def __init__(self, client: ProviderClient) -> None:
        self._client = client

    async def sol_candles(
        self, interval: Interval, start_ms: int, end_ms: int
    ) -> list[Candle]:
        """Return the candles of a range. Raises ProviderError.

        The method and its rows are those of Binance's `GET /api/v3/klines`.
        """
        response = await self._client.request(
            "/api/v3/klines",
            params={
                "symbol": "SOLUSDT",
                "interval": interval,
                "startTime": str(start_ms),
                "endTime": str(end_ms - 1),
                "limit": str(CANDLES_PER_CALL),
            },
        )
        rows = decode_body(NAME, response.body, list[list[Any]])
        return [_candle(row) for row in rows]


class _LoadedCandles(Struct, frozen=True):
    """The closed candles of one call, its time, and the name of their source."""

    candles: list[Candle]
    requested_at_ms: int
    source: str


class CandleCache:
    """Closed candles of one interval, which never change. One set of hourly candles
    serves a whole process.
    """

    def __init__(self, max_age_ms: int) -> None:
        self._max_age_ms = max_age_ms
        # Close time in unix milliseconds -> USD per SOL.
        self._closes: dict[int, Decimal] = {}
        self._sources: dict[int, str] = {}
        self._close_times: list[int] = []
        # Window and source -> unix milliseconds of its request.
        self._loaded_at: dict[tuple[int, str], int] = {}

    def covers(self, window: int, source: str, time_ms: int) -> bool:
        """Return True if the source was asked for the window at `time_ms` (unix
        milliseconds) or later.

        window: the number of spans of CANDLES_PER_CALL candles since 1970.
        """
        return time_ms <= self._loaded_at.get((window, source), -1)

    def add(self, window: int, loaded: _LoadedCandles) -> None:
        """Add the closed candles of a window, before the next `index`. Those that are
        known stay.
        """
        self._loaded_at[window, loaded.source] = loaded.requested_at_ms
        for candle in loaded.candles:
            if candle.close_time_ms not in self._closes:
                self._closes[candle.close_time_ms] = candle.close
                self._sources[candle.close_time_ms] = loaded.source

    def index(self) -> None:
        """Sort the candles for `price_at`. Called after `add`."""
        self._close_times = sorted(self._closes)

    def price_at(self, time_ms: int) -> Decimal | None:
        """Return USD per SOL of the last candle that closed before `time_ms` (unix
        milliseconds), None if there is none or it is too old.
        """
        close_time = self._candle_before(time_ms)
        return None if close_time is None else self._closes[close_time]

    def source_at(self, time_ms: int) -> str:
        """Return the name of the source of that price, "" without one."""
        close_time = self._candle_before(time_ms)
        return "" if close_time is None else self._sources[close_time]

    def _candle_before(self, time_ms: int) -> int | None:
        """Return the close time of that candle."""
        place = bisect_left(self._close_times, time_ms)
        if not place:
            return None
        close_time = self._close_times[place - 1]
        return None if time_ms - close_time > self._max_age_ms else close_time


def hourly_candles() -> CandleCache:
    """Return an empty cache of one-hour candles."""
    return CandleCache(MAX_HOUR_AGE_MS)


class SolPrices:
    """SOL prices by time, loaded once. `clock` returns unix seconds. `second`: asked for
    what the first source does not answer.
    """

    def __init__(
        self,
        client: ProviderClient,
        *,
        second: CandleSource | None = None,
        clock: Callable[[], float] = time.time,
        hours: CandleCache | None = None,
    ) -> None:
        self._first = BinanceCandles(client)
        self._second = second
        self._clock = clock
        self._minutes = CandleCache(MAX_MINUTE_AGE_MS)
        self._hours = hourly_candles() if hours is None else hours

    async def load(self, block_times: Iterable[int]) -> str:
        """Load the minute candles that `at` needs for these unix seconds, those that
        are loaded already excepted. Returns why some are missing, "" if no source
        failed.
        """
        times = list(block_times)
        cause = await self._load_windows(self._minutes, "1m", _windows(times))
        missing = [time for time in times if self.at(time) is None]
        if missing and not cause:
            # The first source answered, and has a gap.
            await self._load_second(self._minutes, "1m", _windows(missing))
        return cause

    async def load_hours(self, since: int, until: int) -> str:
        """Load the hourly candles that `at_hour` needs for unix seconds `since` to
        `until`, those that are loaded already excepted. Returns why some are missing.
        """
        span_ms = HOUR_MS * CANDLES_PER_CALL
        first_ms, last_ms = since * 1000 - MAX_HOUR_AGE_MS, until * 1000
        windows = range(first_ms // span_ms, last_ms // span_ms + 1)
        # Candles of the hour before `until` are recent enough: the next is still open.
        latest_ms = dict.fromkeys(windows, last_ms - HOUR_MS)
        cause = await self._load_windows(self._hours, "1h", latest_ms)
        if not cause and self.at_hour(until) is None:
            await self._load_second(self._hours, "1h", latest_ms)
        return cause

    async def _load_windows(
        self, cache: CandleCache, interval: Interval, latest_ms: Mapping[int, int]
    ) -> str:
        """Load the windows that the cache lacks, from the second source what the first
        one does not answer. Returns the causes of what none answered.

        latest_ms: window → the latest time in it that is needed, in unix milliseconds.
        """
        refused, cause = await self._load_from(self._first, cache, interval, latest_ms)
        if not refused:
            return ""
        still_missing, second_cause = await self._load_second(cache, interval, refused)
        if not still_missing:
            return ""
        return "; ".join(filter(None, (cause, second_cause)))

    async def _load_second(
        self, cache: CandleCache, interval: Interval, latest_ms: Mapping[int, int]
    ) -> tuple[dict[int, int], str]:
        if self._second is None:
            return dict(latest_ms), ""
        return await self._load_from(self._second, cache, interval, latest_ms)

    async def _load_from(
        self,
        source: CandleSource,
        cache: CandleCache,
        interval: Interval,
        latest_ms: Mapping[int, int],
    ) -> tuple[dict[int, int], str]:
        """Load the windows that the source was not asked for. Returns those that it did
        not answer, and why.
        """
        span_ms = INTERVAL_MS[interval] * CANDLES_PER_CALL
        refused: dict[int, int] = {}
        cause = ""
        for window, latest in sorted(latest_ms.items()):
            needed_ms = min(latest, (window + 1) * span_ms)
            if cache.covers(window, source.name, needed_ms):
                continue
            try:
                cache.add(window, await self._request(source, interval, window))
            except ProviderError as error:
                refused[window] = latest
                cause = f"{source.name}: {error.cause}"
        cache.index()
        return refused, cause

    async def _request(
        self, source: CandleSource, interval: Interval, window: int
    ) -> _LoadedCandles:
        """Return the closed candles of one window. Raises ProviderError."""
        span_ms = INTERVAL_MS[interval] * CANDLES_PER_CALL
        start_ms = window * span_ms
        requested_at_ms = int(self._clock() * 1000)
        candles = await source.sol_candles(interval, start_ms, start_ms + span_ms)
        closed = _closed(candles, requested_at_ms)
        return _LoadedCandles(closed, requested_at_ms, source.name)

    def at(self, block_time: int) -> Decimal | None:
        """Return USD per SOL at a unix second that was loaded; None if no candle closed
        in the hour before it.
        """
        return self._minutes.price_at(block_time * 1000)

    def is_from_second_source(self, block_time: int) -> bool:
        """Return True if the price of `at` came from the second source."""
        source = self._minutes.source_at(block_time * 1000)
        return source not in {"", self._first.name}

    def at_hour(self, block_time: int) -> Decimal | None:
        """Return USD per SOL in the hour before a unix second, precise enough for
        display; None if no candle closed in the six hours before it.
        """
        return self._hours.price_at(block_time * 1000)


def _closed(candles: list[Candle], now_ms: int) -> list[Candle]:
    """Return the candles whose close is final: all but the newest, which may be open.
    Those that another one follows are over, whatever this machine's clock says.
    """
    newest_ms = max((each.close_time_ms for each in candles), default=0)
    return [
        each
        for each in candles
        if each.close_time_ms < newest_ms or each.close_time_ms < now_ms
    ]


def _windows(block_times: Sequence[int]) -> dict[int, int]:
    """Return the windows of minute candles that the times need, each with the latest
    time in milliseconds.

    The window two candles earlier counts too: the first second of a window needs the
    candle that ended before it.
    """
    span_ms = MINUTE_MS * CANDLES_PER_CALL
    latest: dict[int, int] = {}
    for block_time in block_times:
        time_ms = block_time * 1000
        for earlier_ms in (time_ms, time_ms - 2 * MINUTE_MS):
            window = earlier_ms // span_ms
            latest[window] = max(latest.get(window, 0), time_ms)
    return latest


def _candle(row: list[Any]) -> Candle:
    """Return a row as a candle. Raises BadPayload.

    Layout (Binance, "Kline/Candlestick data"): 0 = open time, 4 = close, 6 = close
    time, times in unix milliseconds.
    """
    try:
        candle = Candle(int(row[0]), int(row[6]), Decimal(str(row[4])))
    except (IndexError, TypeError, ValueError, ArithmeticError) as error:
        raise BadPayload(NAME, f"candle not as documented ({error})") from None
    if finite(candle.close) is None or candle.close <= 0:
        raise BadPayload(NAME, "candle not as documented (no price)")
    return candle

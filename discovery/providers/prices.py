"""SOL in USD at a past time: Binance candles of SOLUSDT (USDT stands for USD, basis
about 0.1 %). No key.

Only closed candles are used: the price at a time is the close of the last candle that
ended before it.
"""

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from discovery.providers.errors import BadPayload
from discovery.providers.http import ProviderClient
from discovery.providers.records import Candle, decode_body, finite

NAME: Final = "prices"
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
CANDLES_PER_CALL: Final = 1000
MAX_MINUTE_AGE_MS: Final = HOUR_MS
MAX_HOUR_AGE_MS: Final = 6 * HOUR_MS


class _LoadedCandles(Struct, frozen=True):
    """The closed candles of one call, and its time."""

    candles: list[Candle]
    requested_at_ms: int


class CandleCache:
    """Closed candles of one interval, which never change. One set of hourly candles
    serves a whole process.
    """

    def __init__(self, max_age_ms: int) -> None:
        self._max_age_ms = max_age_ms
        # Close time in unix milliseconds -> USD per SOL.
        self._closes: dict[int, Decimal] = {}
        self._close_times: list[int] = []
        # Window -> unix milliseconds of its request.
        self._loaded_at: dict[int, int] = {}

    def covers(self, window: int, time_ms: int) -> bool:
        """Return True if the window was loaded at `time_ms` (unix milliseconds) or
        later.

        window: the number of spans of CANDLES_PER_CALL candles since 1970.
        """
        return time_ms <= self._loaded_at.get(window, -1)

    def add(self, window: int, loaded: _LoadedCandles) -> None:
        """Add the closed candles of a window, before the next `index`."""
        self._loaded_at[window] = loaded.requested_at_ms
        for candle in loaded.candles:
            self._closes[candle.close_time_ms] = candle.close

    def index(self) -> None:
        """Sort the candles for `price_at`. Called after `add`."""
        self._close_times = sorted(self._closes)

    def price_at(self, time_ms: int) -> Decimal | None:
        """Return USD per SOL of the last candle that closed before `time_ms` (unix
        milliseconds), None if there is none or it is too old.
        """
        place = bisect_left(self._close_times, time_ms)
        if not place:
            return None
        close_time = self._close_times[place - 1]
        if time_ms - close_time > self._max_age_ms:
            return None
        return self._closes[close_time]


def hourly_candles() -> CandleCache:
    """Return an empty cache of one-hour candles."""
    return CandleCache(MAX_HOUR_AGE_MS)


class SolPrices:
    """SOL prices by time, loaded once. `clock` returns unix seconds."""

    def __init__(
        self,
        client: ProviderClient,
        *,
        clock: Callable[[], float] = time.time,
        hours: CandleCache | None = None,
    ) -> None:
        self._client = client
        self._clock = clock
        self._minutes = CandleCache(MAX_MINUTE_AGE_MS)
        self._hours = hourly_candles() if hours is None else hours

    async def load(self, block_times: Iterable[int]) -> None:
        """Load the minute candles that `at` needs for these unix seconds, those that
        are loaded already excepted. Raises ProviderError.
        """
        span_ms = MINUTE_MS * CANDLES_PER_CALL
        windows = _windows(block_times, span_ms)
        await self._load_windows(self._minutes, "1m", span_ms, windows)

    async def load_hours(self, since: int, until: int) -> None:
        """Load the hourly candles that `at_hour` needs for unix seconds `since` to
        `until`, those that are loaded already excepted. Raises ProviderError.
        """
        span_ms = HOUR_MS * CANDLES_PER_CALL
        first_ms, last_ms = since * 1000 - MAX_HOUR_AGE_MS, until * 1000
        windows = range(first_ms // span_ms, last_ms // span_ms + 1)
        # Candles of the hour before `until` are recent enough: the next is still open.
        latest_ms = dict.fromkeys(windows, last_ms - HOUR_MS)
        await self._load_windows(self._hours, "1h", span_ms, latest_ms)

    async def _load_windows(
        self,
        cache: CandleCache,
        interval: str,
        span_ms: int,
        latest_ms: Mapping[int, int],
    ) -> None:
        """Load the windows of `span_ms` that the cache lacks.

        latest_ms: window → the latest time in it that is needed, in unix milliseconds.
        """
        for window, latest in sorted(latest_ms.items()):
            needed_ms = min(latest, (window + 1) * span_ms)
            if not cache.covers(window, needed_ms):
                loaded = await self._request(interval, window * span_ms, span_ms)
                cache.add(window, loaded)
        cache.index()

    async def _request(
        self, interval: str, start_ms: int, span_ms: int
    ) -> _LoadedCandles:
        """Return the closed candles of one window. The method and its rows are those of
        Binance's `GET /api/v3/klines`.
        """
        requested_at_ms = int(self._clock() * 1000)
        response = await self._client.request(
            "/api/v3/klines",
            params={
                "symbol": "SOLUSDT",
                "interval": interval,
                "startTime": str(start_ms),
                "endTime": str(start_ms + span_ms - 1),
                "limit": str(CANDLES_PER_CALL),
            },
        )
        rows = decode_body(NAME, response.body, list[list[Any]])
        candles = [_candle(row) for row in rows]
        if candles and candles[-1].close_time_ms >= requested_at_ms:
            candles.pop()  # still open: its close is not final
        return _LoadedCandles(candles, requested_at_ms)

    def at(self, block_time: int) -> Decimal | None:
        """Return USD per SOL at a unix second that was loaded; None if no candle closed
        in the hour before it.
        """
        return self._minutes.price_at(block_time * 1000)

    def at_hour(self, block_time: int) -> Decimal | None:
        """Return USD per SOL in the hour before a unix second, precise enough for
        display; None if no candle closed in the six hours before it.
        """
        return self._hours.price_at(block_time * 1000)


def _windows(block_times: Iterable[int], span_ms: int) -> dict[int, int]:
    """Return the windows of candles that the times need, each with the latest time in
    milliseconds.

    The window two candles earlier counts too: the first second of a window needs the
    candle that ended before it.
    """
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

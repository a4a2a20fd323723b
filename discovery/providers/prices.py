"""SOL in USD at a past time: Binance 1-minute candles of SOLUSDT (USDT stands for USD, basis about 0.1 %). No key.

Only closed intervals are used: the price at a time is the close of the last candle that ended before it.
"""

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final

from discovery.providers.errors import BadPayload
from discovery.providers.http import ProviderClient
from discovery.providers.records import Candle, figure, whole

NAME: Final = "prices"
CANDLE_MS: Final = 60_000
CANDLES_A_CALL: Final = 1000
STALE_MS: Final = 3_600_000
HOUR_MS: Final = 3_600_000
STALE_HOUR_MS: Final = 6 * HOUR_MS


class HourlyCandles:
    """Closed one-hour candles, which never change: one set may serve every step of a process."""

    def __init__(self) -> None:
        self.closes: dict[int, Decimal] = {}  # close time in unix milliseconds -> USD per SOL
        self.ends: list[int] = []
        self.asked: dict[int, int] = {}  # window -> unix milliseconds when it was asked


class SolPrices:
    """Candles by time, fetched once and kept for the run. `clock` in unix seconds."""

    def __init__(
        self, door: ProviderClient, *, clock: Callable[[], float] = time.time, hours: HourlyCandles | None = None
    ) -> None:
        self._door = door
        self._clock = clock
        self._hours = hours if hours is not None else HourlyCandles()
        self._candles: dict[int, Candle] = {}
        self._ends: list[int] = []
        self._asked: dict[int, int] = {}  # window -> unix milliseconds when it was asked

    async def load(self, block_times: Iterable[int]) -> None:
        """Fetch what `at` needs for these unix seconds. Raises ProviderError."""
        span = CANDLE_MS * CANDLES_A_CALL
        # One window before, so that a time at a window's first second finds the candle that ended before it.
        latest: dict[int, int] = {}
        for block_time in block_times:
            for back in (0, 2 * CANDLE_MS):
                window = (block_time * 1000 - back) // span
                latest[window] = max(latest.get(window, 0), block_time * 1000)
        for window, needed in sorted(latest.items()):
            if min(needed, (window + 1) * span) <= self._asked.get(window, -1):
                continue
            candles, self._asked[window] = await self._window("1m", window * span, span)
            self._candles.update((candle.close_time_ms, candle) for candle in candles)
        self._ends = sorted(self._candles)

    async def load_hours(self, since: int, until: int) -> None:
        """Fetch what `at_hour` needs for unix seconds `since` to `until`. Raises ProviderError."""
        span, hours = HOUR_MS * CANDLES_A_CALL, self._hours
        first, last = since * 1000 - STALE_HOUR_MS, until * 1000
        for window in range(first // span, last // span + 1):
            if min(last - HOUR_MS, (window + 1) * span) > hours.asked.get(window, -1):
                candles, hours.asked[window] = await self._window("1h", window * span, span)
                hours.closes.update((candle.close_time_ms, candle.close) for candle in candles)
        hours.ends = sorted(hours.closes)

    async def _window(self, interval: str, start: int, span: int) -> tuple[list[Candle], int]:
        """The closed candles of one call, and when it was asked (unix milliseconds)."""
        asked_at = int(self._clock() * 1000)
        answer = await self._door.ask(
            "/api/v3/klines",
            params={
                "symbol": "SOLUSDT",
                "interval": interval,
                "startTime": str(start),
                "endTime": str(start + span - 1),
                "limit": str(CANDLES_A_CALL),
            },
        )
        candles = _candles(answer.body)
        if candles and candles[-1].close_time_ms >= asked_at:
            candles.pop()  # still open: its close is yet to come
        return candles, asked_at

    def at_hour(self, block_time: int) -> Decimal | None:
        """USD per SOL in the hour before unix second `block_time`, for what is only shown; None where not known."""
        ends = self._hours.ends
        place = bisect_left(ends, block_time * 1000)
        if not place or block_time * 1000 - ends[place - 1] > STALE_HOUR_MS:
            return None
        return self._hours.closes[ends[place - 1]]

    def at(self, block_time: int) -> Decimal | None:
        """USD per SOL at unix second `block_time`; None where no candle that ended in the hour before is known."""
        place = bisect_left(self._ends, block_time * 1000)
        if not place or block_time * 1000 - self._ends[place - 1] > STALE_MS:
            return None
        return self._candles[self._ends[place - 1]].close


def _candles(body: bytes) -> list[Candle]:
    candles = []
    for row in whole(NAME, body, list[list[Any]]):
        try:
            candle = Candle(int(row[0]), int(row[6]), Decimal(str(row[4])))
        except (IndexError, TypeError, ValueError, ArithmeticError) as error:
            raise BadPayload(NAME, f"candle not as documented ({error})") from None
        if figure(candle.close) is None or candle.close <= 0:
            raise BadPayload(NAME, "candle not as documented (no price)")
        candles.append(candle)
    return candles

"""SOL in USD at a past time: Binance 1-minute candles of SOLUSDT (USDT stands for USD, basis about 0.1 %). No key.

Only closed intervals are used: the price at a time is the close of the last candle that ended before it.
"""

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final

from discovery.providers.errors import BadPayload
from discovery.providers.http import Door
from discovery.providers.records import Candle, figure, whole

NAME: Final = "prices"
CANDLE_MS: Final = 60_000
CANDLES_A_CALL: Final = 1000
STALE_MS: Final = 3_600_000


class SolPrices:
    """Candles by time, fetched once and kept for the run. `clock` in unix seconds."""

    def __init__(self, door: Door, *, clock: Callable[[], float] = time.time) -> None:
        self._door = door
        self._clock = clock
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
            start = window * span
            asked_at = int(self._clock() * 1000)
            answer = await self._door.ask(
                "/api/v3/klines",
                params={
                    "symbol": "SOLUSDT",
                    "interval": "1m",
                    "startTime": str(start),
                    "endTime": str(start + span - 1),
                    "limit": str(CANDLES_A_CALL),
                },
            )
            candles = _candles(answer.body)
            if candles and candles[-1].close_time_ms >= asked_at:
                candles.pop()  # still open: its close is yet to come
            self._candles.update((candle.close_time_ms, candle) for candle in candles)
            self._asked[window] = asked_at
        self._ends = sorted(self._candles)

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

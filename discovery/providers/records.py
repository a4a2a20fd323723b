"""Records that providers return, frozen and with units. Money in USD is Decimal, with
the digits of the response.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, TypeVar

import msgspec
from msgspec import Raw, Struct

from discovery.providers.errors import UNREADABLE, BadPayload

MAX_UNIX_SECONDS: Final = 4_102_444_800
"""2100-01-01: a later time is invalid, and one far later does not fit into a database
column.
"""
_MAX_DIGITS: Final = 30


class PairRecord(Struct, frozen=True):
    """One market of a token, with percentages and USD of the aggregator; None = not
    stated.
    """

    mint: str
    pool: str
    dex: str
    quote_mint: str | None
    symbol: str
    name: str
    price_usd: Decimal | None
    price_change_24h_pct: Decimal | None
    volume_24h_usd: Decimal | None
    liquidity_usd: Decimal | None
    market_cap_usd: Decimal | None
    transactions_24h: int | None
    pool_created_at: int | None
    """Unix seconds; this pool's creation, for a migrated token the migration."""


class TokenRecord(Struct, frozen=True):
    """A token as a token index describes it. Times are unix seconds."""

    mint: str
    symbol: str
    name: str
    decimals: int | None
    created_at: int | None
    first_pool: str | None
    first_pool_at: int | None
    graduated_pool: str | None
    graduated_at: int | None
    price_usd: Decimal | None
    price_change_24h_pct: Decimal | None
    volume_24h_usd: Decimal | None
    liquidity_usd: Decimal | None
    market_cap_usd: Decimal | None


class FeedToken(Struct, frozen=True):
    """A token and the feed that lists it."""

    mint: str
    source: str


class SignatureRecord(Struct, frozen=True, gc=False):
    """One row of an address's signature list."""

    signature: str
    slot: int
    failed: bool
    block_time: int | None


class AccountRecord(Struct, frozen=True):
    """An account with its owner program and data."""

    owner: str
    lamports: int
    data: bytes


MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
Interval = Literal["1m", "1h"]
INTERVAL_MS: Final[dict[Interval, int]] = {"1m": MINUTE_MS, "1h": HOUR_MS}
"""Intervals of candles."""


class Candle(Struct, frozen=True, order=True):
    """A closed price interval. Times in unix milliseconds; `close` in USD per SOL."""

    open_time_ms: int
    close_time_ms: int
    close: Decimal


Row = TypeVar("Row")
Wire = TypeVar("Wire", bound=Struct)
Shape = TypeVar("Shape")


class Rows(list[Row]):
    """Records of a response. `rejected` counts rows that were not as documented,
    `cause` describes the first.
    """

    rejected = 0
    cause = ""

    def reject(self, cause: str) -> None:
        """Count a row that was not as documented. The cause of the first one is kept."""
        self.rejected += 1
        self.cause = self.cause or cause

    def merge(self, other: "Rows[Row]") -> None:
        """Add the records and the rejections of another response. The first cause is
        kept.
        """
        self.extend(other)
        self.rejected += other.rejected
        self.cause = self.cause or other.cause


def decode_rows(
    provider: str,
    raws: list[Raw],
    wire: type[Wire],
    build: Callable[[Wire], Row | None],
) -> Rows[Row]:
    """Decode rows one by one, so that a bad one costs only itself: it is counted in
    `rejected` and skipped.

    build: makes the record of a row, None to drop the row uncounted. Its ValueError,
    KeyError or OverflowError rejects the row.
    """
    rows: Rows[Row] = Rows()
    decoder = msgspec.json.Decoder(wire)
    for raw in raws:
        try:
            record = build(decoder.decode(raw))
        except (*UNREADABLE, ValueError, KeyError, OverflowError) as error:
            rows.reject(f"{provider}: {error}")
            continue
        if record is not None:
            rows.append(record)
    return rows


def decode_body(provider: str, body: bytes, shape: type[Shape]) -> Shape:
    """Return the body decoded as `shape`.

    Raises BadPayload with the cause in plain words, for a truncated body too.
    """
    try:
        return msgspec.json.decode(body, type=shape)
    except UNREADABLE as error:
        raise BadPayload(provider, f"response not as documented ({error})") from None


def finite(value: Decimal | None) -> Decimal | None:
    """Return the value; None for None, NaN, infinity and values of 10**30 or more,
    which no market reaches and no column holds.
    """
    if value is None or not value.is_finite():
        return None
    return value if value.adjusted() < _MAX_DIGITS else None


def parse_unix_seconds(iso: str | None) -> int | None:
    """Return an ISO-8601 time with zone as whole unix seconds, None for None and "".

    Raises ValueError for anything else, for a time without a zone and for one out of
    range.
    """
    if not iso:
        return None
    time = datetime.fromisoformat(iso.replace("Z", "+00:00"))
    if time.tzinfo is None:
        raise ValueError("a time without a zone")
    return checked_unix_seconds(int(time.timestamp()))


def checked_unix_seconds(seconds: int) -> int:
    """Return unix seconds unchanged.

    Raises ValueError for 0 or less, and from 2100-01-01 on.
    """
    if not 0 < seconds < MAX_UNIX_SECONDS:
        raise ValueError("a time out of range")
    return seconds


class Day(Struct):
    """A figure of the last 24 hours, as market aggregators send it."""

    h24: Decimal | None = None


class TradeCounts(Struct):
    """Numbers of trades in a time window, as market aggregators send them."""

    buys: int = 0
    sells: int = 0


class TradesOfDay(Struct):
    """Numbers of trades of the last 24 hours, as market aggregators send them."""

    h24: TradeCounts | None = None


def day_figure(day: Day | None) -> Decimal | None:
    """Return the figure of the last 24 hours, None if it is absent or not finite."""
    return None if day is None else finite(day.h24)


def day_trades(trades: TradesOfDay | None) -> int | None:
    """Return buys plus sells of the last 24 hours, None if they are absent."""
    if trades is None or trades.h24 is None:
        return None
    return trades.h24.buys + trades.h24.sells

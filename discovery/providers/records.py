"""What providers answer, as frozen records with units. Money in USD is Decimal, as the wire's own digits give it."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeVar

import msgspec
from msgspec import Raw, Struct

from discovery.providers.errors import UNREADABLE, BadPayload

LAST_SECOND: Final = 4_102_444_800
"""2100-01-01: a later time is nonsense, and one far later is more than a database holds."""
_MAX_DIGITS: Final = 30


class PairRecord(Struct, frozen=True):
    """One market of a token. Percentages and USD as the aggregator sees them; None = it did not say."""

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
    pool_created_at: int | None  # unix seconds; this pool's creation, for a migrated token the migration


class TokenRecord(Struct, frozen=True):
    """A token as an index knows it. Times are unix seconds."""

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


class Sighting(Struct, frozen=True):
    """A candidate and the feed it came from."""

    mint: str
    source: str


class SignatureRecord(Struct, frozen=True, gc=False):
    """One row of an address's history."""

    signature: str
    slot: int
    failed: bool
    block_time: int | None


class AccountRecord(Struct, frozen=True):
    """An account's owner program and data."""

    owner: str
    lamports: int
    data: bytes


class Candle(Struct, frozen=True, order=True):
    """A closed price interval. Times in unix milliseconds; `close` in USD per SOL."""

    open_time_ms: int
    close_time_ms: int
    close: Decimal


Row = TypeVar("Row")
Wire = TypeVar("Wire", bound=Struct)


class Rows(list[Row]):
    """Records of one answer; `rejected` rows were not as documented, `cause` says how the first of them failed."""

    rejected = 0
    cause = ""

    def reject(self, cause: str) -> None:
        """Count a row that was not as documented."""
        self.rejected += 1
        self.cause = self.cause or cause


def each(provider: str, raws: list[Raw], wire: type[Wire], build: Callable[[Wire], Row | None]) -> Rows[Row]:
    """Rows one by one: a bad one is counted and skipped, the page survives. `build` may answer None to drop a row."""
    rows: Rows[Row] = Rows()
    decoder = msgspec.json.Decoder(wire)
    for raw in raws:
        try:
            built = build(decoder.decode(raw))
        except (*UNREADABLE, ValueError, KeyError, OverflowError) as error:
            rows.reject(f"{provider}: {error}")
            continue
        if built is not None:
            rows.append(built)
    return rows


Shape = TypeVar("Shape")


def whole(provider: str, body: bytes, shape: type[Shape]) -> Shape:
    """The body as `shape`. Raises BadPayload in plain words."""
    try:
        return msgspec.json.decode(body, type=shape)
    except UNREADABLE as error:
        raise BadPayload(provider, f"answer not as documented ({error})") from None


def figure(value: Decimal | None) -> Decimal | None:
    """`value` where it is a number one can count with; NaN, infinity and absurd exponents are nothing said."""
    return value if value is not None and value.is_finite() and value.adjusted() < _MAX_DIGITS else None


def unix_seconds(iso: str | None) -> int | None:
    """An ISO-8601 time with zone as unix seconds; None for nothing. Raises ValueError for anything else."""
    if not iso:
        return None
    time = datetime.fromisoformat(iso.replace("Z", "+00:00"))
    if time.tzinfo is None:
        raise ValueError("a time without a zone")
    return plausible_seconds(int(time.timestamp()))


def plausible_seconds(seconds: int) -> int:
    """`seconds` since 1970, unchanged. Raises ValueError where no token can be that old or that young."""
    if not 0 < seconds < LAST_SECOND:
        raise ValueError("a time out of range")
    return seconds

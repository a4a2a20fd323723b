"""Jupiter tokens API v2: trending tokens and, for up to 100 mints a call, launch and
graduation times.

Without a key (since April 2026) 30 calls a minute, more with one. Figures of zero are
omitted, not sent as 0.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from msgspec import Raw, Struct, field

from discovery.domain.addresses import parse_address
from discovery.domain.chain_text import clean_text
from discovery.providers.batches import batches
from discovery.providers.http import ProviderClient
from discovery.providers.records import (
    Rows,
    TokenRecord,
    decode_body,
    decode_rows,
    finite,
    parse_unix_seconds,
)

NAME: Final = "jupiter"
BATCH_SIZE: Final = 100
INTERVALS: Final = ("1h", "6h", "24h")


class _Stats(Struct, rename="camel"):
    price_change: Decimal | None = None
    buy_volume: Decimal | None = None
    sell_volume: Decimal | None = None


class _Pool(Struct, rename="camel"):
    id: str | None = None
    created_at: str | None = None


class _Token(Struct, rename="camel"):
    id: str
    symbol: str | None = None
    name: str | None = None
    decimals: int | None = None
    created_at: str | None = None
    first_pool: _Pool | None = None
    graduated_pool: str | None = None
    graduated_at: str | None = None
    usd_price: Decimal | None = None
    liquidity: Decimal | None = None
    mcap: Decimal | None = None
    stats_24h: _Stats | None = field(default=None, name="stats24h")


class Jupiter:
    """Client of the Jupiter tokens API."""

    def __init__(self, client: ProviderClient) -> None:
        self._client = client

    async def trending(self, interval: str) -> Rows[TokenRecord]:
        """Return up to 100 trending tokens over `interval` (1h, 6h, 24h).

        Raises ProviderError.
        """
        return await self._request(
            f"/tokens/v2/toptrending/{interval}", {"limit": "100"}
        )

    async def tokens(self, mints: Iterable[str]) -> Rows[TokenRecord]:
        """Return the records of the mints, 100 a call; unknown mints have none.

        Raises ProviderError if one call fails.
        """
        unique_mints = list(dict.fromkeys(mints))
        tokens: Rows[TokenRecord] = Rows()
        for batch in batches(unique_mints, BATCH_SIZE):
            tokens.merge(await self._tokens_of(batch))
        return tokens

    async def _tokens_of(self, mints: Sequence[str]) -> Rows[TokenRecord]:
        """Return the records of the mints alone: the search also matches symbols."""
        rows = await self._request("/tokens/v2/search", {"query": ",".join(mints)})
        mint_set = set(mints)
        rows[:] = [row for row in rows if row.mint in mint_set]
        return rows

    async def _request(self, path: str, params: dict[str, str]) -> Rows[TokenRecord]:
        response = await self._client.request(path, params=params)
        raws = decode_body(NAME, response.body, list[Raw])
        return decode_rows(NAME, raws, _Token, _token_record)


def _token_record(token: _Token) -> TokenRecord:
    """Return the token as a record. Raises ValueError for an invalid address or time.

    Of a token of pump.fun the mint itself is named as its first pool (captured in October
    2026): its address is dropped, its time is kept.
    """
    first_pool = token.first_pool or _Pool()
    stats = token.stats_24h or _Stats()
    return TokenRecord(
        mint=parse_address(token.id),
        symbol=clean_text(token.symbol, 64),
        name=clean_text(token.name, 128),
        decimals=token.decimals,
        created_at=parse_unix_seconds(token.created_at),
        first_pool=_pool_address(first_pool.id, token.id),
        first_pool_at=parse_unix_seconds(first_pool.created_at),
        graduated_pool=_pool_address(token.graduated_pool, token.id),
        graduated_at=parse_unix_seconds(token.graduated_at),
        price_usd=finite(token.usd_price),
        price_change_24h_pct=finite(stats.price_change),
        volume_24h_usd=_volume(token.stats_24h),
        liquidity_usd=finite(token.liquidity),
        market_cap_usd=finite(token.mcap),
    )


def _pool_address(pool: str | None, mint: str) -> str | None:
    return None if pool == mint else pool


def _volume(stats: _Stats | None) -> Decimal | None:
    """Return buy plus sell volume in USD, None without statistics."""
    if stats is None:
        return None
    buy_volume = finite(stats.buy_volume) or Decimal(0)
    sell_volume = finite(stats.sell_volume) or Decimal(0)
    return buy_volume + sell_volume

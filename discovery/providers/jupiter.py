"""Jupiter tokens API v2: trending tokens and, for up to 100 mints a call, launch and graduation times.

Keyless since April 2026 at 30 calls a minute; a key raises that. Zero-valued figures are dropped, not sent as 0.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from msgspec import Raw, Struct, field

from discovery.domain.addresses import parse_address
from discovery.domain.chain_text import clean_text
from discovery.providers.http import ProviderClient
from discovery.providers.records import Rows, TokenRecord, each, figure, unix_seconds, whole

NAME: Final = "jupiter"
BATCH: Final = 100
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
    """Reads Jupiter through its door."""

    def __init__(self, door: ProviderClient) -> None:
        self._door = door

    async def trending(self, interval: str) -> Rows[TokenRecord]:
        """Up to 100 trending tokens over `interval` (1h, 6h, 24h)."""
        return self._rows((await self._door.ask(f"/tokens/v2/toptrending/{interval}", params={"limit": "100"})).body)

    async def tokens(self, mints: Iterable[str]) -> Rows[TokenRecord]:
        """What is known of the mints, 100 a call; unknown ones are left out."""
        wanted = list(dict.fromkeys(mints))
        rows: Rows[TokenRecord] = Rows()
        for start in range(0, len(wanted), BATCH):
            batch = wanted[start : start + BATCH]
            answer = await self._door.ask("/tokens/v2/search", params={"query": ",".join(batch)})
            found = self._rows(answer.body)
            rows.extend(row for row in found if row.mint in set(batch))
            rows.rejected += found.rejected
            rows.cause = rows.cause or found.cause
        return rows

    @staticmethod
    def _rows(body: bytes) -> Rows[TokenRecord]:
        return each(NAME, whole(NAME, body, list[Raw]), _Token, _build)


def _build(token: _Token) -> TokenRecord:
    stats, first = token.stats_24h, token.first_pool
    volume = None
    if stats is not None:
        volume = (figure(stats.buy_volume) or Decimal(0)) + (figure(stats.sell_volume) or Decimal(0))
    return TokenRecord(
        mint=parse_address(token.id),
        symbol=clean_text(token.symbol, 64),
        name=clean_text(token.name, 128),
        decimals=token.decimals,
        created_at=unix_seconds(token.created_at),
        first_pool=first.id if first else None,
        first_pool_at=unix_seconds(first.created_at) if first else None,
        graduated_pool=token.graduated_pool,
        graduated_at=unix_seconds(token.graduated_at),
        price_usd=figure(token.usd_price),
        price_change_24h_pct=figure(stats.price_change) if stats else None,
        volume_24h_usd=volume,
        liquidity_usd=figure(token.liquidity),
        market_cap_usd=figure(token.mcap),
    )

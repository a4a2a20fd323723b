"""GeckoTerminal v2: trending pools and the pools of a launchpad's DEX. No key; 30 calls a minute, paced slower.

Every number is a string. The same token repeats over pools and pages, and pages shift between calls.
"""

from decimal import Decimal
from typing import Final

from msgspec import Raw, Struct

from discovery.domain.addresses import parse_address
from discovery.domain.chain_text import clean_text
from discovery.providers.http import ProviderClient
from discovery.providers.records import PairRecord, Rows, each, figure, unix_seconds, whole

NAME: Final = "geckoterminal"
NETWORK: Final = "solana_"
DURATIONS: Final = ("5m", "1h", "6h", "24h")
LAUNCHPAD_DEXES: Final = ("pumpswap", "meteora-dbc", "raydium-launchlab")
HEADERS: Final = {"Accept": "application/json;version=20230302"}


class _Window(Struct):
    h24: Decimal | None = None


class _Counts(Struct):
    buys: int = 0
    sells: int = 0


class _Transactions(Struct):
    h24: _Counts | None = None


class _Attributes(Struct):
    address: str
    name: str | None = None
    base_token_price_usd: Decimal | None = None
    pool_created_at: str | None = None
    price_change_percentage: _Window | None = None
    volume_usd: _Window | None = None
    reserve_in_usd: Decimal | None = None
    market_cap_usd: Decimal | None = None
    fdv_usd: Decimal | None = None
    transactions: _Transactions | None = None


class _Id(Struct):
    id: str


class _Relation(Struct):
    data: _Id | None = None


class _Relations(Struct):
    base_token: _Relation
    quote_token: _Relation | None = None
    dex: _Relation | None = None


class _Pool(Struct):
    attributes: _Attributes
    relationships: _Relations


class _Page(Struct):
    data: list[Raw]


class GeckoTerminal:
    """Reads GeckoTerminal through its door."""

    def __init__(self, door: ProviderClient) -> None:
        self._door = door

    async def trending(self, duration: str) -> Rows[PairRecord]:
        """The first page of trending pools over `duration` (5m, 1h, 6h, 24h)."""
        return await self._pools("/networks/solana/trending_pools", {"duration": duration, "page": "1"})

    async def dex_pools(self, dex: str) -> Rows[PairRecord]:
        """The busiest pools of one DEX by transactions: young ones on launchpads."""
        return await self._pools(f"/networks/solana/dexes/{dex}/pools", {"page": "1"})

    async def _pools(self, path: str, params: dict[str, str]) -> Rows[PairRecord]:
        answer = await self._door.ask(path, params=params)
        return each(NAME, whole(NAME, answer.body, _Page).data, _Pool, _build)


def _id(relation: _Relation | None) -> str:
    return relation.data.id if relation is not None and relation.data is not None else ""


def _mint(relation: _Relation | None) -> str | None:
    """The mint; None where there is no token, or one of another network."""
    token = _id(relation)
    return token.removeprefix(NETWORK) if token.startswith(NETWORK) else None


def _build(pool: _Pool) -> PairRecord | None:
    mint = _mint(pool.relationships.base_token)
    if mint is None:
        return None
    attributes = pool.attributes
    counts = attributes.transactions.h24 if attributes.transactions else None
    symbol = clean_text((attributes.name or "").split(" / ")[0], 64)
    reserve = figure(attributes.reserve_in_usd)
    market_cap = attributes.market_cap_usd if attributes.market_cap_usd is not None else attributes.fdv_usd
    return PairRecord(
        mint=parse_address(mint),
        pool=parse_address(attributes.address),
        dex=_id(pool.relationships.dex),
        quote_mint=_mint(pool.relationships.quote_token),
        symbol=symbol,
        name=symbol,
        price_usd=figure(attributes.base_token_price_usd),
        price_change_24h_pct=figure(change.h24) if (change := attributes.price_change_percentage) else None,
        volume_24h_usd=figure(attributes.volume_usd.h24) if attributes.volume_usd else None,
        # The vendor has been seen to answer a negative reserve: that is not a liquidity.
        liquidity_usd=reserve if reserve is not None and reserve >= 0 else None,
        market_cap_usd=figure(market_cap),
        transactions_24h=counts.buys + counts.sells if counts else None,
        pool_created_at=unix_seconds(attributes.pool_created_at),
    )

"""GeckoTerminal v2: trending pools, the pools of a launchpad's DEX, and candles of
SOL/USD. No key; documented are 30 calls a minute.

Every number is a string. The same token repeats over pools and pages, and pages shift
between calls.
"""

from decimal import Decimal
from typing import Final

from msgspec import Raw, Struct

from discovery.domain.addresses import parse_address
from discovery.domain.chain_text import clean_text
from discovery.domain.programs import WRAPPED_SOL
from discovery.providers.errors import BadPayload
from discovery.providers.http import ProviderClient
from discovery.providers.records import (
    INTERVAL_MS,
    Candle,
    Day,
    Interval,
    PairRecord,
    Rows,
    TradesOfDay,
    day_figure,
    day_trades,
    decode_body,
    decode_rows,
    finite,
    parse_unix_seconds,
)

NAME: Final = "geckoterminal"
NETWORK_PREFIX: Final = "solana_"
DURATIONS: Final = ("5m", "1h", "6h", "24h")
LAUNCHPAD_DEXES: Final = ("pumpswap", "meteora-dbc", "raydium-launchlab")
SOL_USDC_POOL: Final = "Czfq3xZZDmsdGdUyrNLtRhGc47cXcZtLG4crryfu44zE"
"""The SOL/USDC Whirlpool of Orca with a fee of 0.04 %, traded in every minute."""
_TIMEFRAMES: Final[dict[Interval, str]] = {"1m": "minute", "1h": "hour"}
HEADERS: Final = {"Accept": "application/json;version=20230302"}


class _Attributes(Struct):
    address: str
    name: str | None = None
    base_token_price_usd: Decimal | None = None
    pool_created_at: str | None = None
    price_change_percentage: Day | None = None
    volume_usd: Day | None = None
    reserve_in_usd: Decimal | None = None
    market_cap_usd: Decimal | None = None
    fdv_usd: Decimal | None = None
    transactions: TradesOfDay | None = None


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


class _CandleAttributes(Struct):
    ohlcv_list: list[list[Decimal]]


class _CandleData(Struct):
    attributes: _CandleAttributes


class _Candles(Struct):
    data: _CandleData


class GeckoTerminal:
    """Client of GeckoTerminal."""

    name = "GeckoTerminal"

    def __init__(self, client: ProviderClient) -> None:
        self._client = client

    async def trending(self, duration: str) -> Rows[PairRecord]:
        """Return the first page of trending pools over `duration` (5m, 1h, 6h, 24h).

        Raises ProviderError.
        """
        return await self._pools(
            "/networks/solana/trending_pools", {"duration": duration, "page": "1"}
        )

    async def dex_pools(self, dex: str) -> Rows[PairRecord]:
        """Return the busiest pools of one DEX by transactions; on launchpads these are
        young tokens.

        Raises ProviderError.
        """
        return await self._pools(f"/networks/solana/dexes/{dex}/pools", {"page": "1"})

    async def sol_candles(
        self, interval: Interval, start_ms: int, end_ms: int
    ) -> list[Candle]:
        """Return the candles of SOL in USD that open from `start_ms` to before `end_ms`
        (unix milliseconds); one may be open. Raises ProviderError.

        Rows of `/ohlcv`: open time in unix seconds, open, high, low, close, volume;
        newest first.
        """
        step_ms = INTERVAL_MS[interval]
        response = await self._client.request(
            f"/networks/solana/pools/{SOL_USDC_POOL}/ohlcv/{_TIMEFRAMES[interval]}",
            params={
                "aggregate": "1",
                "before_timestamp": str(end_ms // 1000),
                "limit": str((end_ms - start_ms) // step_ms),
                "currency": "usd",
                "token": WRAPPED_SOL,
            },
        )
        rows = decode_body(NAME, response.body, _Candles).data.attributes.ohlcv_list
        candles = [_candle(row, step_ms) for row in rows]
        return [each for each in candles if start_ms <= each.open_time_ms < end_ms]

    async def _pools(self, path: str, params: dict[str, str]) -> Rows[PairRecord]:
        response = await self._client.request(path, params=params)
        page = decode_body(NAME, response.body, _Page)
        return decode_rows(NAME, page.data, _Pool, _pair_record)


def _candle(row: list[Decimal], step_ms: int) -> Candle:
    """Return a row as a candle. Raises BadPayload."""
    if len(row) < 5 or finite(row[4]) is None or row[4] <= 0:
        raise BadPayload(NAME, "candle not as documented")
    open_ms = int(row[0]) * 1000
    return Candle(open_ms, open_ms + step_ms - 1, row[4])


def _related_id(relation: _Relation | None) -> str:
    if relation is None or relation.data is None:
        return ""
    return relation.data.id


def _mint(relation: _Relation | None) -> str | None:
    """Return the mint, None without a token or for a token of another network."""
    token = _related_id(relation)
    if not token.startswith(NETWORK_PREFIX):
        return None
    return token.removeprefix(NETWORK_PREFIX)


def _pair_record(pool: _Pool) -> PairRecord | None:
    """Return the pool as a record, None if its token is of another network. Raises
    ValueError for an invalid address or time.

    Without a market cap, the fully diluted value stands for it.
    """
    mint = _mint(pool.relationships.base_token)
    if mint is None:
        return None
    attributes = pool.attributes
    pool_name = attributes.name or ""
    symbol = clean_text(pool_name.split(" / ")[0], 64)
    market_cap = attributes.market_cap_usd
    if market_cap is None:
        market_cap = attributes.fdv_usd
    return PairRecord(
        mint=parse_address(mint),
        pool=parse_address(attributes.address),
        dex=_related_id(pool.relationships.dex),
        quote_mint=_mint(pool.relationships.quote_token),
        symbol=symbol,
        name=symbol,
        price_usd=finite(attributes.base_token_price_usd),
        price_change_24h_pct=day_figure(attributes.price_change_percentage),
        volume_24h_usd=day_figure(attributes.volume_usd),
        liquidity_usd=_liquidity(attributes.reserve_in_usd),
        market_cap_usd=finite(market_cap),
        transactions_24h=day_trades(attributes.transactions),
        pool_created_at=parse_unix_seconds(attributes.pool_created_at),
    )


def _liquidity(reserve: Decimal | None) -> Decimal | None:
    """Return the reserve as liquidity. The vendor sometimes sends a negative reserve,
    which is not one.
    """
    liquidity = finite(reserve)
    if liquidity is None or liquidity < 0:
        return None
    return liquidity

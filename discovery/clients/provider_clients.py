"""The provider clients of a run, built from the settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp
import redis.asyncio
from django.conf import settings

from discovery.clients.client_factory import ClientFactory
from discovery.clients.helius_access import open_helius
from discovery.clients.helius_history import HeliusTransactionSource
from discovery.clients.provider_status import StatusReporter, report_status
from discovery.clients.rate_limits import DEXSCREENER_FEEDS
from discovery.clients.redis_breaker import RedisBreakerStore
from discovery.clients.redis_rate_limits import RedisRateLimitStore
from discovery.clients.rpc_history import RpcTransactionSource
from discovery.clients.transaction_cache import TransactionCache
from discovery.clients.transaction_history import TransactionSource
from discovery.domain.run_errors import WarningSink
from discovery.providers import (
    dexscreener,
    geckoterminal,
    helius,
    jupiter,
    prices,
    solana_rpc,
)
from discovery.providers.breaker import BreakerStore, LocalBreakerStore
from discovery.providers.dexscreener import DexScreener, PairSource
from discovery.providers.geckoterminal import GeckoTerminal
from discovery.providers.helius import Helius
from discovery.providers.jupiter import Jupiter
from discovery.providers.limits import LocalRateLimitStore, RateLimitStore
from discovery.providers.prices import CandleCache, SolPrices, hourly_candles
from discovery.providers.solana_rpc import SolanaRpc
from walltrack import clock

MAX_HTTP_CONNECTIONS: Final = 64
MAX_REDIS_CONNECTIONS: Final = 8
REDIS_POOL_TIMEOUT_SECONDS: Final = 30
REDIS_SOCKET_TIMEOUT_SECONDS: Final = 5
HELIUS_RPC: Final = "helius_rpc"

_hourly_candles: Final[dict[str, CandleCache]] = {}
"""Closed candles by URL, for all steps of this process."""
_local_breakers: Final = LocalBreakerStore()
"""The breakers of this process, while no store is shared."""


@dataclass(frozen=True)
class Providers:
    """The clients of one run. `helius` is None without a working key; `helius_note` is
    the reason in plain words.
    """

    dexscreener: PairSource
    dexscreener_feeds: DexScreener
    geckoterminal: GeckoTerminal
    jupiter: Jupiter
    prices: SolPrices
    rpc: SolanaRpc
    helius: Helius | None
    helius_rpc: SolanaRpc | None
    helius_note: str

    def transaction_source(self, warnings: WarningSink) -> TransactionSource:
        """Return the source of transactions: Helius if its key works, else plain RPC,
        with a cache unless RETENTION_CACHE_HOURS is 0.
        """
        rpc = self.helius_rpc or self.rpc
        if self.helius is not None:
            return HeliusTransactionSource(self.helius, rpc, warnings)
        cache = TransactionCache() if settings.RETENTION_CACHE_HOURS else None
        return RpcTransactionSource(rpc, warnings, cache)

    @property
    def source(self) -> str:
        """`helius`, `helius_rpc` (the key allows plain RPC, not transactions by time)
        or `solana_rpc`.
        """
        if self.helius is not None:
            return helius.NAME
        if self.helius_rpc is not None:
            return HELIUS_RPC
        return solana_rpc.NAME


@asynccontextmanager
async def open_providers(
    *, source: str = "", shared: bool = True
) -> AsyncIterator[Providers]:
    """Open the clients over one connection pool, closed at the end.

    source: the transaction source that the run has already decided on; "" = Helius is
    probed. shared: rate limits and breakers of REDIS_URL, shared with all processes;
    else of this process alone.
    """
    async with (
        _open_stores(shared=shared) as stores,
        report_status() as reporter,
        _open_session() as session,
    ):
        factory = ClientFactory(session, stores.rate_limits, stores.breakers, reporter)
        yield await _build(factory, reporter, source)


@dataclass(frozen=True)
class _Stores:
    rate_limits: RateLimitStore
    breakers: BreakerStore


@asynccontextmanager
async def _open_stores(*, shared: bool) -> AsyncIterator[_Stores]:
    if not shared:
        yield _Stores(LocalRateLimitStore(), _local_breakers)
        return
    # A blocking pool: hundreds of waiting requests take turns on a few connections.
    pool = redis.asyncio.BlockingConnectionPool.from_url(
        settings.REDIS_URL,
        max_connections=MAX_REDIS_CONNECTIONS,
        timeout=REDIS_POOL_TIMEOUT_SECONDS,
        socket_timeout=REDIS_SOCKET_TIMEOUT_SECONDS,
    )
    client = redis.asyncio.Redis.from_pool(pool)
    try:
        yield _Stores(
            RedisRateLimitStore(client, settings.INSTANCE_NAME),
            RedisBreakerStore(client, settings.INSTANCE_NAME, _local_breakers),
        )
    finally:
        await client.aclose()


def _open_session() -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=MAX_HTTP_CONNECTIONS)
    return aiohttp.ClientSession(connector=connector, auto_decompress=True)


async def _build(
    factory: ClientFactory, reporter: StatusReporter, source: str
) -> Providers:
    if not settings.HELIUS_API_KEY:
        await reporter.mark_unused(helius.NAME)
    access = await open_helius(factory, source)
    dexscreener_url = settings.DEXSCREENER_URL
    candles = _hourly_candles.setdefault(settings.PRICES_URL, hourly_candles())
    gecko = GeckoTerminal(
        factory.client(
            geckoterminal.NAME,
            settings.GECKOTERMINAL_URL,
            headers=geckoterminal.HEADERS,
        ),
    )
    return Providers(
        dexscreener=DexScreener(factory.client(dexscreener.NAME, dexscreener_url)),
        dexscreener_feeds=DexScreener(
            factory.client(
                dexscreener.NAME, dexscreener_url, rate_limit=DEXSCREENER_FEEDS
            ),
        ),
        geckoterminal=gecko,
        jupiter=Jupiter(
            factory.client(
                jupiter.NAME, settings.JUPITER_URL, headers=_jupiter_headers()
            )
        ),
        prices=SolPrices(
            factory.client(prices.NAME, settings.PRICES_URL),
            second=gecko,
            clock=clock.unix_now,
            hours=candles,
        ),
        rpc=SolanaRpc(factory.rpc(solana_rpc.NAME, settings.SOLANA_RPC_URL)),
        helius=access.by_time,
        helius_rpc=access.rpc,
        helius_note=access.note,
    )


def _jupiter_headers() -> dict[str, str]:
    if not settings.JUPITER_API_KEY:
        return {}
    return {"x-api-key": settings.JUPITER_API_KEY}

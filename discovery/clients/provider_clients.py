"""Settings into clients: the only reader of provider settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import redis.asyncio
from django.conf import settings

from discovery.clients.provider_status import StatusReporter, report_status
from discovery.clients.redis_breaker import RedisBreakerStore
from discovery.clients.redis_rate_limits import RedisRateLimitStore
from discovery.clients.transaction_cache import TransactionCache
from discovery.clients.transaction_history import (
    HeliusTransactionSource,
    Problem,
    RpcTransactionSource,
    TransactionSource,
)
from discovery.clients.usage import StepMeter
from discovery.domain.programs import PUMPFUN
from discovery.providers import dexscreener, geckoterminal, helius, jupiter, prices, solana_rpc
from discovery.providers.breaker import (
    FIRST_OPEN_SECONDS,
    MAX_OPEN_FACTOR,
    MAX_OPEN_FACTOR_REQUIRED,
    Breaker,
    BreakerStore,
    LocalBreakerStore,
)
from discovery.providers.dexscreener import DexScreener
from discovery.providers.errors import ProviderError
from discovery.providers.geckoterminal import GeckoTerminal
from discovery.providers.helius import Helius
from discovery.providers.http import ProviderClient
from discovery.providers.jsonrpc import JsonRpc
from discovery.providers.jupiter import Jupiter
from discovery.providers.limits import LocalRateLimitStore, RateLimiter, RateLimitStore
from discovery.providers.prices import HourlyCandles, SolPrices
from discovery.providers.solana_rpc import SolanaRpc

# Documented limits, calls a second, with a margin: pacing at the limit still trips edges that count differently.
DEXSCREENER_RPS: Final = 4.5  # 300 a minute
DEXSCREENER_FEEDS_RPS: Final = 0.9  # 60 a minute
GECKOTERMINAL_RPS: Final = 0.4  # 30 a minute; bursts are punished below that
JUPITER_KEYLESS_RPS: Final = 0.45
JUPITER_KEY_RPS: Final = 0.95
PUBLIC_RPC_RPS: Final = 1.0  # observed: 10 getTransaction per 10 s
OWN_RPC_RPS: Final = 10.0
HELIUS_RPS: Final = 9.5  # the free plan; a paid key sets PROVIDER_RPS or more
PRICES_RPS: Final = 10.0
FEEDS_PACE: Final = "dexscreener_feeds"
PUBLIC_RPC_HOST: Final = "api.mainnet-beta.solana.com"
CONNECTIONS: Final = 64
PACE_CONNECTIONS: Final = 8
HELIUS_RPC: Final = "helius_rpc"
NEEDED: Final = frozenset({helius.NAME, solana_rpc.NAME, prices.NAME})
"""Without these a step is nothing; what the others would say is done without."""


_hours: dict[str, HourlyCandles] = {}
"""Closed candles by source, for every step of this process."""
_breakers: Final = LocalBreakerStore()
"""The same of breakers, while no store is shared."""


def pace() -> dict[str, float]:
    """Calls a second by provider, as the settings make it."""
    public = urlsplit(settings.SOLANA_RPC_URL).hostname == PUBLIC_RPC_HOST
    documented = {
        dexscreener.NAME: DEXSCREENER_RPS,
        FEEDS_PACE: DEXSCREENER_FEEDS_RPS,
        geckoterminal.NAME: GECKOTERMINAL_RPS,
        jupiter.NAME: JUPITER_KEY_RPS if settings.JUPITER_API_KEY else JUPITER_KEYLESS_RPS,
        solana_rpc.NAME: PUBLIC_RPC_RPS if public else OWN_RPC_RPS,
        helius.NAME: HELIUS_RPS,
        prices.NAME: PRICES_RPS,
    }
    return {name: settings.PROVIDER_RPS or rps for name, rps in documented.items()}


@dataclass(frozen=True)
class Providers:
    """The clients of one run. `helius` is None without a working key; `helius_note` says why in plain words."""

    dexscreener: DexScreener
    dexscreener_feeds: DexScreener
    geckoterminal: GeckoTerminal
    jupiter: Jupiter
    prices: SolPrices
    rpc: SolanaRpc
    helius: Helius | None
    helius_rpc: SolanaRpc | None
    helius_note: str

    def histories(self, problem: Problem) -> TransactionSource:
        """Where transactions come from: Helius where its key works, else plain RPC."""
        if self.helius is not None and self.helius_rpc is not None:
            return HeliusTransactionSource(self.helius, self.helius_rpc, problem)
        cache = TransactionCache() if settings.RETENTION_CACHE_HOURS else None
        return RpcTransactionSource(self.helius_rpc or self.rpc, problem, cache)

    @property
    def source(self) -> str:
        """`helius`, `helius_rpc` (its node answers, but not by time) or `solana_rpc`."""
        if self.helius is not None:
            return helius.NAME
        return HELIUS_RPC if self.helius_rpc is not None else solana_rpc.NAME


@asynccontextmanager
async def open_providers(*, source: str = "", shared: bool = True) -> AsyncIterator[Providers]:
    """Clients over one connection pool, closed at the end; what they use counts on the step that asks (budget.metered).

    source: who answers transactions, where the run has decided that already; else Helius is probed.
    shared: pace and breakers by the store of `REDIS_URL`, as every other process; else by this process alone.
    """
    pool: redis.asyncio.Redis | None = None
    store: RateLimitStore = LocalRateLimitStore()
    breakers: BreakerStore = _breakers
    if shared:
        # A blocking pool: hundreds of waiting questions take turns on a few connections.
        pool = redis.asyncio.Redis.from_pool(
            redis.asyncio.BlockingConnectionPool.from_url(
                settings.REDIS_URL, max_connections=PACE_CONNECTIONS, timeout=30, socket_timeout=5
            )
        )
        store = RedisRateLimitStore(pool, settings.INSTANCE_NAME)
        breakers = RedisBreakerStore(pool, settings.INSTANCE_NAME, _breakers)
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    try:
        async with (
            report_status() as signs,
            aiohttp.ClientSession(connector=connector, auto_decompress=True) as session,
        ):
            yield await _providers(session, store, breakers, signs, source)
    finally:
        if pool is not None:
            await pool.aclose()


async def _providers(
    session: aiohttp.ClientSession, store: RateLimitStore, breakers: BreakerStore, signs: StatusReporter, source: str
) -> Providers:
    rates, meter = pace(), StepMeter()
    patience = float(settings.PROVIDER_PATIENCE_SECONDS)

    def door(name: str, url: str, *, paced_as: str = "", **options: Any) -> ProviderClient:
        # Half of the patience at first, why: see the breaker.
        first = min(FIRST_OPEN_SECONDS, patience / 2)
        most = first * (MAX_OPEN_FACTOR_REQUIRED if name in NEEDED else MAX_OPEN_FACTOR)
        return ProviderClient(
            name,
            url,
            session=session,
            pacer=RateLimiter(paced_as or name, rates[paced_as or name], store),
            meter=meter,
            deadline_seconds=patience,
            breaker=Breaker(name, breakers, first_seconds=first, most_seconds=most),
            observer=signs,
            **options,
        )

    jupiter_headers = {"x-api-key": settings.JUPITER_API_KEY} if settings.JUPITER_API_KEY else {}
    # Gateways may count every item of a batch, the simulated market's calls are requests.
    counts_each = settings.MARKET == "live"
    helius_client, helius_rpc, note = None, None, "no HELIUS_API_KEY: transactions come from plain RPC, much slower"
    if settings.HELIUS_API_KEY:
        endpoint = JsonRpc(
            door(helius.NAME, settings.HELIUS_URL, secret_params={"api-key": settings.HELIUS_API_KEY}),
            batch_counts_each=counts_each,
        )
        helius_client, helius_rpc = Helius(endpoint, meter), SolanaRpc(endpoint)
        note = "transactions come from Helius by time"
        if source:
            helius_client = helius_client if source == helius.NAME else None
            helius_rpc = None if source == solana_rpc.NAME else helius_rpc
        else:
            try:
                await helius_client.probe(PUMPFUN)
            except ProviderError as error:
                note = f"Helius is not used by time ({error.cause}): transactions come from plain RPC, much slower"
                helius_client = None
                if error.code != "unsupported":
                    helius_rpc = None  # the key itself will not do: the other node answers
    else:
        await signs.unused(helius.NAME)
    return Providers(
        dexscreener=DexScreener(door(dexscreener.NAME, settings.DEXSCREENER_URL)),
        dexscreener_feeds=DexScreener(door(dexscreener.NAME, settings.DEXSCREENER_URL, paced_as=FEEDS_PACE)),
        geckoterminal=GeckoTerminal(
            door(geckoterminal.NAME, settings.GECKOTERMINAL_URL, headers=geckoterminal.HEADERS)
        ),
        jupiter=Jupiter(door(jupiter.NAME, settings.JUPITER_URL, headers=jupiter_headers)),
        prices=SolPrices(
            door(prices.NAME, settings.PRICES_URL), hours=_hours.setdefault(settings.PRICES_URL, HourlyCandles())
        ),
        rpc=SolanaRpc(JsonRpc(door(solana_rpc.NAME, settings.SOLANA_RPC_URL), batch_counts_each=counts_each)),
        helius=helius_client,
        helius_rpc=helius_rpc,
        helius_note=note,
    )

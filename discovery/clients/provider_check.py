"""Ask every provider once or twice, and compare its answers with what the product
assumes. Used by `manage.py check_providers` and the page Providers.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import aiohttp
import msgspec
from django.conf import settings

from discovery.clients.client_factory import ClientFactory
from discovery.clients.node_check import Node, check_node
from discovery.clients.provider_questions import Asker, Differs, LastHeaders
from discovery.clients.rate_limits import DEXSCREENER_FEEDS, calls_per_second
from discovery.domain.programs import PUMPFUN
from discovery.domain.provider_checks import (
    SEARCH,
    TRANSACTIONS,
    ProviderCheck,
    ProviderReport,
    provider_report,
)
from discovery.providers import (
    dexscreener,
    geckoterminal,
    helius,
    jupiter,
    prices,
    solana_rpc,
)
from discovery.providers.breaker import LocalBreakerStore
from discovery.providers.credits import FREE_PLAN_MONTHLY_CREDITS, CreditedRpc
from discovery.providers.dexscreener import DexScreener
from discovery.providers.errors import Unsupported
from discovery.providers.geckoterminal import GeckoTerminal
from discovery.providers.helius import Helius
from discovery.providers.http import Observer
from discovery.providers.jupiter import Jupiter
from discovery.providers.limits import LocalRateLimitStore
from discovery.providers.prices import BinanceCandles, CandleSource
from discovery.providers.records import MINUTE_MS, Rows, decode_body
from discovery.providers.solana_rpc import SolanaRpc
from walltrack import clock

CHECK_SECONDS: Final = 12.0
"""How long one question is repeated before it counts as refused."""
SAMPLE_MINT: Final = "So11111111111111111111111111111111111111112"
"""Asked about if no list names a token."""


class _Token(msgspec.Struct):
    address: str


class _Pair(msgspec.Struct, rename="camel"):
    """What every pair of a token must have."""

    chain_id: str
    pair_address: str
    base_token: _Token


class _CheckFactory(ClientFactory):
    """Clients that give up soon and share neither limits nor breakers with the workers: a
    circuit that is open says nothing about the provider now.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        super().__init__(
            session, LocalRateLimitStore(), LocalBreakerStore(), Observer()
        )
        self._timeout_seconds = CHECK_SECONDS


async def check_providers() -> ProviderReport:
    """Return what every configured provider answers. Takes about half a minute on the
    public node. Sends about thirty calls; their usage counts on the current meter.
    """
    connector = aiohttp.TCPConnector(limit=16)
    headers = LastHeaders()
    async with aiohttp.ClientSession(
        connector=connector, trace_configs=[headers.trace()]
    ) as session:
        factory = _CheckFactory(session)
        lists, *others = await asyncio.gather(
            _check_lists(factory),
            _check_prices(factory),
            _check_helius(factory),
            *(_check_rpc(factory, url, headers) for url in rpc_urls()),
        )
    sources = [[row for row in rows if row.part == TRANSACTIONS] for rows in others[1:]]
    checks = [*lists, *(row for rows in others for row in rows)]
    return provider_report(checks, sources)


def rpc_urls() -> Sequence[str]:
    """Return the URLs of the configured nodes."""
    several: Sequence[str] = getattr(settings, "SOLANA_RPC_URLS", ())
    return several or (settings.SOLANA_RPC_URL,)


# --- Lists of tokens ------------------------------------------------------------------


async def _check_lists(factory: ClientFactory) -> list[ProviderCheck]:
    """Check the providers of tokens; the token that one lists is what others are asked
    about.
    """
    listed: list[str] = []
    gecko = Asker(geckoterminal.NAME, settings.GECKOTERMINAL_URL, part=SEARCH)
    jupiter_asker = Asker(jupiter.NAME, settings.JUPITER_URL, part=SEARCH)
    gecko_client = GeckoTerminal(
        factory.client(
            geckoterminal.NAME,
            settings.GECKOTERMINAL_URL,
            headers=geckoterminal.HEADERS,
        )
    )
    key = settings.JUPITER_API_KEY
    jupiter_client = Jupiter(
        factory.client(
            jupiter.NAME,
            settings.JUPITER_URL,
            headers={"x-api-key": key} if key else {},
        )
    )

    async def trending_pools() -> str:
        rows = await gecko_client.trending("24h")
        listed.extend(row.mint for row in rows)
        return _described(rows, "pool")

    async def trending_tokens() -> str:
        rows = await jupiter_client.trending("24h")
        listed.extend(row.mint for row in rows)
        return _described(rows, "token")

    first = await asyncio.gather(
        gecko.ask("trending pools", trending_pools),
        jupiter_asker.ask("trending tokens", trending_tokens),
    )
    mint = next(iter(listed), SAMPLE_MINT)

    async def token() -> str:
        return _described(await jupiter_client.tokens([mint]), "token")

    details = Asker(jupiter.NAME, settings.JUPITER_URL)
    return [
        *first,
        await details.ask("one token", token),
        *await _check_dexscreener(factory, mint),
    ]


async def _check_dexscreener(factory: ClientFactory, mint: str) -> list[ProviderCheck]:
    url = settings.DEXSCREENER_URL
    client = factory.client(dexscreener.NAME, url)
    feeds = DexScreener(
        factory.client(dexscreener.NAME, url, rate_limit=DEXSCREENER_FEEDS)
    )
    pairs = DexScreener(client)

    async def boosts() -> str:
        return _described(await feeds.feed("/token-boosts/latest/v1"), "token")

    async def tokens() -> str:
        return _described(await pairs.pairs([mint]), "pair")

    async def token_pairs() -> str:
        response = await client.request(f"/token-pairs/v1/solana/{mint}")
        pairs_of_mint = decode_body(dexscreener.NAME, response.body, list[_Pair])
        return _described(Rows(pairs_of_mint), "pair")

    asker = Asker(dexscreener.NAME, url)
    searching = Asker(dexscreener.NAME, url, part=SEARCH)
    return [
        await searching.ask("boosted tokens", boosts),
        await asker.ask("pairs of several tokens", tokens),
        await asker.ask("all pairs of one token", token_pairs),
    ]


def _described(rows: Rows, noun: str) -> str:  # type: ignore[type-arg]  # of any record
    """Return the number of rows. Raises Differs if none can be read, or some cannot."""
    total = len(rows) + rows.rejected
    if rows.rejected:
        raise Differs(
            f"{rows.rejected} of {total} {noun}s cannot be read: {rows.cause}",
            "update WallTrack, or report the answer: the provider has changed",
        )
    if not total:
        raise Differs(f"no {noun} in the answer", "look at the provider's own page")
    return f"{total} {noun}{'' if total == 1 else 's'}"


# --- Prices ---------------------------------------------------------------------------


async def _check_prices(factory: ClientFactory) -> list[ProviderCheck]:
    """Check both sources of SOL/USD; the second one is asked where the first fails."""
    gecko = factory.client(
        geckoterminal.NAME, settings.GECKOTERMINAL_URL, headers=geckoterminal.HEADERS
    )
    first = BinanceCandles(factory.client(prices.NAME, settings.PRICES_URL))
    return [
        await _check_candles(prices.NAME, first, settings.PRICES_URL),
        await _check_candles(
            geckoterminal.NAME, GeckoTerminal(gecko), settings.GECKOTERMINAL_URL
        ),
    ]


async def _check_candles(
    provider: str, source: CandleSource, url: str
) -> ProviderCheck:
    async def an_hour_ago() -> str:
        end_ms = (int(clock.unix_now()) - 3600) * 1000
        candles = await source.sol_candles("1m", end_ms - 60 * MINUTE_MS, end_ms)
        if not candles:
            raise Differs(
                "no price of an hour ago", "trades in a stable are not valued"
            )
        newest = max(candles, key=lambda candle: candle.close_time_ms)
        return f"{newest.close:.2f} USD per SOL an hour ago"

    return await Asker(provider, url).ask("SOL/USD by the minute", an_hour_ago)


# --- Transactions ---------------------------------------------------------------------


async def _check_rpc(
    factory: ClientFactory, url: str, headers: LastHeaders
) -> list[ProviderCheck]:
    asker = Asker(solana_rpc.NAME, url)
    node = Node(
        factory.rpc(solana_rpc.NAME, url),
        calls_per_second=calls_per_second()[solana_rpc.NAME],
        stated_limit=lambda: headers.method_limit(asker.host),
    )
    return await check_node(node, asker)


async def _check_helius(factory: ClientFactory) -> list[ProviderCheck]:
    """Check the key, what its plan allows, and transactions by time; nothing without a
    key.
    """
    if not settings.HELIUS_API_KEY:
        return []
    endpoint = CreditedRpc(
        factory.rpc(
            helius.NAME,
            settings.HELIUS_URL,
            secret_params={"api-key": settings.HELIUS_API_KEY},
        ),
        factory.meter,
    )

    async def key() -> str:
        await SolanaRpc(endpoint).accounts([PUMPFUN])
        return "accepted"

    async def by_time() -> str:
        await Helius(endpoint, factory.meter).probe(PUMPFUN)
        return "the plan includes them"

    async def batches() -> str:
        try:
            await endpoint.call_many("getSlot", [[], []])
        except Unsupported:
            return "no batches: a free plan"
        if settings.MONTHLY_CREDITS == FREE_PLAN_MONTHLY_CREDITS:
            raise Differs(
                "batches are accepted: a paid plan, but MONTHLY_CREDITS is that of the free one",
                "set MONTHLY_CREDITS to the credits of your plan, and PROVIDER_RPS to its rate",
            )
        return "batches are accepted: a paid plan"

    asker = Asker(helius.NAME, settings.HELIUS_URL)
    needed = Asker(helius.NAME, settings.HELIUS_URL, part=TRANSACTIONS)
    return [
        await needed.ask("key", key),
        await needed.ask("transactions by time", by_time),
        await asker.ask("plan", batches),
    ]

"""The documented rate limits of the providers, and the limits that the settings make of
them.

In calls per second, with a margin: calls at the exact limit still exceed the counters
of some providers.
"""

from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from discovery.providers import (
    dexscreener,
    geckoterminal,
    helius,
    jupiter,
    prices,
    solana_rpc,
)

DEXSCREENER_RPS: Final = 4.5  # 300 a minute
DEXSCREENER_FEEDS_RPS: Final = 0.9  # 60 a minute
GECKOTERMINAL_RPS: Final = 0.4  # 30 a minute; bursts are refused below that
JUPITER_KEYLESS_RPS: Final = 0.45
JUPITER_KEY_RPS: Final = 0.95
PUBLIC_RPC_RPS: Final = 1.0  # observed: 10 getTransaction per 10 s
OWN_RPC_RPS: Final = 10.0
HELIUS_RPS: Final = 9.5  # the free plan; with a paid key, PROVIDER_RPS is set to more
PRICES_RPS: Final = 10.0
DEXSCREENER_FEEDS: Final = "dexscreener_feeds"
"""The feeds of DexScreener have a rate limit of their own."""
PUBLIC_RPC_HOST: Final = "api.mainnet-beta.solana.com"


def calls_per_second() -> dict[str, float]:
    """Return the rate limits by name: the documented ones, or PROVIDER_RPS for all if
    it is set.
    """
    jupiter_rps = JUPITER_KEY_RPS if settings.JUPITER_API_KEY else JUPITER_KEYLESS_RPS
    is_public_rpc = urlsplit(settings.SOLANA_RPC_URL).hostname == PUBLIC_RPC_HOST
    documented = {
        dexscreener.NAME: DEXSCREENER_RPS,
        DEXSCREENER_FEEDS: DEXSCREENER_FEEDS_RPS,
        geckoterminal.NAME: GECKOTERMINAL_RPS,
        jupiter.NAME: jupiter_rps,
        solana_rpc.NAME: PUBLIC_RPC_RPS if is_public_rpc else OWN_RPC_RPS,
        helius.NAME: HELIUS_RPS,
        prices.NAME: PRICES_RPS,
    }
    if settings.PROVIDER_RPS:
        return dict.fromkeys(documented, settings.PROVIDER_RPS)
    return documented

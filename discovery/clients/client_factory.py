"""Builds the HTTP clients of the providers from the settings."""

from typing import Any, Final

import aiohttp
from django.conf import settings

from discovery.clients.answers import AnswersNoted
from discovery.clients.rate_limits import calls_per_second
from discovery.clients.usage import CurrentMeter
from discovery.providers import helius, solana_rpc
from discovery.providers.breaker import (
    FIRST_OPEN_SECONDS,
    MAX_OPEN_FACTOR,
    MAX_OPEN_FACTOR_REQUIRED,
    Breaker,
    BreakerStore,
)
from discovery.providers.http import Observer, ProviderClient
from discovery.providers.jsonrpc import JsonRpc
from discovery.providers.limits import RateLimiter, RateLimitStore

REQUIRED_PROVIDERS: Final = frozenset({helius.NAME, solana_rpc.NAME})
"""A step cannot work without these; it continues without the others."""


class ClientFactory:
    """Builds clients that share one HTTP session, the stores of rate limits and
    breakers, and an observer.

    Their usage counts on the meter of the step that sends the request
    (usage.use_meter).
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        rate_limit_store: RateLimitStore,
        breaker_store: BreakerStore,
        observer: Observer,
    ) -> None:
        self.meter = CurrentMeter()
        self._session = session
        self._rate_limit_store = rate_limit_store
        self._breaker_store = breaker_store
        self._observer = AnswersNoted(observer, self.meter)
        self._calls_per_second = calls_per_second()
        self._timeout_seconds = float(settings.PROVIDER_PATIENCE_SECONDS)

    def client(
        self, name: str, url: str, *, rate_limit: str = "", **options: Any
    ) -> ProviderClient:
        """Return a client of the provider.

        rate_limit: the name of its rate limit, "" = that of the provider.
        options: further arguments of ProviderClient.
        """
        rate_limit = rate_limit or name
        return ProviderClient(
            name,
            url,
            session=self._session,
            rate_limiter=RateLimiter(
                rate_limit, self._calls_per_second[rate_limit], self._rate_limit_store
            ),
            meter=self.meter,
            deadline_seconds=self._timeout_seconds,
            breaker=self._breaker(name),
            observer=self._observer,
            **options,
        )

    def rpc(self, name: str, url: str, **options: Any) -> JsonRpc:
        """Return a JSON-RPC endpoint of the provider; `options` as for `client`."""
        # Gateways may count every item of a batch; the limits of the simulated market
        # count requests.
        batch_counts_each = settings.MARKET == "live"
        return JsonRpc(
            self.client(name, url, **options), batch_counts_each=batch_counts_each
        )

    def _breaker(self, name: str) -> Breaker:
        # Half of the timeout at first: discovery/providers/breaker.py has the reasons.
        first_seconds = min(FIRST_OPEN_SECONDS, self._timeout_seconds / 2)
        factor = MAX_OPEN_FACTOR
        if name in REQUIRED_PROVIDERS:
            factor = MAX_OPEN_FACTOR_REQUIRED
        return Breaker(
            name,
            self._breaker_store,
            first_seconds=first_seconds,
            max_seconds=first_seconds * factor,
        )

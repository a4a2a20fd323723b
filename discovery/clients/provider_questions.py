"""A question to a provider, and what its answer means."""

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

import aiohttp

from discovery.domain.provider_checks import CheckStatus, ProviderCheck
from discovery.providers import helius, jupiter
from discovery.providers.errors import (
    BadPayload,
    BadRequest,
    KeyRefused,
    ProviderError,
    QuotaUsedUp,
    RateLimited,
    Unsupported,
)

Question = Callable[[], Awaitable[str]]
"""Asks and returns what was found. Raises ProviderError, Differs."""


class Differs(Exception):
    """The answer is not what the product assumes. The message says what, `remedy` what to
    do.
    """

    def __init__(self, words: str, remedy: str = "") -> None:
        super().__init__(words)
        self.remedy = remedy


class LastHeaders:
    """The headers of the last response of each host."""

    def __init__(self) -> None:
        self._headers: dict[str, Mapping[str, str]] = {}

    def trace(self) -> aiohttp.TraceConfig:
        """Return what a session needs to report its responses here."""
        config = aiohttp.TraceConfig()
        config.on_request_end.append(self._store)
        return config

    def method_limit(self, host: str) -> int | None:
        """Return the limit of the method called last, None if the host states none."""
        text = self._headers.get(host, {}).get("x-ratelimit-method-limit", "")
        return int(text) if text.isdigit() else None

    async def _store(
        self, _session: object, _context: object, end: aiohttp.TraceRequestEndParams
    ) -> None:
        self._headers[end.url.host or ""] = end.response.headers


class Asker:
    """Turns questions to one provider into checks."""

    def __init__(self, provider: str, url: str, *, part: str = "") -> None:
        self.provider = provider
        self.host = urlsplit(url).hostname or ""
        self.part = part

    async def ask(self, check: str, question: Question) -> ProviderCheck:
        """Ask; return what was found. Never raises what a provider does."""
        try:
            return self.row(check, "ok", await question())
        except Differs as found:
            return self.row(check, "differs", str(found), found.remedy)
        except BadPayload as error:
            remedy = "update WallTrack, or report the answer: the provider has changed"
            return self.row(check, "differs", error.cause, remedy)
        except ProviderError as error:
            return self.row(check, "refused", error.cause, self._remedy(error))

    def row(
        self, check: str, status: CheckStatus, detail: str, remedy: str = ""
    ) -> ProviderCheck:
        """Return a check of this provider."""
        return ProviderCheck(
            provider=self.provider,
            host=self.host,
            check=check,
            status=status,
            detail=detail,
            remedy=remedy,
            part=self.part,
        )

    def _remedy(self, error: ProviderError) -> str:
        setting = f"{self.provider.upper()}_API_KEY"
        match error:
            case KeyRefused() if self.provider in {helius.NAME, jupiter.NAME}:
                return f"set a valid {setting}, or remove it"
            case KeyRefused():
                return "the host refuses this machine: use another one"
            case QuotaUsedUp():
                return "wait for the next month, or take a larger plan"
            case RateLimited():
                return "lower PROVIDER_RPS, or stop what else uses this address"
            case Unsupported():
                return "nothing if another source is ok; else another plan or node"
            case BadRequest():
                return "update WallTrack: the provider refuses its request"
        return "check network, DNS and proxy; if they work, wait: the provider is down"

"""Errors of provider requests.

    ProviderError
    ├── Unreachable      no connection, cut off, timed out                      retryable
    ├── ServerFailed     5xx, unhealthy node                                    retryable
    ├── RateLimited      429 or a code with that meaning; knows the pause       retryable
    ├── CircuitOpen      circuit open after failures; knows the remaining time  retryable
    ├── BadPayload       response not as documented, or truncated               retryable
    ├── QuotaUsedUp      the plan's quota of calls or credits is used up        final
    ├── KeyRefused       wrong, missing or forbidden key                        final
    ├── NotFound         the requested object does not exist                    final
    ├── Unsupported      this server or plan has no such method                 final
    └── BadRequest       the request itself was refused                         final

`retryable` is decided here, where the provider's meaning is known; the retry loop only
reads it. Messages name the provider and the cause in plain words, never a URL with its
query, because keys are sent there.
"""

import re
from typing import Final

import msgspec

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""Errors of decoding a response: wrong shape or truncated, text that is not UTF-8,
unlimited nesting.
"""


class ProviderError(Exception):
    """Base class. `provider` is its short name, `cause` the reason in plain words."""

    retryable = False

    def __init__(self, provider: str, cause: str) -> None:
        super().__init__(f"{provider}: {cause}")
        self.provider = provider
        self.cause = cause

    @property
    def code(self) -> str:
        """A stable code for logs and the run's errors: `rate_limited`, `bad_payload`…"""
        words = re.findall(r"[A-Z][^A-Z]*", type(self).__name__)
        return "_".join(words).lower()


class Unreachable(ProviderError):
    """No connection, a cut connection or a timeout."""

    retryable = True


class ServerFailed(ProviderError):
    """The server reported that it failed."""

    retryable = True


class RateLimited(ProviderError):
    """Too many calls. `wait_seconds` is the pause that the provider demands, None if it
    named none.
    """

    retryable = True

    def __init__(
        self, provider: str, cause: str, wait_seconds: float | None = None
    ) -> None:
        super().__init__(provider, cause)
        self.wait_seconds = wait_seconds


class CircuitOpen(ProviderError):
    """The provider's circuit is open: nothing was sent. A request is possible again in
    `wait_seconds`.
    """

    retryable = True

    def __init__(self, provider: str, cause: str, wait_seconds: float) -> None:
        super().__init__(provider, cause)
        self.wait_seconds = wait_seconds


class BadPayload(ProviderError):
    """A response that is not as documented. Retryable, because a truncated response is
    often complete the next time.
    """

    retryable = True


class QuotaUsedUp(ProviderError):
    """The plan's quota is used up: a retry changes nothing."""


class KeyRefused(ProviderError):
    """The key is wrong, missing or not allowed to make the request."""


class NotFound(ProviderError):
    """The requested object does not exist at the provider."""


class Unsupported(ProviderError):
    """This server or plan does not offer the method, or not in batches."""


class BadRequest(ProviderError):
    """The request was refused as sent: a fault of this program."""

"""Why a provider gave no answer.

    ProviderError
    ├── Unreachable      no connection, cut off, timed out                    retryable
    ├── ServerFailed     5xx, unhealthy node                                  retryable
    ├── RateLimited      429 or a code that means it; knows how long to wait  retryable
    ├── CircuitOpen      left alone after failures; knows for how long        retryable
    ├── BadPayload       an answer that is not as documented, or cut          retryable
    ├── QuotaUsedUp      the plan's quota of calls or credits                 final
    ├── KeyRefused       wrong, missing or forbidden key                      final
    ├── NotFound         the thing asked for does not exist                   final
    ├── Unsupported      this server or plan has no such method               final
    └── BadRequest       the question itself was refused                      final

`retryable` is decided here, where the provider's meaning is known; the retry loop only obeys it. Messages name the
provider and the plain cause, never a URL with its query (keys live there).
"""

from typing import Final

import msgspec

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What reading an answer may raise: wrong shape or cut, text that is no UTF-8, nesting without end."""


class ProviderError(Exception):
    """Base of all. `provider` is its short name, `cause` the plain words."""

    retryable = False

    def __init__(self, provider: str, cause: str) -> None:
        super().__init__(f"{provider}: {cause}")
        self.provider = provider
        self.cause = cause

    @property
    def code(self) -> str:
        """A stable word for logs and the run's errors: `rate_limited`, `bad_payload`…"""
        name = type(self).__name__
        return "".join(f"_{char.lower()}" if char.isupper() else char for char in name).lstrip("_")


class Unreachable(ProviderError):
    """No connection, a cut connection or a timeout."""

    retryable = True


class ServerFailed(ProviderError):
    """The server said that it failed."""

    retryable = True


class RateLimited(ProviderError):
    """Too many calls. `wait_seconds` is what the provider asked for, None where it did not say."""

    retryable = True

    def __init__(self, provider: str, cause: str, wait_seconds: float | None = None) -> None:
        super().__init__(provider, cause)
        self.wait_seconds = wait_seconds


class CircuitOpen(ProviderError):
    """The provider is left alone after repeated failures; nothing was asked. It may be asked in `wait_seconds`."""

    retryable = True

    def __init__(self, provider: str, cause: str, wait_seconds: float) -> None:
        super().__init__(provider, cause)
        self.wait_seconds = wait_seconds


class BadPayload(ProviderError):
    """An answer that is not as documented. Asked again: a cut answer is often whole the next time."""

    retryable = True


class QuotaUsedUp(ProviderError):
    """The plan's quota is spent: asking again changes nothing."""


class KeyRefused(ProviderError):
    """The key is wrong, missing or not allowed to."""


class NotFound(ProviderError):
    """What was asked for does not exist there."""


class Unsupported(ProviderError):
    """This server or plan does not offer the method, or not in batches."""


class BadRequest(ProviderError):
    """The question was refused as asked: a fault of ours."""

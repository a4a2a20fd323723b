"""HTTP responses of providers and the meaning of their status codes."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import msgspec

from discovery.providers.errors import (
    UNREADABLE,
    BadPayload,
    BadRequest,
    KeyRefused,
    NotFound,
    ProviderError,
    RateLimited,
    ServerFailed,
)

RATE_LIMIT_STATUSES: Final = frozenset({429, 418})
"""Binance sends 418 to an address that it banned for ignoring 429s (its REST
documentation, section on limits).
"""
ACCESS_STATUSES: Final = frozenset({401, 403})
MAX_RETRY_AFTER_SECONDS: Final = 3600.0


class Response(msgspec.Struct, frozen=True):
    """A complete response. Names of `headers` are case-insensitive, as aiohttp sends
    them.
    """

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def is_success(self) -> bool:
        """Return True for 2xx."""
        return self.status // 100 == 2

    @property
    def is_server_error(self) -> bool:
        """Return True for 5xx."""
        return self.status >= 500


Classify = Callable[[Response], ProviderError | None]
"""Returns the error that a response means to the provider, or None if the HTTP status
decides.
"""


class ErrorMeaning(NamedTuple):
    """An error class and its cause, a template."""

    error: type[ProviderError]
    cause: str


_SERVER_ERROR: Final = ErrorMeaning(ServerFailed, "server error (HTTP {status})")
_REFUSED: Final = ErrorMeaning(BadRequest, "request refused (HTTP {status})")
_BY_STATUS: Final[dict[int, ErrorMeaning]] = {
    401: ErrorMeaning(KeyRefused, "key or access refused (HTTP {status})"),
    403: ErrorMeaning(KeyRefused, "key or access refused (HTTP {status})"),
    404: ErrorMeaning(NotFound, "not found"),
}
_BY_STATUS_CLASS: Final[dict[int, ErrorMeaning]] = {3: _SERVER_ERROR, 5: _SERVER_ERROR}
"""By the first digit, 5 for higher ones too. Redirects are never followed: they could
carry the key elsewhere.
"""


def classify_status(provider: str, response: Response) -> ProviderError | None:
    """Return the error that the HTTP status means, None for 2xx.

    The meanings are those of RFC 9110 and of the providers' documentation: 401 and 403
    refuse the key, 404 names an unknown object, 418 and 429 ask for fewer calls. Any
    other 4xx is a fault of the request.
    """
    status = response.status
    if response.is_success:
        return None
    if status in RATE_LIMIT_STATUSES:
        return RateLimited(provider, "too many requests", retry_after_seconds(response))
    by_class = _BY_STATUS_CLASS.get(min(status // 100, 5), _REFUSED)
    meaning = _BY_STATUS.get(status, by_class)
    return meaning.error(provider, meaning.cause.format(status=status))


def classify_json(provider: str, response: Response) -> ProviderError | None:
    """Return BadPayload for a 2xx without a complete JSON body, which may be truncated;
    otherwise None: the HTTP status decides.
    """
    if response.is_success and not is_json(response.body):
        return BadPayload(provider, "response is not JSON")
    return None


def retry_after_seconds(response: Response) -> float | None:
    """Return `Retry-After` (RFC 9110, section 10.2.3) in seconds; None if it is absent,
    zero, an hour or more, or a date.
    """
    try:
        seconds = float(response.headers.get("Retry-After", ""))
    except ValueError:
        return None
    return seconds if 0 < seconds < MAX_RETRY_AFTER_SECONDS else None


def is_json(body: bytes) -> bool:
    """Return True if the body is one complete JSON value, False for a truncated or
    empty one.
    """
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except UNREADABLE:
        return False
    return True

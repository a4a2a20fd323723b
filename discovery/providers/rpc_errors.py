"""The meaning of JSON-RPC error codes of Agave and of gateways.

Source of the codes: JSON-RPC 2.0, section 5.1 (-32700 to -32600), Agave's
`RpcCustomError` (-32001 to -32019) and Helius' documentation of 2026 (-324xx). A
validator sends application errors with HTTP 200; gateways use 4xx/5xx, plain text or
HTML, sometimes under 200.
"""

import re
from typing import Final

import msgspec
from msgspec import Struct

from discovery.providers.errors import (
    UNREADABLE,
    BadPayload,
    BadRequest,
    KeyRefused,
    NotFound,
    ProviderError,
    QuotaUsedUp,
    RateLimited,
    ServerFailed,
    Unsupported,
)
from discovery.providers.responses import (
    ACCESS_STATUSES,
    ErrorMeaning,
    Response,
    retry_after_seconds,
)

RATE_LIMIT_CODES: Final = frozenset({-32429, 429})
INVALID_REQUEST_CODES: Final = frozenset({-32600, -32601, -32602, -32700})
"""Their messages do not speak of rate limits: "Too many inputs provided" is not one."""
QUOTA_WORDS: Final = "max usage"
RATE_LIMIT_WORDS: Final = re.compile("too many|rate[ -]?limit")
MAX_PLAIN_TEXT_BYTES: Final = 2000

_UNSUPPORTED: Final = ErrorMeaning(
    Unsupported, "this plan or server does not offer the method"
)
_SKIPPED_SLOT: Final = ErrorMeaning(NotFound, "no block at that slot")
_NODE_FAILED: Final = ErrorMeaning(ServerFailed, "node cannot answer now (code {code})")
_REFUSED: Final = ErrorMeaning(BadRequest, "request refused (code {code})")
_BY_CODE: Final[dict[int, ErrorMeaning]] = {
    -32401: ErrorMeaning(KeyRefused, "the key was refused"),
    -32403: _UNSUPPORTED,
    -32601: _UNSUPPORTED,
    -32004: _SKIPPED_SLOT,
    -32007: _SKIPPED_SLOT,
    -32009: _SKIPPED_SLOT,
    -32001: _NODE_FAILED,
    -32005: _NODE_FAILED,
    -32008: _NODE_FAILED,
    -32011: _NODE_FAILED,
    -32014: _NODE_FAILED,
    -32016: _NODE_FAILED,
    -32019: _NODE_FAILED,
    -32603: _NODE_FAILED,
}


class RpcErrorObject(Struct):
    """The `error` of a JSON-RPC response."""

    code: int = 0
    message: str = ""


class _GatewayError(Struct):
    error: object = None
    message: object = None


_decode_gateway_error = msgspec.json.Decoder(_GatewayError).decode


def classify_error(
    provider: str, error: RpcErrorObject, response: Response
) -> ProviderError:
    """Return the meaning of an error object. Its message comes before its code: a
    gateway sends quota and rate limit under codes of its own.
    """
    words = error.message.lower()
    if QUOTA_WORDS in words:
        return QuotaUsedUp(provider, "the plan's quota is used up")
    if _is_rate_limit(error.code, words) or response.status == 429:
        return RateLimited(provider, "too many requests", retry_after_seconds(response))
    meaning = _BY_CODE.get(error.code, _REFUSED)
    return meaning.error(provider, meaning.cause.format(code=error.code))


def classify_unless_vague(
    provider: str, error: RpcErrorObject, response: Response
) -> ProviderError | None:
    """Return the meaning of an error object; None if its code has none and the
    gateway's status says more.
    """
    meaning = classify_error(provider, error, response)
    has_telling_status = response.status in ACCESS_STATUSES or response.is_server_error
    if isinstance(meaning, BadRequest) and has_telling_status:
        return None
    return meaning


def classify_text(provider: str, response: Response) -> ProviderError | None:
    """Return the meaning of a body that is not a JSON-RPC response; None if the HTTP
    status decides.
    """
    words = _plain_words(response.body)
    if QUOTA_WORDS in words:
        return QuotaUsedUp(provider, "the plan's quota is used up")
    if response.status == 429 or RATE_LIMIT_WORDS.search(words):
        return RateLimited(provider, "too many requests", retry_after_seconds(response))
    if response.status < 300:
        return BadPayload(provider, "response is not JSON")
    return None


def _is_rate_limit(code: int, words: str) -> bool:
    if code in RATE_LIMIT_CODES:
        return True
    if code in INVALID_REQUEST_CODES:
        return False
    return RATE_LIMIT_WORDS.search(words) is not None


def _plain_words(body: bytes) -> str:
    """Return the words of plain text, HTML or a gateway's own error object, in lower
    case.

    Truncated JSON gives "": it may contain memos of transactions, which strangers
    write.
    """
    try:
        content = _decode_gateway_error(body)
    except UNREADABLE:
        start = body[:MAX_PLAIN_TEXT_BYTES].lstrip()
        if start.startswith((b"{", b"[")):
            return ""
        return start.decode(errors="replace").lower()
    return f"{content.error} {content.message}".lower()

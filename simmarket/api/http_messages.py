"""HTTP requests and responses as the providers see them."""

import json
from dataclasses import dataclass, field
from typing import Any

JSON_TYPE = "application/json; charset=utf-8"


@dataclass(slots=True, frozen=True)
class Request:
    """One HTTP request; `path` is the part after the provider's prefix, `query` has the
    last value of each key.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Response:
    """One HTTP response. `delay_seconds` delays it; `is_cut` closes the connection in
    the middle of the body.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: list[tuple[str, str]] = field(default_factory=list)
    delay_seconds: float = 0.0
    is_cut: bool = False


def dumps(value: Any) -> bytes:
    """Return compact JSON bytes."""
    return json.dumps(value, separators=(",", ":")).encode()


def json_response(value: Any, status: int = 200) -> Response:
    """Return a response with a JSON body."""
    return Response(status, dumps(value))


def text_response(text: str, status: int) -> Response:
    """Return a response with a plain-text body."""
    return Response(status, text.encode(), "text/plain; charset=utf-8")

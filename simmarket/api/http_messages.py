"""What a provider is asked and what it answers."""

import json
from dataclasses import dataclass, field
from typing import Any

JSON_TYPE = "application/json; charset=utf-8"


@dataclass(slots=True, frozen=True)
class Request:
    """One HTTP request; `path` is what follows the provider's prefix, `query` keeps the last value of a key."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Response:
    """One HTTP answer. `delay_seconds` holds it back; `cut` closes the connection half way through the body."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: list[tuple[str, str]] = field(default_factory=list)
    delay_seconds: float = 0.0
    cut: bool = False


def dumps(value: Any) -> bytes:
    """Compact JSON bytes."""
    return json.dumps(value, separators=(",", ":")).encode()


def json_response(value: Any, status: int = 200) -> Response:
    """An answer with a JSON body."""
    return Response(status, dumps(value))


def text_response(text: str, status: int) -> Response:
    """An answer with a plain-text body."""
    return Response(status, text.encode(), "text/plain; charset=utf-8")

"""Faults on demand: the next matching calls fail in the requested way."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simmarket.api.http_messages import Response, json_response, text_response
from simmarket.api.page_quirks import PAGE_KINDS
from simmarket.api.storage_errors import STORAGE_ERRORS, refused_match

PROVIDERS = ("dexscreener", "geckoterminal", "jupiter", "rpc", "helius", "prices")
RESPONSE_KINDS = frozenset(
    (
        "429",
        "429_no_retry_after",
        "451",
        "500",
        "503",
        "slow",
        "cut_json",
        "cut_connection",
        "html403",
        "garbled",
    )
)
ITEM_KINDS = frozenset(
    (
        "null_block_time",
        "null_result",
        "repeat_page",
        "missing_pair",
        "expired_token",
        *PAGE_KINDS,
        *STORAGE_ERRORS,
    )
)
_KEYS = frozenset(("provider", "match", "kind", "count", "seconds"))
_CHALLENGE = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>blocked</body></html>"

_RESTRICTED = "Service unavailable from a restricted location"
"""What Binance says to an address in a country that it does not serve."""


@dataclass(slots=True)
class Fault:
    """One planned fault; `match` is `*`, a method name, or a part of a path."""

    provider: str
    match: str
    kind: str
    count: int
    seconds: float

    @property
    def is_rate_limit(self) -> bool:
        """True if the call is refused as one too many."""
        return self.kind in {"429", "429_no_retry_after"}

    @property
    def retry_after_seconds(self) -> float | None:
        """The Retry-After of a rate limit, or None if it has none."""
        return self.seconds if self.kind == "429" else None

    def matches(self, provider: str, names: list[str], kinds: frozenset[str]) -> bool:
        """Return True if the fault is for this provider, one of these names and one of
        these kinds.
        """
        if self.kind not in kinds or self.provider not in {"*", provider}:
            return False
        return self.match == "*" or any(self._matches_name(name) for name in names)

    def _matches_name(self, name: str) -> bool:
        is_part_of_path = "/" in name and self.match in name
        return self.match == name or is_part_of_path


class Faults:
    """The planned faults of a server; the first one that matches applies."""

    def __init__(self) -> None:
        self._planned: list[Fault] = []

    def plan(self, body: Any) -> str | None:
        """Add a fault from a JSON body; return an error message if the body is invalid,
        else None.

        Raises ValueError or TypeError if `count` or `seconds` is not a number.
        """
        if not isinstance(body, dict):
            return "a JSON object is expected"
        unknown = set(body) - _KEYS
        if unknown:
            return f"unknown keys: {', '.join(sorted(unknown))}"
        provider = str(body.get("provider", "*"))
        if provider not in {"*", *PROVIDERS}:
            return f"unknown provider {provider!r}"
        kind = str(body.get("kind", ""))
        kinds = RESPONSE_KINDS | ITEM_KINDS
        if kind not in kinds:
            return f"unknown kind {kind!r}; known: {', '.join(sorted(kinds))}"
        match = str(body.get("match", "*"))
        refusal = refused_match(kind, match)
        if refusal is not None:
            return refusal
        fault = Fault(
            provider=provider,
            match=match,
            kind=kind,
            seconds=float(body.get("seconds", 1)),
            count=int(body.get("count", 1)),
        )
        self._planned.append(fault)
        return None

    def clear(self) -> None:
        """Remove every planned fault."""
        self._planned.clear()

    def remaining(self) -> list[dict[str, Any]]:
        """Return the faults that are still planned."""
        return [
            {
                "provider": fault.provider,
                "match": fault.match,
                "kind": fault.kind,
                "count": fault.count,
            }
            for fault in self._planned
        ]

    def take(
        self,
        provider: str,
        names: list[str],
        kinds: frozenset[str],
        applies: Callable[[Fault], bool] = lambda _: True,
    ) -> Fault | None:
        """Return the fault for this call, if any, and count it down."""
        for fault in self._planned:
            if fault.matches(provider, names, kinds) and applies(fault):
                fault.count -= 1
                if fault.count <= 0:
                    self._planned.remove(fault)
                return fault
        return None


def apply_fault(fault: Fault, response: Response) -> Response:
    """Return the response as a fault of the transport or the server leaves it."""
    match fault.kind:
        case "slow":
            response.delay_seconds = fault.seconds
        case "cut_json":
            remaining_bytes = max(1, len(response.body) * 2 // 3)
            response.body = response.body[:remaining_bytes]
        case "cut_connection":
            response.is_cut = True
        case "html403":
            return Response(
                403,
                _CHALLENGE,
                "text/html; charset=utf-8",
                [("cf-mitigated", "challenge")],
            )
        case "451":
            return json_response({"code": 0, "msg": _RESTRICTED}, 451)
        case "500":
            return text_response("Internal Server Error", 500)
        case "503":
            return text_response("Service Temporarily Unavailable", 503)
        case "garbled":
            return json_response(
                {
                    "unexpected": ["shape", 1, None, {"data": "not a record"}],
                    "result": "?",
                }
            )
    return response

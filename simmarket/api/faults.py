"""Faults on demand: the next so many matching calls fail in a chosen way."""

from dataclasses import dataclass
from typing import Any

from simmarket.api.http_messages import Response, json_response, text_response

PROVIDERS = ("dexscreener", "geckoterminal", "jupiter", "rpc", "helius", "prices")
WHOLE = frozenset(
    ("429", "429_no_retry_after", "500", "503", "slow", "cut_json", "cut_connection", "html403", "garbled")
)
ITEM = frozenset(("null_block_time", "null_result", "repeat_page", "missing_pair"))
_CHALLENGE = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>blocked</body></html>"


@dataclass(slots=True)
class Fault:
    """One planned fault; `match` is `*`, a method name, or a part of a path."""

    provider: str
    match: str
    kind: str
    count: int
    seconds: float


class Faults:
    """The planned faults of a server, first come first served."""

    def __init__(self) -> None:
        self._planned: list[Fault] = []

    def plan(self, body: Any) -> str | None:
        """Add a fault from a JSON body; returns what is wrong with it, or None."""
        if not isinstance(body, dict):
            return "a JSON object is expected"
        unknown = set(body) - {"provider", "match", "kind", "count", "seconds"}
        if unknown:
            return f"unknown keys: {', '.join(sorted(unknown))}"
        provider, kind = str(body.get("provider", "*")), str(body.get("kind", ""))
        if provider != "*" and provider not in PROVIDERS:
            return f"unknown provider {provider!r}"
        if kind not in WHOLE | ITEM:
            return f"unknown kind {kind!r}; known: {', '.join(sorted(WHOLE | ITEM))}"
        seconds = float(body.get("seconds", 1))
        self._planned.append(Fault(provider, str(body.get("match", "*")), kind, int(body.get("count", 1)), seconds))
        return None

    def clear(self) -> None:
        """Forget every planned fault."""
        self._planned.clear()

    def left(self) -> list[dict[str, Any]]:
        """The faults still planned."""
        return [
            {"provider": fault.provider, "match": fault.match, "kind": fault.kind, "count": fault.count}
            for fault in self._planned
        ]

    def take(self, provider: str, names: list[str], kinds: frozenset[str]) -> Fault | None:
        """The fault for this call, counted down."""
        for fault in self._planned:
            if fault.kind in kinds and fault.provider in {"*", provider} and _matches(fault.match, names):
                fault.count -= 1
                if fault.count <= 0:
                    self._planned.remove(fault)
                return fault
        return None


def _matches(match: str, names: list[str]) -> bool:
    return match == "*" or any(match == name or ("/" in name and match in name) for name in names)


def spoil(fault: Fault, response: Response) -> Response:
    """The answer as a transport-level fault leaves it."""
    if fault.kind == "slow":
        response.delay_seconds = fault.seconds
    elif fault.kind == "cut_json":
        response.body = response.body[: max(1, len(response.body) * 2 // 3)]
    elif fault.kind == "cut_connection":
        response.cut = True
    elif fault.kind == "html403":
        response = Response(403, _CHALLENGE, "text/html; charset=utf-8", [("cf-mitigated", "challenge")])
    elif fault.kind == "500":
        response = text_response("Internal Server Error", 500)
    elif fault.kind == "503":
        response = text_response("Service Temporarily Unavailable", 503)
    elif fault.kind == "garbled":
        response = json_response({"unexpected": ["shape", 1, None, {"data": "not a record"}], "result": "?"})
    return response

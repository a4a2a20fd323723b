"""Errors of the JSON-RPC door and the careful reading of its parameters."""

from dataclasses import dataclass
from typing import Any

from simmarket.chain import base58

Json = dict[str, Any]


@dataclass(eq=False)
class RpcError(Exception):
    """A JSON-RPC error object with the HTTP status it travels under."""

    code: int
    message: str
    data: Any = None
    status: int = 200
    not_understood: bool = False

    def as_object(self) -> Json:
        """The `error` member."""
        shown: Json = {"code": self.code, "message": self.message}
        if self.data is not None:
            shown["data"] = self.data
        return shown


def unknown(text: str) -> RpcError:
    """Refusal of something this market does not know (counted as unhandled)."""
    return RpcError(-32602, f"Invalid params: {text}", not_understood=True)


def address(params: list[Any], place: int = 0) -> str:
    """A base58 address parameter."""
    value = params[place] if len(params) > place else None
    if not isinstance(value, str) or not base58.is_address(value):
        raise RpcError(-32602, "Invalid param: Invalid")
    return value


def config(params: list[Any], place: int, known: frozenset[str]) -> Json:
    """The configuration object at a place, with known keys only."""
    if len(params) > place + 1:
        raise unknown(f"{len(params)} parameters where at most {place + 1} are taken")
    value = params[place] if len(params) > place else None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise unknown(f"a configuration object is expected, not {type(value).__name__}")
    strange = set(value) - known
    if strange:
        raise unknown(f"unknown field {', '.join(sorted(strange))}")
    return {key: entry for key, entry in value.items() if entry is not None}


def choice(given: Json, key: str, options: tuple[str, ...], default: str) -> str:
    """One of a few words."""
    value = given.get(key, default)
    if value not in options:
        raise unknown(f"{key} {value!r}")
    return str(value)


def whole(value: Any, name: str) -> int:
    """A non-negative integer."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise RpcError(-32602, f"Invalid params: invalid {name}: {value!r}, expected u64")
    return value


def check_commitment(given: Json) -> None:
    """Only finalized and confirmed exist here."""
    choice(given, "commitment", ("finalized", "confirmed"), "finalized")

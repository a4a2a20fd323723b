"""JSON-RPC errors and strict parsing of parameters."""

from dataclasses import dataclass
from typing import Any

from simmarket.chain import base58

Json = dict[str, Any]


@dataclass(eq=False)
class RpcError(Exception):
    """A JSON-RPC error object with the HTTP status of its response."""

    code: int
    message: str
    data: Any = None
    status: int = 200
    is_unhandled: bool = False

    def as_object(self) -> Json:
        """Return the `error` member."""
        error: Json = {"code": self.code, "message": self.message}
        if self.data is not None:
            error["data"] = self.data
        return error


def unknown(text: str) -> RpcError:
    """Return the error for a parameter that this market does not implement (counted as
    unhandled).
    """
    return RpcError(-32602, f"Invalid params: {text}", is_unhandled=True)


def parameter(params: list[Any], index: int) -> Any:
    """Return the parameter at an index, or None if there is none."""
    return params[index] if len(params) > index else None


def address(params: list[Any], index: int = 0) -> str:
    """Return a base58 address parameter. Raises RpcError if it is not one."""
    value = parameter(params, index)
    if not isinstance(value, str) or not base58.is_address(value):
        raise RpcError(-32602, "Invalid param: Invalid")
    return value


def signature(value: Any) -> str:
    """Return a base58 signature. Raises RpcError if it is not one."""
    if not isinstance(value, str) or not base58.is_signature(value):
        raise RpcError(-32602, "Invalid param: Invalid")
    return value


def config(params: list[Any], index: int, known: frozenset[str]) -> Json:
    """Return the configuration object at an index, without null members.

    Raises RpcError for unknown keys, a value of another type, or further parameters.
    """
    if len(params) > index + 1:
        raise unknown(f"{len(params)} parameters where at most {index + 1} are taken")
    value = parameter(params, index)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise unknown(f"a configuration object is expected, not {type(value).__name__}")
    unknown_keys = set(value) - known
    if unknown_keys:
        raise unknown(f"unknown field {', '.join(sorted(unknown_keys))}")
    return {key: entry for key, entry in value.items() if entry is not None}


def choice(options: Json, key: str, choices: tuple[str, ...], default: str) -> str:
    """Return one of a few words. Raises RpcError for any other word (also for a default
    that is not a choice).
    """
    value = options.get(key, default)
    if value not in choices:
        raise unknown(f"{key} {value!r}")
    return str(value)


def unsigned(value: Any, name: str) -> int:
    """Return a non-negative integer. Raises RpcError if it is not one."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise RpcError(
            -32602, f"Invalid params: invalid {name}: {value!r}, expected u64"
        )
    return value


def check_commitment(options: Json) -> None:
    """Raise RpcError unless the commitment is finalized or confirmed."""
    choice(options, "commitment", ("finalized", "confirmed"), "finalized")

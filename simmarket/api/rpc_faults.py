"""The effect of item faults on a single JSON-RPC call."""

import json
from typing import Any

from simmarket.api.faults import Fault
from simmarket.api.http_messages import dumps
from simmarket.api.page_quirks import PAGE_KINDS, PAGED_METHODS, odd_page
from simmarket.api.rpc_params import RpcError
from simmarket.api.storage_errors import storage_error

_CURSOR_KEYS = frozenset(("before", "paginationToken"))
_FILTER_KEYS = frozenset(("before", "until"))


def can_apply(fault: Fault, method: str, params: Any) -> bool:
    """Return True if a call can meet the fault: some need a page, a token or a filter."""
    options = params[1] if isinstance(params, list) and len(params) > 1 else None
    keys = set(options) if isinstance(options, dict) else set()
    if fault.kind == "expired_token":
        return "paginationToken" in keys
    if fault.kind == "-32020":
        return bool(keys & _FILTER_KEYS)
    return fault.kind not in PAGE_KINDS or method in PAGED_METHODS


def raise_error(fault: Fault | None) -> None:
    """Raise the RpcError of a fault that is one."""
    if fault is None:
        return
    if fault.kind == "expired_token":
        raise RpcError(-32602, "Invalid paginationToken: expired")
    error = storage_error(fault.kind)
    if error is not None:
        raise error


def faulty_params(fault: Fault, params: Any) -> Any:
    """For a repeated page, return the parameters without their paging cursor: the first
    page again.
    """
    if fault.kind != "repeat_page" or not isinstance(params, list):
        return params
    if len(params) < 2 or not isinstance(params[1], dict):
        return params
    options = {
        key: value for key, value in params[1].items() if key not in _CURSOR_KEYS
    }
    return [params[0], options]


def faulty_result(fault: Fault, method: str, result: bytes) -> bytes:
    """Return the result as an item fault leaves it."""
    if fault.kind == "null_result":
        return b"null"
    if fault.kind in PAGE_KINDS:
        return odd_page(fault.kind, result)
    if fault.kind != "null_block_time":
        return result
    if method == "getBlockTime":
        return b"null"
    return dumps(_without_block_times(json.loads(result)))


def _without_block_times(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_block_times(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    copy = {key: _without_block_times(entry) for key, entry in value.items()}
    if "blockTime" in copy:
        copy["blockTime"] = None
    return copy

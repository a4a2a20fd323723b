"""The effect of item faults on a single JSON-RPC call."""

import json
from typing import Any

from simmarket.api.faults import Fault
from simmarket.api.http_messages import dumps

_CURSOR_KEYS = frozenset(("before", "paginationToken"))


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

"""Errors of nodes and of their long-term storage, for the methods that can send them.

Source: Agave's `RpcCustomError`; -32020 (a `before` or `until` that nobody knows) of
anza-xyz/agave #7937. Gateways send -32016 for a node behind the others.
"""

from typing import NamedTuple

from simmarket.api.rpc_params import RpcError

_BLOCKS = frozenset(("getBlock", "getBlockTime"))
_HISTORY = _BLOCKS | {"getSignaturesForAddress", "getTransaction"}
_STATE = frozenset(("getAccountInfo", "getMultipleAccounts", "getSlot"))


class _NodeError(NamedTuple):
    code: int
    message: str
    methods: frozenset[str]


_ERRORS = (
    _NodeError(-32004, "Block not available for slot", _BLOCKS),
    _NodeError(
        -32007,
        "Slot was skipped, or missing due to ledger jump to recent snapshot",
        _BLOCKS,
    ),
    _NodeError(-32009, "Slot was skipped, or missing in long-term storage", _BLOCKS),
    _NodeError(-32011, "Transaction history is not available from this node", _HISTORY),
    _NodeError(
        -32015,
        "Transaction version (1) is not supported by the requesting client",
        frozenset(("getBlock", "getTransaction")),
    ),
    _NodeError(-32016, "Minimum context slot has not been reached", _HISTORY | _STATE),
    _NodeError(-32019, "Failed to query long-term storage; please try again", _HISTORY),
    _NodeError(
        -32020,
        "Transaction of the filter was not found",
        frozenset(("getSignaturesForAddress",)),
    ),
)
STORAGE_ERRORS = {str(error.code): error for error in _ERRORS}
"""Kind of a fault → the error."""


def refused_match(kind: str, match: str) -> str | None:
    """Return why a storage error cannot be planned for a method, None if it can."""
    error = STORAGE_ERRORS.get(kind)
    if error is None or match in error.methods:
        return None
    return f"{kind} is sent by: {', '.join(sorted(error.methods))}"


def storage_error(kind: str) -> RpcError | None:
    """Return the error of a fault, None if it is of another kind."""
    error = STORAGE_ERRORS.get(kind)
    return None if error is None else RpcError(error.code, error.message)

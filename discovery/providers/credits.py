"""What a call of Helius costs, and a JSON-RPC endpoint that counts it.

Source: documentation of Helius, September–October 2026 (plans and billing). Failed
responses are free; each item of a batch costs as much as a single call. Until about
mid-2026 the historical methods cost 10.
"""

from collections.abc import Mapping
from typing import Any, Final

from discovery.providers.errors import ProviderError
from discovery.providers.http import Meter
from discovery.providers.jsonrpc import JsonRpc

FREE_PLAN_MONTHLY_CREDITS: Final = 1_000_000
ROWS_PER_CHARGE: Final = 100
CREDITS_BY_ROWS: Final[Mapping[str, int]] = {"getTransactionsForAddress": 10}
"""Methods that cost so much per ROWS_PER_CHARGE full rows, at least once."""
CREDITS_OF_METHOD: Final[Mapping[str, int]] = {
    "getTransfersByAddress": 10,
    "getAsset": 10,
    "getAssetBatch": 10,
    "getTokenAccounts": 10,
    "getProgramAccounts": 10,
    "getProgramAccountsV2": 1,
    "getBlock": 1,
    "getBlockTime": 1,
    "getSignaturesForAddress": 1,
    "getTransaction": 1,
}
ORDINARY_CREDITS: Final = 1
"""Of any other method, such as getMultipleAccounts or getSlot."""


def credits_of_call(method: str) -> int:
    """Return the credits of one call that succeeds; 0 for a method whose rows are
    charged (`credits_of_rows`).
    """
    if method in CREDITS_BY_ROWS:
        return 0
    return CREDITS_OF_METHOD.get(method, ORDINARY_CREDITS)


def credits_of_rows(method: str, rows: int) -> int:
    """Return the credits of a page with so many full rows."""
    charges = max(1, -(-rows // ROWS_PER_CHARGE))
    return CREDITS_BY_ROWS[method] * charges


class CreditedRpc(JsonRpc):
    """A JSON-RPC endpoint that counts the credits of its calls on a meter."""

    def __init__(self, rpc: JsonRpc, meter: Meter) -> None:
        self._rpc = rpc
        self._meter = meter
        self.provider = rpc.provider

    async def call(self, method: str, params: list[Any]) -> bytes:
        """Call the method, as JsonRpc does. Raises ProviderError, for nothing."""
        result = await self._rpc.call(method, params)
        self._add(credits_of_call(method))
        return result

    async def call_many(
        self, method: str, params: list[list[Any]]
    ) -> Mapping[int, bytes | ProviderError]:
        """Call the method for each item, as JsonRpc does. Items that fail are free."""
        results = await self._rpc.call_many(method, params)
        succeeded = [each for each in results.values() if isinstance(each, bytes)]
        self._add(credits_of_call(method) * len(succeeded))
        return results

    def _add(self, credits_used: int) -> None:
        if credits_used:
            self._meter.add_credits(self.provider, credits_used)

"""JSON-RPC 2.0 over HTTP: single calls and batches."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from discovery.providers.errors import (
    UNREADABLE,
    BadPayload,
    BadRequest,
    KeyRefused,
    ProviderError,
    QuotaUsedUp,
    RateLimited,
    ServerFailed,
    Unsupported,
)
from discovery.providers.http import ProviderClient
from discovery.providers.responses import Response
from discovery.providers.rpc_errors import (
    RpcErrorObject,
    classify_error,
    classify_text,
    classify_unless_vague,
)

BATCH_REFUSED_STATUSES: Final = frozenset({400, 403, 405, 413, 501})
"""With these, servers and gateways without batches refuse one if they send no code that
says so.
"""
WHOLE_BATCH_ERRORS: Final = (
    RateLimited,
    ServerFailed,
    Unsupported,
    QuotaUsedUp,
    KeyRefused,
)


class _RpcResponse(Struct):
    id: int | str | None = None
    result: Raw | UnsetType = UNSET
    error: RpcErrorObject | None = None


_decode_single = msgspec.json.Decoder(_RpcResponse).decode
_decode_batch = msgspec.json.Decoder(list[_RpcResponse]).decode


class JsonRpc:
    """One JSON-RPC endpoint. `batch_counts_each`: each item of a batch counts against
    rate limit and budget.
    """

    def __init__(
        self, client: ProviderClient, *, batch_counts_each: bool = True
    ) -> None:
        self._client = client
        self.provider = client.provider
        self._batch_counts_each = batch_counts_each

    async def call(self, method: str, params: list[Any]) -> bytes:
        """Call the method and return the result as JSON. Raises ProviderError; NotFound
        for a skipped slot.
        """
        response = await self._client.request(
            json=_call(1, method, params), classify=self._classify_single
        )
        result = _decode_single(response.body).result
        assert (
            result is not UNSET
        )  # without a result, `_classify_single` returned an error
        return bytes(result)

    async def call_many(
        self, method: str, params: list[list[Any]]
    ) -> Mapping[int, bytes | ProviderError]:
        """Call the method once for each item of `params`, as one batch.

        Returns results or errors by index in `params`; a missing result is BadPayload.
        Raises Unsupported if the server refuses batches, ProviderError if the whole
        batch failed.
        """
        response = await self._client.request(
            json=[
                _call(index, method, item_params)
                for index, item_params in enumerate(params)
            ],
            calls=len(params) if self._batch_counts_each else 1,
            classify=self._classify_batch,
        )
        missing = BadPayload(self.provider, "no response to one call of a batch")
        results: dict[int, bytes | ProviderError] = dict.fromkeys(
            range(len(params)), missing
        )
        for row in _decode_batch(response.body):
            result = self._item_result(row, response)
            if isinstance(row.id, int) and result is not None:
                results[row.id] = result
        return results

    def _item_result(
        self, row: _RpcResponse, response: Response
    ) -> bytes | ProviderError | None:
        if row.error is not None:
            return classify_error(self.provider, row.error, response)
        return None if row.result is UNSET else bytes(row.result)

    def _classify_single(self, response: Response) -> ProviderError | None:
        try:
            row = _decode_single(response.body)
        except UNREADABLE:
            return classify_text(self.provider, response)
        if row.error is not None:
            return classify_unless_vague(self.provider, row.error, response)
        if row.result is UNSET and response.status < 300:
            return BadPayload(self.provider, "response has neither result nor error")
        return None

    def _classify_batch(self, response: Response) -> ProviderError | None:
        try:
            rows = _decode_batch(response.body)
        except UNREADABLE:
            return self._classify_single_for_batch(response)
        errors = [row.error for row in rows if row.error is not None]
        if not errors or len(errors) < len(rows):
            return None
        error = classify_error(self.provider, errors[0], response)
        return error if isinstance(error, WHOLE_BATCH_ERRORS) else None

    def _classify_single_for_batch(self, response: Response) -> ProviderError | None:
        """Return the meaning of one response to a whole batch: most servers refuse
        batches with it.
        """
        error = self._classify_single(response)
        if error is None:
            is_refused = (
                response.status < 300 or response.status in BATCH_REFUSED_STATUSES
            )
        else:
            is_refused = isinstance(error, BadRequest)
        if is_refused:
            return Unsupported(self.provider, "one response to a batch of calls")
        return error


def _call(call_id: int, method: str, params: list[Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": call_id, "method": method, "params": params}

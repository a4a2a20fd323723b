"""JSON-RPC 2.0 over HTTP: single calls and batches.

By the specification (section 6) the responses to a batch come in any order, and a
server that cannot read a batch sends a single response.
"""

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
        """Call the method and return the result as JSON, `null` included.

        Raises ProviderError; NotFound for a skipped slot.
        """
        response = await self._client.request(
            json=_call(1, method, params), classify=self._classify_single
        )
        result = _decode_single(response.body).result
        # Without a result, `_classify_single` returned an error.
        assert result is not UNSET
        return bytes(result)

    async def call_many(
        self, method: str, params: list[list[Any]]
    ) -> Mapping[int, bytes | ProviderError]:
        """Call the method once for each item of `params`, as one batch.

        Returns results or errors by index in `params`; a missing result is BadPayload.
        Raises Unsupported if the server refuses batches, ProviderError if the whole
        batch failed.
        """
        calls = [_call(index, method, each) for index, each in enumerate(params)]
        response = await self._client.request(
            json=calls,
            calls=len(params) if self._batch_counts_each else 1,
            classify=self._classify_batch,
        )
        missing = BadPayload(self.provider, "no response to one call of a batch")
        results: dict[int, bytes | ProviderError]
        results = dict.fromkeys(range(len(params)), missing)
        for row in _decode_batch(response.body):
            if not isinstance(row.id, int):
                continue
            if row.error is not None:
                results[row.id] = classify_error(self.provider, row.error, response)
            elif row.result is not UNSET:
                results[row.id] = bytes(row.result)
        return results

    def _classify_single(self, response: Response) -> ProviderError | None:
        """Return the error of a response to one call, None if it has a result or the
        HTTP status decides.
        """
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
        """Return the error of a whole batch: every call failed, the first with an error
        that concerns all. None if the calls have results or errors of their own.
        """
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
        """Return the meaning of one response to a whole batch, None if the HTTP status
        decides. Most servers refuse batches with it.
        """
        status = response.status
        error = self._classify_single(response)
        is_refused = isinstance(error, BadRequest)
        if error is None:
            is_refused = status < 300 or status in BATCH_REFUSED_STATUSES
        if is_refused:
            return Unsupported(self.provider, "one response to a batch of calls")
        return error


def _call(call_id: int, method: str, params: list[Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": call_id, "method": method, "params": params}

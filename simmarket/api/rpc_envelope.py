"""JSON-RPC request bodies and response envelopes."""

import json
from dataclasses import dataclass
from typing import Any

from simmarket.api.http_messages import Response, dumps, json_response
from simmarket.api.rpc_params import RpcError

_GARBLED = b'{"slot":"not a slot","blockTime":[],"meta":{"preBalances":"?"},"transaction":[1],"data":7}'


@dataclass(slots=True, frozen=True)
class RpcBody:
    """The calls of a request: those of a batch, or one. They are not validated."""

    calls: list[Any]
    is_batch: bool

    @classmethod
    def parse(cls, raw: bytes) -> "RpcBody":
        """Return the calls of a body. Raises ValueError if it is not JSON."""
        body = json.loads(raw)
        if isinstance(body, list):
            return cls(body, is_batch=True)
        return cls([body], is_batch=False)

    @property
    def method_names(self) -> list[str]:
        """The method of each call, `?` for a call that is not an object or for an empty
        batch.
        """
        if not self.calls:
            return ["?"]
        return [
            str(call.get("method")) if isinstance(call, dict) else "?"
            for call in self.calls
        ]

    def garbled(self) -> bytes:
        """Return a body whose results have another shape."""
        envelopes = [
            envelope(call.get("id"), _GARBLED)
            for call in self.calls
            if isinstance(call, dict)
        ]
        if self.is_batch:
            return batch(envelopes)
        return b"".join(envelopes)


def envelope(request_id: Any, result: bytes) -> bytes:
    """Return the envelope of a result."""
    return b'{"jsonrpc":"2.0","result":' + result + b',"id":' + dumps(request_id) + b"}"


def batch(envelopes: list[bytes]) -> bytes:
    """Return the body of a batch."""
    return b"[" + b",".join(envelopes) + b"]"


def error_envelope(request_id: Any, error: RpcError) -> dict[str, Any]:
    """Return the envelope of an error."""
    return {"jsonrpc": "2.0", "error": error.as_object(), "id": request_id}


def error_response(error: RpcError) -> Response:
    """Return the response to a whole request that fails."""
    return json_response(error_envelope(None, error), error.status)

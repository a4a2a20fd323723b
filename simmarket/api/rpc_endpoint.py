"""The HTTP side of JSON-RPC: envelopes, batches, limits, faults, keys."""

import json
from typing import Any

from simmarket.api.faults import ITEM_KINDS, RESPONSE_KINDS, Fault, apply_fault
from simmarket.api.helius import METHOD, Helius
from simmarket.api.http_messages import Request, Response, dumps, json_response, text_response
from simmarket.api.limits import Rule
from simmarket.api.market import Market
from simmarket.api.rpc_params import RpcError
from simmarket.api.solana_rpc import SolanaRpc

_MAX_BATCH = 100
_GARBLED = b'{"slot":"not a slot","blockTime":[],"meta":{"preBalances":"?"},"transaction":[1],"data":7}'
_CALL_KEYS = frozenset(("jsonrpc", "id", "method", "params"))
_CURSOR_KEYS = frozenset(("before", "paginationToken"))


class RpcEndpoint:
    """Handles POST requests for `rpc` or `helius`."""

    def __init__(self, market: Market, provider: str) -> None:
        self._market = market
        self._provider = provider
        self._is_helius = provider == "helius"
        self._node = Helius(market) if self._is_helius else SolanaRpc(market)

    def handle(self, request: Request) -> Response:
        """Return the response to one request."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        try:
            body = json.loads(request.body)
        except ValueError:
            return _error_response(RpcError(-32700, "Parse error"))
        stats, provider = self._market.stats, self._provider
        names = _method_names(body)
        rule = self._market.limits.exceeded_rule(provider, names)
        if rule is not None:
            stats.limited[provider] += 1
            return self._limit_response(rule)
        fault = self._market.faults.take(provider, names, RESPONSE_KINDS)
        if fault is None:
            return self._respond(body)
        stats.failed[provider] += 1
        return self._failed(fault, body)

    def _refusal(self, request: Request) -> Response | None:
        """Return the response to a request that is refused whatever its body is, else None."""
        stats, provider = self._market.stats, self._provider
        if request.method != "POST":
            return text_response("Used HTTP Method is not allowed. POST or OPTIONS is required", 405)
        if request.path not in {"", "/"}:
            stats.add_unhandled(provider, f"path {request.path}")
            return json_response({"error": "Not Found"}, 404)
        known_keys = {"api-key"} if self._is_helius else set()
        unknown_keys = set(request.query) - known_keys
        if unknown_keys:
            stats.add_unhandled(provider, f"query {', '.join(sorted(unknown_keys))}")
        if self._is_helius and not self._is_authorized(request.query.get("api-key", "")):
            return _error_response(RpcError(-32401, "Unauthorized: invalid api key", status=401))
        return None

    def _is_authorized(self, key: str) -> bool:
        return self._market.options.helius != "off" and key != "" and not key.startswith("bad")

    def _failed(self, fault: Fault, body: Any) -> Response:
        """Return the response that a fault leaves."""
        if fault.is_rate_limit:
            return self._too_many("too many requests from this IP", fault.retry_after_seconds)
        if fault.kind == "garbled":
            return Response(body=_garbled_body(body))
        return apply_fault(fault, self._respond(body))

    def _respond(self, body: Any) -> Response:
        if isinstance(body, list):
            return self._respond_to_batch(body)
        status, result = self._call(body)
        return Response(status, result, "application/json")

    def _respond_to_batch(self, calls: list[Any]) -> Response:
        """Return the response to a batch; every item in it counts as status 200."""
        if not calls:
            return _batch_error("Invalid request")
        if not self._market.options.batches:
            error = RpcError(-32403, "Batch requests are only available for paid plans", status=403)
            return _error_response(error)
        if len(calls) > _MAX_BATCH:
            return _batch_error(f"Batch of more than {_MAX_BATCH} requests")
        results = [self._call(call, is_batched=True)[1] for call in calls]
        # a node answers the calls of a batch in the order in which they finish
        turn = len(results) // 3 + 1
        shuffled = (results[turn:] + results[:turn])[::-1]
        return Response(200, b"[" + b",".join(shuffled) + b"]", "application/json")

    def _call(self, call: Any, *, is_batched: bool = False) -> tuple[int, bytes]:
        """Return the HTTP status and the envelope of one call."""
        if not isinstance(call, dict) or not isinstance(call.get("method"), str):
            return 200, dumps(_error_envelope(None, RpcError(-32600, "Invalid request")))
        method, params, request_id = call["method"], call.get("params"), call.get("id")
        stats, provider = self._market.stats, self._provider
        stats.count_served(provider, method)
        fault = self._market.faults.take(provider, [method], ITEM_KINDS)
        if fault is not None:
            stats.failed[provider] += 1
            params = _faulty_params(fault, params)
        try:
            self._check_call(call, is_batched=is_batched)
            result = self._node.call(method, params)
        except RpcError as error:
            if error.is_unhandled:
                stats.add_unhandled(provider, f"{method} {json.dumps(params)}: {error.message}")
            return error.status, dumps(_error_envelope(request_id, error))
        if self._is_helius and method != METHOD:
            stats.credits["helius"] += 1
        if fault is not None:
            result = _faulty_result(fault, method, result)
        return 200, _envelope(request_id, result)

    def _check_call(self, call: dict[str, Any], *, is_batched: bool) -> None:
        """Raise RpcError for unknown members and for calls that the Helius plan does not include."""
        unknown_keys = set(call) - _CALL_KEYS
        if unknown_keys:
            raise RpcError(-32600, f"Invalid request: {', '.join(sorted(unknown_keys))}", is_unhandled=True)
        if call["method"] != METHOD or not self._is_helius:
            return
        if self._market.options.helius == "no-gtfa":
            raise RpcError(-32403, f"{METHOD} is only available for paid plans", status=403)
        if is_batched:
            raise RpcError(-32600, f"{METHOD} is not available in batches")

    def _limit_response(self, rule: Rule) -> Response:
        retry_after_seconds = 1
        if self._market.limits.are_documented:
            retry_after_seconds = max(1, int(rule.seconds))
        text = "too many requests from this IP"
        if rule.key.startswith("rpc/"):
            text = "too many requests for a specific RPC call"
        return self._too_many(text, retry_after_seconds)

    def _too_many(self, text: str, retry_after_seconds: float | None) -> Response:
        if self._is_helius:
            response = _error_response(RpcError(-32429, "rate limited", status=429))
        else:
            response = text_response(text, 429)
        if retry_after_seconds is not None:
            response.headers.append(("Retry-After", f"{retry_after_seconds:g}"))
        return response


def _method_names(body: Any) -> list[str]:
    calls = body if isinstance(body, list) else [body]
    names = [str(call.get("method")) if isinstance(call, dict) else "?" for call in calls]
    return names or ["?"]


def _envelope(request_id: Any, result: bytes) -> bytes:
    return b'{"jsonrpc":"2.0","result":' + result + b',"id":' + dumps(request_id) + b"}"


def _error_envelope(request_id: Any, error: RpcError) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "error": error.as_object(), "id": request_id}


def _error_response(error: RpcError) -> Response:
    return json_response(_error_envelope(None, error), error.status)


def _batch_error(message: str) -> Response:
    body = dumps(_error_envelope(None, RpcError(-32600, message)))
    return Response(200, body, "application/json")


def _garbled_body(body: Any) -> bytes:
    """Return results of another shape for the calls of a body."""
    calls = body if isinstance(body, list) else [body]
    envelopes = [_envelope(call.get("id"), _GARBLED) for call in calls if isinstance(call, dict)]
    if isinstance(body, list):
        return b"[" + b",".join(envelopes) + b"]"
    return b"".join(envelopes)


def _faulty_params(fault: Fault, params: Any) -> Any:
    """For a repeated page, return the parameters without their paging cursor: the first page again."""
    if fault.kind != "repeat_page":
        return params
    if isinstance(params, list) and len(params) > 1 and isinstance(params[1], dict):
        options = {key: value for key, value in params[1].items() if key not in _CURSOR_KEYS}
        return [params[0], options]
    return params


def _faulty_result(fault: Fault, method: str, result: bytes) -> bytes:
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
    copy: dict[str, Any] = {}
    for key, entry in value.items():
        copy[key] = None if key == "blockTime" else _without_block_times(entry)
    return copy

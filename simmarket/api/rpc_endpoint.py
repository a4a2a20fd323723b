"""The HTTP side of JSON-RPC: keys, limits, faults, batches."""

import json
from typing import Any

from simmarket.api.faults import ITEM_KINDS, RESPONSE_KINDS, Fault, apply_fault
from simmarket.api.helius import METHOD, Helius
from simmarket.api.http_messages import (
    Request,
    Response,
    dumps,
    json_response,
    text_response,
)
from simmarket.api.limits import Rule
from simmarket.api.market import Market
from simmarket.api.rpc_envelope import (
    RpcBody,
    batch,
    envelope,
    error_envelope,
    error_response,
)
from simmarket.api.rpc_faults import (
    can_apply,
    faulty_params,
    faulty_result,
    raise_error,
)
from simmarket.api.rpc_params import RpcError
from simmarket.api.solana_rpc import SolanaRpc

_MAX_BATCH = 100
_CALL_KEYS = frozenset(("jsonrpc", "id", "method", "params"))
_JSON_TYPE = "application/json"  # nodes name no charset


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
            body = RpcBody.parse(request.body)
        except ValueError:
            return error_response(RpcError(-32700, "Parse error"))
        stats, provider = self._market.stats, self._provider
        rule = self._market.limits.exceeded_rule(provider, body.method_names)
        if rule is not None:
            stats.limited[provider] += 1
            return self._limit_response(rule)
        fault = self._market.faults.take(provider, body.method_names, RESPONSE_KINDS)
        if fault is None:
            return self._respond(body)
        stats.failed[provider] += 1
        return self._faulty_response(fault, body)

    def _refusal(self, request: Request) -> Response | None:
        """Return the response to a request that is refused whatever its body is, else
        None.
        """
        if request.method != "POST":
            return text_response(
                "Used HTTP Method is not allowed. POST or OPTIONS is required", 405
            )
        if request.path not in {"", "/"}:
            self._market.stats.add_unhandled(self._provider, f"path {request.path}")
            return json_response({"error": "Not Found"}, 404)
        self._count_unknown_query(request.query)
        if self._is_helius and not self._is_authorized(
            request.query.get("api-key", "")
        ):
            return error_response(
                RpcError(-32401, "Unauthorized: invalid api key", status=401)
            )
        return None

    def _count_unknown_query(self, query: dict[str, str]) -> None:
        known_keys = {"api-key"} if self._is_helius else set()
        unknown_keys = sorted(set(query) - known_keys)
        if unknown_keys:
            self._market.stats.add_unhandled(
                self._provider, f"query {', '.join(unknown_keys)}"
            )

    def _is_authorized(self, key: str) -> bool:
        if self._market.options.helius == "off":
            return False
        return key != "" and not key.startswith("bad")

    def _faulty_response(self, fault: Fault, body: RpcBody) -> Response:
        """Return the response as a fault leaves it."""
        if fault.is_rate_limit:
            return self._too_many(
                "too many requests from this IP", fault.retry_after_seconds
            )
        if fault.kind == "garbled":
            return Response(body=body.garbled())
        return apply_fault(fault, self._respond(body))

    def _respond(self, body: RpcBody) -> Response:
        if body.is_batch:
            return self._respond_to_batch(body.calls)
        status, result = self._call(body.calls[0])
        return Response(status, result, _JSON_TYPE)

    def _respond_to_batch(self, calls: list[Any]) -> Response:
        """Return the response to a batch; its status is 200 even if a call in it fails."""
        if not calls:
            return _batch_error("Invalid request")
        if not self._market.options.batches:
            error = RpcError(
                -32403, "Batch requests are only available for paid plans", status=403
            )
            return error_response(error)
        if len(calls) > _MAX_BATCH:
            return _batch_error(f"Batch of more than {_MAX_BATCH} requests")
        envelopes = [self._call(call, is_batched=True)[1] for call in calls]
        # a node returns the results of a batch in the order in which the calls finish
        turn = len(envelopes) // 3 + 1
        shuffled = (envelopes[turn:] + envelopes[:turn])[::-1]
        return Response(200, batch(shuffled), _JSON_TYPE)

    def _call(self, call: Any, *, is_batched: bool = False) -> tuple[int, bytes]:
        """Return the HTTP status and the envelope of one call."""
        if not isinstance(call, dict) or not isinstance(call.get("method"), str):
            return 200, dumps(error_envelope(None, RpcError(-32600, "Invalid request")))
        method, params, request_id = call["method"], call.get("params"), call.get("id")
        stats, provider = self._market.stats, self._provider
        stats.count_served(provider, method)
        fault = self._market.faults.take(
            provider,
            [method],
            ITEM_KINDS,
            lambda fault: can_apply(fault, method, params),
        )
        if fault is not None:
            stats.failed[provider] += 1
            params = faulty_params(fault, params)
        try:
            self._check_call(call, is_batched=is_batched)
            raise_error(fault)
            result = self._node.call(method, params)
        except RpcError as error:
            if error.is_unhandled:
                stats.add_unhandled(
                    provider, f"{method} {json.dumps(params)}: {error.message}"
                )
            return error.status, dumps(error_envelope(request_id, error))
        if self._is_helius and method != METHOD:
            stats.credits["helius"] += 1
        if fault is not None:
            result = faulty_result(fault, method, result)
        return 200, envelope(request_id, result)

    def _check_call(self, call: dict[str, Any], *, is_batched: bool) -> None:
        """Raise RpcError for unknown members and for calls that the Helius plan does
        not include.
        """
        unknown_keys = sorted(set(call) - _CALL_KEYS)
        if unknown_keys:
            raise RpcError(
                -32600, f"Invalid request: {', '.join(unknown_keys)}", is_unhandled=True
            )
        if call["method"] != METHOD or not self._is_helius:
            return
        if self._market.options.helius == "no-gtfa":
            raise RpcError(
                -32403, f"{METHOD} is only available for paid plans", status=403
            )
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
        response = text_response(text, 429)
        if self._is_helius:
            response = error_response(RpcError(-32429, "rate limited", status=429))
        if retry_after_seconds is not None:
            response.headers.append(("Retry-After", f"{retry_after_seconds:g}"))
        return response


def _batch_error(message: str) -> Response:
    body = dumps(error_envelope(None, RpcError(-32600, message)))
    return Response(200, body, _JSON_TYPE)

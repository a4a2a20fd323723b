"""The HTTP side of JSON-RPC: envelopes, batches, limits, faults, keys."""

import json
from typing import Any

from simmarket.api.faults import ITEM, WHOLE, spoil
from simmarket.api.helius import METHOD, Helius
from simmarket.api.http_messages import Request, Response, dumps, json_response, text_response
from simmarket.api.limits import Rule
from simmarket.api.market import Market
from simmarket.api.rpc_params import RpcError
from simmarket.api.solana_rpc import SolanaRpc

_MAX_BATCH = 100
_GARBLED = b'{"slot":"not a slot","blockTime":[],"meta":{"preBalances":"?"},"transaction":[1],"data":7}'


class RpcDoor:
    """Answers POSTs for `rpc` or `helius`."""

    def __init__(self, market: Market, provider: str) -> None:
        self._market = market
        self._provider = provider
        self._node = Helius(market) if provider == "helius" else SolanaRpc(market)

    def answer(self, request: Request) -> Response:
        """One HTTP exchange."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        try:
            body = json.loads(request.body)
        except ValueError:
            return json_response(_envelope_error(None, RpcError(-32700, "Parse error")))
        calls = body if isinstance(body, list) else [body]
        names = [str(call.get("method")) if isinstance(call, dict) else "?" for call in calls] or ["?"]
        stats = self._market.stats
        rule = self._market.limits.refused(self._provider, names)
        if rule is not None:
            stats.limited[self._provider] += 1
            return self._too_many(rule)
        fault = self._market.faults.take(self._provider, names, WHOLE)
        if fault is not None:
            stats.failed[self._provider] += 1
            if fault.kind.startswith("429"):
                return self._too_many(None, retry_after=fault.seconds if fault.kind == "429" else None)
            if fault.kind == "garbled":
                return Response(body=self._garbled(body))
        status, shown = self._bodies(body, calls)
        response = Response(status, shown, "application/json")
        if isinstance(body, list) and self._batch_refused(body):
            error = RpcError(-32403, "Batch requests are only available for paid plans")
            response = json_response(_envelope_error(None, error), 403)
        return spoil(fault, response) if fault is not None else response

    def _batch_refused(self, body: list[Any]) -> bool:
        return bool(body) and not self._market.options.batches

    def _refusal(self, request: Request) -> Response | None:
        """What stops a request before its body is looked at."""
        if request.method != "POST":
            return text_response("Used HTTP Method is not allowed. POST or OPTIONS is required", 405)
        if request.path not in {"", "/"}:
            self._market.stats.not_understood(self._provider, f"path {request.path}")
            return json_response({"error": "Not Found"}, 404)
        known = {"api-key"} if self._provider == "helius" else set()
        if strange := set(request.query) - known:
            self._market.stats.not_understood(self._provider, f"query {', '.join(sorted(strange))}")
        if self._provider == "helius":
            key = request.query.get("api-key", "")
            if self._market.options.helius == "off" or not key or key.startswith("bad"):
                return json_response(_envelope_error(None, RpcError(-32401, "Unauthorized: invalid api key")), 401)
        return None

    def _bodies(self, body: Any, calls: list[Any]) -> tuple[int, bytes]:
        """HTTP status and body; inside a batch every item travels under 200."""
        if not isinstance(body, list):
            return self._one(body)
        if not body:
            return 200, dumps(_envelope_error(None, RpcError(-32600, "Invalid request")))
        if not self._market.options.batches:
            return 403, b""
        if len(body) > _MAX_BATCH:
            return 200, dumps(_envelope_error(None, RpcError(-32600, f"Batch of more than {_MAX_BATCH} requests")))
        answers = [self._one(call, batched=True)[1] for call in calls]
        # a node answers a batch in the order it happens to finish
        turn = len(answers) // 3 + 1
        return 200, b"[" + b",".join((answers[turn:] + answers[:turn])[::-1]) + b"]"

    def _one(self, call: Any, *, batched: bool = False) -> tuple[int, bytes]:
        if not isinstance(call, dict) or not isinstance(call.get("method"), str):
            return 200, dumps(_envelope_error(None, RpcError(-32600, "Invalid request")))
        method, params, number = call["method"], call.get("params"), call.get("id")
        stats = self._market.stats
        stats.serve(self._provider, method)
        fault = self._market.faults.take(self._provider, [method], ITEM)
        if fault is not None:
            stats.failed[self._provider] += 1
            if fault.kind == "repeat_page":
                params = _without_cursor(params)
        try:
            self._check_call(call, batched=batched)
            result = self._node.call(method, params)
        except RpcError as error:
            if error.not_understood:
                stats.not_understood(self._provider, f"{method} {json.dumps(params)}: {error.message}")
            return error.status, dumps(_envelope_error(number, error))
        if self._provider == "helius" and method != METHOD:
            stats.credits["helius"] += 1
        if fault is not None:
            result = _spoilt(fault.kind, method, result)
        return 200, b'{"jsonrpc":"2.0","result":' + result + b',"id":' + dumps(number) + b"}"

    def _check_call(self, call: dict[str, Any], *, batched: bool) -> None:
        if strange := set(call) - {"jsonrpc", "id", "method", "params"}:
            raise RpcError(-32600, f"Invalid request: {', '.join(sorted(strange))}", not_understood=True)
        if call["method"] != METHOD or self._provider != "helius":
            return
        if self._market.options.helius == "no-gtfa":
            raise RpcError(-32403, f"{METHOD} is only available for paid plans", status=403)
        if batched:
            raise RpcError(-32600, f"{METHOD} is not available in batches")

    def _too_many(self, rule: Rule | None, *, retry_after: float | None = 1) -> Response:
        headers = []
        if rule is not None and self._market.limits.documented:
            retry_after = max(1, int(rule.seconds))
        if retry_after is not None:
            headers.append(("Retry-After", f"{retry_after:g}"))
        if self._provider == "helius":
            response = json_response(_envelope_error(None, RpcError(-32429, "rate limited")), 429)
        elif rule is not None and rule.key.startswith("rpc/"):
            response = text_response("too many requests for a specific RPC call", 429)
        else:
            response = text_response("too many requests from this IP", 429)
        response.headers = headers
        return response

    @staticmethod
    def _garbled(body: Any) -> bytes:
        calls = body if isinstance(body, list) else [body]
        answers = [
            b'{"jsonrpc":"2.0","result":' + _GARBLED + b',"id":' + dumps(call.get("id")) + b"}"
            for call in calls
            if isinstance(call, dict)
        ]
        return b"[" + b",".join(answers) + b"]" if isinstance(body, list) else b"".join(answers)


def _envelope_error(number: Any, error: RpcError) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "error": error.as_object(), "id": number}


def _without_cursor(params: Any) -> Any:
    """The same call without its paging cursor: the first page again."""
    if isinstance(params, list) and len(params) > 1 and isinstance(params[1], dict):
        kept = {key: value for key, value in params[1].items() if key not in {"before", "paginationToken"}}
        return [params[0], kept]
    return params


def _spoilt(kind: str, method: str, result: bytes) -> bytes:
    if kind == "null_result":
        return b"null"
    if kind != "null_block_time":
        return result
    return b"null" if method == "getBlockTime" else dumps(_without_times(json.loads(result)))


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: None if key == "blockTime" else _without_times(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_without_times(entry) for entry in value]
    return value

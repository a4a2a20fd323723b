"""JSON-RPC 2.0 over the door: single questions and batches, and what the error codes of Agave and gateways mean.

Source of the codes: Agave's `RpcCustomError`, Helius' documents of 2026. Application errors come with HTTP 200 on a
validator; gateways use 4xx/5xx, plain text or HTML, sometimes under 200.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from discovery.providers.errors import (
    BadPayload,
    BadRequest,
    KeyRefused,
    NotFound,
    ProviderError,
    QuotaUsedUp,
    RateLimited,
    ServerFailed,
    Unsupported,
)
from discovery.providers.http import Answer, Door, retry_after_seconds

SKIPPED_SLOT: Final = frozenset({-32004, -32007, -32009})
_RETRY_ELSEWHERE: Final = frozenset({-32001, -32008, -32011, -32014, -32016, -32019, -32603})
_QUOTA_WORDS: Final = "max usage"
_LIMIT_WORDS: Final = ("too many", "rate limit", "rate-limit", "ratelimit")


class _Error(Struct):
    code: int = 0
    message: str = ""


class _Response(Struct):
    id: int | str | None = None
    result: Raw | UnsetType = UNSET
    error: _Error | None = None


_single = msgspec.json.Decoder(_Response)
_many = msgspec.json.Decoder(list[_Response])


class JsonRpc:
    """One endpoint. `batch_counts_each`: whether each item of a batch counts against the pace and the budget."""

    def __init__(self, door: Door, *, batch_counts_each: bool = True) -> None:
        self._door = door
        self.provider = door.provider
        self._batch_counts_each = batch_counts_each

    async def ask(self, method: str, params: list[Any]) -> bytes:
        """The result's JSON. Raises ProviderError; NotFound for a slot that was skipped."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = await self._door.ask(json=body, classify=self._classify_single)
        response = _single.decode(answer.body)
        if response.result is UNSET:
            raise BadPayload(self.provider, "answer has neither result nor error")
        return bytes(response.result)

    async def ask_many(self, method: str, params: list[list[Any]]) -> Mapping[int, bytes | ProviderError]:
        """Results or errors by place in `params`; the answers come in any order, a missing one is BadPayload.

        Raises Unsupported where the server refuses batches, ProviderError where the whole batch failed.
        """
        body = [{"jsonrpc": "2.0", "id": place, "method": method, "params": each} for place, each in enumerate(params)]
        calls = len(params) if self._batch_counts_each else 1
        answer = await self._door.ask(json=body, calls=calls, classify=self._classify_batch)
        found: dict[int, bytes | ProviderError] = {}
        for response in _many.decode(answer.body):
            if not isinstance(response.id, int):
                continue
            if response.error is not None:
                found[response.id] = self.meaning(response.error.code, response.error.message, answer)
            elif response.result is not UNSET:
                found[response.id] = bytes(response.result)
        for place in range(len(params)):
            found.setdefault(place, BadPayload(self.provider, "no answer to one question of a batch"))
        return found

    def meaning(self, code: int, message: str, answer: Answer) -> ProviderError:
        """What an error object says."""
        words = message.lower()
        if _QUOTA_WORDS in words:
            return QuotaUsedUp(self.provider, "the plan's quota is used up")
        if code in {-32429, 429} or any(word in words for word in _LIMIT_WORDS):
            return RateLimited(self.provider, "too many requests", retry_after_seconds(answer))
        if code == -32401:
            return KeyRefused(self.provider, "the key was refused")
        if code in {-32403, -32601}:
            return Unsupported(self.provider, "this plan or server does not offer the method")
        if code in SKIPPED_SLOT:
            return NotFound(self.provider, "no block at that slot")
        if code == -32005 or code in _RETRY_ELSEWHERE:
            return ServerFailed(self.provider, f"node cannot answer now (code {code})")
        return BadRequest(self.provider, f"question refused (code {code})")

    def _classify_single(self, answer: Answer) -> ProviderError | None:
        try:
            response = _single.decode(answer.body)
        except msgspec.DecodeError:
            return self._not_json(answer)
        if response.error is not None:
            return self.meaning(response.error.code, response.error.message, answer)
        return None

    def _classify_batch(self, answer: Answer) -> ProviderError | None:
        try:
            rows = _many.decode(answer.body)
        except msgspec.DecodeError:
            return self._classify_single(answer) or Unsupported(self.provider, "one answer to a batch of questions")
        if answer.status < 300 and rows and all(row.error is not None for row in rows):
            first = rows[0].error
            assert first is not None
            meaning = self.meaning(first.code, first.message, answer)
            return meaning if isinstance(meaning, RateLimited | Unsupported | QuotaUsedUp | KeyRefused) else None
        return None

    def _not_json(self, answer: Answer) -> ProviderError | None:
        words = answer.body[:2000].decode(errors="replace").lower()
        if _QUOTA_WORDS in words:
            return QuotaUsedUp(self.provider, "the plan's quota is used up")
        if answer.status == 429 or any(word in words for word in _LIMIT_WORDS):
            return RateLimited(self.provider, "too many requests", retry_after_seconds(answer))
        if answer.status < 300:
            return BadPayload(self.provider, "answer is not JSON")
        return None

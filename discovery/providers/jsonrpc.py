"""JSON-RPC 2.0 over the door: single questions and batches, and what the error codes of Agave and gateways mean.

Source of the codes: Agave's `RpcCustomError`, Helius' documents of 2026. Application errors come with HTTP 200 on a
validator; gateways use 4xx/5xx, plain text or HTML, sometimes under 200.
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
    NotFound,
    ProviderError,
    QuotaUsedUp,
    RateLimited,
    ServerFailed,
    Unsupported,
)
from discovery.providers.http import Answer, ProviderClient, retry_after_seconds

SKIPPED_SLOT: Final = frozenset({-32004, -32007, -32009})
_RETRY_ELSEWHERE: Final = frozenset({-32001, -32008, -32011, -32014, -32016, -32019, -32603})
_QUOTA_WORDS: Final = "max usage"
_LIMIT_WORDS: Final = ("too many", "rate limit", "rate-limit", "ratelimit")
# The question as such is wrong: "Too many inputs provided" is no rate limit.
_OUR_FAULT: Final = frozenset({-32600, -32601, -32602, -32700})
# How servers and gateways without batches refuse one, where they give no code that says so.
_BATCH_REFUSED: Final = frozenset({400, 403, 405, 413, 501})


class _Error(Struct):
    code: int = 0
    message: str = ""


class _Response(Struct):
    id: int | str | None = None
    result: Raw | UnsetType = UNSET
    error: _Error | None = None


class _Plain(Struct):
    error: object = None
    message: object = None


_plain = msgspec.json.Decoder(_Plain)
_single = msgspec.json.Decoder(_Response)
_many = msgspec.json.Decoder(list[_Response])


class JsonRpc:
    """One endpoint. `batch_counts_each`: whether each item of a batch counts against the pace and the budget."""

    def __init__(self, door: ProviderClient, *, batch_counts_each: bool = True) -> None:
        self._door = door
        self.provider = door.provider
        self._batch_counts_each = batch_counts_each

    async def ask(self, method: str, params: list[Any]) -> bytes:
        """The result's JSON. Raises ProviderError; NotFound for a slot that was skipped."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = await self._door.ask(json=body, classify=self._classify_single)
        result = _single.decode(answer.body).result
        assert result is not UNSET  # an answer without one was an error to `_classify_single`
        return bytes(result)

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
        limit_words = code not in _OUR_FAULT and any(word in words for word in _LIMIT_WORDS)
        if code in {-32429, 429} or answer.status == 429 or limit_words:
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
        except UNREADABLE:
            return self._not_json(answer)
        if response.error is not None:
            error = self.meaning(response.error.code, response.error.message, answer)
            # A code that says nothing, in a gateway's own refusal or failure: there the status says more.
            vague = isinstance(error, BadRequest) and (answer.status in {401, 403} or answer.status >= 500)
            return None if vague else error
        if response.result is UNSET and answer.status < 300:
            return BadPayload(self.provider, "answer has neither result nor error")
        return None

    def _classify_batch(self, answer: Answer) -> ProviderError | None:
        try:
            rows = _many.decode(answer.body)
        except UNREADABLE:
            error = self._classify_single(answer)
            refused = answer.status < 300 or answer.status in _BATCH_REFUSED if error is None else False
            if refused or isinstance(error, BadRequest):
                return Unsupported(self.provider, "one answer to a batch of questions")
            return error
        errors = [row.error for row in rows if row.error is not None]
        if errors and len(errors) == len(rows):
            meaning = self.meaning(errors[0].code, errors[0].message, answer)
            whole_batch = RateLimited | ServerFailed | Unsupported | QuotaUsedUp | KeyRefused
            return meaning if isinstance(meaning, whole_batch) else None
        return None

    def _not_json(self, answer: Answer) -> ProviderError | None:
        words = _plain_words(answer.body)
        if _QUOTA_WORDS in words:
            return QuotaUsedUp(self.provider, "the plan's quota is used up")
        if answer.status == 429 or any(word in words for word in _LIMIT_WORDS):
            return RateLimited(self.provider, "too many requests", retry_after_seconds(answer))
        if answer.status < 300:
            return BadPayload(self.provider, "answer is not JSON")
        return None


def _plain_words(body: bytes) -> str:
    """What a gateway says in plain text, HTML or an object of its own; nothing of a cut answer: memos are in there."""
    try:
        said = _plain.decode(body)
    except UNREADABLE:
        start = body[:2000].lstrip()
        return "" if start[:1] in {b"{", b"["} else start.decode(errors="replace").lower()
    return f"{said.error} {said.message}".lower()

"""Transactions from files: one result, a JSON-RPC envelope, an array of either, or one
of them per line (NDJSON).
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from discovery.decode.outcomes import Failed, Outcome, Reason
from discovery.decode.swaps import decode_json
from discovery.providers.errors import UNREADABLE

_MAX_DETAIL_LENGTH: Final = 300


class _Envelope(Struct):
    result: Raw | UnsetType = UNSET
    error: Raw | UnsetType = UNSET
    transaction: Raw | UnsetType = UNSET


class _Page(Struct):
    data: list[Raw]


_decode_array = msgspec.json.Decoder(list[Raw]).decode
_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_page = msgspec.json.Decoder(_Page).decode


def decode_bytes(content: bytes) -> Iterator[Outcome]:
    """Decode every transaction of `content`, in order. Content that is not JSON is one
    Failed without a signature.
    """
    content = content.strip()
    if not content:
        return
    if content.startswith(b"["):
        yield from _decode_rows(content)
    elif _is_json(content):
        yield from _decode_one(content)
    else:
        yield from _decode_lines(content)


def _decode_rows(content: bytes) -> Iterator[Outcome]:
    try:
        rows = _decode_array(content)
    except UNREADABLE:
        yield from _decode_lines(content)
        return
    for row in rows:
        yield from _decode_one(bytes(row))


def _decode_lines(content: bytes) -> Iterator[Outcome]:
    lines = [line.strip() for line in content.splitlines() if line.strip()]
    if not any(_is_object(line) for line in lines):
        # One truncated or garbled transaction over several lines is one failure.
        yield decode_json(content)
        return
    for line in lines:
        yield from _decode_one(line)


def _is_json(content: bytes) -> bool:
    try:
        _decode_envelope(content)
    except msgspec.ValidationError:
        return True
    except UNREADABLE:
        return False
    return True


def _is_object(line: bytes) -> bool:
    try:
        _decode_envelope(line)
    except UNREADABLE:
        return False
    return True


def _decode_one(raw: bytes) -> Iterator[Outcome]:
    """Decode one result or envelope. The result of an envelope may be a page of
    transactions.
    """
    try:
        envelope = _decode_envelope(raw)
    except UNREADABLE:
        yield decode_json(raw)
        return
    is_envelope = envelope.result is not UNSET or envelope.error is not UNSET
    if envelope.transaction is not UNSET or not is_envelope:
        yield decode_json(raw)
    elif envelope.result is UNSET or bytes(envelope.result) == b"null":
        yield Failed("", Reason.UNREADABLE, _error_detail(envelope))
    else:
        yield from _decode_result(bytes(envelope.result))


def _error_detail(envelope: _Envelope) -> str:
    if envelope.error is UNSET:
        return "no such transaction"
    return bytes(envelope.error).decode(errors="replace")[:_MAX_DETAIL_LENGTH]


def _decode_result(result: bytes) -> Iterator[Outcome]:
    try:
        rows = _decode_page(result).data
    except UNREADABLE:
        yield decode_json(result)
        return
    for row in rows:
        yield decode_json(bytes(row))

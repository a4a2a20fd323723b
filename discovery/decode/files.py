"""Transactions from files: one result, a JSON-RPC envelope, an array of either, or one
of them per line (NDJSON).
"""

from collections.abc import Callable, Iterator
from typing import Final, TypeVar

import msgspec
from msgspec import Raw, Struct

from discovery.decode.outcomes import Failed, Outcome
from discovery.decode.swaps import decode_json
from discovery.domain.reasons import Reason
from discovery.providers.errors import UNREADABLE

_MAX_DETAIL_LENGTH: Final = 300

_ABSENT: Final = Raw()
_Shape = TypeVar("_Shape")


class _Envelope(Struct):
    """The parts that tell a transaction from a JSON-RPC response, as JSON. A part that
    is absent is empty.
    """

    result: Raw = _ABSENT
    error: Raw = _ABSENT
    transaction: Raw = _ABSENT

    @property
    def is_response(self) -> bool:
        """True for a JSON-RPC response, which has a result or an error or both. False
        for a transaction and anything else.
        """
        if self.transaction:
            return False
        return bool(self.result or self.error)


class _Page(Struct):
    data: list[Raw]


_decode_array = msgspec.json.Decoder(list[Raw]).decode
_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_page = msgspec.json.Decoder(_Page).decode


def decode_bytes(content: bytes) -> Iterator[Outcome]:
    """Decode every transaction of `content`, in order. Raises nothing.

    Content that is not JSON is one Failed without a signature. Empty content has no
    transaction.
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
    """Decode an array. What only begins like one is decoded by lines."""
    rows = _read(_decode_array, content)
    if rows is None:
        yield from _decode_lines(content)
        return
    for row in rows:
        yield from _decode_one(bytes(row))


def _decode_lines(content: bytes) -> Iterator[Outcome]:
    """Decode each line by itself, so that one cut line does not hide the others."""
    lines = list(filter(None, map(bytes.strip, content.splitlines())))
    envelopes = (_read(_decode_envelope, line) for line in lines)
    if not any(envelopes):
        # One truncated or garbled transaction over several lines is one failure.
        yield decode_json(content)
        return
    for line in lines:
        yield from _decode_one(line)


def _is_json(content: bytes) -> bool:
    """Return True if `content` is one JSON value of whatever shape. A value that is no
    object is recognised by its beginning.
    """
    try:
        _decode_envelope(content)
    except msgspec.ValidationError:
        return True
    except UNREADABLE:
        return False
    return True


def _decode_one(raw: bytes) -> Iterator[Outcome]:
    """Decode one result or one JSON-RPC response. Anything else is one Failed."""
    envelope = _read(_decode_envelope, raw)
    if envelope is not None and envelope.is_response:
        yield from _decode_response(envelope)
    else:
        yield decode_json(raw)


def _decode_response(response: _Envelope) -> Iterator[Outcome]:
    """Decode the result of a JSON-RPC response: one transaction, or a page of them as
    Helius `getTransactionsForAddress` returns it.
    """
    result = bytes(response.result)
    if result in {b"", b"null"}:
        yield Failed("", Reason.UNREADABLE, _error_detail(response))
        return
    page = _read(_decode_page, result)
    rows = [result] if page is None else map(bytes, page.data)
    yield from map(decode_json, rows)


def _error_detail(response: _Envelope) -> str:
    """Return the error of a response without a result as JSON text of at most 300
    characters. A result of null without an error is a transaction that the node lacks.
    """
    if not response.error:
        return "no such transaction"
    return bytes(response.error).decode(errors="replace")[:_MAX_DETAIL_LENGTH]


def _read(decode: Callable[[bytes], _Shape], content: bytes) -> _Shape | None:
    """Return the decoded content, None if it is not JSON of that shape."""
    try:
        return decode(content)
    except UNREADABLE:
        return None

"""Records out of files: one result, a JSON-RPC envelope, an array of either, or one of them a line (NDJSON)."""

from collections.abc import Iterator

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from discovery.decode.outcomes import Failed, Outcome, Reason
from discovery.decode.swaps import decode_json
from discovery.providers.errors import UNREADABLE

_array = msgspec.json.Decoder(list[Raw])


class _Envelope(Struct):
    result: Raw | UnsetType = UNSET
    error: Raw | UnsetType = UNSET
    transaction: Raw | UnsetType = UNSET


class _Page(Struct):
    data: list[Raw]


_envelope = msgspec.json.Decoder(_Envelope)
_page = msgspec.json.Decoder(_Page)


def decode_bytes(content: bytes) -> Iterator[Outcome]:
    """Every record of `content`, in its order. What is no JSON at all is one Failed with an empty signature."""
    content = content.strip()
    if not content:
        return
    if content.startswith(b"["):
        try:
            rows = _array.decode(content)
        except UNREADABLE:
            yield from _lines(content)
        else:
            for row in rows:
                yield from _record(bytes(row))
        return
    try:
        _envelope.decode(content)
    except msgspec.ValidationError:
        yield from _record(content)
    except UNREADABLE:
        yield from _lines(content)
    else:
        yield from _record(content)


def _lines(content: bytes) -> Iterator[Outcome]:
    lines = [line.strip() for line in content.splitlines() if line.strip()]
    if not any(_is_json(line) for line in lines):
        yield decode_json(content)  # one record over several lines that is cut or garbled: one answer, not many
        return
    for line in lines:
        yield from _record(line)


def _is_json(line: bytes) -> bool:
    try:
        _envelope.decode(line)
    except UNREADABLE:
        return False
    return True


def _record(raw: bytes) -> Iterator[Outcome]:
    try:
        envelope = _envelope.decode(raw)
    except UNREADABLE:
        yield decode_json(raw)
        return
    if envelope.transaction is not UNSET or (envelope.result is UNSET and envelope.error is UNSET):
        yield decode_json(raw)
    elif envelope.result is UNSET or bytes(envelope.result) == b"null":
        detail = "no such transaction" if envelope.error is UNSET else bytes(envelope.error).decode(errors="replace")
        yield Failed("", Reason.UNREADABLE, detail[:300])
    else:
        result = bytes(envelope.result)
        try:
            rows = _page.decode(result).data
        except UNREADABLE:
            yield decode_json(result)
        else:
            for row in rows:
                yield decode_json(bytes(row))

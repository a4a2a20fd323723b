"""Parsers of request bodies."""

import io
import json
from collections.abc import Mapping
from typing import IO, Any, Final

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, JSONParser

from discovery.api.problems import Problem
from discovery.domain.wallet_lists import MAX_BYTES

MAX_BODY_BYTES: Final = 65_536


def read_body(stream: IO[Any], max_bytes: int) -> bytes:
    """Return the body. Raises Problem 413 if it is larger than `max_bytes`."""
    body: bytes = stream.read(max_bytes + 1)
    if len(body) > max_bytes:
        raise Problem(413, "too_large", f"the body is larger than {max_bytes:,} bytes")
    return body


class BoundedJsonParser(JSONParser):
    """JSON of at most 64 KiB, whose text a database can store."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the value. Raises ParseError if it is not JSON, Problem 413 if it is
        too large.
        """
        body = read_body(stream, MAX_BODY_BYTES)
        try:
            value = super().parse(io.BytesIO(body), media_type, parser_context)
            text = json.dumps(value, ensure_ascii=False)
            text.encode()
        except (RecursionError, UnicodeEncodeError):
            raise ParseError(
                "JSON that is nested too deeply or holds half a character"
            ) from None
        if "\\u0000" in text:
            raise ParseError("JSON with a NUL character")
        return value


class WalletListParser(BaseParser):
    """A list of wallets of at most MAX_BYTES: its text is for `wallet_lists`."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the body, as bytes. Raises Problem 413 if it is too large."""
        return read_body(stream, MAX_BYTES)


class JsonListParser(WalletListParser):
    """A list of wallets in JSON."""

    media_type = "application/json"


class NdjsonListParser(WalletListParser):
    """A list of wallets with an object a line."""

    media_type = "application/x-ndjson"


class CsvListParser(WalletListParser):
    """A list of wallets in CSV."""

    media_type = "text/csv"


class PlainListParser(WalletListParser):
    """A list of wallets with an address a line."""

    media_type = "text/plain"


TEXT_LIST_PARSERS: Final = (NdjsonListParser, CsvListParser, PlainListParser)
LIST_PARSERS: Final = (JsonListParser, *TEXT_LIST_PARSERS)
"""The forms in which a list of wallets is sent."""

"""Parsers of request bodies."""

import io
import json
from collections.abc import Mapping
from typing import IO, Any, Final

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from discovery.api.problems import Problem

MAX_BODY_BYTES: Final = 65_536


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
        body = stream.read(MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            raise Problem(
                413, "too_large", f"the body is larger than {MAX_BODY_BYTES:,} bytes"
            )
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

"""How requests are read and in which form answers go out: JSON within bounds, and lists as CSV and NDJSON."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, Any, Final

import msgspec
from django.http import StreamingHttpResponse
from rest_framework import exceptions, negotiation, parsers, renderers
from rest_framework.request import Request

from discovery.api.problems import Problem
from discovery.api.schema import plain

MAX_BODY_BYTES: Final = 65_536
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


class BoundedJsonParser(parsers.JSONParser):
    """JSON of at most 64 KiB, of text that a database can keep."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The value. Raises ParseError where it is not JSON, Problem 413 where it is too large."""
        body = stream.read(MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            raise Problem(413, "too_large", f"the body is larger than {MAX_BODY_BYTES:,} bytes")
        try:
            value = super().parse(io.BytesIO(body), media_type, parser_context)
            text = json.dumps(value, ensure_ascii=False)
            text.encode()
        except (RecursionError, UnicodeEncodeError):
            raise exceptions.ParseError("JSON that is nested too deeply or holds half a character") from None
        if "\\u0000" in text:
            raise exceptions.ParseError("JSON with a NUL character")
        return value


class CsvRenderer(renderers.BaseRenderer):
    """Names the form; the rows are streamed by `csv_answer`."""

    media_type = "text/csv"
    format = "csv"


class NdjsonRenderer(renderers.BaseRenderer):
    """Names the form; the rows are streamed by `ndjson_answer`."""

    media_type = "application/x-ndjson"
    format = "ndjson"


class FormatNegotiation(negotiation.DefaultContentNegotiation):
    """`format=` wins over `Accept`."""

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[renderers.BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[renderers.BaseRenderer, str]:
        """The form of the answer. Raises NotAcceptable; ValidationError where `format` names none."""
        forms = list(renderers)
        params = request.query_params.get("format")
        if params is None or len(forms) == 1:
            chosen: tuple[Any, str] = super().select_renderer(request, forms, format_suffix)
            return chosen
        for each in forms:
            if each.format == params:
                return each, str(each.media_type)
        names = ", ".join(str(each.format) for each in forms)
        raise exceptions.ValidationError({"format": f"{params[:40]!r} is none of {names}"})


EXPORTS: Final = (CsvRenderer.format, NdjsonRenderer.format)


def exported(form: str, rows: Iterator[Any], kind: type[msgspec.Struct], name: str) -> StreamingHttpResponse:
    """The whole list in one of EXPORTS, streamed."""
    return csv_answer(rows, kind, name) if form == CsvRenderer.format else ndjson_answer(rows, name)


def csv_answer(rows: Iterator[Any], kind: type[msgspec.Struct], name: str) -> StreamingHttpResponse:
    """The rows as CSV, one at a time, with a head. Nothing in it is taken for a formula by a spreadsheet."""
    columns = kind.__struct_fields__

    def lines() -> Iterator[str]:
        write, line = _csv_line()
        yield line(write(columns))
        for row in rows:
            values = plain(row)
            yield line(write([_cell(values[column]) for column in columns]))

    return _streamed(lines(), "text/csv; charset=utf-8", f"{name}.csv")


def ndjson_answer(rows: Iterator[Any], name: str) -> StreamingHttpResponse:
    """The rows as JSON, one object a line, one at a time."""
    lines = (json.dumps(plain(row), ensure_ascii=False) + "\n" for row in rows)
    return _streamed(lines, "application/x-ndjson", f"{name}.ndjson")


def _streamed(lines: Iterator[str], content_type: str, filename: str) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return StreamingHttpResponse(lines, content_type=content_type, headers=headers)


def _csv_line() -> tuple[Callable[[Sequence[Any]], Any], Callable[[Any], str]]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)

    def taken(_: Any) -> str:
        text = buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        return text

    return writer.writerow, taken


def _cell(value: Any) -> Any:
    """A list as words; text that begins like a formula gets an apostrophe, a whole number does not."""
    if isinstance(value, list):
        value = " ".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.startswith(FORMULA_STARTS) and not value.lstrip("-").isdecimal():
        return f"'{value}"
    return value

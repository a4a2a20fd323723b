"""Renderers that write a list row by row, so that an export of any size takes little
memory.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from django.http import StreamingHttpResponse
from rest_framework.renderers import BaseRenderer

FORMULA: Final = re.compile(r"[=+@\t\r]|-(?!-*\d+\Z)")
"""The beginning of a text that spreadsheets take for a formula. A negative whole number
is none.
"""

JsonRow = Mapping[str, Any]


class StreamingRenderer(BaseRenderer):
    """A renderer of rows. `columns` are the names of the values of each row, in order."""

    content_type: ClassVar[str]

    def lines(self, rows: Iterable[JsonRow], columns: Sequence[str]) -> Iterator[str]:
        """Yield the text of the rows, line by line."""
        raise NotImplementedError

    def stream(
        self, rows: Iterable[JsonRow], columns: Sequence[str], name: str
    ) -> StreamingHttpResponse:
        """Return a response that sends the rows as a file, as they come.

        name: of the file, without the extension.
        """
        filename = f"{name}.{self.format}"
        return StreamingHttpResponse(
            self.lines(rows, columns),
            content_type=self.content_type,
            headers={"Content-Disposition": f'attachment; filename="{filename}"'},
        )


class CsvRenderer(StreamingRenderer):
    """CSV with a head. No cell of it is a formula for a spreadsheet."""

    media_type = "text/csv"
    format = "csv"
    content_type = "text/csv; charset=utf-8"

    def lines(self, rows: Iterable[JsonRow], columns: Sequence[str]) -> Iterator[str]:
        """Yield the head, then one line for each row."""
        yield csv_line(columns)
        for row in rows:
            yield csv_line([csv_cell(row[column]) for column in columns])


class NdjsonRenderer(StreamingRenderer):
    """One JSON object a line."""

    media_type = "application/x-ndjson"
    content_type = "application/x-ndjson"
    format = "ndjson"

    def lines(self, rows: Iterable[JsonRow], columns: Sequence[str]) -> Iterator[str]:
        """Yield one line for each row."""
        for row in rows:
            yield json.dumps(row, ensure_ascii=False) + "\n"


def csv_line(cells: Sequence[Any]) -> str:
    """Return the cells as a line of CSV."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()


def csv_cell(value: Any) -> Any:
    """Return a value as a cell: `true` or `false`, the words of a list with blanks
    between them, and text that looks like a formula behind an apostrophe. Other values
    are returned unchanged.
    """
    match value:
        case bool():
            return str(value).lower()
        case list():
            return csv_cell(" ".join(value))
        case str() if FORMULA.match(value):
            return f"'{value}"
        case _:
            return value


EXPORT_RENDERERS: Final = (CsvRenderer, NdjsonRenderer)
"""The formats in which a list is available as a file."""

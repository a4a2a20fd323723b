"""Renderers that write a list row by row, so that an export of any size takes little
memory.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework.renderers import BaseRenderer

from discovery.domain.spreadsheets import escape_formula
from discovery.domain.wallet_formats import (
    PLAIN_FORMAT,
    TERMINALS,
    ExportedWallet,
    list_lines,
)

JsonRow = Mapping[str, Any]
LIST_SEPARATORS: Final[Mapping[str, str]] = {"tags": "; "}
"""Column → separator of its list, if an entry may contain blanks."""


class StreamingRenderer(BaseRenderer):
    """A renderer of rows. `columns` are the names of the values of each row, in order."""

    content_type: ClassVar[str]
    schema: ClassVar[Any] = str
    """The form of the body, for the description of the API."""

    def lines(self, rows: Iterable[JsonRow], columns: Sequence[str]) -> Iterator[str]:
        """Yield the text of the rows, line by line."""
        raise NotImplementedError

    def stream(
        self, rows: Iterable[JsonRow], columns: Sequence[str], name: str
    ) -> StreamingHttpResponse:
        """Return a response that sends the rows as a file, as they come.

        name: of the file, without the extension.
        """
        filename = self.filename(name)
        return StreamingHttpResponse(
            self.lines(rows, columns),
            content_type=self.content_type,
            headers={"Content-Disposition": f'attachment; filename="{filename}"'},
        )

    def filename(self, name: str) -> str:
        """Return the name of the file with its extension."""
        return f"{name}.{self.format}"


class CsvRenderer(StreamingRenderer):
    """CSV with a head. No cell of it is a formula for a spreadsheet."""

    media_type = "text/csv"
    format = "csv"
    content_type = "text/csv; charset=utf-8"

    def lines(self, rows: Iterable[JsonRow], columns: Sequence[str]) -> Iterator[str]:
        """Yield the head, then one line for each row."""
        yield csv_line(columns)
        for row in rows:
            yield csv_line(
                [
                    csv_cell(row[column], LIST_SEPARATORS.get(column, " "))
                    for column in columns
                ]
            )


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


def csv_cell(value: Any, separator: str = " ") -> Any:
    """Return a value as a cell: `true` or `false`, the words of a list with `separator`
    between them, and text that looks like a formula behind an apostrophe. Other values
    are returned unchanged.
    """
    match value:
        case bool():
            return str(value).lower()
        case list():
            return csv_cell(separator.join(value))
        case str():
            return escape_formula(value)
        case _:
            return value


EXPORT_RENDERERS: Final = (CsvRenderer, NdjsonRenderer)
"""The formats in which a list is available as a file."""


class WalletListRenderer(StreamingRenderer):
    """A list of wallets as a trading terminal imports it."""

    extension: ClassVar[str] = "json"
    # An array of objects. drf-spectacular would describe pages of it.
    schema: ClassVar[Any] = OpenApiTypes.ANY

    def lines(self, rows: Iterable[JsonRow], columns: Sequence[str]) -> Iterator[str]:
        """Yield the list, wallet by wallet."""
        wallets = (
            ExportedWallet(row["address"], row["label"], tuple(row["tags"]))
            for row in rows
        )
        return list_lines(wallets, self.format)

    def filename(self, name: str) -> str:
        """Return the name of the file, which names the terminal."""
        return f"{name}-{self.format}.{self.extension}"


class PlainListRenderer(WalletListRenderer):
    """One address a line, with its label behind a comma."""

    media_type = "text/plain"
    content_type = "text/plain; charset=utf-8"
    format = PLAIN_FORMAT
    extension = "txt"
    schema = str

    def filename(self, name: str) -> str:
        """Return the name of the file."""
        return f"{name}.{self.extension}"


def _terminal_renderer(terminal: str) -> type[WalletListRenderer]:
    values = {
        "__doc__": f"The JSON array that {terminal} imports.",
        "media_type": f"application/vnd.{terminal}+json",
        "content_type": f"application/vnd.{terminal}+json",
        "format": terminal,
    }
    return type(f"{terminal.capitalize()}Renderer", (WalletListRenderer,), values)


WALLET_LIST_RENDERERS: Final = (
    *map(_terminal_renderer, TERMINALS),
    PlainListRenderer,
)
"""The further formats of the watchlist."""

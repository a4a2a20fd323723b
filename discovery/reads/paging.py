"""One page of a list, and what several lists share."""

from datetime import datetime
from typing import Annotated, Any, Final, Generic, TypeVar

import msgspec
from django.db.models import Func, IntegerField, QuerySet, TextChoices
from msgspec import Meta

from discovery.domain.chain_text import clean_text

MAX_ROWS: Final = 100_000
"""A total counts no further and a page lies no deeper: what is beyond is for filters and exports."""
_MAX_TEXT_LENGTH: Final = 128
EXPORT_CHUNK: Final = 1000
"""Rows of an export that are in memory at a time."""

Row = TypeVar("Row")


def one_of(choices: type[TextChoices], description: str = "") -> Meta:
    """Marks a text as one of `choices`. Rows of the earlier system may hold another word; it is passed on."""
    return Meta(description=description or None, extra={"choices": choices})


class Page(msgspec.Struct, frozen=True):
    """Which rows are wanted: page `number`, 1 = the first, of `size` rows."""

    number: int = 1
    size: int = 20


class Slice(msgspec.Struct, Generic[Row], frozen=True):
    """The rows of a page. `total` counts to MAX_ROWS; `more`: whether rows follow."""

    rows: list[Row]
    total: int
    more: bool


class TimeRange(msgspec.Struct, frozen=True):
    """From `since` (included) to `before` (excluded); None = open. Times with zone."""

    since: datetime | None = None
    before: datetime | None = None

    def lookups(self, column: str) -> dict[str, datetime]:
        """The range as filter arguments for `column`."""
        found = {f"{column}__gte": self.since, f"{column}__lt": self.before}
        return {name: at for name, at in found.items() if at is not None}


def sliced(rows: "QuerySet[Any, Row]", page: Page) -> Slice[Row]:
    """The page of an ordered query. Two queries: the count, and the rows with one more to see whether rows follow."""
    total = rows.order_by().values("pk")[:MAX_ROWS].count()
    start = (page.number - 1) * page.size
    found = list(rows[start : start + page.size + 1])
    return Slice(found[: page.size], total, len(found) > page.size)


class ErrorDetail(msgspec.Struct, frozen=True):
    """Something that was lost, and where."""

    step: Annotated[str, Meta(description="The unit of work, such as `find_tokens` or a mint.")]
    code: Annotated[str, Meta(description="A word for the cause, such as `rate_limited`.")]
    message: str


def error_list(stored: Any) -> list[Any]:
    """The column `errors` as a list: rows of the earlier system hold null, one text or one object there."""
    if stored is None:
        return []
    return stored if isinstance(stored, list) else [stored]


def error_words(stored: Any) -> list[str]:
    """Each entry of the column `errors` in words."""
    return [
        str(entry.get("message") or entry.get("code") or entry) if isinstance(entry, dict) else str(entry)
        for entry in error_list(stored)
    ]


def error_details(stored: Any) -> list[ErrorDetail]:
    """The entries of the column `errors` that say where and why."""
    return [
        ErrorDetail(*(str(entry.get(name) or "") for name in ErrorDetail.__struct_fields__))
        for entry in error_list(stored)
        if isinstance(entry, dict)
    ]


class ErrorCount(Func):
    """How many entries the column `errors` has, counted by the database: the column itself stays there."""

    template = (
        "CASE COALESCE(jsonb_typeof(%(expressions)s), 'null') WHEN 'array' THEN jsonb_array_length(%(expressions)s) "
        "WHEN 'null' THEN 0 ELSE 1 END"
    )
    output_field = IntegerField()


def safe_text(text: str | None) -> str:
    """Text of the chain, fit to be shown."""
    return clean_text(text, _MAX_TEXT_LENGTH)

"""Pages of lists: which rows are requested, and which are returned."""

from datetime import datetime
from typing import Any, Final, Generic, TypeVar

import msgspec
from django.db.models import QuerySet

MAX_ROWS: Final = 100_000
"""Totals are counted up to this number and pages end there. Filters and exports reach
the rows beyond.
"""
EXPORT_CHUNK: Final = 1000
"""Rows of an export that are in memory at a time."""

Row = TypeVar("Row")


class Page(msgspec.Struct, frozen=True):
    """The requested page: `number`, 1 = the first, of `size` rows."""

    number: int = 1
    size: int = 20


class Slice(msgspec.Struct, Generic[Row], frozen=True):
    """The rows of a page. `total` counts up to MAX_ROWS; `more` is True if further rows
    follow.
    """

    rows: list[Row]
    total: int
    more: bool


class TimeRange(msgspec.Struct, frozen=True):
    """From `since` (included) to `before` (excluded); None = open. Times with zone."""

    since: datetime | None = None
    before: datetime | None = None

    def lookups(self, column: str) -> dict[str, datetime]:
        """Return the range as filter arguments for `column`."""
        lookups: dict[str, datetime] = {}
        if self.since is not None:
            lookups[f"{column}__gte"] = self.since
        if self.before is not None:
            lookups[f"{column}__lt"] = self.before
        return lookups


def count(rows: "QuerySet[Any, Any]") -> int:
    """Return the number of rows, counted to MAX_ROWS. One query."""
    return rows.order_by().values("pk")[:MAX_ROWS].count()


def sliced(rows: "QuerySet[Any, Row]", page: Page) -> Slice[Row]:
    """Return a page of an ordered query. Two queries: the count, and the rows."""
    total = count(rows)
    start = (page.number - 1) * page.size
    end = start + page.size
    # One row more than the page has: it tells that further rows follow.
    fetched = list(rows[start : end + 1])
    return Slice(
        rows=fetched[: page.size],
        total=total,
        more=len(fetched) > page.size,
    )

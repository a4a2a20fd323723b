"""The page of a list that is shown. A number past the end shows the last page."""

from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

import msgspec
from django.http import HttpRequest

from discovery.domain.display import parse_whole_number
from discovery.reads.paging import Page, Slice

Row = TypeVar("Row", bound=Any)
MAX_PAGE: Final = 4000


class ShownPage(msgspec.Struct, Generic[Row], frozen=True):
    """The number of the page that is shown, and its rows."""

    number: int
    rows: Slice[Row]


def page_number(request: HttpRequest, name: str = "page") -> int:
    """Return the requested page, or 1 if the parameter is no number."""
    number = parse_whole_number(request.GET.get(name, "")) or 1
    return min(number, MAX_PAGE)


def fetch_page(
    number: int, size: int, fetch: Callable[[Page], Slice[Row]]
) -> ShownPage[Row]:
    """Fetch a page; one past the end is replaced by the last page."""
    rows = fetch(Page(number, size))
    if rows.rows:
        return ShownPage(number, rows)
    if not rows.total:
        return ShownPage(1, rows)
    last = -(-rows.total // size)
    return ShownPage(last, fetch(Page(last, size)))

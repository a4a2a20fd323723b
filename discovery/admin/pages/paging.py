"""Which page of a list is shown: one past the end is the last."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from django.http import HttpRequest

from discovery.reads.paging import Page, Slice

Row = TypeVar("Row", bound=Any)
MAX_PAGE: Final = 4000


def page_number(request: HttpRequest, name: str = "page") -> int:
    """The page that is asked for; 1 where nothing sensible is."""
    text = request.GET.get(name, "1")
    return min(max(1, int(text)), MAX_PAGE) if text.isascii() and text.isdigit() and len(text) < 10 else 1


def paged(number: int, size: int, fetch: Callable[[Page], Slice[Row]]) -> tuple[int, Slice[Row]]:
    """The page that is shown and its rows; fetched anew where the one asked for lies past the end."""
    found = fetch(Page(number, size))
    if found.rows or not found.total:
        return number if found.rows else 1, found
    number = -(-found.total // size)
    return number, fetch(Page(number, size))

"""Pages of lists, by number and size."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from django import forms
from rest_framework.pagination import BasePagination
from rest_framework.response import Response

from discovery.reads.paging import MAX_ROWS, Page, Slice

DEFAULT_PAGE_SIZE: Final = 20
MAX_PAGE_SIZE: Final = 100

Row = TypeVar("Row")


class PageForm(forms.Form):
    """The query parameters of a page."""

    page = forms.IntegerField(
        min_value=1, max_value=MAX_ROWS, required=False, initial=1
    )
    page_size = forms.IntegerField(
        min_value=1, max_value=MAX_PAGE_SIZE, required=False, initial=DEFAULT_PAGE_SIZE
    )

    def clean(self) -> dict[str, Any]:
        """Return the values. Add an error for a page beyond the first MAX_ROWS rows."""
        if self.errors:
            return self.cleaned_data
        page = self.requested
        if (page.number - 1) * page.size >= MAX_ROWS:
            self.add_error(
                "page", f"beyond the first {MAX_ROWS:,} rows; narrow the filters"
            )
        return self.cleaned_data

    @property
    def requested(self) -> Page:
        """The page of a valid form; a number or size that is left out is the first page
        or DEFAULT_PAGE_SIZE.
        """
        number = self.cleaned_data["page"] or self.fields["page"].initial
        size = self.cleaned_data["page_size"] or self.fields["page_size"].initial
        return Page(number, size)


class RowPagination(BasePagination):
    """A page of rows under the name `results_field`, and where the page stands."""

    results_field = ""

    def __init__(self, params: Mapping[str, str] = {}) -> None:
        self.form = PageForm(params)
        self.slice: Slice[Any] = Slice([], 0, False)

    def paginate(self, fetch: Callable[[Page], Slice[Row]]) -> list[Row]:
        """Return the rows of the requested page. `fetch` reads them, and whether more
        follow.
        """
        self.slice = fetch(self.form.requested)
        return self.slice.rows

    def get_paginated_response(self, data: Any) -> Response:
        """Return the response with `data`, the rows for JSON."""
        page = self.form.requested
        return Response(
            {
                self.results_field: data,
                "total": self.slice.total,
                "page": page.number,
                "page_size": page.size,
                "has_more": self.slice.more,
            }
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the schema of a page; `schema` is that of the rows."""
        properties = {
            self.results_field: schema,
            "total": {
                "type": "integer",
                "description": f"Number of rows, counted to {MAX_ROWS:,}.",
            },
            "page": {"type": "integer", "description": "1 = the first."},
            "page_size": {"type": "integer"},
            "has_more": {"type": "boolean"},
        }
        return {
            "type": "object",
            "description": f"One page of {self.results_field}.",
            "properties": properties,
            "required": sorted(properties),
        }


class RunPagination(RowPagination):
    """Pages of runs."""

    results_field = "runs"


class WalletPagination(RowPagination):
    """Pages of wallets."""

    results_field = "wallets"


class TokenPagination(RowPagination):
    """Pages of tokens."""

    results_field = "tokens"


class ScorePagination(RowPagination):
    """Pages of score snapshots."""

    results_field = "scores"


class TradePagination(RowPagination):
    """Pages of trades."""

    results_field = "trades"


class PositionPagination(RowPagination):
    """Pages of positions."""

    results_field = "positions"


class EarlyBuyerPagination(RowPagination):
    """Pages of early buyers."""

    results_field = "early_buyers"


class MovedUnitsPagination(RowPagination):
    """Pages of transactions that moved units."""

    results_field = "transactions"

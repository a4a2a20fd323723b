"""Base classes of the API views."""

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

import msgspec
from django import forms
from django.http import StreamingHttpResponse
from django_filters import FilterSet
from rest_framework import exceptions, serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from discovery.api.auth import Caller
from discovery.api.filters import FormatForm, check_query
from discovery.api.pagination import RowPagination
from discovery.api.problems import Problem, invalid
from discovery.api.renderers import EXPORT_RENDERERS, StreamingRenderer
from discovery.api.throttles import CallerThrottle
from discovery.domain.addresses import is_address
from discovery.models.enums import ApiScope
from discovery.reads.additions import parse_addition_id
from discovery.reads.paging import Page, Slice

READ_METHODS: Final = frozenset({"GET", "HEAD"})


class ApiView(APIView):
    """A view that needs an API key or a session. It counts calls and validates query
    parameters.
    """

    scopes: ClassVar[dict[str, ApiScope]] = {}
    """The scope that a caller needs, by method; READ by default."""
    filterset_class: ClassVar[type[FilterSet] | None] = None
    filterset: Any
    """The filters of the request, once `initial` has passed."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check method, caller, limits, scope, body and query. Raises the problem of
        the first that fails.
        """
        # Everybody may know which methods a path has, with or without a key.
        if request.method == "OPTIONS" or request.method not in self.allowed_methods:
            raise exceptions.MethodNotAllowed(str(request.method))
        super().initial(request, *args, **kwargs)
        _refuse_chunked_body(request)
        params = request.query_params.dict()
        is_reading = request.method in READ_METHODS
        check_query(params, self.query_forms(params) if is_reading else [])

    def query_forms(self, params: Mapping[str, str]) -> list[forms.Form]:
        """Return the forms that validate the query parameters of a GET."""
        if self.filterset_class is None:
            return []
        self.filterset = self.filterset_class(params)
        return [self.filterset.form]

    def perform_authentication(self, request: Request) -> None:
        """Authenticate, and count the call. A wrong key counts as an anonymous call.
        Raises Throttled.
        """
        throttle = CallerThrottle()
        try:
            super().perform_authentication(request)
        except Exception:
            if not throttle.allow_anonymous(request):
                self.throttled(request, throttle.wait())
            raise
        if not throttle.allow_request(request, self):
            self.throttled(request, throttle.wait())

    def check_throttles(self, request: Request) -> None:
        """Do nothing: `perform_authentication` counts the call, because it also counts
        those that it refuses.
        """

    def finalize_response(
        self, request: Any, response: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Forbid caches to store the response: it is for the caller alone."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    @property
    def caller(self) -> Caller:
        """The authenticated caller, once `initial` has passed."""
        caller = self.request.auth
        assert isinstance(caller, Caller)
        return caller


def _refuse_chunked_body(request: Request) -> None:
    """Raise Problem 411. Django reads such a body as empty, which would be another
    request than the one sent.
    """
    is_chunked = request.META.get("HTTP_TRANSFER_ENCODING")
    has_length = request.META.get("CONTENT_LENGTH")
    if is_chunked and not has_length:
        raise Problem(
            411,
            "length_required",
            "the body has no Content-Length; send it whole, not in chunks",
        )


_CATEGORY: Final = re.compile(r"(in|out)_[a-z_]{1,30}")


class ListView(ApiView):
    """A list, one page at a time."""

    pagination_class: ClassVar[type[RowPagination]]
    serializer_class: ClassVar[type[serializers.Serializer[Any]]]
    """The serializer of a row."""
    paginator: RowPagination

    def query_forms(self, params: Mapping[str, str]) -> list[forms.Form]:
        """Return the forms of the filters and of the page."""
        self.paginator = self.pagination_class(params)
        return [*super().query_forms(params), self.paginator.form]

    def paginated_response(self, fetch: Callable[[Page], Slice[Any]]) -> Response:
        """Return the requested page of the rows that `fetch` reads."""
        rows = self.paginator.paginate(fetch)
        return self.paginator.get_paginated_response(
            self.serializer_class(rows, many=True).data
        )


class ExportView(ListView):
    """A list that is also available as a file of all its rows."""

    export_renderers: ClassVar[tuple[type[StreamingRenderer], ...]] = EXPORT_RENDERERS
    """The formats of the file."""

    def get_renderers(self) -> list[Any]:
        """Return the renderers of JSON and, for a list that is read, of the file."""
        if self.request and self.request.method not in READ_METHODS:
            return [JSONRenderer()]
        return [JSONRenderer(), *(renderer() for renderer in self.export_renderers)]

    def query_forms(self, params: Mapping[str, str]) -> list[forms.Form]:
        """Return the forms of the list and that of `format`."""
        return [
            *super().query_forms(params),
            FormatForm(params, self.export_renderers),
        ]

    @property
    def is_export(self) -> bool:
        """True if the caller wants the file."""
        return isinstance(self.request.accepted_renderer, StreamingRenderer)

    def export_response(
        self, rows: Iterator[msgspec.Struct], name: str
    ) -> StreamingHttpResponse:
        """Return the rows as a file, one at a time. name: of the file, without the
        extension.
        """
        renderer = self.request.accepted_renderer
        assert isinstance(renderer, StreamingRenderer)
        serializer = self.serializer_class()
        columns = list(serializer.fields)
        return renderer.stream(map(serializer.to_representation, rows), columns, name)


def parsed_run_id(text: str) -> uuid.UUID:
    """Return the run id of a path. Raises Problem 400."""
    try:
        return uuid.UUID(text)
    except ValueError:
        raise invalid({"run_id": "not a UUID"}) from None


def parsed_address(text: str) -> str:
    """Return the address of a path. Raises Problem 400."""
    if not is_address(text):
        raise invalid({"address": "not a Solana address"})
    return text


def parsed_addition(text: str) -> datetime:
    """Return the time of an addition whose id is in a path. Raises Problem 400."""
    try:
        return parse_addition_id(text)
    except ValueError:
        raise invalid(
            {"addition_id": "not an id like 20261124T120000000000Z"}
        ) from None


def parsed_category(text: str) -> str:
    """Return the category of a path. Raises Problem 400."""
    if not _CATEGORY.fullmatch(text):
        raise invalid({"category": "not a category like out_sale or in_transfer"})
    return text

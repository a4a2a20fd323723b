"""Runs: start, look, cancel, retry."""

from typing import Any, ClassVar, Final
from uuid import UUID

import msgspec
from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from discovery import services
from discovery.api import serializers
from discovery.api.filters import PagedQuery, RunsQuery
from discovery.api.problems import RETRY_SECONDS, Problem
from discovery.api.schema import page_serializer, plain, serializer_of
from discovery.api.views import base
from discovery.api.views.base import ApiView, page_answer, responses, run_id_of
from discovery.models import Run
from discovery.models.enums import ApiScope, Trigger
from discovery.reads import runs

MAX_KEY_LENGTH: Final = 255
IDEMPOTENCY_KEY: Final = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    description="The same key with the same body answers the same run; with another body 422.",
)
TAG: Final = ["runs"]


class RunAccepted(msgspec.Struct, frozen=True):
    """The request was taken; the run tells the rest."""

    run_id: UUID
    status: str
    message: str


def accepted(run: Run, message: str) -> Response:
    """202 with where to look and when."""
    headers = {"Location": reverse("api:run", args=[run.pk]), "Retry-After": str(RETRY_SECONDS)}
    return Response(plain(RunAccepted(run.pk, run.status, message)), status=202, headers=headers)


class StartView(ApiView):
    """Start a run."""

    scopes: ClassVar = {"POST": ApiScope.RUN}

    @extend_schema(
        operation_id="start_run",
        summary="Start a run",
        description="Without a body: with the saved configuration. Any parameter may be given instead.",
        tags=TAG,
        parameters=[IDEMPOTENCY_KEY, base.LOCATION, base.RETRY_AFTER],
        request=serializers.ParamsSerializer,
        responses=responses(202, serializer_of(RunAccepted), 409, 422, *base.WITH_BODY),
        examples=[
            OpenApiExample("Fewer tokens, more profit", {"max_tokens": 5, "min_profit_pct": 80}, request_only=True),
            OpenApiExample(
                "Accepted",
                {
                    "run_id": "0b9f8d0e-5d0c-4f2e-9d43-3a3a1f6f0a11",
                    "status": "queued",
                    "message": "The run is queued.",
                },
                response_only=True,
                status_codes=["202"],
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """202; 409 with the id of the run that is active."""
        key = _idempotency_key(request)
        overrides = serializers.run_overrides(request.data)
        run = services.start_run(
            overrides,
            trigger=Trigger.API,
            triggered_by=self.caller.name,
            idempotency_key=key,
        )
        words = f"The run is {run.status}."
        if not services.is_enqueued(run):
            words = "The run is queued. The queue of work is out of reach; it starts when that is back."
        return accepted(run, words)


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY_LENGTH or not all("!" <= char <= "~" for char in key):
        words = f"1 to {MAX_KEY_LENGTH} printable ASCII characters without blanks"
        raise Problem(400, "invalid", "some values are not allowed", errors={"Idempotency-Key": words})
    return key


class RunsView(ApiView):
    """The history."""

    query_class = RunsQuery

    @extend_schema(
        operation_id="list_runs",
        summary="Runs, newest first",
        tags=TAG,
        parameters=[RunsQuery],
        responses=responses(200, page_serializer("RunPage", "runs", runs.RunRow)),
    )
    def get(self, request: Request) -> Response:
        """A page of the history."""
        page = RunsQuery.page_of(self.params)
        found = runs.run_list(RunsQuery.filter_of(self.params), self.params["ordering"], page)
        return page_answer("runs", found, runs.RunRow, page)


class RunView(ApiView):
    """One run."""

    @extend_schema(
        operation_id="get_run",
        summary="One run: parameters, progress, results, funnel, usage, errors",
        tags=TAG,
        parameters=[base.RUN_ID],
        responses=responses(200, serializer_of(runs.RunDetail), 404),
    )
    def get(self, request: Request, run_id: str) -> Response:
        """The run with everything it says of itself."""
        return Response(plain(runs.run_detail(run_id_of(run_id))))


class RunWalletsView(ApiView):
    """The wallets a run found."""

    query_class = PagedQuery

    @extend_schema(
        operation_id="list_run_wallets",
        summary="Wallets that a run found, best profit first",
        tags=TAG,
        parameters=[base.RUN_ID, PagedQuery],
        responses=responses(200, page_serializer("RunWalletPage", "wallets", runs.RunWalletRow), 404),
    )
    def get(self, request: Request, run_id: str) -> Response:
        """A page of them."""
        page = PagedQuery.page_of(self.params)
        return page_answer("wallets", runs.run_wallets(run_id_of(run_id), page), runs.RunWalletRow, page)


class RunTokensView(ApiView):
    """The tokens a run saw."""

    query_class = PagedQuery

    @extend_schema(
        operation_id="list_run_tokens",
        summary="Tokens of a run, most promising first",
        tags=TAG,
        parameters=[base.RUN_ID, PagedQuery],
        responses=responses(200, page_serializer("RunTokenPage", "tokens", runs.RunTokenRow), 404),
    )
    def get(self, request: Request, run_id: str) -> Response:
        """A page of them."""
        page = PagedQuery.page_of(self.params)
        return page_answer("tokens", runs.run_tokens(run_id_of(run_id), page), runs.RunTokenRow, page)


class CancelView(ApiView):
    """Cancel a run."""

    scopes: ClassVar = {"POST": ApiScope.RUN}

    @extend_schema(
        operation_id="cancel_run",
        summary="Cancel a run; what it found is kept",
        tags=TAG,
        parameters=[base.RUN_ID, base.LOCATION, base.RETRY_AFTER],
        request=None,
        responses=responses(202, serializer_of(RunAccepted), 404, 409, 411),
    )
    def post(self, request: Request, run_id: str) -> Response:
        """202; 409 for a run that has ended."""
        run: Any = services.cancel_run(run_id_of(run_id), self.caller.name)
        return accepted(run, "The run ends as soon as its steps have noticed; what it found is kept.")


class RetryView(ApiView):
    """Retry a run."""

    scopes: ClassVar = {"POST": ApiScope.RUN}

    @extend_schema(
        operation_id="retry_run",
        summary="A new run with the parameters of one that has ended",
        tags=TAG,
        parameters=[base.RUN_ID, IDEMPOTENCY_KEY, base.LOCATION, base.RETRY_AFTER],
        request=None,
        responses=responses(202, serializer_of(RunAccepted), 404, 409, 411, 422),
    )
    def post(self, request: Request, run_id: str) -> Response:
        """202; 409 for a run that has not ended, or while another is active."""
        run = services.retry_run(
            run_id_of(run_id),
            trigger=Trigger.API,
            triggered_by=self.caller.name,
            idempotency_key=_idempotency_key(request),
        )
        return accepted(run, f"The run is {run.status}, with the parameters of {run.retry_of_id}.")

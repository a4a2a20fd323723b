"""Runs: start, read, cancel, retry."""

import re
from functools import partial
from typing import ClassVar, Final
from uuid import UUID

import msgspec
from django.http import StreamingHttpResponse
from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from discovery import services
from discovery.api.pagination import (
    EarlyBuyerPagination,
    RunPagination,
    TokenPagination,
    WalletPagination,
)
from discovery.api.problems import RETRY_SECONDS, invalid
from discovery.api.schema import (
    BODY_PROBLEMS,
    LOCATION,
    RETRY_AFTER,
    RUN_ID,
    export_responses,
    list_responses,
    responses,
)
from discovery.api.serializers import (
    EarlyBuyerRowSerializer,
    ParamsSerializer,
    RunDetailSerializer,
    RunRowSerializer,
    RunTokenRowSerializer,
    RunWalletRowSerializer,
)
from discovery.api.struct_serializers import struct_serializer
from discovery.api.views.base import ApiView, ExportView, ListView, parsed_run_id
from discovery.models import Run
from discovery.models.enums import ApiScope, Trigger
from discovery.reads import run_findings, runs
from discovery.reads.filters import EarlyBuyerFilterSet, RunFilterSet, RunTokenFilterSet

MAX_KEY_LENGTH: Final = 255
_KEY_SHAPE: Final = re.compile(rf"[!-~]{{1,{MAX_KEY_LENGTH}}}")
IDEMPOTENCY_KEY: Final = OpenApiParameter(
    "Idempotency-Key",
    {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_KEY_LENGTH,
        "pattern": "^[!-~]+$",
    },
    OpenApiParameter.HEADER,
    description="The same key with the same body returns the same run; with another body it is 422.",
)
TAGS: Final = ["runs"]


class RunAccepted(msgspec.Struct, frozen=True):
    """The request is accepted; the run shows its progress."""

    run_id: UUID
    status: str
    message: str


RunAcceptedSerializer: Final = struct_serializer(RunAccepted)


def run_accepted(run: Run, message: str) -> Response:
    """Return 202 with the URL of the run and when to read it."""
    body = RunAccepted(run.pk, run.status, message)
    headers = {
        "Location": reverse("api:run", args=[run.pk]),
        "Retry-After": str(RETRY_SECONDS),
    }
    return Response(RunAcceptedSerializer(body).data, status=202, headers=headers)


class StartView(ApiView):
    """Start a run."""

    scopes: ClassVar = {"POST": ApiScope.RUN}

    @extend_schema(
        operation_id="start_run",
        summary="Start a run",
        description="Without a body the run uses the saved configuration. Parameters of the body replace saved ones.",
        tags=TAGS,
        parameters=[IDEMPOTENCY_KEY, LOCATION, RETRY_AFTER],
        request=ParamsSerializer,
        responses=responses(202, RunAcceptedSerializer, 409, 422, *BODY_PROBLEMS),
        examples=[
            OpenApiExample(
                "Fewer tokens, more profit",
                {"max_tokens": 5, "min_profit_pct": 80},
                request_only=True,
            ),
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
        """Return 202; 409 with the id of the active run."""
        key = _idempotency_key(request)
        serializer = ParamsSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        run = services.start_run(
            serializer.validated_data,
            trigger=Trigger.API,
            triggered_by=self.caller.name,
            idempotency_key=key,
        )
        message = f"The run is {run.status}."
        if not services.is_enqueued(run):
            message = "The run is queued. The queue is unreachable; the run starts once it is back."
        return run_accepted(run, message)


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not _KEY_SHAPE.fullmatch(key):
        message = f"1 to {MAX_KEY_LENGTH} printable ASCII characters without blanks"
        raise invalid({"Idempotency-Key": message})
    return key


class RunsView(ListView):
    """The history of runs."""

    filterset_class = RunFilterSet
    pagination_class = RunPagination
    serializer_class = RunRowSerializer

    @extend_schema(
        operation_id="list_runs",
        summary="Runs, newest first",
        tags=TAGS,
        responses=list_responses(RunRowSerializer),
    )
    def get(self, request: Request) -> Response:
        """Return a page of the history."""
        return self.paginated_response(partial(runs.run_list, self.filterset.qs))


class RunView(ApiView):
    """One run."""

    @extend_schema(
        operation_id="get_run",
        summary="One run: parameters, progress, results, funnel, usage, errors",
        tags=TAGS,
        parameters=[RUN_ID],
        responses=responses(200, RunDetailSerializer, 404),
    )
    def get(self, request: Request, run_id: str) -> Response:
        """Return the run with its results."""
        run = runs.run_detail(parsed_run_id(run_id))
        return Response(RunDetailSerializer(run).data)


class RunWalletsView(ListView):
    """The wallets that a run found."""

    pagination_class = WalletPagination
    serializer_class = RunWalletRowSerializer

    @extend_schema(
        operation_id="list_run_wallets",
        summary="Wallets that a run found, best profit first",
        tags=TAGS,
        parameters=[RUN_ID],
        responses=list_responses(RunWalletRowSerializer, 404),
    )
    def get(self, request: Request, run_id: str) -> Response:
        """Return a page of them."""
        return self.paginated_response(
            partial(run_findings.run_wallets, parsed_run_id(run_id))
        )


class RunEarlyBuyersView(ExportView):
    """The early buyers of a run, qualified or not."""

    filterset_class = EarlyBuyerFilterSet
    pagination_class = EarlyBuyerPagination
    serializer_class = EarlyBuyerRowSerializer

    @extend_schema(
        operation_id="list_run_early_buyers",
        summary="Early buyers of a run with their results, rejected ones with the reason; as CSV or NDJSON all of them",
        tags=TAGS,
        parameters=[RUN_ID],
        responses=export_responses(EarlyBuyerRowSerializer, 404),
    )
    def get(self, request: Request, run_id: str) -> Response | StreamingHttpResponse:
        """Return a page of them, or every early buyer of the filter."""
        run, rows = parsed_run_id(run_id), self.filterset.qs
        if self.is_export:
            return self.export_response(
                run_findings.early_buyers_export(run, rows),
                f"early-buyers-{str(run)[:8]}",
            )
        return self.paginated_response(partial(run_findings.early_buyers, run, rows))


class RunTokensView(ListView):
    """The tokens of a run."""

    filterset_class = RunTokenFilterSet
    pagination_class = TokenPagination
    serializer_class = RunTokenRowSerializer

    @extend_schema(
        operation_id="list_run_tokens",
        summary="Tokens of a run, most promising first",
        tags=TAGS,
        parameters=[RUN_ID],
        responses=list_responses(RunTokenRowSerializer, 404),
    )
    def get(self, request: Request, run_id: str) -> Response:
        """Return a page of them."""
        return self.paginated_response(
            partial(run_findings.run_tokens, parsed_run_id(run_id), self.filterset.qs)
        )


class CancelView(ApiView):
    """Cancel a run."""

    scopes: ClassVar = {"POST": ApiScope.RUN}

    @extend_schema(
        operation_id="cancel_run",
        summary="Cancel a run; its results so far stay",
        tags=TAGS,
        parameters=[RUN_ID, LOCATION, RETRY_AFTER],
        request=None,
        responses=responses(202, RunAcceptedSerializer, 404, 409, 411),
    )
    def post(self, request: Request, run_id: str) -> Response:
        """Return 202; 409 for a run that has ended."""
        run = services.cancel_run(parsed_run_id(run_id), self.caller.name)
        return run_accepted(
            run,
            "The run ends as soon as its running steps notice; its results so far stay.",
        )


class RetryView(ApiView):
    """Retry a run."""

    scopes: ClassVar = {"POST": ApiScope.RUN}

    @extend_schema(
        operation_id="retry_run",
        summary="Start a new run with the parameters of one that has ended",
        tags=TAGS,
        parameters=[RUN_ID, IDEMPOTENCY_KEY, LOCATION, RETRY_AFTER],
        request=None,
        responses=responses(202, RunAcceptedSerializer, 404, 409, 411, 422),
    )
    def post(self, request: Request, run_id: str) -> Response:
        """Return 202; 409 for a run that has not ended, or while another is active."""
        run = services.retry_run(
            parsed_run_id(run_id),
            trigger=Trigger.API,
            triggered_by=self.caller.name,
            idempotency_key=_idempotency_key(request),
        )
        return run_accepted(
            run, f"The run is {run.status}, with the parameters of {run.retry_of_id}."
        )

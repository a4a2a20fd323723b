"""What every view of the API shares."""

import uuid
from typing import Any, ClassVar

import msgspec
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from discovery.api.auth import Caller
from discovery.api.filters import Query
from discovery.api.problems import PROBLEM_JSON, RETRY_SECONDS, FieldError, Problem
from discovery.api.schema import plain_rows, serializer_of
from discovery.api.throttles import CallerThrottle
from discovery.domain.addresses import is_address
from discovery.models.enums import ApiScope
from discovery.reads.paging import Page, Slice


class ProblemBody(msgspec.Struct, frozen=True):
    """What went wrong (RFC 9457). Some problems have further members: `run_id`, `run`, `current_status`."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    errors: list[FieldError]


class ApiView(APIView):
    """Asks for a key or a session, counts calls, reads the parameters of the address line."""

    scopes: ClassVar[dict[str, ApiScope]] = {}
    """What a caller needs by method; READ where nothing is said."""
    query_class: ClassVar[type[Query]] = Query
    query_methods: ClassVar[frozenset[str]] = frozenset({"GET", "HEAD"})
    params: dict[str, Any]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Who, how often, may they, and what for. Raises the problem of the first that fails."""
        if self.http_method_not_allowed_here(request):
            raise exceptions.MethodNotAllowed(request.method or "")
        super().initial(request, *args, **kwargs)
        if request.META.get("HTTP_TRANSFER_ENCODING") and not request.META.get("CONTENT_LENGTH"):
            # Such a body is never read: taken for none, it would mean another request than was sent.
            raise Problem(411, "length_required", "the body has no Content-Length; send it whole, not in chunks")
        kind = self.query_class if request.method in self.query_methods else Query
        query = kind(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        self.params = query.validated_data

    def http_method_not_allowed_here(self, request: Request) -> bool:
        """Whether no method of the view answers: told to everybody, key or no key."""
        name = (request.method or "").lower()
        return name not in self.http_method_names or not hasattr(self, name) or name == "options"

    def perform_authentication(self, request: Request) -> None:
        """Who calls. A wrong key counts as a call of nobody; what comes too often is refused here."""
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
        """Done with the authentication: who is refused there is counted as well."""

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Answers are for the caller alone."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    @property
    def caller(self) -> Caller:
        """Who calls; there is one once `initial` has passed."""
        caller = self.request.auth
        assert isinstance(caller, Caller)
        return caller


def run_id_of(text: str) -> uuid.UUID:
    """The id in a path. Raises Problem 400."""
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Problem(400, "invalid", "some values are not allowed", errors={"run_id": "not a UUID"}) from None


def address_of(text: str) -> str:
    """The address in a path. Raises Problem 400."""
    if not is_address(text):
        raise Problem(400, "invalid", "some values are not allowed", errors={"address": "not a Solana address"})
    return text


def page_answer(name: str, found: Slice[Any], kind: type[msgspec.Struct], page: Page) -> Response:
    """A page of a list."""
    return Response(
        {
            name: plain_rows(found.rows, kind),
            "total": found.total,
            "page": page.number,
            "page_size": page.size,
            "has_more": found.more,
        }
    )


# --- What the description of each call says ------------------------------------------------------------------------

RUN_ID = OpenApiParameter("run_id", {"type": "string", "format": "uuid"}, OpenApiParameter.PATH)
ADDRESS = OpenApiParameter(
    "address", {"type": "string", "pattern": "^[1-9A-HJ-NP-Za-km-z]{32,44}$"}, OpenApiParameter.PATH
)
_WHEN = {
    400: "A value is not allowed, unknown or malformed; `errors` says which.",
    401: "No key, or one that is unknown, expired or revoked.",
    403: "The caller lacks the scope, or the CSRF token of a session is missing.",
    404: "There is no such thing.",
    405: "Not a method of this path.",
    406: "No form of the answer that was asked for.",
    409: "Not possible now; the problem says why.",
    411: "The body came without its length.",
    412: "Somebody changed it meanwhile: read it again.",
    413: "The body is larger than 64 KiB.",
    415: "The body is not JSON.",
    422: "The Idempotency-Key was used for another request.",
    428: "The change does not say which version it is of: `If-Match` is missing.",
    429: "Too many calls.",
    500: "Something went wrong here.",
    503: "The database or the queue is out of reach.",
}
ALWAYS = (400, 401, 403, 405, 406, 429, 503)
WITH_BODY = (411, 413, 415)


def responses(status_code: int | tuple[int, str], kind: Any, *problems: int) -> dict[Any, Any]:
    """The answers of a call for its description: the one asked for, its own problems and those of every call."""
    found: dict[Any, Any] = {status_code: kind}
    problem = serializer_of(ProblemBody)
    for code in sorted({*ALWAYS, *problems}):
        found[(code, PROBLEM_JSON)] = OpenApiResponse(problem, description=_WHEN[code])
    return found


def header(name: str, description: str, codes: list[int]) -> OpenApiParameter:
    """A header of answers, for the description."""
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=description, response=codes)


LOCATION = header("Location", "Where to look.", [202])
RETRY_AFTER = header("Retry-After", f"Look again after so many seconds, such as {RETRY_SECONDS}.", [202])

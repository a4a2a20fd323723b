"""Errors as RFC 9457 problem+json: what went wrong, where, and in which request."""

import logging
import sys
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
from django.core.exceptions import DisallowedHost, ObjectDoesNotExist
from django.db import InterfaceError, OperationalError
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
)
from django.urls import reverse
from django.views import defaults
from rest_framework import exceptions, status
from rest_framework.settings import api_settings

from discovery import services
from discovery.domain.wallet_lists import ListError, ListTooLarge

log = logging.getLogger(__name__)

PROBLEM_JSON: Final = "application/problem+json"
RETRY_SECONDS: Final = 5
API_ROOT: Final = "/api/"
DATABASE_GONE: Final = (OperationalError, InterfaceError)
DATABASE_UNREACHABLE: Final = "the database is unreachable"


class FieldError(msgspec.Struct, frozen=True):
    """Error of one field or parameter."""

    field: str
    message: str


class ProblemBody(msgspec.Struct, frozen=True):
    """What went wrong (RFC 9457). Some problems have further members: `run_id`, `run`,
    `current_status`.
    """

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    errors: list[FieldError]


class Problem(Exception):
    """An error response. `code` names the cause for programs, `detail` explains it to
    people.

    errors: messages by field. extra: further members of the body. headers: of the
    response.
    """

    def __init__(
        self,
        status_code: int,
        code: str,
        detail: str,
        *,
        errors: Mapping[str, str] = {},
        extra: Mapping[str, Any] = {},
        headers: Mapping[str, str] = {},
    ) -> None:
        super().__init__(detail)
        self.status_code = status_code
        self.code = code
        self.detail = detail
        self.errors = errors
        self.extra = extra
        self.headers = headers


def invalid(errors: Mapping[str, str]) -> Problem:
    """Return problem 400 of values that are not allowed.

    errors: messages by field or parameter.
    """
    return Problem(400, "invalid", "some values are not allowed", errors=errors)


def problem_response(request: Any, problem: Problem) -> JsonResponse:
    """Return the problem as a response that no cache stores."""
    body = {
        "type": f"urn:walltrack:problem:{problem.code}",
        "title": HTTPStatus(problem.status_code).phrase,
        "status": problem.status_code,
        "detail": problem.detail,
        "instance": request.path,
        "code": problem.code,
        "request_id": getattr(request, "request_id", ""),
        "errors": [
            {"field": field, "message": message}
            for field, message in problem.errors.items()
        ],
        **problem.extra,
    }
    headers = {"Cache-Control": "no-store", **problem.headers}
    return JsonResponse(
        body, status=problem.status_code, content_type=PROBLEM_JSON, headers=headers
    )


def exception_handler(
    error: Exception, context: Mapping[str, Any]
) -> HttpResponseBase | None:
    """Return the response to an exception of a view.

    Return None for an unexpected exception: Django logs it and calls `server_error`.
    """
    problem = problem_of(error)
    if problem is None:
        return None
    if problem.status_code == status.HTTP_503_SERVICE_UNAVAILABLE:
        log.warning(
            "request not served",
            extra={"cause": problem.code, "error": str(error).strip()[:300]},
        )
    return problem_response(context["request"], problem)


def problem_of(error: BaseException) -> Problem | None:
    """Return the problem that an exception means to a client, or None if it is
    unexpected.
    """
    match error:
        case Problem():
            return error
        case services.RunAlreadyActive():
            return _run_active(error)
        case services.IdempotencyKeyReused():
            return Problem(
                422,
                "idempotency_key_reused",
                "this Idempotency-Key was used for another request",
            )
        case services.WrongState():
            return Problem(
                409, "wrong_state", str(error), extra={"current_status": error.status}
            )
        case ListError():
            return _unreadable_list(error)
        case services.StaleVersion():
            return Problem(
                412, "stale_version", str(error), headers={"ETag": f'"{error.current}"'}
            )
        case Http404() | ObjectDoesNotExist():
            return Problem(404, "not_found", str(error) or "not found")
        case OperationalError() | InterfaceError():
            return unavailable("database_unavailable", DATABASE_UNREACHABLE)
        case exceptions.Throttled():
            return _throttled(error)
        case exceptions.ValidationError():
            return invalid(messages_by_field(error.detail))
        case exceptions.APIException():
            return _of_framework(error)
        case _:
            return None


def unavailable(code: str, detail: str) -> Problem:
    """Return a 503 problem that says to try again after RETRY_SECONDS."""
    return Problem(503, code, detail, headers={"Retry-After": str(RETRY_SECONDS)})


def _run_active(error: services.RunAlreadyActive) -> Problem:
    link = reverse("api:run", args=[error.run_id])
    return Problem(
        409,
        "run_active",
        f"run {error.run_id} is active; wait for its end or cancel it",
        extra={"run_id": str(error.run_id), "run": link},
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


def _unreadable_list(error: ListError) -> Problem:
    if isinstance(error, ListTooLarge):
        return Problem(413, "too_large", str(error))
    return Problem(400, "malformed", str(error))


_CODES: Final[dict[int, str]] = {
    400: "malformed",
    401: "not_authenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    415: "unsupported_media_type",
    429: "too_many_requests",
}


def _of_framework(error: exceptions.APIException) -> Problem:
    headers: dict[str, str] = {}
    challenge = getattr(error, "auth_header", None)
    if challenge is not None:
        headers["WWW-Authenticate"] = challenge
    code = _CODES.get(error.status_code, "error")
    return Problem(error.status_code, code, str(error.detail), headers=headers)


def _throttled(error: exceptions.Throttled) -> Problem:
    # Whole seconds above 0: the framework rounds what CallerThrottle.wait returns up.
    seconds = str(error.wait)  # type: ignore[attr-defined]  # missing in the stubs
    detail = f"too many requests; again in {seconds} s"
    return Problem(429, "too_many_requests", detail, headers={"Retry-After": seconds})


def messages_by_field(detail: Any, name: str = "") -> dict[str, str]:
    """Return the errors of a serializer by field: those of a nested one as
    `outer.inner`, several of one field joined by semicolons.

    name: of the field to which `detail` belongs; "" is the body as a whole.
    """
    match detail:
        case dict():
            messages: dict[str, str] = {}
            for field, inner in detail.items():
                messages |= messages_by_field(inner, _path(name, field))
            return messages
        case list():
            return {name: "; ".join(map(str, detail))}
        case _:
            return {name: str(detail)}


def _path(outer: str, field: str) -> str:
    if field == api_settings.NON_FIELD_ERRORS_KEY:
        return outer
    return f"{outer}.{field}".lstrip(".")


# Handlers of errors outside the views of the API; walltrack/urls.py names them.


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return 400 for a request that Django itself refuses: a wrong Host, a body that is
    too large.
    """
    detail = "the request is not acceptable"
    if isinstance(exception, DisallowedHost):
        detail = "the name in the address is neither that of PUBLIC_URL nor among ALLOWED_HOSTS"
    if _is_api(request):
        return problem_response(request, Problem(400, "malformed", detail))
    return defaults.bad_request(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return 404 for an unknown path, as a problem below /api and as a page elsewhere."""
    if _is_api(request):
        return not_found(request)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Return 500, or 503 if the database is unreachable: as a problem below /api, as a
    page elsewhere.
    """
    if isinstance(sys.exc_info()[1], DATABASE_GONE):
        return _database_unreachable(request)
    if not _is_api(request):
        return defaults.server_error(request)
    detail = "internal error; the log has the cause under the request id"
    return problem_response(request, Problem(500, "internal_error", detail))


def _database_unreachable(request: HttpRequest) -> HttpResponse:
    problem = unavailable("database_unavailable", DATABASE_UNREACHABLE)
    if _is_api(request):
        return problem_response(request, problem)
    return HttpResponse(
        "The database is unreachable. Try again in a moment.",
        status=problem.status_code,
        content_type="text/plain",
        headers=dict(problem.headers),
    )


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith(API_ROOT)


def not_found(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    """Return 404 for an unknown path below /api."""
    return problem_response(request, Problem(404, "not_found", "no such path"))


not_found.csrf_exempt = True  # type: ignore[attr-defined]  # an unknown path needs no token

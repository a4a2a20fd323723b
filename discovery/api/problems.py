"""Errors as RFC 9457 problem+json: what went wrong, where, and under which request id."""

import logging
import sys
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
from celery.exceptions import OperationalError as QueueError
from django.core.exceptions import DisallowedHost, ObjectDoesNotExist
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.views import defaults
from rest_framework import exceptions, status

from discovery import services
from discovery.domain.run_params import InvalidParams

log = logging.getLogger(__name__)

PROBLEM_JSON: Final = "application/problem+json"
RETRY_SECONDS: Final = 5
API_ROOT: Final = "/api/"
DATABASE_GONE: Final = (OperationalError, InterfaceError)


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one field or parameter."""

    field: str
    message: str


class Problem(Exception):
    """An answer other than the one asked for. `code` names the cause for programs, `detail` says it to people.

    errors: what is wrong by field. extra: further members. headers: of the answer.
    """

    def __init__(
        self,
        status_code: int,
        code: str,
        detail: str,
        *,
        errors: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status_code, self.code, self.detail = status_code, code, detail
        self.errors, self.extra, self.headers = dict(errors or {}), dict(extra or {}), dict(headers or {})


def answer(request: Any, problem: Problem) -> JsonResponse:
    """The problem as a response."""
    body = {
        "type": f"urn:walltrack:problem:{problem.code}",
        "title": HTTPStatus(problem.status_code).phrase,
        "status": problem.status_code,
        "detail": problem.detail,
        "instance": request.path,
        "code": problem.code,
        "request_id": getattr(request, "request_id", ""),
        "errors": [{"field": field, "message": message} for field, message in problem.errors.items()],
        **problem.extra,
    }
    headers = {"Cache-Control": "no-store", **problem.headers}
    return JsonResponse(body, status=problem.status_code, content_type=PROBLEM_JSON, headers=headers)


def handle(error: Exception, context: Mapping[str, Any]) -> HttpResponseBase | None:
    """DRF's exception handler. None for a cause nobody foresaw: Django logs it and `server_error` answers."""
    problem = problem_of(error)
    if problem is None:
        return None
    if problem.status_code == status.HTTP_503_SERVICE_UNAVAILABLE:
        log.warning("request not served", extra={"cause": problem.code, "error": str(error).strip()[:300]})
    return answer(context["request"], problem)


def problem_of(error: BaseException) -> Problem | None:
    """What an exception means to a client; None where nobody foresaw it."""
    match error:
        case Problem():
            return error
        case InvalidParams():
            return Problem(400, "invalid", "some values are not allowed", errors=error.problems)
        case services.RunAlreadyActive():
            return _active(error)
        case services.IdempotencyKeyReused():
            return Problem(422, "idempotency_key_reused", "this Idempotency-Key was used for another request")
        case services.WrongState():
            words = f"not possible for a run that is {error.status}"
            return Problem(409, "wrong_state", words, extra={"current_status": error.status})
        case services.StaleVersion():
            words = f"the configuration was changed meanwhile: version {error.current} is in force"
            return Problem(412, "stale_version", words, headers={"ETag": f'"{error.current}"'})
        case Http404() | ObjectDoesNotExist():
            return Problem(404, "not_found", str(error) or "there is no such thing")
        case _ if isinstance(error, DATABASE_GONE):
            return unavailable("database_unavailable", "the database is out of reach")
        case QueueError():
            return unavailable("queue_unavailable", "the queue is out of reach; nothing was started")
        case exceptions.APIException():
            return _of_framework(error)
        case _:
            return None


def unavailable(code: str, detail: str) -> Problem:
    """503: try again soon."""
    return Problem(503, code, detail, headers={"Retry-After": str(RETRY_SECONDS)})


def _active(error: services.RunAlreadyActive) -> Problem:
    link = reverse("api:run", args=[error.run_id])
    return Problem(
        409,
        "run_active",
        f"run {error.run_id} is active; wait for its end or cancel it",
        extra={"run_id": str(error.run_id), "run": link},
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


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
    if (challenge := getattr(error, "auth_header", None)) is not None:
        headers["WWW-Authenticate"] = challenge
    if isinstance(error, exceptions.Throttled):
        wait = max(1, int(getattr(error, "wait", None) or 1))
        return Problem(
            429, "too_many_requests", f"too many requests; again in {wait} s", headers={"Retry-After": str(wait)}
        )
    if isinstance(error, exceptions.ValidationError):
        return Problem(400, "invalid", "some values are not allowed", errors=dict(_flat("", error.detail)))
    return Problem(error.status_code, _CODES.get(error.status_code, "error"), str(error.detail), headers=headers)


def _flat(name: str, detail: Any) -> list[tuple[str, str]]:
    """Nested errors of serializers as `outer.inner` and words."""
    if isinstance(detail, dict):
        return [pair for key, value in detail.items() for pair in _flat(f"{name}.{key}".lstrip("."), value)]
    if isinstance(detail, list):
        inner = [pair for each in detail for pair in _flat(name, each)]
        return [(name, "; ".join(words for _, words in inner))] if inner else []
    return [(name, str(detail))]


# What fails before a view of the API is reached, or where nobody foresaw it (walltrack/urls.py names these handlers).


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400 for a request that Django itself refuses: a wrong Host, a body that is too large."""
    words = "the request is not acceptable"
    if isinstance(exception, DisallowedHost):
        words = "the name in the address is neither that of PUBLIC_URL nor among ALLOWED_HOSTS"
    return _page_or(request, Problem(400, "malformed", words), defaults.bad_request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404 for a path that leads nowhere."""
    return _page_or(request, Problem(404, "not_found", "there is no such path"), defaults.page_not_found, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """500, or 503 where the database is out of reach."""
    gone = isinstance(sys.exc_info()[1], DATABASE_GONE)
    if gone and not request.path.startswith(API_ROOT):
        words = "The database is out of reach. Try again in a moment."
        return HttpResponse(words, status=503, content_type="text/plain", headers={"Retry-After": str(RETRY_SECONDS)})
    problem = (
        unavailable("database_unavailable", "the database is out of reach")
        if gone
        else Problem(500, "internal_error", "something went wrong here; the log says what, by request id")
    )
    return _page_or(request, problem, defaults.server_error)


def _page_or(request: HttpRequest, problem: Problem, page: Callable[..., HttpResponse], *args: Any) -> HttpResponse:
    return answer(request, problem) if request.path.startswith(API_ROOT) else page(request, *args)


def not_found(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    """Every path below /api that leads nowhere."""
    return answer(request, Problem(404, "not_found", "there is no such path"))


not_found.csrf_exempt = True  # type: ignore[attr-defined]  # 404 says the same whoever asks

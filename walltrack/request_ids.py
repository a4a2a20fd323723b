"""An id for every request: in its response, in the problem that it reports and in its
log lines.
"""

import re
import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.log import log_response

from walltrack.logs import bind

_VALID_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestIdMiddleware:
    """Uses the request's `X-Request-ID` if it is valid, so that a proxy logs the same
    id, or generates one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = request.headers.get("X-Request-ID", "")
        if not _VALID_ID.fullmatch(request_id):
            request_id = uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]  # problem reports read it
        with bind(request_id=request_id):
            response = self.get_response(request)
            if response.status_code >= HTTPStatus.BAD_REQUEST:
                # Django logs this too, but after the last middleware, when the id is no
                # longer bound.
                log_response(
                    "%s: %s",
                    response.reason_phrase,
                    request.path,
                    response=response,
                    request=request,
                )
        response["X-Request-ID"] = request_id
        return response

"""Every request has an id: on the answer, in every problem it reports and on every log line written for it."""

import re
import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.log import log_response

from walltrack.logs import bind

_SANE: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestIdMiddleware:
    """Takes a sane `X-Request-ID`, so that a proxy's log and ours agree, or makes one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _SANE.fullmatch(given) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]  # read by whoever reports a problem
        with bind(request_id=request_id):
            response = self.get_response(request)
            if response.status_code >= HTTPStatus.BAD_REQUEST:
                # Django says this itself, but only behind the last middleware, where the id is gone.
                log_response("%s: %s", response.reason_phrase, request.path, response=response, request=request)
        response["X-Request-ID"] = request_id
        return response

"""Serve health endpoints before anything else: for any Host, without session, redirect
or throttle.
"""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from health import views

VIEWS: Final = {
    "/health": views.live,
    "/health/live": views.live,
    "/health/ready": views.ready,
    "/health/detailed": views.detailed,
}


class HealthMiddleware:
    """Must be first in `MIDDLEWARE`, so that no other middleware can reject a probe."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        view = VIEWS.get(request.path_info.removesuffix("/"))
        if view is None:
            return self.get_response(request)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(
                ["GET", "HEAD"], headers={"Cache-Control": "no-store"}
            )
        return view(request)

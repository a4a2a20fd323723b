"""Probes are answered before anything else: any Host, no session, no redirect, no throttle."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from health import pages

PAGES: Final = {
    "/health": pages.live,
    "/health/live": pages.live,
    "/health/ready": pages.ready,
    "/health/detailed": pages.detailed,
}


class HealthMiddleware:
    """Stands first in `MIDDLEWARE`, so that nothing after it can refuse a probe."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        page = PAGES.get(request.path_info.removesuffix("/"))
        if page is None:
            return self.get_response(request)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"], headers={"Cache-Control": "no-store"})
        return page(request)

"""The liveness probe, answered before anything else: any Host, no session, no redirect, no I/O."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse

LIVE_PATHS = frozenset({"/health", "/health/live"})


class LivenessMiddleware:
    """The process is up. Whether it can work is another question."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path in LIVE_PATHS and request.method in {"GET", "HEAD"}:
            return JsonResponse({"status": "pass"}, headers={"Cache-Control": "no-store"})
        return self.get_response(request)

"""The way in: who may not try for a while."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string


def address_of(request: HttpRequest) -> str:
    """Where a request comes from: what the outermost of TRUSTED_PROXY_COUNT proxies saw, or who is connected.

    Counted from the right, as the API's throttles do: what stands left of the proxies' own words is the client's.
    """
    forwarded = [word.strip() for word in request.headers.get("X-Forwarded-For", "").split(",") if word.strip()]
    proxies = min(settings.TRUSTED_PROXY_COUNT, len(forwarded))
    return forwarded[-proxies] if proxies else str(request.META.get("REMOTE_ADDR", ""))


def locked_out(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    """429 after too many wrong passwords, saying for how long and what an administrator can do."""
    minutes = round(settings.AXES_COOLOFF_TIME * 60)
    values = {**admin.site.each_context(request), "minutes": minutes}
    page = render_to_string("discovery/locked_out.html", values, request=request)
    return HttpResponse(page, status=429, headers={"Retry-After": str(minutes * 60)})

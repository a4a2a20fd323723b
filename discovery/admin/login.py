"""The client address of logins, and the page after too many wrong passwords."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string


def address_of(request: HttpRequest) -> str:
    """Return the client's address: as the outermost of TRUSTED_PROXY_COUNT proxies saw
    it, or the peer's address.

    X-Forwarded-For is counted from the right, as the API's throttles do: the client can
    write the entries on the left.
    """
    header = request.headers.get("X-Forwarded-For", "")
    forwarded = list(filter(None, map(str.strip, header.split(","))))
    proxy_count = min(settings.TRUSTED_PROXY_COUNT, len(forwarded))
    if proxy_count:
        return forwarded[-proxy_count]
    return str(request.META.get("REMOTE_ADDR", ""))


def locked_out(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
    """Return 429 after too many wrong passwords, with the waiting time and the command
    that ends it.
    """
    minutes = round(settings.AXES_COOLOFF_TIME * 60)
    values = admin.site.each_context(request)
    values["minutes"] = minutes
    page = render_to_string("discovery/locked_out.html", values, request=request)
    return HttpResponse(page, status=429, headers={"Retry-After": str(minutes * 60)})

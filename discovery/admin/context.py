"""Context of all templates: the state of this installation that every page shows."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest

LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


def instance(request: HttpRequest) -> dict[str, Any]:
    """Return the variables of all templates."""
    return {
        "market_simulated": settings.MARKET == "simulated",
        "unencrypted": _is_unencrypted(request),
        "api_open": not settings.API_AUTH_ENABLED,
        "instance_zone": settings.TIME_ZONE,
    }


def environment(_: HttpRequest) -> list[str] | None:
    """Return text and colour of the theme's label beside the title, or None for no
    label.
    """
    if settings.MARKET != "simulated":
        return None
    return ["Simulated market", "warning"]


def _is_unencrypted(request: HttpRequest) -> bool:
    """Return True if the request came over plain http from another machine, and
    PUBLIC_URL does not require https.
    """
    if request.is_secure() or _is_local(request):
        return False
    return urlsplit(settings.PUBLIC_URL).scheme == "http"


def _is_local(request: HttpRequest) -> bool:
    try:
        host = request.get_host()
    except DisallowedHost:  # the error page for this exception uses the context too
        return False
    return urlsplit(f"//{host}").hostname in LOCAL_HOSTS

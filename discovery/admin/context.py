"""What every page says of this installation: whether the market is simulated, the way to it open, the API open."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest

LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


def instance(request: HttpRequest) -> dict[str, Any]:
    """For all templates."""
    return {
        "market_simulated": settings.MARKET == "simulated",
        "unencrypted": not request.is_secure()
        and not _local(request)
        and urlsplit(settings.PUBLIC_URL).scheme == "http",
        "api_open": not settings.API_AUTH_ENABLED,
        "instance_zone": settings.TIME_ZONE,
    }


def environment(_: HttpRequest) -> list[str] | None:
    """The mark beside the title, as the theme takes it: words and colour."""
    return ["Simulated market", "warning"] if settings.MARKET == "simulated" else None


def _local(request: HttpRequest) -> bool:
    try:
        return urlsplit(f"//{request.get_host()}").hostname in LOCAL_HOSTS
    except DisallowedHost:  # the page that says so asks too
        return False

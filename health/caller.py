"""Who asks: operators read words and hosts, everybody else states and times."""

from importlib import import_module
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest
from django.utils import timezone

from discovery.domain.api_keys import matches, prefix_of
from discovery.models.enums import ApiScope
from discovery.reads.api_keys import key_of
from health.bounded import Check, Deadline
from health.connection import own_connection


def operator_asks(request: HttpRequest) -> Check | None:
    """Whether signed-in staff or an API key of scope admin asks; None where nobody claims to be one."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    key, prefix = text.strip(), prefix_of(text.strip())
    if scheme.lower() == "bearer" and prefix is not None:
        return Check(lambda deadline: _is_admin_key(key, prefix, deadline))
    session = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    return Check(lambda deadline: _is_staff(session, deadline)) if session else None


def _is_admin_key(text: str, prefix: str, deadline: Deadline) -> bool:
    with own_connection(deadline):
        kept = key_of(prefix, timezone.now())
    return kept is not None and kept.valid and kept.scope == ApiScope.ADMIN and matches(text, kept.secret_hash)


def _is_staff(session: str, deadline: Deadline) -> bool:
    store: Any = import_module(settings.SESSION_ENGINE).SessionStore
    with own_connection(deadline):
        user = get_user(SimpleNamespace(session=store(session)))  # type: ignore[arg-type]  # all it reads of a request
    return bool(user.is_active and user.is_staff)

"""Identify operators: they see texts and host names, everybody else sees states and
times only.
"""

from functools import partial
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest
from django.utils import timezone

from discovery.domain.api_keys import prefix_of
from discovery.models.enums import ApiScope
from discovery.reads.api_keys import valid_key
from health.connection import dedicated_connection
from health.deadlines import Check, Deadline


def operator_check(request: HttpRequest) -> Check | None:
    """Return a check that is True for signed-in staff and for an API key of scope
    admin.

    Return None if the request carries neither a key nor a session.
    """
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    key = credentials.strip()
    if scheme.lower() == "bearer" and prefix_of(key):
        return Check(partial(_is_admin_key, key))
    session_key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if session_key:
        return Check(partial(_is_staff_session, session_key))
    return None


def _is_admin_key(key: str, deadline: Deadline) -> bool:
    with dedicated_connection(deadline):
        stored = valid_key(key, timezone.now())
    return stored is not None and stored.scope == ApiScope.ADMIN


def _is_staff_session(session_key: str, deadline: Deadline) -> bool:
    session_class: Any = import_module(settings.SESSION_ENGINE).SessionStore
    # `get_user` reads nothing of a request but its session.
    request: Any = SimpleNamespace(session=session_class(session_key))
    with dedicated_connection(deadline):
        user = get_user(request)
    return bool(user.is_active and user.is_staff)

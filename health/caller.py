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

from discovery.domain.api_keys import matches, prefix_of
from discovery.models.enums import ApiScope
from discovery.reads.api_keys import stored_key
from health.connection import dedicated_connection
from health.deadlines import Check, Deadline


def operator_check(request: HttpRequest) -> Check | None:
    """Return a check that is True for signed-in staff and for an API key of scope
    admin.

    Return None if the request carries neither a key nor a session.
    """
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    key = credentials.strip()
    prefix = prefix_of(key)
    if scheme.lower() == "bearer" and prefix is not None:
        return Check(partial(_is_admin_key, key, prefix))
    session_key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if session_key:
        return Check(partial(_is_staff_session, session_key))
    return None


def _is_admin_key(key: str, prefix: str, deadline: Deadline) -> bool:
    with dedicated_connection(deadline):
        stored = stored_key(prefix, timezone.now())
    if stored is None or not stored.valid:
        return False
    return stored.scope == ApiScope.ADMIN and matches(key, stored.secret_hash)


def _is_staff_session(session_key: str, deadline: Deadline) -> bool:
    session_class: Any = import_module(settings.SESSION_ENGINE).SessionStore
    # `get_user` reads nothing of a request but its session.
    request: Any = SimpleNamespace(session=session_class(session_key))
    with dedicated_connection(deadline):
        user = get_user(request)
    return bool(user.is_active and user.is_staff)

"""Authentication of API calls: an API key, a session, or anybody if
`API_AUTH_ENABLED=false`.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from django.conf import settings
from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.utils import timezone
from rest_framework import authentication, exceptions, permissions
from rest_framework.request import Request

from discovery.models.enums import ApiScope
from discovery.reads import api_keys

MAX_NAME_LENGTH: Final = 100
_SESSION_KEY: Final = re.compile(r"[a-z0-9]{1,64}")
ALL_SCOPES: Final = frozenset(ApiScope)
INCLUDED_SCOPES: Final[Mapping[ApiScope, frozenset[ApiScope]]] = {
    ApiScope.READ: frozenset({ApiScope.READ}),
    ApiScope.RUN: frozenset({ApiScope.READ, ApiScope.RUN}),
    ApiScope.ADMIN: ALL_SCOPES,
}
"""Scope of a key → the scopes that it has."""
PERMISSIONS_BY_SCOPE: Final[Mapping[ApiScope, tuple[str, ...]]] = {
    ApiScope.READ: ("discovery.view_run", "discovery.view_wallet"),
    ApiScope.RUN: ("discovery.add_run",),
    ApiScope.ADMIN: ("discovery.change_config", "discovery.change_wallet"),
}
"""Scope → the permissions that give it to a user. The groups `viewer` and `operator`
have them.
"""


class Caller(msgspec.Struct, frozen=True):
    """The caller of the API.

    name: the author of runs and changes. bucket: the name under which calls are
    counted, "" = the address.
    """

    name: str
    bucket: str
    scopes: frozenset[ApiScope]


ANONYMOUS: Final = Caller("anonymous", "", ALL_SCOPES)
"""Every caller if `API_AUTH_ENABLED=false`."""
Authenticated = tuple[Any, Caller]
"""User and caller, as `Request.user` and `Request.auth`."""


class KeyAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer wt_<prefix>_<secret>`; with `API_AUTH_ENABLED=false`,
    everybody.

    It comes first, so that sessions do not matter if everybody may do everything.
    """

    def authenticate(self, request: Request) -> Authenticated | None:
        """Return the owner of the key, or None without a bearer token. Raises
        AuthenticationFailed.
        """
        if not settings.API_AUTH_ENABLED:
            return _authenticate_anybody(request)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        return AnonymousUser(), _caller_of_key(token.strip(), timezone.now())

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401."""
        return 'Bearer realm="walltrack"'


def _caller_of_key(token: str, now: datetime) -> Caller:
    key = api_keys.valid_key(token, now)
    if key is None:
        raise exceptions.AuthenticationFailed(
            "the API key is unknown, expired or revoked"
        )
    api_keys.store_use(key, now)
    return Caller(
        name=key.name,
        bucket=f"key:{key.id}",
        scopes=INCLUDED_SCOPES[ApiScope(key.scope)],
    )


def _authenticate_anybody(request: Request) -> Authenticated:
    """Return the anonymous caller. Raises PermissionDenied for a change by a page of
    another site.
    """
    if request.method not in permissions.SAFE_METHODS:
        _refuse_foreign_page(request)
    return AnonymousUser(), ANONYMOUS


def _refuse_foreign_page(request: Request) -> None:
    """Raise PermissionDenied for a page of another site: its visitor did not intend the
    change.
    """
    host = request.get_host()
    origin = request.headers.get("Origin")
    if origin is None:  # the caller is no page
        return
    if not _is_trusted_origin(origin, host):
        raise exceptions.PermissionDenied(
            f"pages of {origin} may not change anything here"
        )


def _is_trusted_origin(origin: str, host: str) -> bool:
    if origin in settings.CORS_ALLOWED_ORIGINS:
        return True
    try:
        return urlsplit(origin).netloc == host
    except ValueError:
        return False


class SessionAuthentication(authentication.SessionAuthentication):
    """The session of the admin pages. A change needs the CSRF token."""

    def authenticate(self, request: Request) -> Authenticated | None:
        """Return the user, or None without a session. Raises PermissionDenied if the
        CSRF token is missing or wrong.
        """
        cookie = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
        if not _SESSION_KEY.fullmatch(cookie):
            # Django did not set it, and the database may refuse to look it up.
            return None
        authenticated = super().authenticate(request)
        if authenticated is None:
            return None
        user = authenticated[0]
        caller = Caller(
            name=user.get_username()[:MAX_NAME_LENGTH],
            bucket=f"user:{user.pk}",
            scopes=_scopes_of(user),
        )
        return user, caller


def _scopes_of(user: AbstractUser) -> frozenset[ApiScope]:
    return frozenset(
        scope
        for scope, needed in PERMISSIONS_BY_SCOPE.items()
        if user.has_perms(needed)
    )


class HasScope(permissions.BasePermission):
    """The caller has the scope that the view needs for the method."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Return True if it has, and False without a caller. The refusal names the
        scope; a view without one for the method needs READ.
        """
        scope = getattr(view, "scopes", {}).get(request.method, ApiScope.READ)
        self.message = f"this call needs the scope {scope}"
        return isinstance(request.auth, Caller) and scope in request.auth.scopes

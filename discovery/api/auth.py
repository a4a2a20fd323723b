"""Who calls: an API key, a person with a session, or anybody where `API_AUTH_ENABLED=false` says so."""

import re
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from django.conf import settings
from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.utils import timezone
from rest_framework import authentication, exceptions, permissions
from rest_framework.request import Request

from discovery.domain.api_keys import matches, prefix_of
from discovery.models.enums import ApiScope
from discovery.reads import api_keys

_SESSION: Final = re.compile(r"[a-z0-9]{1,64}")
ALL_SCOPES: Final = frozenset(ApiScope)
_INCLUDED: Final = {
    ApiScope.READ: frozenset({ApiScope.READ}),
    ApiScope.RUN: frozenset({ApiScope.READ, ApiScope.RUN}),
    ApiScope.ADMIN: ALL_SCOPES,
}
# What a person needs for a scope: the groups `viewer` and `operator` have it, superusers have everything.
_PERMISSIONS: Final = {
    ApiScope.READ: ("discovery.view_run", "discovery.view_wallet"),
    ApiScope.RUN: ("discovery.add_run",),
    ApiScope.ADMIN: ("discovery.change_config", "discovery.change_wallet"),
}
Answer = tuple[Any, "Caller"]


class Caller(msgspec.Struct, frozen=True):
    """Who calls. `name`: the author of runs and changes; `bucket`: under which calls are counted, "" = the address."""

    name: str
    bucket: str
    scopes: frozenset[ApiScope]


class KeyAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer wt_<prefix>_<secret>`; where `API_AUTH_ENABLED=false`, everybody.

    First in the list: sessions are not looked at where everybody may do everything.
    """

    def authenticate(self, request: Request) -> Answer | None:
        """The key's owner; None without a bearer token. Raises AuthenticationFailed for a key that is not valid."""
        if not settings.API_AUTH_ENABLED:
            return _anybody(request)
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        now = timezone.now()
        prefix = prefix_of(text.strip())
        key = api_keys.stored_key(prefix, now) if prefix else None
        if key is None or not matches(text.strip(), key.secret_hash) or not key.valid:
            raise exceptions.AuthenticationFailed("the API key is unknown, expired or revoked")
        api_keys.store_use(key, now)
        return AnonymousUser(), Caller(key.name, f"key:{key.id}", _INCLUDED[ApiScope(key.scope)])

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return 'Bearer realm="walltrack"'


def _anybody(request: Request) -> Answer:
    """Raises PermissionDenied for a change asked for by a page of another site: its visitor did not mean it."""
    origin = request.headers.get("Origin")
    if request.method in permissions.SAFE_METHODS or origin is None or origin in settings.CORS_ALLOWED_ORIGINS:
        return AnonymousUser(), Caller("anonymous", "", ALL_SCOPES)
    try:
        own = urlsplit(origin).netloc == request.get_host()
    except ValueError:
        own = False
    if not own:
        raise exceptions.PermissionDenied(f"pages of {origin} may not change anything here")
    return AnonymousUser(), Caller("anonymous", "", ALL_SCOPES)


class SessionAuthentication(authentication.SessionAuthentication):
    """The session of the admin pages; a change needs the CSRF token."""

    def authenticate(self, request: Request) -> Answer | None:
        """The person; None without a session. Raises PermissionDenied where the CSRF token is missing or wrong."""
        if not _SESSION.fullmatch(request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")):
            return None  # nothing that Django made, and perhaps nothing that a database can look up
        found = super().authenticate(request)
        if found is None:
            return None
        user = found[0]
        return user, Caller(user.get_username()[:100], f"user:{user.pk}", _scopes_of(user))


def _scopes_of(user: AbstractUser) -> frozenset[ApiScope]:
    return frozenset(scope for scope, needed in _PERMISSIONS.items() if user.has_perms(needed))


class HasScope(permissions.BasePermission):
    """The scope that the view asks for with this method."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the caller has it; the refusal names it."""
        needed = getattr(view, "scopes", {}).get(request.method, ApiScope.READ)
        self.message = f"this call needs the scope {needed}"
        return isinstance(request.auth, Caller) and needed in request.auth.scopes

"""Access to the operator's pages and buttons, and rendering of whole pages and
fragments.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final
from urllib.parse import quote, urlsplit

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
)
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

VIEW_RUNS: Final = "discovery.view_run"
VIEW_WALLETS: Final = "discovery.view_wallet"
START_RUNS: Final = "discovery.add_run"
VIEW_CONFIG: Final = "discovery.view_config"
CHANGE_CONFIG: Final = "discovery.change_config"
CHANGE_WALLETS: Final = "discovery.change_wallet"

READ_METHODS: Final = ("GET", "HEAD")
PAGES_ROOT: Final = "/admin/discovery/"
_BUTTON_PERMISSIONS: Final = {
    "run": START_RUNS,
    "configure": CHANGE_CONFIG,
    "change_wallets": CHANGE_WALLETS,
}

View = Callable[..., HttpResponseBase]


def staff_view(*permissions: str, method: str = "GET") -> Callable[[View], View]:
    """Restrict a view to staff with all of these permissions, and to one method (GET
    includes HEAD).

    A fragment that is requested after the login has ended gets 401 instead of a login
    page in its place.
    """
    methods = list(READ_METHODS) if method == "GET" else [method]

    def decorate(view: View) -> View:
        @wraps(view)
        def with_permissions(
            request: HttpRequest, *args: Any, **kwargs: Any
        ) -> HttpResponseBase:
            if not request.user.has_perms(permissions):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        behind_login = admin.site.admin_view(
            require_http_methods(methods)(with_permissions)
        )

        @wraps(view)
        def restricted(
            request: HttpRequest, *args: Any, **kwargs: Any
        ) -> HttpResponseBase:
            if not admin.site.has_permission(request):
                refusal = _refuse_anonymous(request)
                if refusal is not None:
                    return refusal
            return behind_login(request, *args, **kwargs)

        return restricted

    return decorate


def _refuse_anonymous(request: HttpRequest) -> HttpResponse | None:
    """Return the response to a request without login; None if Django's redirect to the
    login is right.
    """
    if is_fragment(request):
        # The script says so, and nothing that was typed is lost.
        return HttpResponse(status=401)
    if request.method not in READ_METHODS:
        return HttpResponseRedirect(
            f"{reverse('admin:login')}?next={_page_of_form(request)}"
        )
    return None


def _page_of_form(request: HttpRequest) -> str:
    """Return the page that held the form: the form's own target cannot be opened."""
    path = urlsplit(request.headers.get("Referer", "")).path
    return quote(path) if path.startswith("/admin/") else PAGES_ROOT


def is_fragment(request: HttpRequest) -> bool:
    """Return True if htmx requests a part of a page."""
    return request.headers.get("HX-Request") == "true"


def redirect_to(request: HttpRequest, url: str) -> HttpResponse:
    """Redirect after a form was processed, whether htmx or the browser sent it."""
    if is_fragment(request):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


def render_page(
    request: HttpRequest, template: str, title: str, values: dict[str, Any]
) -> TemplateResponse:
    """Render a page within the frame of the admin."""
    request.current_app = admin.site.name
    context = {
        **admin.site.each_context(request),
        "title": title,
        "may": _allowed_buttons(request),
        **values,
    }
    return TemplateResponse(request, template, context)


def render_fragment(
    request: HttpRequest, template: str, values: dict[str, Any], *, event: str = ""
) -> TemplateResponse:
    """Render a part of a page. event: sent to the page's script, so that other parts
    refresh too.
    """
    headers = {"Cache-Control": "no-store"}
    if event:
        headers["HX-Trigger"] = event
    context = {"may": _allowed_buttons(request), **values}
    return TemplateResponse(request, template, context, headers=headers)


def _allowed_buttons(request: HttpRequest) -> dict[str, bool]:
    return {
        name: request.user.has_perm(permission)
        for name, permission in _BUTTON_PERMISSIONS.items()
    }

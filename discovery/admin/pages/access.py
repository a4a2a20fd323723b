"""Who may open a page or press a button, and what somebody sees who may not."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final
from urllib.parse import quote, urlsplit

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

VIEW_RUNS: Final = "discovery.view_run"
VIEW_WALLETS: Final = "discovery.view_wallet"
START_RUNS: Final = "discovery.add_run"
VIEW_CONFIG: Final = "discovery.view_config"
CHANGE_CONFIG: Final = "discovery.change_config"
CHANGE_WALLETS: Final = "discovery.change_wallet"

View = Callable[..., HttpResponseBase]


def staff_view(*permissions: str, method: str = "GET") -> Callable[[View], View]:
    """A page for people of the staff who have all of these permissions, for one method (GET includes HEAD).

    A fragment asked for after the login has ended is 401 and no login page in its place.
    """
    methods_of_reading = {"GET", "HEAD"}
    methods = ["GET", "HEAD"] if method == "GET" else [method]

    def made(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.has_perms(permissions):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        behind_login = admin.site.admin_view(require_http_methods(methods)(checked))

        @wraps(view)
        def opened(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not admin.site.has_permission(request):
                if is_fragment(request):
                    return HttpResponse(status=401)  # the page's script says it, and nothing typed is lost
                if request.method not in methods_of_reading:
                    return HttpResponseRedirect(f"{reverse('admin:login')}?next={_page_of(request)}")
            return behind_login(request, *args, **kwargs)

        return opened

    return made


def _page_of(request: HttpRequest) -> str:
    """The page on which a form stood: what a form is sent to cannot be opened."""
    path = urlsplit(request.headers.get("Referer", "")).path
    return quote(path) if path.startswith("/admin/") else "/admin/discovery/"


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks, for a part of a page."""
    return request.headers.get("HX-Request") == "true"


def render_page(request: HttpRequest, template: str, title: str, values: dict[str, Any]) -> TemplateResponse:
    """A page within the frame of the admin."""
    request.current_app = admin.site.name
    may = {name: request.user.has_perm(permission) for name, permission in _MAY.items()}
    return TemplateResponse(
        request, template, {**admin.site.each_context(request), "title": title, "may": may, **values}
    )


def render_fragment(request: HttpRequest, template: str, values: dict[str, Any], **headers: str) -> TemplateResponse:
    """A fragment of a page."""
    may = {name: request.user.has_perm(permission) for name, permission in _MAY.items()}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return TemplateResponse(request, template, {"may": may, **values}, headers={"Cache-Control": "no-store", **named})


_MAY: Final = {"run": START_RUNS, "configure": CHANGE_CONFIG, "change_wallets": CHANGE_WALLETS}

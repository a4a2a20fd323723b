"""URLs: the admin is the user interface."""

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path
from django.views.generic import RedirectView

admin.site.site_header = admin.site.site_title = "WallTrack"
admin.site.index_title = "Discovery"


def view_on_site_not_found(_request: HttpRequest, **_: str) -> HttpResponse:
    """Answer 404 for Django's "view on site", which looks up any key of any model; no
    model has a public page.
    """
    raise Http404


urlpatterns = [
    path("", RedirectView.as_view(pattern_name="discovery:home")),
    path("admin/", RedirectView.as_view(pattern_name="discovery:home")),
    path("admin/discovery/", include("discovery.admin.urls")),
    path("admin/r/<path:where>", view_on_site_not_found),
    path("admin/", admin.site.urls),
    path("api/", include("discovery.api.urls")),
]

handler400 = "discovery.api.problems.bad_request"
handler404 = "discovery.api.problems.page_not_found"
handler500 = "discovery.api.problems.server_error"

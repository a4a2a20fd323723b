"""URLs: the admin is the user interface."""

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path
from django.views.generic import RedirectView

admin.site.site_header = admin.site.site_title = "WallTrack"
admin.site.index_title = "Discovery"


def nowhere(_request: HttpRequest, **_: str) -> HttpResponse:
    """404: Django's "view on site" asks any model for any key, and none of ours has another site."""
    raise Http404


urlpatterns = [
    path("", RedirectView.as_view(pattern_name="discovery:home")),
    path("admin/", RedirectView.as_view(pattern_name="discovery:home")),
    path("admin/discovery/", include("discovery.admin.urls")),
    path("admin/r/<path:where>", nowhere),
    path("admin/", admin.site.urls),
    path("api/", include("discovery.api.urls")),
]

handler400 = "discovery.api.problems.bad_request"
handler404 = "discovery.api.problems.page_not_found"
handler500 = "discovery.api.problems.server_error"

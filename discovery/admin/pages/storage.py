"""Size of the database by table."""

from django.http import HttpRequest, HttpResponse

from discovery.admin.pages.access import VIEW_CONFIG, render_page, staff_view
from discovery.reads import storage


@staff_view(VIEW_CONFIG)
def storage_page(request: HttpRequest) -> HttpResponse:
    """Every table with its size, its rows and how long they stay."""
    return render_page(
        request, "discovery/storage.html", "Storage", {"storage": storage.storage()}
    )

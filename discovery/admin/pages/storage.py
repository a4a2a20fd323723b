"""How much room the database takes, by table."""

from django.http import HttpRequest, HttpResponse

from discovery.admin.pages.access import VIEW_CONFIG, page, whole_page
from discovery.reads import storage


@page(VIEW_CONFIG)
def storage_page(request: HttpRequest) -> HttpResponse:
    """Every table with its size, its rows and how long they stay."""
    return whole_page(request, "discovery/storage.html", "Storage", {"storage": storage.storage()})

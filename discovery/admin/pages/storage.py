"""How much room the database takes, by table."""

from typing import Final

from django.http import HttpRequest, HttpResponse

from discovery.admin.pages.access import page, whole_page
from discovery.reads import storage

VIEW_CONFIG: Final = "discovery.view_discoveryconfig"


@page(VIEW_CONFIG)
def storage_page(request: HttpRequest) -> HttpResponse:
    """Every table with its size, its rows and how long they stay."""
    return whole_page(request, "discovery/storage.html", "Storage", {"storage": storage.storage()})

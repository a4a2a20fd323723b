"""The watchlist."""

from django.contrib import admin
from django.http import HttpRequest
from simple_history.admin import SimpleHistoryAdmin

from discovery.models import DiscoveryWallet


@admin.register(DiscoveryWallet)
class WalletAdmin(SimpleHistoryAdmin):  # type: ignore[misc]  # the package ships no types
    """Wallets, last found first; label, note and status are an operator's."""

    list_display = (
        "address",
        "status",
        "score",
        "discovery_count",
        "last_discovered_at",
        "first_discovered_at",
        "label",
    )
    list_filter = ("status",)
    search_fields = ("=address", "label")
    ordering = ("-last_discovered_at", "address")
    fields = (
        "address",
        "status",
        "score",
        "discovery_count",
        "first_discovered_at",
        "last_discovered_at",
        "label",
        "note",
    )
    readonly_fields = ("address", "score", "discovery_count", "first_discovered_at", "last_discovered_at")
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Runs find wallets."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: DiscoveryWallet | None = None) -> bool:
        """A wallet once found stays known."""
        return False

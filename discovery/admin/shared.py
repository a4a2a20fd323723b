"""What the admin tables share: facts cannot be changed, large tables are not counted twice, addresses are links."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from discovery.domain.display import short_address

_WORD_JOINER = "\u2060"


class FactsAdmin(ModelAdmin):  # type: ignore[misc]  # the package ships no types
    """Rows that only runs write."""

    show_full_result_count = False  # the second COUNT(*) is most of a large page's time
    list_per_page = 50
    list_fullwidth = True
    compressed_fields = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Facts are never added by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Facts never change."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Facts are never deleted by hand."""
        return False


def unbroken_address(address: str) -> str:
    """Return a short address that a narrow column does not break."""
    return short_address(address).replace("…", f"{_WORD_JOINER}…{_WORD_JOINER}")


def wallet_link(address: str) -> SafeString:
    """Return a wallet's short address with a link to its page."""
    url = reverse("discovery:wallet", args=[address])
    return format_html('<a href="{}" title="{}">{}</a>', url, address, unbroken_address(address))

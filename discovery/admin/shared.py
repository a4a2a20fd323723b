"""Base class and helpers of the admin pages of tables."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from discovery.domain.display import short_address

_WORD_JOINER = "\u2060"


class FactsAdmin(ModelAdmin):  # type: ignore[misc]  # the package ships no types
    """Read-only pages of rows that runs write."""

    show_full_result_count = (
        False  # avoids a second COUNT(*), which is slow on large tables
    )
    list_per_page = 50
    list_fullwidth = True
    compressed_fields = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: only runs add rows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: rows are not edited by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: only retention deletes rows."""
        return False


def unbroken_address(address: str) -> str:
    """Return a shortened address that does not wrap in a narrow column."""
    return short_address(address).replace("…", f"{_WORD_JOINER}…{_WORD_JOINER}")


def wallet_link(address: str) -> SafeString:
    """Return a wallet's shortened address with a link to its page."""
    url = reverse("discovery:wallet", args=[address])
    return format_html(
        '<a href="{}" title="{}">{}</a>', url, address, unbroken_address(address)
    )

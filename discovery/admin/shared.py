"""What the pages share: facts cannot be changed, large tables are not counted twice, amounts read as SOL."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from discovery.domain.units import lamports_to_sol


class FactsAdmin(ModelAdmin):  # type: ignore[misc]  # the package ships no types
    """Rows that only runs write."""

    show_full_result_count = False  # the second COUNT(*) is most of a large page's time
    list_per_page = 50
    list_fullwidth = True
    compressed_fields = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds facts."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes facts."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes facts."""
        return False


def sol(lamports: int | None) -> str:
    """SOL with four digits after the point, "–" where nothing is known."""
    return "–" if lamports is None else f"{lamports_to_sol(lamports):,.4f}"


def wallet_link(address: str) -> SafeString:
    """A wallet's address, short, with the way to its page."""
    url = reverse("discovery:wallet", args=[address])
    return format_html('<a href="{}" title="{}">{}</a>', url, address, short(address))


def short(address: str) -> str:
    """4…4 of an address, on one line (word joiners keep a narrow column from breaking it)."""
    return f"{address[:4]}\u2060…\u2060{address[-4:]}"

"""Base class and helpers of the admin pages of tables."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from discovery.domain.display import short_address, sol_text

_WORD_JOINER = "\u2060"


class FactsAdmin(ModelAdmin):  # type: ignore[misc]  # the package ships no types
    """Read-only pages of rows that runs write."""

    show_full_result_count = False  # no second COUNT(*), slow on large tables
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


class WalletColumn:
    """The column `wallet` of a table with `wallet_address`."""

    @admin.display(description="wallet", ordering="wallet_address")
    def wallet(self, row: Any) -> SafeString:
        """Return the wallet with a link to its page."""
        return wallet_link(row.wallet_address)


class MintColumn:
    """The column `token` of a table with `mint`."""

    @admin.display(description="token")
    def token(self, row: Any) -> str:
        """Return the shortened mint."""
        return unbroken_address(row.mint)


class ResultColumns:
    """The columns `realised_sol` and `cost_sol` of a table with both in lamports."""

    @admin.display(description="realised, SOL", ordering="realised_lamports")
    def realised_sol(self, row: Any) -> str:
        """Return the realised profit in SOL, or UNKNOWN."""
        return sol_text(row.realised_lamports)

    @admin.display(description="cost, SOL", ordering="cost_lamports")
    def cost_sol(self, row: Any) -> str:
        """Return the total cost in SOL, or UNKNOWN."""
        return sol_text(row.cost_lamports)


def unbroken_address(address: str) -> str:
    """Return a shortened address that does not wrap in a narrow column."""
    return short_address(address).replace("…", f"{_WORD_JOINER}…{_WORD_JOINER}")


def wallet_link(address: str) -> SafeString:
    """Return a wallet's shortened address with a link to its page."""
    url = reverse("discovery:wallet", args=[address])
    return format_html(
        '<a href="{}" title="{}">{}</a>', url, address, unbroken_address(address)
    )

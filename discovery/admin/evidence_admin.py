"""Admin pages of trades and positions."""

from django.contrib import admin
from django.utils.html import format_html

from discovery.admin.shared import (
    FactsAdmin,
    MintColumn,
    ResultColumns,
    WalletColumn,
    unbroken_address,
)
from discovery.domain.display import sol_text
from discovery.models import Position, Trade
from discovery.templatetags.formatting import EXPLORER


@admin.register(Trade)
class TradeAdmin(WalletColumn, MintColumn, FactsAdmin):
    """The trades of early buyers."""

    list_display = (
        "block_time",
        "side",
        "wallet",
        "token",
        "value_sol",
        "token_units",
        "transaction",
    )
    search_fields = ("=wallet_address", "=mint", "=signature")
    ordering = ("-id",)

    @admin.display(description="transaction")
    def transaction(self, row: Trade) -> str:
        """Return the shortened signature with a link to the explorer."""
        url = f"{EXPLORER}/tx/{row.signature}"
        return format_html(
            '<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>',
            url,
            unbroken_address(row.signature),
        )

    @admin.display(description="value, SOL")
    def value_sol(self, row: Trade) -> str:
        """Return the quote in SOL."""
        return sol_text(row.value_lamports)


@admin.register(Position)
class PositionAdmin(WalletColumn, MintColumn, ResultColumns, FactsAdmin):
    """The result of each early buyer in a token, including buyers that did not qualify."""

    list_display = (
        "first_buy_at",
        "wallet",
        "token",
        "profit_pct",
        "realised_sol",
        "cost_sol",
        "entry_rank",
        "buys",
        "sells",
        "history_incomplete",
    )
    list_filter = ("history_incomplete",)
    search_fields = ("=wallet_address", "=mint")
    ordering = ("-id",)

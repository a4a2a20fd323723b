"""Trades and positions: the evidence."""

from django.contrib import admin
from django.utils.html import format_html

from discovery.admin.shared import FactsAdmin, unbroken_address, wallet_link
from discovery.domain.display import sol_text
from discovery.models import Position, Trade
from discovery.templatetags.formatting import EXPLORER


@admin.register(Trade)
class TradeAdmin(FactsAdmin):
    """Every trade of every early buyer."""

    list_display = ("block_time", "side", "wallet", "token", "value_sol", "token_units", "transaction")
    search_fields = ("=wallet_address", "=mint", "=signature")
    ordering = ("-id",)

    @admin.display(description="token")
    def token(self, row: Trade) -> str:
        """The token's address, short."""
        return unbroken_address(row.mint)

    @admin.display(description="wallet", ordering="wallet_address")
    def wallet(self, row: Trade) -> str:
        """Who traded."""
        return wallet_link(row.wallet_address)

    @admin.display(description="transaction")
    def transaction(self, row: Trade) -> str:
        """Its signature, short, with the way to the explorer."""
        url = f"{EXPLORER}/tx/{row.signature}"
        return format_html(
            '<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>',
            url,
            unbroken_address(row.signature),
        )

    @admin.display(description="value, SOL")
    def value_sol(self, row: Trade) -> str:
        """What went to or came from the market."""
        return sol_text(row.value_lamports)


@admin.register(Position)
class PositionAdmin(FactsAdmin):
    """What came of each early buyer's trades, those that did not qualify among them."""

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

    @admin.display(description="token")
    def token(self, row: Position) -> str:
        """The token's address, short."""
        return unbroken_address(row.mint)

    @admin.display(description="wallet", ordering="wallet_address")
    def wallet(self, row: Position) -> str:
        """Whose position."""
        return wallet_link(row.wallet_address)

    @admin.display(description="realised, SOL", ordering="realised_lamports")
    def realised_sol(self, row: Position) -> str:
        """What was taken out above cost."""
        return sol_text(row.realised_lamports)

    @admin.display(description="cost, SOL", ordering="cost_lamports")
    def cost_sol(self, row: Position) -> str:
        """Everything put in."""
        return sol_text(row.cost_lamports)

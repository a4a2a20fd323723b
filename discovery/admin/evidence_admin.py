"""Admin pages of trades and positions."""

from django.contrib import admin
from django.utils.html import format_html

from discovery.admin.shared import FactsAdmin, unbroken_address, wallet_link
from discovery.domain.display import sol_text
from discovery.models import Position, Trade
from discovery.templatetags.formatting import EXPLORER


@admin.register(Trade)
class TradeAdmin(FactsAdmin):
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

    @admin.display(description="token")
    def token(self, row: Trade) -> str:
        """Return the shortened mint."""
        return unbroken_address(row.mint)

    @admin.display(description="wallet", ordering="wallet_address")
    def wallet(self, row: Trade) -> str:
        """Return the wallet with a link to its page."""
        return wallet_link(row.wallet_address)

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
class PositionAdmin(FactsAdmin):
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

    @admin.display(description="token")
    def token(self, row: Position) -> str:
        """Return the shortened mint."""
        return unbroken_address(row.mint)

    @admin.display(description="wallet", ordering="wallet_address")
    def wallet(self, row: Position) -> str:
        """Return the wallet with a link to its page."""
        return wallet_link(row.wallet_address)

    @admin.display(description="realised, SOL", ordering="realised_lamports")
    def realised_sol(self, row: Position) -> str:
        """Return the realised profit in SOL."""
        return sol_text(row.realised_lamports)

    @admin.display(description="cost, SOL", ordering="cost_lamports")
    def cost_sol(self, row: Position) -> str:
        """Return the total cost in SOL."""
        return sol_text(row.cost_lamports)

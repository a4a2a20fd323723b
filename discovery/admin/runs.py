"""Runs, their tokens and the wallets they found."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from discovery.admin.shared import FactsAdmin, counts, short, sol
from discovery.models import DiscoveryRun, DiscoveryRunToken, DiscoveryRunWallet
from discovery.models.choices import RunStatus


class _RowsInline(admin.TabularInline):  # type: ignore[type-arg]  # generic only in the stubs
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Facts."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Facts."""
        return False


class TokenInline(_RowsInline):
    """The tokens of a run, most promising first."""

    model = DiscoveryRunToken
    fields = ("rank", "symbol", "token", "launched_at", "launch_clock", "transactions", "early_buyers", "qualified")
    readonly_fields = ("token",)
    ordering = ("rank",)

    @admin.display(description="mint")
    def token(self, row: DiscoveryRunToken) -> str:
        """The token's address, short; its own page has it whole."""
        return short(row.mint)


@admin.register(DiscoveryRun)
class RunAdmin(FactsAdmin):
    """The history, newest first."""

    list_display = (
        "started_at",
        "state",
        "trigger_type",
        "triggered_by",
        "tokens_analyzed",
        "new_wallets",
        "updated_wallets",
        "duration_seconds",
    )
    list_filter = ("status", "trigger_type")
    ordering = ("-started_at", "-id")
    inlines = (TokenInline,)
    fieldsets = (
        (
            "What happened",
            {
                "fields": (
                    ("state", "stage"),
                    ("started_at", "completed_at", "duration_seconds"),
                    ("trigger_type", "triggered_by"),
                    ("tokens_analyzed", "steps_done", "steps_total"),
                    ("new_wallets", "updated_wallets"),
                )
            },
        ),
        ("Where candidates fell", {"fields": ("funnel_lines",)}),
        ("What was lost", {"fields": ("error_lines",)}),
        ("What it used", {"fields": ("usage_lines",)}),
        (
            "What was asked for",
            {
                "fields": (
                    ("min_price_change_pct", "min_volume_usd", "min_liquidity_usd"),
                    ("max_token_age_hours", "max_tokens", "max_requests_per_run"),
                    ("early_window_minutes", "min_profit_pct", "profile_immediately"),
                    ("given_mints", "config_version"),
                )
            },
        ),
    )

    @admin.display(description="funnel")
    def funnel_lines(self, run: DiscoveryRun) -> str:
        """How many fell at each filter."""
        return counts(run.funnel)

    @admin.display(description="errors")
    def error_lines(self, run: DiscoveryRun) -> str:
        """A line each; rows of the earlier system are plain strings."""
        rows = run.errors if isinstance(run.errors, list) else [run.errors] if run.errors else []
        lines = [f"{row.get('step')}: {row.get('message')}" if isinstance(row, dict) else str(row) for row in rows]
        return "\n".join(lines) or "nothing"

    @admin.display(description="provider calls")
    def usage_lines(self, run: DiscoveryRun) -> str:
        """Calls, credits and 429s by provider."""
        return (
            "\n".join(
                f"{name}: {row['calls']:,} calls"
                + (f", {row['credits']:,} credits" if row["credits"] else "")
                + (f", {row['rate_limited']:,} times too fast" if row["rate_limited"] else "")
                for name, row in run.usage.items()
            )
            or "–"
        )

    @admin.display(description="status", ordering="status")
    def state(self, run: DiscoveryRun) -> str:
        """The status; a run that lost something on the way says so."""
        if run.status == RunStatus.COMPLETED and run.has_errors:
            return "completed with errors"
        return str(run.get_status_display())


@admin.register(DiscoveryRunToken)
class RunTokenAdmin(FactsAdmin):
    """What runs saw of tokens."""

    list_display = (
        "symbol",
        "mint",
        "run",
        "price_change_pct",
        "volume_usd",
        "launched_at",
        "early_buyers",
        "qualified",
    )
    list_select_related = ("run",)
    search_fields = ("=mint", "symbol")
    ordering = ("-id",)


@admin.register(DiscoveryRunWallet)
class RunWalletAdmin(FactsAdmin):
    """The wallets runs found, with the result on the token that revealed each."""

    list_display = (
        "wallet_address",
        "token",
        "profit",
        "realised_sol",
        "cost_sol",
        "entry_rank",
        "entry_seconds",
        "is_new",
        "created_at",
    )
    search_fields = ("=wallet_address", "=source_token")
    list_filter = ("is_new",)
    ordering = ("-created_at", "-id")

    @admin.display(description="profit, %", ordering="profit_pct")
    def profit(self, row: DiscoveryRunWallet) -> str:
        """Profit on the token."""
        return "–" if row.profit_pct is None else f"{row.profit_pct:,}"

    @admin.display(description="token")
    def token(self, row: DiscoveryRunWallet) -> str:
        """The token's address, short."""
        return short(row.source_token)

    @admin.display(description="realised, SOL", ordering="realised_lamports")
    def realised_sol(self, row: DiscoveryRunWallet) -> str:
        """What was taken out above cost."""
        return sol(row.realised_lamports)

    @admin.display(description="cost, SOL", ordering="cost_lamports")
    def cost_sol(self, row: DiscoveryRunWallet) -> str:
        """Everything put in."""
        return sol(row.cost_lamports)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[DiscoveryRunWallet]":
        """Without a join: the list names no run."""
        return super().get_queryset(request).order_by()

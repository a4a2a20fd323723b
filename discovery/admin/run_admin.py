"""Admin pages of runs, their tokens and the wallets that they found."""

import uuid
from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from discovery.admin.shared import (
    FactsAdmin,
    ResultColumns,
    WalletColumn,
    unbroken_address,
)
from discovery.domain.display import UNKNOWN
from discovery.models import Run, RunToken, RunWallet
from discovery.models.enums import RunStatus


@admin.register(Run)
class RunAdmin(FactsAdmin):
    """The runs, newest first."""

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

    def change_view(
        self, request: HttpRequest, object_id: str, *_: Any, **__: Any
    ) -> HttpResponse:
        """Redirect to the page of the run. Raises Http404 if `object_id` is not a UUID."""
        try:
            uuid.UUID(object_id)
        except ValueError:
            raise Http404 from None
        return HttpResponseRedirect(reverse("discovery:run", args=[object_id]))

    @admin.display(description="status", ordering="status")
    def state(self, run: Run) -> str:
        """Return the status; "completed with errors" if a part of the work failed."""
        is_completed = run.status == RunStatus.COMPLETED
        if is_completed and run.has_errors:
            return "completed with errors"
        return str(run.get_status_display())


@admin.register(RunToken)
class RunTokenAdmin(FactsAdmin):
    """The tokens of runs with their market figures."""

    list_display = (
        "symbol",
        "token",
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

    @admin.display(description="mint", ordering="mint")
    def token(self, row: RunToken) -> str:
        """Return the shortened mint."""
        return unbroken_address(row.mint)


@admin.register(RunWallet)
class RunWalletAdmin(WalletColumn, ResultColumns, FactsAdmin):
    """The wallets that runs found, with their result on the token through which they
    were found.
    """

    list_display = (
        "created_at",
        "wallet",
        "token",
        "profit",
        "realised_sol",
        "cost_sol",
        "entry_rank",
        "entry_seconds",
        "is_new",
    )
    search_fields = ("=wallet_address", "=source_token")
    list_filter = ("is_new",)
    ordering = ("-created_at", "-id")

    @admin.display(description="profit, %", ordering="profit_pct")
    def profit(self, row: RunWallet) -> str:
        """Return the profit on the token in percent."""
        if row.profit_pct is None:
            return UNKNOWN
        return f"{row.profit_pct:,}"

    @admin.display(description="token")
    def token(self, row: RunWallet) -> str:
        """Return the shortened mint."""
        return unbroken_address(row.source_token)

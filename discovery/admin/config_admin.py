"""The configuration row with its history. Operators change it on the Discovery page."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest
from simple_history.admin import SimpleHistoryAdmin

from discovery.admin.shared import FactsAdmin
from discovery.domain.display import parse_whole_number
from discovery.models import Config


@admin.register(Config)
class ConfigAdmin(SimpleHistoryAdmin, FactsAdmin):  # type: ignore[misc]  # the packages ship no types
    """The configuration, read-only, with every version, its author and its changes."""

    list_display = (
        "__str__",
        "enabled",
        "schedule_hours",
        "max_tokens",
        "updated_at",
        "updated_by",
    )
    fieldsets = (
        ("Schedule", {"fields": ("enabled", "schedule_hours", "next_run_at")}),
        (
            "Token filters",
            {
                "fields": (
                    "min_price_change_pct",
                    "min_volume_usd",
                    "min_liquidity_usd",
                    "max_token_age_hours",
                    "max_tokens",
                )
            },
        ),
        (
            "Early buyers",
            {
                "fields": (
                    "early_window_minutes",
                    "max_early_buyers",
                    "min_profit_pct",
                    "excluded_flags",
                )
            },
        ),
        (
            "Execution",
            {
                "fields": (
                    "profile_immediately",
                    "control_wallets",
                    "max_requests_per_run",
                )
            },
        ),
        ("Last change", {"fields": ("updated_at", "updated_by", "version")}),
    )

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> Any:
        """Render the versions. Raises Http404 if `object_id` is not a number, as the
        theme's other pages do.
        """
        if parse_whole_number(object_id) is None:
            raise Http404
        return super().history_view(request, object_id, extra_context)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the row. It is created first if it is missing, so that its page can be
        opened.
        """
        Config.load()
        return super().get_queryset(request)

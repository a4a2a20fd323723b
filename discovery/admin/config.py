"""The one configuration row, with its bounds and who changed it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from simple_history.admin import SimpleHistoryAdmin

from discovery import actions
from discovery.analysis.params import BOUNDS, BadParams, check
from discovery.models import DiscoveryConfig

HOURS = range(1, 25)


class ConfigForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """The parameters, each refused in the words that the command and the API use."""

    class Meta:
        model = DiscoveryConfig
        fields = ("enabled", "schedule_hours", *BOUNDS, "profile_immediately", "excluded_flags")

    def clean(self) -> dict[str, Any]:
        """Bounds: a value out of them is told beside its field."""
        values = super().clean() or self.cleaned_data
        given = {name: values.get(name) for name in BOUNDS if name in values}
        try:
            check(given)
        except BadParams as error:
            for name, problem in error.problems.items():
                self.add_error(name, problem)
        hours = values.get("schedule_hours")
        if hours is not None and hours not in HOURS:
            self.add_error("schedule_hours", f"{hours} is not between 1 and 24 h")
        return values


@admin.register(DiscoveryConfig)
class ConfigAdmin(SimpleHistoryAdmin):  # type: ignore[misc]  # the package ships no types
    """One row: changed, never added or deleted."""

    form = ConfigForm
    list_display = ("__str__", "enabled", "schedule_hours", "max_tokens", "updated_at", "updated_by")
    readonly_fields = ("updated_at", "updated_by", "version")
    fieldsets = (
        ("Schedule", {"fields": ("enabled", "schedule_hours")}),
        (
            "What counts as pumped",
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
        ("Who counts", {"fields": ("early_window_minutes", "min_profit_pct", "excluded_flags")}),
        ("How", {"fields": ("profile_immediately", "max_requests_per_run")}),
        ("Last change", {"fields": ("updated_at", "updated_by", "version")}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """The row is there after every migration."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: DiscoveryConfig | None = None) -> bool:
        """A product without a configuration cannot run."""
        return False

    def save_model(self, request: HttpRequest, obj: DiscoveryConfig, form: Any, change: bool) -> None:
        """What was changed goes where the API's changes go: counted, with its author, and the schedule follows."""
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        current = DiscoveryConfig.objects.values_list("version", flat=True).get(pk=obj.pk)
        actions.save_config(changes, version=current, by=request.user.get_username())

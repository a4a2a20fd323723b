"""API keys: made here, shown once, revoked; never changed."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.admin import ModelAdmin

from discovery.domain.api_keys import new_key
from discovery.models import ApiKey


class NewKeyForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """Who a key is for, what it may do and until when."""

    class Meta:
        model = ApiKey
        fields = ("name", "scope", "expires_at")

    def clean_expires_at(self) -> Any:
        """A key that has expired already is a mistake."""
        at = self.cleaned_data["expires_at"]
        if at is not None and at <= timezone.now():
            raise forms.ValidationError("This lies in the past.")
        return at


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin):  # type: ignore[misc]  # the package ships no types
    """Keys by name. Revoked ones stay, so that who did what can still be told."""

    form = NewKeyForm
    list_display = ("name", "scope", "prefix", "state", "last_used_at", "expires_at", "created_at", "created_by")
    list_filter = ("scope",)
    search_fields = ("name", "=prefix")
    actions = ("revoke",)
    show_full_result_count = False
    list_per_page = 50

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        """A new key is asked for three things; one that is made tells everything but its secret."""
        known = ("prefix", "state", "created_at", "created_by", "revoked_at", "last_used_at")
        return ("name", "scope", "expires_at", *(known if obj else ()))

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        """Nothing of a key that is made can be changed."""
        return self.get_fields(request, obj) if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """A key that was handed out does not change under its user."""
        return obj is None and super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Revoking is enough, and leaves a trace."""
        return False

    @admin.display(description="state")
    def state(self, row: ApiKey) -> str:
        """Valid, revoked or expired."""
        if row.revoked_at is not None:
            return "revoked"
        return "valid" if row.is_valid(timezone.now()) else "expired"

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """Make the key and show it, this once."""
        key = new_key()
        obj.prefix, obj.secret_hash = key.prefix, key.secret_hash
        obj.created_by = request.user.get_username()[:150]
        super().save_model(request, obj, form, change)
        request.made_key = key.text  # type: ignore[attr-defined]  # for the answer to this request, and nowhere else

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> Any:
        """The key, in this answer alone: no cookie and no session carries it on."""
        values = {**self.admin_site.each_context(request), "title": "A new API key", "key": obj}
        values["text"] = request.made_key  # type: ignore[attr-defined]
        return TemplateResponse(
            request,
            "discovery/new_key.html",
            values,
            headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
        )

    @admin.action(description="Revoke the selected keys", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: "QuerySet[ApiKey]") -> TemplateResponse | None:
        """At once, after a question: nothing brings a key back. One that is revoked already keeps its time."""
        valid = queryset.filter(revoked_at__isnull=True)
        if "sure" not in request.POST:
            keys = list(valid)
            if keys:
                values = {**self.admin_site.each_context(request), "title": "Revoke API keys", "keys": keys}
                return TemplateResponse(request, "discovery/revoke_keys.html", values)
        count = valid.update(revoked_at=timezone.now())
        self.message_user(request, f"{count} revoked.", messages.SUCCESS)
        return None

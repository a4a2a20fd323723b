"""API keys: created here, shown once, and revoked; never changed."""

from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.admin import ModelAdmin

from discovery.domain.api_keys import new_key
from discovery.models import ApiKey

_FORM_FIELDS: Final = ("name", "scope", "expires_at")
_STORED_FIELDS: Final = (
    "prefix",
    "state",
    "created_at",
    "created_by",
    "revoked_at",
    "last_used_at",
)


class NewKeyForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """The form of a new key: its name, scope and expiry time."""

    class Meta:
        model = ApiKey
        fields = _FORM_FIELDS

    def clean_expires_at(self) -> Any:
        """Return the expiry time. Raises ValidationError if it is in the past."""
        expires_at = self.cleaned_data["expires_at"]
        if expires_at is None:
            return None
        if expires_at <= timezone.now():
            raise forms.ValidationError("The expiry time is in the past.")
        return expires_at


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin):  # type: ignore[misc]  # the package ships no types
    """Keys by name. Revoked keys are kept, so that their changes can still be
    attributed.
    """

    form = NewKeyForm
    list_display = (
        "name",
        "scope",
        "prefix",
        "state",
        "last_used_at",
        "expires_at",
        "created_at",
        "created_by",
    )
    list_filter = ("scope",)
    search_fields = ("name", "=prefix")
    actions = ("revoke",)
    show_full_result_count = False
    list_per_page = 50

    def get_fields(
        self, request: HttpRequest, obj: ApiKey | None = None
    ) -> tuple[str, ...]:
        """Return the fields of the form for a new key; for an existing key also those
        that it has by now.
        """
        if obj is None:
            return _FORM_FIELDS
        return (*_FORM_FIELDS, *_STORED_FIELDS)

    def get_readonly_fields(
        self, request: HttpRequest, obj: ApiKey | None = None
    ) -> tuple[str, ...]:
        """Return all fields of an existing key: it cannot be changed."""
        if obj is None:
            return ()
        return self.get_fields(request, obj)

    def has_change_permission(
        self, request: HttpRequest, obj: ApiKey | None = None
    ) -> bool:
        """Return False for a single key: clients that use it rely on its scope and
        expiry time.
        """
        if obj is not None:
            return False
        return bool(super().has_change_permission(request))

    def has_delete_permission(
        self, request: HttpRequest, obj: ApiKey | None = None
    ) -> bool:
        """Return False: keys are revoked, not deleted, so that a record remains."""
        return False

    @admin.display(description="state")
    def state(self, row: ApiKey) -> str:
        """Return valid, revoked or expired."""
        if row.revoked_at is not None:
            return "revoked"
        if row.is_valid(timezone.now()):
            return "valid"
        return "expired"

    def save_model(
        self, request: HttpRequest, obj: ApiKey, form: Any, change: bool
    ) -> None:
        """Create the key. Only its prefix and hash are stored."""
        key = new_key()
        obj.prefix = key.prefix
        obj.secret_hash = key.secret_hash
        obj.created_by = request.user.get_username()[:150]
        super().save_model(request, obj, form, change)
        request.new_key_text = key.text  # type: ignore[attr-defined]  # read by response_add

    def response_add(
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> Any:
        """Show the key. It is in this response only, never in a cookie or session."""
        values = self.admin_site.each_context(request)
        values["title"] = "New API key"
        values["key"] = obj
        values["text"] = request.new_key_text  # type: ignore[attr-defined]
        return TemplateResponse(
            request,
            "discovery/new_key.html",
            values,
            headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
        )

    @admin.action(description="Revoke the selected keys", permissions=["change"])
    def revoke(
        self, request: HttpRequest, queryset: "QuerySet[ApiKey]"
    ) -> TemplateResponse | None:
        """Ask for confirmation, then revoke the keys. Keys that are revoked already
        stay unchanged.
        """
        keys = queryset.filter(revoked_at__isnull=True)
        is_confirmed = "sure" in request.POST
        if not is_confirmed and keys:
            return self._confirmation_page(request, list(keys))
        count = keys.update(revoked_at=timezone.now())
        self.message_user(request, f"API keys revoked: {count}.", messages.SUCCESS)
        return None

    def _confirmation_page(
        self, request: HttpRequest, keys: list[ApiKey]
    ) -> TemplateResponse:
        values = self.admin_site.each_context(request)
        values["title"] = "Revoke API keys"
        values["keys"] = keys
        return TemplateResponse(request, "discovery/revoke_keys.html", values)

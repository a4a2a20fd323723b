"""Query parameters of a call. Unknown names are refused: a misspelt filter would filter
nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django import forms
from rest_framework.exceptions import ValidationError

from discovery.api.renderers import EXPORT_RENDERERS

FORMATS: Final = ("json", *(renderer.format for renderer in EXPORT_RENDERERS))


class FormatForm(forms.Form):
    """The form of a list, which content negotiation reads."""

    format = forms.ChoiceField(
        choices=[(name, name) for name in FORMATS],
        required=False,
        help_text="csv and ndjson hold every row of the filter and ignore `page`. Takes precedence over `Accept`.",
    )


def check_query(params: Mapping[str, str], query_forms: Iterable[forms.Form]) -> None:
    """Raise ValidationError that names each parameter that is unknown, empty or not
    valid for its form. Without forms every parameter is unknown.
    """
    errors: dict[str, Any] = {}
    known: set[str] = set()
    for form in query_forms:
        known.update(form.fields)
        errors.update(form.errors)
    empty = [name for name in params if not params[name].strip()]
    unknown = [name for name in params if name not in known]
    errors.update(dict.fromkeys(empty, "must not be empty"))
    errors.update(dict.fromkeys(unknown, "no such parameter"))
    if errors:
        raise ValidationError(errors)

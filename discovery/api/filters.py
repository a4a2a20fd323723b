"""Query parameters of a call. Unknown names are refused: a misspelt filter would filter nothing."""

from collections.abc import Iterable, Mapping

from django import forms
from rest_framework.exceptions import ValidationError

FORMATS = ("json", "csv", "ndjson")


class FormatForm(forms.Form):
    """The form of a list, which content negotiation reads."""

    format = forms.ChoiceField(
        choices=[(name, name) for name in FORMATS],
        required=False,
        help_text="csv and ndjson hold every row of the filter and ignore `page`. Takes precedence over `Accept`.",
    )


def check_query(params: Mapping[str, str], query_forms: Iterable[forms.Form]) -> None:
    """Raise ValidationError that names each parameter that is unknown, empty or not valid."""
    errors: dict[str, list[str]] = {}
    known: set[str] = set()
    for form in query_forms:
        known.update(form.fields)
        for name, messages in form.errors.items():
            errors[name] = [str(message) for message in messages]
    for name, value in params.items():
        if name not in known:
            errors[name] = ["no such parameter"]
        elif not value.strip():
            errors[name] = ["must not be empty"]
    if errors:
        raise ValidationError(errors)

"""Query parameters of a call. Unknown names are refused: a misspelt filter would filter
nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from rest_framework.exceptions import ValidationError

from discovery.api.renderers import EXPORT_RENDERERS, StreamingRenderer


class FormatForm(forms.Form):
    """The form of a list, which content negotiation reads."""

    format = forms.ChoiceField(
        required=False,
        help_text="All but json hold every row of the filter and ignore `page`. Takes precedence over `Accept`.",
    )

    def __init__(
        self,
        params: Mapping[str, str],
        renderers: Iterable[type[StreamingRenderer]] = EXPORT_RENDERERS,
    ) -> None:
        super().__init__(params)
        names = ["json", *(str(renderer.format) for renderer in renderers)]
        field = self.fields["format"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(name, name) for name in names]


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

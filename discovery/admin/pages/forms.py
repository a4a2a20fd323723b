"""The form of run parameters, built from their specs: bounds and words are those of the
API and the command.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from django import forms

from discovery.domain.flags import FLAG_NAMES, flag_label
from discovery.domain.run_params import NUMBER_SPECS, PARAM_SPECS, Params, ParamSpec

_THOUSANDS: Final = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)
SCHEDULE_HOURS: Final = range(1, 25)
USUAL_SCHEDULE_HOURS: Final = (1, 2, 4, 6, 12, 24)


class NumberField(forms.CharField):
    """A number within the bounds of a parameter. Text, so that a typed thousands
    separator is understood.
    """

    def __init__(self, spec: ParamSpec, saved: Any) -> None:
        attributes = {
            "type": "number",
            "min": f"{spec.min:f}",
            "max": f"{spec.max:f}",
            "inputmode": "decimal",
            "step": "any" if spec.places else "1",
            "data-saved": plain_text(saved),
            "autocomplete": "off",
        }
        super().__init__(
            required=False,
            label=spec.label,
            help_text=spec.help,
            widget=forms.TextInput(attrs=attributes),
        )
        self.spec = spec
        self.unit = spec.unit
        self.bounds = f"{spec.min:,f}–{spec.max:,f}"

    def clean(self, value: Any) -> Any:
        """Return the value of the parameter. Raises ValidationError with its bounds."""
        text = str(value or "").strip()
        if _THOUSANDS.fullmatch(text):
            text = text.replace(",", "")
        if not text:
            if self.spec.is_optional:
                return None
            raise forms.ValidationError("A number is needed here.")
        try:
            return self.spec.check(text)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


class ParamsForm(forms.Form):
    """Every parameter of a run, filled with the saved ones. `params` has the values of
    a valid form.
    """

    params: Params

    def __init__(self, *args: Any, saved: Params, **kwargs: Any) -> None:
        kwargs.setdefault("initial", initial_values(saved))
        super().__init__(*args, **kwargs)
        self.saved = saved
        for name, spec in PARAM_SPECS.items():
            self.fields[name] = _field(spec, getattr(saved, name))
        self.order_fields(
            [*NUMBER_SPECS, *(name for name in PARAM_SPECS if name not in NUMBER_SPECS)]
        )

    def clean(self) -> dict[str, Any]:
        """Put the values of the valid fields together."""
        values = dict(self.cleaned_data)
        if "excluded_flags" in values:
            values["excluded_flags"] = self._flags_in_order(values["excluded_flags"])
        if self.errors:
            return values
        self.params = msgspec.structs.replace(self.saved, **values)
        return values

    def _flags_in_order(self, names: list[str]) -> tuple[str, ...]:
        """Return the flags in a fixed order, so that the order of clicks is no change."""
        if set(names) == set(self.saved.excluded_flags):
            return self.saved.excluded_flags
        return tuple(name for name in _offered_flags(self.saved) if name in names)

    def numbers(self) -> list[forms.BoundField]:
        """Return the fields of numbers, in order."""
        return [self[name] for name in NUMBER_SPECS]

    def changes(self) -> dict[str, Any]:
        """Return the values of the valid form that differ from the saved parameters."""
        changed: dict[str, Any] = {}
        for name in PARAM_SPECS:
            value = getattr(self.params, name)
            if value != getattr(self.saved, name):
                changed[name] = value
        return changed


def _field(spec: ParamSpec, saved: Any) -> forms.Field:
    if spec.is_number:
        return NumberField(spec, saved)
    if spec.kind == "switch":
        return forms.BooleanField(
            required=False,
            label=spec.label,
            help_text=spec.help,
            widget=forms.CheckboxInput(attrs={"data-saved": "on" if saved else ""}),
        )
    return forms.MultipleChoiceField(
        choices=[(name, flag_label(name)) for name in _with_unknown(saved)],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label=spec.label,
        help_text=spec.help,
    )


def _offered_flags(saved: Params) -> list[str]:
    return _with_unknown(saved.excluded_flags)


def _with_unknown(names: tuple[str, ...]) -> list[str]:
    """Return every flag, and those of another version that the saved parameters name."""
    return [*FLAG_NAMES, *(name for name in names if name not in FLAG_NAMES)]


def initial_values(params: Params) -> dict[str, Any]:
    """Return saved parameters as the fields show them."""
    values: dict[str, Any] = {}
    for name, spec in PARAM_SPECS.items():
        value = getattr(params, name)
        values[name] = plain_text(value) if spec.is_number else value
    values["excluded_flags"] = list(params.excluded_flags)
    return values


def plain_text(value: Any) -> str:
    """Return a number without trailing zeros; None as empty text."""
    if value is None:
        return ""
    text = str(value) if isinstance(value, int) else f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def describe_changes(changes: Mapping[str, Any], saved: Params) -> list[str]:
    """Return changes in words, such as `max tokens 5 instead of 20`."""
    return [
        f"{name.replace('_', ' ')} {_describe(value)} instead of {_describe(getattr(saved, name))}"
        for name, value in changes.items()
    ]


def _describe(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return "no limit" if value is None else plain_text(value)

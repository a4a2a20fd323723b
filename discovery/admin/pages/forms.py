"""The form of run parameters, built from their specs: bounds and words are those of the
API and the command.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec
from django import forms

from discovery.domain.flags import FLAG_NAMES, flag_label
from discovery.domain.run_params import NUMBER_SPECS, PARAM_SPECS, Params, ParamSpec

_THOUSANDS: Final = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)
SCHEDULE_HOURS: Final = range(1, 25)
USUAL_SCHEDULE_HOURS: Final = (1, 2, 4, 6, 12, 24)
_SWITCH_WORDS: Final = {True: "on", False: "off"}


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
            required=not spec.is_optional,
            label=spec.label,
            help_text=spec.help,
            error_messages={"required": "A number is needed here."},
            widget=forms.TextInput(attrs=attributes),
        )
        self.spec = spec
        self.unit = spec.unit
        self.bounds = spec.bounds

    def clean(self, value: Any) -> Any:
        """Return the value of the parameter, None for an empty optional one. Raises
        ValidationError with its bounds.
        """
        text = self.to_python(value)
        self.validate(text)
        if not text:
            return None
        if _THOUSANDS.fullmatch(text):
            text = text.replace(",", "")
        try:
            return self.spec.check(text)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


class ParamsForm(forms.Form):
    """Every parameter of a run, filled with the saved ones. `params` has the values of
    a valid form.
    """

    params: Params
    use_required_attribute = False  # the page shows all errors at once, after a save

    def __init__(self, *args: Any, saved: Params, **kwargs: Any) -> None:
        kwargs.setdefault("initial", initial_values(saved))
        super().__init__(*args, **kwargs)
        self.saved = saved
        for name, spec in PARAM_SPECS.items():
            self.fields[name] = _field(spec, getattr(saved, name))
        self.order_fields(NUMBER_SPECS)

    def clean_excluded_flags(self) -> tuple[str, ...]:
        """Return the flags in a fixed order, so that the order of clicks is no change."""
        names = set(self.cleaned_data["excluded_flags"])
        saved_names = self.saved.excluded_flags
        if names == set(saved_names):
            return saved_names
        return tuple(name for name in _with_unknown(saved_names) if name in names)

    def clean(self) -> dict[str, Any]:
        """Return the values of the valid fields; if all are valid, set `params`."""
        if not self.errors:
            self.params = msgspec.structs.replace(self.saved, **self.cleaned_data)
        return self.cleaned_data

    def numbers(self) -> list[forms.BoundField]:
        """Return the fields of numbers, in order."""
        return [self[name] for name in NUMBER_SPECS]

    def switches(self) -> list[forms.BoundField]:
        """Return the fields that are on or off, in order."""
        names = [name for name, spec in PARAM_SPECS.items() if spec.kind == "switch"]
        return [self[name] for name in names]

    def changes(self) -> dict[str, Any]:
        """Return the values of the valid form that differ from the saved parameters."""
        changed: dict[str, Any] = {}
        for name in PARAM_SPECS:
            value = getattr(self.params, name)
            if value != getattr(self.saved, name):
                changed[name] = value
        return changed


def _field(spec: ParamSpec, saved: Any) -> forms.Field:
    match spec.kind:
        case "decimal" | "integer":
            return NumberField(spec, saved)
        case "switch":
            return forms.BooleanField(
                required=False,
                label=spec.label,
                help_text=spec.help,
                widget=forms.CheckboxInput(attrs={"data-saved": "on" if saved else ""}),
            )
        case "flags":
            return forms.MultipleChoiceField(
                choices=[(name, flag_label(name)) for name in _with_unknown(saved)],
                required=False,
                widget=forms.CheckboxSelectMultiple,
                label=spec.label,
                help_text=spec.help,
            )


def _with_unknown(names: tuple[str, ...]) -> list[str]:
    """Return every flag, and those of another version that the saved parameters name."""
    return list(dict.fromkeys((*FLAG_NAMES, *names)))


def initial_values(params: Params) -> dict[str, Any]:
    """Return saved parameters as the fields show them: numbers as text."""
    numbers = {name: plain_text(getattr(params, name)) for name in NUMBER_SPECS}
    return {**msgspec.structs.asdict(params), **numbers}


def plain_text(value: Any) -> str:
    """Return a number without trailing zeros; None as empty text."""
    if value is None:
        return ""
    return f"{Decimal(value).normalize():f}"


def describe_changes(changes: Mapping[str, Any], saved: Params) -> list[str]:
    """Return changes in words, such as `max tokens 5 instead of 20`.

    changes: values by parameter. saved: the values that they replace.
    """
    texts: list[str] = []
    for name, value in changes.items():
        words = name.replace("_", " ")
        saved_value = getattr(saved, name)
        texts.append(f"{words} {_describe(value)} instead of {_describe(saved_value)}")
    return texts


def _describe(value: Any) -> str:
    if value is None:
        return "no limit"
    if isinstance(value, bool):
        return _SWITCH_WORDS[value]
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return plain_text(value)

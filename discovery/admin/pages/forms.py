"""The form of parameters: the bounds and the words are those of the API and the command."""

import re
from typing import Any, Final

from django import forms

from discovery.domain.flags import FLAG_NAMES
from discovery.domain.run_params import BOUNDS, InvalidParams, Params, check

_THOUSANDS: Final = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)
HOURS: Final = range(1, 25)
USUAL_HOURS: Final = (1, 2, 4, 6, 12, 24)
LABELS: Final = {
    "min_price_change_pct": ("Price change, at least", "%", "Over 24 h. Numbers up to 999.99 fit."),
    "min_volume_usd": ("Volume, at least", "USD", "Over 24 h."),
    "min_liquidity_usd": ("Liquidity, at least", "USD", "The price change of a thin pool means nothing."),
    "max_token_age_hours": ("Token age, at most", "h", "Since its launch."),
    "max_tokens": ("Tokens, at most", "", "The most promising ones are analysed."),
    "early_window_minutes": ("Early window", "min", "A first purchase this soon after launch is early."),
    "min_profit_pct": ("Profit, at least", "%", "Realised on the token, of everything put in."),
    "max_requests_per_run": ("Provider calls, at most", "", "The run ends cleanly there. Empty: no limit."),
}


class ParamsForm(forms.Form):
    """Every parameter of a run. `cleaned` has them as columns, once the form is valid."""

    profile_immediately = forms.BooleanField(
        required=False, label="Profile wallets within the run", help_text="Off: they stay unscored until profiled."
    )
    excluded_flags = forms.MultipleChoiceField(
        choices=[(name, name.replace("_", " ")) for name in FLAG_NAMES],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Flags that exclude",
        help_text="An early buyer with one of these does not qualify.",
    )

    def __init__(self, *args: Any, saved: Params, **kwargs: Any) -> None:
        kwargs.setdefault("initial", initial_of(saved))
        super().__init__(*args, **kwargs)
        self.saved = saved
        for name, bound in BOUNDS.items():
            label, unit, help_text = LABELS[name]
            attributes = {
                "type": "number", "min": f"{bound.least:f}", "max": f"{bound.most:f}", "inputmode": "decimal",
                "step": "any" if bound.places else "1", "data-saved": self.initial.get(name, ""), "autocomplete": "off",
            }  # fmt: skip
            field = forms.CharField(
                required=False, label=label, help_text=help_text, widget=forms.TextInput(attrs=attributes)
            )
            field.unit, field.bounds = unit, f"{bound.least:,f}–{bound.most:,f}"  # type: ignore[attr-defined]  # for the template
            self.fields[name] = field
        self.fields["profile_immediately"].widget.attrs["data-saved"] = "on" if saved.profile_immediately else ""
        unknown = [name for name in saved.excluded_flags if name not in FLAG_NAMES]
        choices = [*FLAG_NAMES, *unknown]
        self.fields["excluded_flags"].choices = [(name, name.replace("_", " ")) for name in choices]  # type: ignore[attr-defined]
        self.order_fields([*LABELS, "profile_immediately", "excluded_flags"])

    def clean(self) -> dict[str, Any]:
        """Bounds: what is out of them is told beside its field."""
        values = dict(self.cleaned_data)
        given: dict[str, Any] = {}
        for name, bound in BOUNDS.items():
            text = str(values.get(name) or "").strip()
            if _THOUSANDS.fullmatch(text):
                text = text.replace(",", "")
            if text or not bound.optional:
                given[name] = text
            else:
                given[name] = None
            if text == "" and not bound.optional:
                self.add_error(name, "A number is needed here.")
                del given[name]
        try:
            checked = check(given, self.saved)
        except InvalidParams as error:
            for name, problem in error.problems.items():
                self.add_error(name, problem)
            return values
        chosen = set(values.get("excluded_flags") or ())
        flags = tuple(name for name, _ in self.fields["excluded_flags"].choices if name in chosen)  # type: ignore[attr-defined]
        if chosen == set(self.saved.excluded_flags):
            flags = self.saved.excluded_flags  # their order says nothing
        self.wanted = check(
            {"profile_immediately": bool(values.get("profile_immediately")), "excluded_flags": flags}, checked
        )
        return values

    def numbers(self) -> list[forms.BoundField]:
        """The fields of numbers, in order."""
        return [self[name] for name in LABELS]

    def changes(self) -> dict[str, Any]:
        """What the valid form has other than the saved parameters."""
        return {
            name: getattr(self.wanted, name)
            for name in Params.__struct_fields__
            if getattr(self.wanted, name) != getattr(self.saved, name)
        }


def initial_of(params: Params) -> dict[str, Any]:
    """Saved parameters as the form shows them."""
    values: dict[str, Any] = {"profile_immediately": params.profile_immediately}
    values["excluded_flags"] = list(params.excluded_flags)
    for name in BOUNDS:
        value = getattr(params, name)
        values[name] = "" if value is None else plain(value)
    return values


def plain(value: Any) -> str:
    """A number without zeros that say nothing."""
    text = f"{value:f}" if not isinstance(value, int) else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def describe_changes(changes: dict[str, Any], saved: Params) -> list[str]:
    """Changes in words, for messages: `max tokens 5 instead of 20`."""
    return [
        f"{name.replace('_', ' ')} {_word(value)} instead of {_word(getattr(saved, name))}"
        for name, value in changes.items()
    ]


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return "no limit" if value is None else plain(value)

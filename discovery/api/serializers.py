"""Bodies of requests: their description, and what they ask of `actions`."""

import json
import math
from collections.abc import Mapping
from typing import Any, Final

from rest_framework import serializers

from discovery.domain.flags import FLAG_NAMES
from discovery.domain.run_params import BOUNDS, Bound, InvalidParams, check
from discovery.models.enums import WalletStatus

HOURS: Final = range(1, 25)
_WORDS: Final = {
    "min_price_change_pct": "Least price change over 24 h, percent.",
    "min_volume_usd": "Least volume over 24 h.",
    "min_liquidity_usd": "Least liquidity.",
    "max_token_age_hours": "Most hours since launch.",
    "early_window_minutes": "A first buy this soon after launch is early.",
    "min_profit_pct": "Least realised profit on the token, percent of everything put in.",
    "max_tokens": "Most tokens to analyse.",
    "max_requests_per_run": "Most provider calls; the run ends cleanly there. Null = no limit.",
}


def _number(name: str, bound: Bound) -> Any:
    options: dict[str, Any] = {"required": False, "allow_null": bound.optional, "help_text": _WORDS[name]}
    if bound.places:
        return serializers.FloatField(min_value=float(bound.least), max_value=float(bound.most), **options)
    return serializers.IntegerField(min_value=int(bound.least), max_value=int(bound.most), **options)


_PARAM_FIELDS: Final[dict[str, Any]] = {
    **{name: _number(name, bound) for name, bound in BOUNDS.items()},
    "profile_immediately": serializers.BooleanField(required=False, help_text="Profile new wallets within the run."),
    "excluded_flags": serializers.ListField(
        child=serializers.ChoiceField(choices=[(name, name.replace("_", " ")) for name in FLAG_NAMES]),
        required=False,
        help_text="A wallet with one of these does not qualify.",
    ),
}
ParamsSerializer: Final = type(
    "ParamsSerializer",
    (serializers.Serializer,),
    {**_PARAM_FIELDS, "__doc__": "Parameters of a run. What is left out is as saved."},
)


class ConfigChangeSerializer(serializers.Serializer[Any]):
    """A change of the configuration. What is left out stays as it is."""

    enabled = serializers.BooleanField(required=False, help_text="Whether runs start by themselves.")
    schedule_hours = serializers.IntegerField(min_value=HOURS[0], max_value=HOURS[-1], required=False)
    params = ParamsSerializer(required=False)


class ConfigReplaceSerializer(serializers.Serializer[Any]):
    """The configuration. Parameters that are left out go back to their defaults."""

    enabled = serializers.BooleanField(help_text="Whether runs start by themselves.")
    schedule_hours = serializers.IntegerField(min_value=HOURS[0], max_value=HOURS[-1])
    params = ParamsSerializer()


class WalletChangeSerializer(serializers.Serializer[Any]):
    """What an operator says of a wallet. What is left out stays as it is."""

    status = serializers.ChoiceField(choices=WalletStatus.choices, required=False)
    label = serializers.CharField(max_length=100, allow_blank=True, required=False)  # type: ignore[assignment]
    note = serializers.CharField(max_length=10_000, allow_blank=True, required=False)


def run_overrides(body: Any) -> dict[str, Any]:
    """Parameters that a run is to use instead of the saved ones. Raises InvalidParams naming every bad one."""
    values = _object(body)
    problems = _problems(values)
    if problems:
        raise InvalidParams(problems)
    return values


def config_changes(body: Any, *, whole: bool, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """A change of the configuration by column. Raises InvalidParams naming every bad value, missing ones if `whole`.

    whole: the body replaces what is there; a parameter it leaves out gets its value of `defaults`.
    """
    values = _object(body)
    problems = {name: "no such field" for name in values if name not in {"enabled", "schedule_hours", "params"}}
    if whole:
        problems |= {name: "missing" for name in ("enabled", "schedule_hours", "params") if name not in values}
    if "enabled" in values and not isinstance(values["enabled"], bool):
        problems["enabled"] = "neither true nor false"
    hours = values.get("schedule_hours", HOURS[0])
    if not isinstance(hours, int) or isinstance(hours, bool) or hours not in HOURS:
        problems["schedule_hours"] = f"{_shown(hours)} is not a whole number between {HOURS[0]} and {HOURS[-1]} h"
    params = values.pop("params", {})
    if isinstance(params, dict):
        problems |= {f"params.{name}": words for name, words in _problems(params).items()}
    else:
        problems["params"] = "not an object"
    if problems:
        raise InvalidParams(problems)
    return {**values, **(defaults if whole else {}), **params}


def wallet_changes(body: Any) -> dict[str, str]:
    """What to change of a wallet. Raises InvalidParams, rest_framework's ValidationError."""
    values = _object(body)
    unknown = {name: "no such field" for name in values if name not in WalletChangeSerializer().fields}
    wrong = {name: "not a text" for name, value in values.items() if not isinstance(value, str)}
    if unknown or wrong:
        raise InvalidParams({**wrong, **unknown})
    read = WalletChangeSerializer(data=values)
    read.is_valid(raise_exception=True)
    return dict(read.validated_data)


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise InvalidParams({"": "the body is not a JSON object"})
    return dict(body)


def _problems(values: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with parameters, by name. JSON has numbers: the text of one is refused."""
    problems: dict[str, str] = {}
    numbers: dict[str, Any] = {}
    for name, value in values.items():
        if name == "profile_immediately":
            if not isinstance(value, bool):
                problems[name] = "neither true nor false"
        elif name == "excluded_flags":
            if not _are_flags(value):
                problems[name] = f"not a list of flags: {', '.join(FLAG_NAMES)}"
        elif name in BOUNDS and (isinstance(value, str) or (value is None and not BOUNDS[name].optional)):
            problems[name] = f"{_shown(value)} is not a number"
        else:
            numbers[name] = value
    try:
        check(numbers)
    except InvalidParams as error:
        problems |= error.problems
    return problems


def _are_flags(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) and each in FLAG_NAMES for each in value)


def _shown(value: Any) -> str:
    """A value as its sender wrote it, short."""
    return "a number" if isinstance(value, float) and not math.isfinite(value) else json.dumps(value)[:40]

"""Serializers: the bodies of requests, which validate, and the rows of responses."""

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.settings import api_settings

from discovery import costs
from discovery.api.struct_serializers import struct_serializer
from discovery.domain.flags import FLAG_NAMES
from discovery.domain.run_params import PARAM_SPECS, ParamKind, Params, ParamSpec
from discovery.domain.wallet_labels import (
    MAX_LABEL_LENGTH,
    MAX_REASON_LENGTH,
    MAX_TAG_LENGTH,
    MAX_TAGS,
)
from discovery.domain.wallet_lists import MAX_ENTRIES
from discovery.models.enums import WalletStatus
from discovery.reads import (
    additions,
    config,
    coverage,
    positions,
    pumps,
    report,
    run_findings,
    runs,
    scheduler,
    score_history,
    stats,
    token_results,
    trades,
    wallets,
    what_if,
    why_rows,
)

MIN_SCHEDULE_HOURS: Final = 1
MAX_SCHEDULE_HOURS: Final = 24
MAX_NOTE_LENGTH: Final = 10_000
MAX_QUOTED_LENGTH: Final = 40

# --- Bodies of requests ---------------------------------------------------------------


class BodySerializer(serializers.Serializer[Any]):
    """The body of a request. A body that is not an object and unknown fields are
    refused.
    """

    default_error_messages = {
        "invalid": "the body is not a JSON object",
        "unknown": "no such field",
    }

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return the validated values. Raises ValidationError that names each bad or
        unknown field.
        """
        if not isinstance(data, Mapping):
            raise serializers.ValidationError(
                {api_settings.NON_FIELD_ERRORS_KEY: self.error_messages["invalid"]}
            )
        errors: dict[str, Any] = {}
        values: dict[str, Any] = {}
        try:
            # As a dict: fields read a QueryDict, the empty body of an HTML form, as a
            # form with unchecked boxes.
            values = super().to_internal_value(dict(data))
        except serializers.ValidationError as error:
            errors.update(error.detail)  # type: ignore[arg-type]
        unknown = [name for name in data if name not in self.fields]
        errors.update(dict.fromkeys(unknown, self.error_messages["unknown"]))
        if errors:
            raise serializers.ValidationError(errors)
        return values


class JsonBooleanField(serializers.BooleanField):
    """A boolean of JSON; no words or numbers that stand for one."""

    default_error_messages = {"invalid": "neither true nor false"}

    def to_internal_value(self, data: Any) -> bool:
        """Return the value. Raises ValidationError."""
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class JsonTextField(serializers.CharField):
    """A string of JSON; numbers are not converted."""

    default_error_messages = {"invalid": "not a text"}

    def to_internal_value(self, data: Any) -> str:
        """Return the text without blanks at its ends. Raises ValidationError."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class ScheduleHoursField(serializers.IntegerField):
    """Hours between two scheduled runs."""

    _MESSAGE = (
        f"not a whole number between {MIN_SCHEDULE_HOURS} and {MAX_SCHEDULE_HOURS} h"
    )
    default_error_messages = {
        "invalid": _MESSAGE,
        "min_value": _MESSAGE,
        "max_value": _MESSAGE,
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            min_value=MIN_SCHEDULE_HOURS, max_value=MAX_SCHEDULE_HOURS, **kwargs
        )

    def to_internal_value(self, data: Any) -> int:
        """Return the hours. Raises ValidationError, also for a text, a decimal and a
        boolean.
        """
        if type(data) is not int:
            self.fail("invalid")
        return data


class ParamField(serializers.Field[Any, Any, Any, Any]):
    """One parameter of a run, validated by its spec."""

    default_error_messages = {"null": "null is not allowed"}

    def __init__(self, spec: ParamSpec) -> None:
        super().__init__(
            required=False, allow_null=spec.is_optional, help_text=spec.help
        )
        self.spec = spec

    def to_internal_value(self, data: Any) -> Any:
        """Return the value as the run uses it. Raises ValidationError."""
        try:
            return self.spec.check(data)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None


class NumberParamField(ParamField):
    """A parameter that is a number. JSON has numbers: the text of one is refused."""

    default_error_messages = {
        "null": "null is not a number",
        "number": "{value} is not a number",
    }

    def to_internal_value(self, data: Any) -> Any:
        """Return the value as the run uses it. Raises ValidationError."""
        if type(data) not in (int, float):
            self.fail("number", value=_quoted(data))
        return super().to_internal_value(data)


class FlagsParamField(ParamField):
    """A parameter that lists flags. Unknown ones are refused."""

    default_error_messages = {"flag": "{value} is not among the flags: {flags}"}

    def to_internal_value(self, data: Any) -> Any:
        """Return the names of the flags. Raises ValidationError."""
        names = super().to_internal_value(data)
        for name in names:
            if name not in FLAG_NAMES:
                self.fail("flag", value=_quoted(name), flags=", ".join(FLAG_NAMES))
        return names


FIELDS_BY_KIND: Final[Mapping[ParamKind, type[ParamField]]] = {
    "decimal": NumberParamField,
    "integer": NumberParamField,
    "switch": ParamField,
    "flags": FlagsParamField,
}
"""Kind of a parameter → its field."""


def _quoted(value: Any) -> str:
    """Return the beginning of a value as its sender wrote it."""
    return json.dumps(value)[:MAX_QUOTED_LENGTH]


class ParamsSerializer(BodySerializer):
    """Parameters of a run. Those left out are as saved."""

    default_error_messages = {"unknown": "no such parameter"}

    def get_fields(self) -> dict[str, Any]:
        """Return a field for each parameter."""
        return {
            name: FIELDS_BY_KIND[spec.kind](spec) for name, spec in PARAM_SPECS.items()
        }


class ConfigChangeSerializer(BodySerializer):
    """A change of the configuration. What is left out stays as it is."""

    enabled = JsonBooleanField(
        required=False, help_text="Switches scheduled runs on or off."
    )
    schedule_hours = ScheduleHoursField(required=False)
    params = ParamsSerializer(
        required=False, error_messages={"invalid": "not an object"}
    )

    @property
    def changes(self) -> dict[str, Any]:
        """The validated changes by column of the configuration."""
        values = dict(self.validated_data)
        params = values.pop("params", {})
        return {**values, **params}


class RunCountField(serializers.IntegerField):
    """Number of runs that are compared."""

    _MESSAGE = f"not a whole number between 1 and {what_if.MAX_RUNS} runs"
    default_error_messages = {
        "invalid": _MESSAGE,
        "min_value": _MESSAGE,
        "max_value": _MESSAGE,
    }

    def to_internal_value(self, data: Any) -> int:
        """Return the number. Raises ValidationError, also for a text, a decimal and a
        boolean.
        """
        if type(data) is not int:
            self.fail("invalid")
        return data


class WhatIfRequestSerializer(ConfigChangeSerializer):
    """A change of the configuration that is only tried out. The schedule decides nothing
    about which wallets are found.
    """

    runs = RunCountField(
        min_value=1,
        max_value=what_if.MAX_RUNS,
        default=what_if.DEFAULT_RUNS,
        help_text="Number of the last runs that are compared.",
    )


class PlanRequestSerializer(BodySerializer):
    """Parameters whose cost is asked for. Those left out are as saved."""

    params = ParamsSerializer(
        required=False, error_messages={"invalid": "not an object"}
    )


class ConfigReplaceSerializer(BodySerializer):
    """The configuration. Parameters that are left out return to their defaults."""

    enabled = JsonBooleanField(help_text="Switches scheduled runs on or off.")
    schedule_hours = ScheduleHoursField()
    params = ParamsSerializer(error_messages={"invalid": "not an object"})

    @property
    def changes(self) -> dict[str, Any]:
        """Every column of the configuration."""
        values = dict(self.validated_data)
        params = values.pop("params")
        return {**values, **msgspec.structs.asdict(Params()), **params}


class TagsField(serializers.ListField):
    """Tags of a wallet."""

    def __init__(self, **kwargs: Any) -> None:
        child = JsonTextField(max_length=MAX_TAG_LENGTH)
        super().__init__(child=child, max_length=MAX_TAGS, required=False, **kwargs)


class WalletChangeSerializer(BodySerializer):
    """What an operator says of a wallet. What is left out stays as it is."""

    status = serializers.ChoiceField(choices=WalletStatus.choices, required=False)
    blacklist_reason = JsonTextField(
        max_length=MAX_REASON_LENGTH,
        allow_blank=True,
        required=False,
        help_text="Of a blacklisted wallet. It is cleared when the wallet leaves the blacklist.",
    )
    tags = TagsField(help_text="All tags of the wallet; they replace the earlier ones.")
    is_pinned = JsonBooleanField(required=False)
    label = JsonTextField(max_length=MAX_LABEL_LENGTH, allow_blank=True, required=False)  # type: ignore[assignment]
    note = JsonTextField(max_length=MAX_NOTE_LENGTH, allow_blank=True, required=False)


@extend_schema_field({})
class WalletItemField(serializers.Field[Any, Any, Any, Any]):
    """An item of a list of wallets. The response says what is wrong with it."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the item as it is."""
        return data


class WalletListSerializer(BodySerializer):
    """Wallets to add."""

    wallets = serializers.ListField(
        child=WalletItemField(allow_null=True),
        help_text=f"Addresses, or objects with `address`, `label` and `tags`; at most {MAX_ENTRIES:,}.",
    )
    tags = TagsField(help_text="For every wallet of the list.")
    profile = JsonBooleanField(
        required=False,
        default=True,
        help_text="Whether the wallets that are added are profiled at once.",
    )


# --- Rows of responses ----------------------------------------------------------------

RunRowSerializer: Final = struct_serializer(runs.RunRow)
RunDetailSerializer: Final = struct_serializer(runs.RunDetail)
RunWalletRowSerializer: Final = struct_serializer(run_findings.RunWalletRow)
RunTokenRowSerializer: Final = struct_serializer(run_findings.RunTokenRow)
WalletRowSerializer: Final = struct_serializer(wallets.WalletRow)
AdditionProgressSerializer: Final = struct_serializer(additions.AdditionProgress)
WalletDetailSerializer: Final = struct_serializer(wallets.WalletDetail)
TokenResultRowSerializer: Final = struct_serializer(token_results.TokenResultRow)
SnapshotRowSerializer: Final = struct_serializer(score_history.SnapshotRow)
TradeRowSerializer: Final = struct_serializer(trades.TradeRow)
PositionRowSerializer: Final = struct_serializer(positions.PositionRow)
CoverageSerializer: Final = struct_serializer(coverage.Coverage)
MovedUnitsSerializer: Final = struct_serializer(coverage.MovedUnits)
EarlyBuyerRowSerializer: Final = struct_serializer(run_findings.EarlyBuyerRow)
ConfigSerializer: Final = struct_serializer(config.ConfigView)
StatsSerializer: Final = struct_serializer(stats.Stats)
ReportSerializer: Final = struct_serializer(report.Report)
SchedulerSerializer: Final = struct_serializer(scheduler.SchedulerView)
PumpsSerializer: Final = struct_serializer(pumps.PumpsView)
WhySerializer: Final = struct_serializer(why_rows.Why)
PlanSerializer: Final = struct_serializer(costs.PlanView)
WhatIfSerializer: Final = struct_serializer(what_if.WhatIf)

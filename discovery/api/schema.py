"""Rows of `reads` as JSON. One rule for all: what a row says of itself is what the API answers and documents.

Lamports and raw units are text (they pass what a JSON number holds safely), ratios, percentages, USD and durations are
numbers, times are ISO-8601 in UTC with `Z`.
"""

from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

import msgspec
from django.db.models import TextChoices
from drf_spectacular.utils import extend_schema_field
from msgspec import inspect
from rest_framework import serializers

_AMOUNTS: Final = ("_lamports", "_units")

Fields = dict[str, "serializers.Field[Any, Any, Any, Any]"]
AnyField = serializers.Field[Any, Any, Any, Any]


@extend_schema_field({"type": "string", "pattern": r"^-?[0-9]+$", "examples": ["1500000000"]})
class AmountField(serializers.CharField):
    """Lamports or raw units: a whole number as text."""


@extend_schema_field({"type": "string", "format": "date-time"})
class UnixTimeField(serializers.Field[Any, Any, str, Any]):
    """Unix seconds as a time."""

    def to_representation(self, value: Any) -> str:
        """ISO-8601 with `Z`."""
        return datetime.fromtimestamp(value, UTC).isoformat().replace("+00:00", "Z")


_PLAIN: Final[dict[type[inspect.Type], Any]] = {
    inspect.IntType: serializers.IntegerField,
    inspect.FloatType: serializers.FloatField,
    inspect.DecimalType: serializers.FloatField,
    inspect.BoolType: serializers.BooleanField,
    inspect.StrType: serializers.CharField,
    inspect.DateType: serializers.DateField,
    inspect.UUIDType: serializers.UUIDField,
}


@cache
def serializer_of(row: type[msgspec.Struct]) -> type[serializers.Serializer[Any]]:
    """The serializer of a row, made from its types, its descriptions and its docstring."""
    shape = inspect.type_info(row)
    assert isinstance(shape, inspect.StructType)
    fields: dict[str, Any] = {field.name: _field(field.name, field.type) for field in shape.fields}
    return type(f"{row.__name__}Serializer", (serializers.Serializer,), {**fields, "__doc__": row.__doc__})


def page_serializer(name: str, rows: str, row: type[msgspec.Struct]) -> type[serializers.Serializer[Any]]:
    """One page of a list: the rows under the name `rows`, and where the page stands."""
    fields: Fields = {
        rows: serializer_of(row)(many=True),
        "total": serializers.IntegerField(help_text="Rows in all, counted to 100,000."),
        "page": serializers.IntegerField(help_text="1 = the first."),
        "page_size": serializers.IntegerField(),
        "has_more": serializers.BooleanField(),
    }
    return type(f"{name}Serializer", (serializers.Serializer,), {**fields, "__doc__": f"One page of {rows}."})


def plain(row: msgspec.Struct) -> Any:
    """The row as values for JSON."""
    return serializer_of(type(row))(row).data


def plain_rows(rows: list[Any], kind: type[msgspec.Struct]) -> Any:
    """Rows of one kind as values for JSON."""
    return serializer_of(kind)(rows, many=True).data


def _field(name: str, kind: inspect.Type) -> AnyField:
    description, choices, nullable = "", None, False
    if isinstance(kind, inspect.Metadata):
        description = (kind.extra_json_schema or {}).get("description", "")
        choices = (kind.extra or {}).get("choices")
        kind = kind.type
    if isinstance(kind, inspect.UnionType):
        nullable = any(isinstance(each, inspect.NoneType) for each in kind.types)
        (kind,) = (each for each in kind.types if not isinstance(each, inspect.NoneType))
    options: dict[str, Any] = {"allow_null": True} if nullable else {}
    if description:
        options["help_text"] = description
    return _of_kind(name, kind, choices, options)


def _of_kind(name: str, kind: inspect.Type, choices: type[TextChoices] | None, options: dict[str, Any]) -> AnyField:
    match kind:
        case inspect.StructType():
            nested: AnyField = serializer_of(kind.cls)(**options)
            return nested
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            if isinstance(item, inspect.StructType):
                return serializer_of(item.cls)(many=True, **options)
            return serializers.ListField(child=_field("", item), **options)
        case inspect.DictType(value_type=value):
            return serializers.DictField(child=_field("", value), **options)
        case inspect.DateTimeType():
            return serializers.DateTimeField(default_timezone=UTC, **options)
        case inspect.LiteralType(values=values):
            return serializers.ChoiceField(choices=[str(value) for value in values], **options)
        case inspect.StrType() if choices is not None:
            return serializers.ChoiceField(choices=choices.choices, **options)
        case inspect.IntType() if name.endswith(_AMOUNTS):
            return AmountField(**options)
        case inspect.IntType() if name.endswith("_at"):
            return UnixTimeField(**options)
        case _:
            made: AnyField = _PLAIN[type(kind)](**options)
            return made

"""Serializers of msgspec structs: the counterpart of ModelSerializer for the rows that `reads` returns.

The annotations of a struct decide what the API returns and documents. `Lamports` and `RawUnits` become text, because
they exceed what a JSON number holds exactly. Decimals become numbers. Times become ISO-8601 in UTC with `Z`.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, ClassVar, Final

import msgspec
from django.db.models import TextChoices
from drf_spectacular.utils import extend_schema_field
from msgspec import inspect
from rest_framework import serializers

AnyField = serializers.Field[Any, Any, Any, Any]


@extend_schema_field({"type": "string", "pattern": r"^-?[0-9]+$", "examples": ["1500000000"]})
class AmountField(serializers.CharField):
    """Lamports or raw token units: a whole number as text."""


@extend_schema_field({"type": "string", "format": "date-time"})
class UnixTimeField(serializers.Field[Any, Any, str, Any]):
    """Unix seconds, shown as a time in UTC."""

    def to_representation(self, value: Any) -> str:
        """Return the time in ISO-8601 with `Z`."""
        return datetime.fromtimestamp(value, UTC).isoformat().replace("+00:00", "Z")


FIELDS_BY_UNIT: Final[Mapping[str, type[AnyField]]] = {
    "lamports": AmountField,
    "raw units": AmountField,
    "unix seconds": UnixTimeField,
}
"""Unit of an annotation in `discovery.domain.units` and `discovery.domain.times` → field."""
FIELDS_BY_TYPE: Final[Mapping[type[inspect.Type], Callable[..., AnyField]]] = {
    inspect.IntType: serializers.IntegerField,
    inspect.FloatType: serializers.FloatField,
    inspect.DecimalType: serializers.FloatField,
    inspect.BoolType: serializers.BooleanField,
    inspect.StrType: serializers.CharField,
    inspect.DateType: serializers.DateField,
    inspect.UUIDType: serializers.UUIDField,
}


class Annotation(msgspec.Struct, frozen=True):
    """A type without its wrappers. `extra` and `description` are those of `msgspec.Meta`."""

    kind: inspect.Type
    is_nullable: bool = False
    description: str = ""
    extra: dict[str, Any] = {}

    @property
    def choices(self) -> type[TextChoices] | None:
        """The choices of a text, if it has some."""
        return self.extra.get("choices")

    @property
    def field_options(self) -> dict[str, Any]:
        """The arguments that every field takes."""
        options: dict[str, Any] = {}
        if self.is_nullable:
            options["allow_null"] = True
        if self.description:
            options["help_text"] = self.description
        return options


def unwrap(kind: inspect.Type) -> Annotation:
    """Return the type inside `Annotated[…]` and `… | None`, with what these say about it."""
    if isinstance(kind, inspect.Metadata):
        inner = unwrap(kind.type)
        description = (kind.extra_json_schema or {}).get("description", inner.description)
        extra = {**inner.extra, **(kind.extra or {})}
        return msgspec.structs.replace(inner, description=description, extra=extra)
    if isinstance(kind, inspect.UnionType):
        (only,) = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
        return msgspec.structs.replace(unwrap(only), is_nullable=inspect.NoneType() in kind.types)
    return Annotation(kind)


class StructSerializer(serializers.Serializer[Any]):
    """Show a msgspec struct. `Meta.struct` names it; each field of the struct is a field of the serializer."""

    class Meta:
        struct: ClassVar[type[msgspec.Struct]]

    def get_fields(self) -> dict[str, AnyField]:
        """Return a field for each field of the struct, in its order."""
        return {field.name: build_field(field.type) for field in struct_fields(self.Meta.struct)}


@cache
def struct_fields(struct: type[msgspec.Struct]) -> tuple[inspect.Field, ...]:
    """Return the fields of a struct with their types."""
    shape = inspect.type_info(struct)
    assert isinstance(shape, inspect.StructType)
    return shape.fields


@cache
def struct_serializer(struct: type[msgspec.Struct]) -> type[StructSerializer]:
    """Return the serializer of a struct: always the same class, so that OpenAPI describes it once."""
    meta = type("Meta", (), {"struct": struct})
    return type(f"{struct.__name__}Serializer", (StructSerializer,), {"Meta": meta, "__doc__": struct.__doc__})


def build_field(kind: inspect.Type) -> AnyField:
    """Return the serializer field of a type."""
    annotation = unwrap(kind)
    options = annotation.field_options
    match annotation.kind:
        case inspect.StructType(cls=struct):
            return struct_serializer(struct)(**options)
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            return _list_field(item, options)
        case inspect.DictType(value_type=value):
            return serializers.DictField(child=build_field(value), **options)
        case inspect.DateTimeType():
            return serializers.DateTimeField(default_timezone=UTC, **options)
        case inspect.LiteralType(values=values):
            return serializers.ChoiceField(choices=[str(value) for value in values], **options)
        case inspect.StrType() if annotation.choices is not None:
            return serializers.ChoiceField(choices=annotation.choices.choices, **options)
        case inspect.IntType() if "unit" in annotation.extra:
            return FIELDS_BY_UNIT[annotation.extra["unit"]](**options)
        case _:
            return FIELDS_BY_TYPE[type(annotation.kind)](**options)


def _list_field(item: inspect.Type, options: dict[str, Any]) -> AnyField:
    if isinstance(item, inspect.StructType):
        return struct_serializer(item.cls)(many=True, **options)
    return serializers.ListField(child=build_field(item), **options)

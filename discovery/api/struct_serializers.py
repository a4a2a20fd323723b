"""Serializers of msgspec structs: the counterpart of ModelSerializer for the rows that
`reads` returns.

The annotations of a struct decide what the API returns and documents. `Lamports` and
`RawUnits` become text, because they exceed what a JSON number holds exactly. Decimals
become numbers. Times become ISO-8601 in UTC with `Z`.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, ClassVar, Final

import msgspec
from drf_spectacular.utils import extend_schema_field
from msgspec import inspect
from rest_framework import serializers

AnyField = serializers.Field[Any, Any, Any, Any]


@extend_schema_field(
    {"type": "string", "pattern": r"^-?[0-9]+$", "examples": ["1500000000"]}
)
class AmountField(serializers.CharField):
    """Lamports or raw token units: a whole number as text."""


@extend_schema_field({"type": "string", "format": "date-time"})
class UnixTimeField(serializers.Field[Any, Any, str, Any]):
    """Unix seconds, shown as a time in UTC."""

    def to_representation(self, value: Any) -> str:
        """Return the time in ISO-8601 with `Z`. value: Unix seconds."""
        return datetime.fromtimestamp(value, UTC).isoformat().replace("+00:00", "Z")


FIELDS_BY_UNIT: Final[Mapping[str, type[AnyField]]] = {
    "lamports": AmountField,
    "raw units": AmountField,
    "unix seconds": UnixTimeField,
}
"""Unit of an annotation in `discovery.domain.units` and `discovery.domain.times` →
field.
"""
FIELDS_BY_TYPE: Final[Mapping[type[inspect.Type], Callable[..., AnyField]]] = {
    inspect.IntType: serializers.IntegerField,
    inspect.FloatType: serializers.FloatField,
    inspect.DecimalType: serializers.FloatField,
    inspect.BoolType: serializers.BooleanField,
    inspect.StrType: serializers.CharField,
    inspect.DateType: serializers.DateField,
    inspect.UUIDType: serializers.UUIDField,
    inspect.DateTimeType: partial(serializers.DateTimeField, default_timezone=UTC),
}


class FieldType(msgspec.Struct, frozen=True):
    """A type without its wrappers. `extra` and `description` are those of
    `msgspec.Meta`.
    """

    kind: inspect.Type
    is_nullable: bool = False
    description: str = ""
    extra: dict[str, Any] = {}

    @property
    def options(self) -> dict[str, Any]:
        """The arguments of its serializer field."""
        return {"allow_null": self.is_nullable, "help_text": self.description}


def unwrap(kind: inspect.Type) -> FieldType:
    """Return the type inside `Annotated[…]` and `… | None`, with what these say about
    it. Raises ValueError for a union of several types.
    """
    match kind:
        case inspect.Metadata(type=inner):
            field = unwrap(inner)
            schema = kind.extra_json_schema or {}
            return msgspec.structs.replace(
                field,
                description=schema.get("description", field.description),
                extra=field.extra | (kind.extra or {}),
            )
        case inspect.UnionType(types=types):
            (only,) = [each for each in types if not isinstance(each, inspect.NoneType)]
            return msgspec.structs.replace(unwrap(only), is_nullable=True)
        case _:
            return FieldType(kind)


class StructSerializer(serializers.Serializer[Any]):
    """Show a msgspec struct. `Meta.struct` names it; each field of the struct is a
    field of the serializer.
    """

    class Meta:
        struct: ClassVar[type[msgspec.Struct]]

    def get_fields(self) -> dict[str, AnyField]:
        """Return a field for each field of the struct, in its order."""
        return {
            field.name: build_field(field.type)
            for field in struct_fields(self.Meta.struct)
        }


@cache
def struct_fields(struct: type[msgspec.Struct]) -> tuple[inspect.Field, ...]:
    """Return the fields of a struct with their types."""
    shape = inspect.type_info(struct)
    assert isinstance(shape, inspect.StructType)
    return shape.fields


@cache
def struct_serializer(struct: type[msgspec.Struct]) -> type[StructSerializer]:
    """Return the serializer of a struct: always the same class, so that OpenAPI
    describes it once.
    """
    meta = type("Meta", (), {"struct": struct})
    return type(
        f"{struct.__name__}Serializer",
        (StructSerializer,),
        {"Meta": meta, "__doc__": struct.__doc__},
    )


def build_field(kind: inspect.Type) -> AnyField:
    """Return the serializer field of a type.

    Raises KeyError for a type or a unit that has no field. Values of a list, of a tuple
    and of a dict have the field of their own type.
    """
    field = unwrap(kind)
    if "unit" in field.extra:
        return FIELDS_BY_UNIT[field.extra["unit"]](**field.options)
    if "choices" in field.extra:
        return serializers.ChoiceField(
            choices=field.extra["choices"].choices, **field.options
        )
    match field.kind:
        case inspect.StructType(cls=struct):
            return struct_serializer(struct)(**field.options)
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            return serializers.ListField(child=build_field(item), **field.options)
        case inspect.DictType(value_type=value):
            return serializers.DictField(child=build_field(value), **field.options)
        case inspect.EnumType(cls=kinds):
            return serializers.ChoiceField(
                choices=[(each.value, each.name) for each in kinds], **field.options
            )
        case inspect.LiteralType(values=values):
            return serializers.ChoiceField(
                choices=[str(value) for value in values], **field.options
            )
        case _:
            return FIELDS_BY_TYPE[type(field.kind)](**field.options)

"""The description of the API: OpenAPI 3.1, built from views, serializers and forms."""

from collections.abc import Iterable, Mapping
from functools import cache
from itertools import chain
from typing import Any, Final

from django import forms
from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from discovery.api.auth import KeyAuthentication, SessionAuthentication
from discovery.api.problems import PROBLEM_JSON, RETRY_SECONDS, ProblemBody
from discovery.api.renderers import EXPORT_RENDERERS, StreamingRenderer
from discovery.api.serializers import BodySerializer, ParamField
from discovery.api.struct_serializers import struct_serializer
from discovery.domain.flags import FLAG_LABELS
from discovery.domain.run_params import ParamSpec
from discovery.reads.filters import MomentField, SolanaAddressField, SwitchField

# --- Parameters and responses of a call -----------------------------------------------

RUN_ID: Final = OpenApiParameter(
    "run_id", {"type": "string", "format": "uuid"}, OpenApiParameter.PATH
)
ADDRESS: Final = OpenApiParameter(
    "address",
    {"type": "string", "pattern": "^[1-9A-HJ-NP-Za-km-z]{32,44}$"},
    OpenApiParameter.PATH,
)
CATEGORY: Final = OpenApiParameter(
    "category",
    {"type": "string", "pattern": "^(in|out)_[a-z_]{1,30}$"},
    OpenApiParameter.PATH,
    description="Of the coverage, such as `out_transfer`.",
)
ADDITION_ID: Final = OpenApiParameter(
    "addition_id",
    {"type": "string", "pattern": "^[0-9]{8}T[0-9]{12}Z$"},
    OpenApiParameter.PATH,
    description="Of the response that added the wallets.",
)
PROBLEM_DESCRIPTIONS: Final[Mapping[int, str]] = {
    400: "A value is not allowed, unknown or malformed; `errors` names it.",
    401: "No key, or one that is unknown, expired or revoked.",
    403: "The caller lacks the scope, or the CSRF token of a session is missing.",
    404: "Not found.",
    405: "The path does not allow the method.",
    406: "None of the requested forms of the response is available.",
    409: "Not possible now; the problem names the reason.",
    411: "The body came without its length.",
    412: "Changed meanwhile by somebody else: read it again.",
    413: "The body is larger than 64 KiB, or a list larger than 5 MB or 10,000 entries.",
    415: "The body is not JSON, or not one of the forms of a list.",
    422: "The Idempotency-Key was used for another request.",
    428: "The change does not name the version that it is based on: `If-Match` is missing.",
    429: "Too many calls.",
    500: "Internal error.",
    503: "The database is unreachable.",
}
COMMON_PROBLEMS: Final = (400, 401, 403, 405, 406, 429, 503)
BODY_PROBLEMS: Final = (411, 413, 415)
"""Problems of a call that takes a body."""


def responses(
    status_code: int | tuple[int, str], kind: Any, *problems: int
) -> dict[Any, Any]:
    """Return the responses of a call: the regular one, its own problems and those of
    every call.

    status_code: of the regular response, alone (JSON) or with its media type. kind: the
    serializer of its body. problems: status codes. Raises KeyError for a status code
    without an entry in PROBLEM_DESCRIPTIONS.
    """
    described: dict[Any, Any] = {status_code: kind}
    problem_body = struct_serializer(ProblemBody)
    for code in sorted({*COMMON_PROBLEMS, *problems}):
        described[(code, PROBLEM_JSON)] = OpenApiResponse(
            problem_body, description=PROBLEM_DESCRIPTIONS[code]
        )
    return described


def list_responses(
    row: type[serializers.Serializer[Any]], *problems: int
) -> dict[Any, Any]:
    """Return the responses of a list. row: the serializer of its rows. problems: status
    codes beyond those of every call.
    """
    return responses((200, "application/json"), row(many=True), *problems)


def export_responses(
    row: type[serializers.Serializer[Any]],
    *problems: int,
    renderers: Iterable[type[StreamingRenderer]] = EXPORT_RENDERERS,
) -> dict[Any, Any]:
    """Return the responses of a list that is also available as a file. row, problems:
    as of `list_responses`.
    """
    return {
        **list_responses(row, *problems),
        **{(200, str(renderer.media_type)): renderer.schema for renderer in renderers},
    }


def response_header(name: str, description: str, codes: list[int]) -> OpenApiParameter:
    """Return a header of the responses with these status codes."""
    return OpenApiParameter(
        name, str, OpenApiParameter.HEADER, description=description, response=codes
    )


LOCATION: Final = response_header("Location", "The URL of the run or wallet.", [202])
RETRY_AFTER: Final = response_header(
    "Retry-After", f"Seconds to wait before it is read, such as {RETRY_SECONDS}.", [202]
)

# --- Query parameters -----------------------------------------------------------------


def query_parameters(form: forms.Form) -> Iterable[OpenApiParameter]:
    """Yield the query parameters that a form validates."""
    for name, field in form.fields.items():
        yield OpenApiParameter(
            name,
            field_schema(field),
            OpenApiParameter.QUERY,
            description=field_description(field),
        )


def field_schema(field: forms.Field) -> dict[str, Any]:
    """Return the JSON schema of a form field. Raises TypeError for a field without one."""
    match field:
        case MomentField():
            schema: dict[str, Any] = {
                "type": "string",
                "anyOf": [{"format": "date"}, {"format": "date-time"}],
                "examples": ["2026-11-24"],
            }
        case SwitchField():
            schema = {"type": "boolean"}
        case forms.ChoiceField():
            schema = {
                "type": "string",
                "enum": list(labels_of_choices(field)),
                "minLength": 1,
            }
        case forms.DecimalField():
            schema = {"type": "number", "format": "double", **number_bounds(field)}
        case forms.IntegerField():
            schema = {"type": "integer", **number_bounds(field)}
        case forms.RegexField():
            schema = {"type": "string", "pattern": field.regex.pattern, "minLength": 1}
        case SolanaAddressField():
            schema = {"type": "string", "minLength": 1}
        case forms.CharField():
            schema = {"type": "string", "maxLength": field.max_length, "minLength": 1}
        case _:
            raise TypeError(f"no schema for {type(field).__name__}")
    if field.initial is not None:
        schema["default"] = field.initial
    return schema


def number_bounds(field: forms.IntegerField) -> dict[str, Any]:
    """Return the bounds of a number field, both allowed."""
    return {"minimum": field.min_value, "maximum": field.max_value}


def labels_of_choices(field: forms.ChoiceField) -> dict[str, str]:
    """Return the values of a choice field with their labels, without the empty one."""
    choices: Any = field.choices
    return {str(value): str(label) for value, label in choices if value != ""}


def field_description(field: forms.Field) -> str:
    """Return the help text of a form field, with the labels of its choices."""
    match field:
        case SwitchField():
            return str(field.help_text)
        case forms.ChoiceField():
            labels = labels_of_choices(field)
            lines = [f"* `{value}` - {label}" for value, label in labels.items()]
            choices = "\n".join(lines)
            return f"{field.help_text}\n\n{choices}".strip()
        case _:
            return str(field.help_text)


class ApiSchema(AutoSchema):
    """Describe a call. The forms of the view describe its query parameters."""

    def get_override_parameters(self) -> list[Any]:
        """Return the query parameters of a view that reads."""
        if self.method != "GET":
            return []
        view: Any = self.view
        forms_of_view = view.query_forms({})
        return list(chain.from_iterable(map(query_parameters, forms_of_view)))

    def get_paginated_name(self, serializer_name: str) -> str:
        """Return the name of a page: `RunPage` has rows `RunRow`."""
        return f"{serializer_name.removesuffix('Row')}Page"


# --- Components -----------------------------------------------------------------------


class BodyExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]  # a subclass registers itself
    """A body of a request takes no unknown fields."""

    target_class = BodySerializer
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        """Return the schema of the body."""
        schema: dict[str, Any] = auto_schema._map_serializer(
            self.target, direction, bypass_extensions=True
        )
        return {**schema, "additionalProperties": False}


class ParamExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A parameter of a run, as the field of DRF that takes the same values."""

    target_class = ParamField
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: str) -> Any:
        """Return the schema of the parameter."""
        return auto_schema._map_serializer_field(
            equivalent_field(self.target.spec), direction
        )


def equivalent_field(spec: ParamSpec) -> "serializers.Field[Any, Any, Any, Any]":
    """Return the field of DRF that takes the values of a parameter."""
    match spec.kind:
        case "decimal":
            return serializers.FloatField(
                min_value=float(spec.min), max_value=float(spec.max)
            )
        case "integer":
            return serializers.IntegerField(
                min_value=int(spec.min), max_value=int(spec.max)
            )
        case "switch":
            return serializers.BooleanField()
        case "flags":
            return serializers.ListField(
                child=serializers.ChoiceField(choices=list(FLAG_LABELS.items()))
            )


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """An API key."""

    target_class = KeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the security scheme."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key, created in the admin or by `manage.py create_api_key`. "
            "Scopes: read, run, admin.",
        }


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The session of the admin pages."""

    target_class = SessionAuthentication
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the security scheme. The name of the real cookie begins with
        INSTANCE_NAME.
        """
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "walltrack_session",
            "description": "A login of the admin pages; changes need the header `X-CSRFToken`.",
        }


# --- Hooks of drf-spectacular ---------------------------------------------------------


def without_trailing_slashes(endpoints: list[Any], **_: Any) -> list[Any]:
    """Keep one of the two paths under which each view is served."""
    return [endpoint for endpoint in endpoints if not endpoint[0].endswith("/")]


def shared_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Describe each problem once, and the id of the request as a header of every
    response.
    """
    request_id = {
        "schema": {"type": "string"},
        "description": "Marks the log lines of this request.",
    }
    problems = result["components"].setdefault("responses", {})
    for operation in _operations(result):
        for status_code, response in operation["responses"].items():
            response.setdefault("headers", {})["X-Request-ID"] = request_id
            if PROBLEM_JSON in response["content"]:
                problems[f"Problem{status_code}"] = response
                operation["responses"][status_code] = {
                    "$ref": f"#/components/responses/Problem{status_code}"
                }
    result["components"]["responses"] = dict(sorted(problems.items()))
    return result


def _operations(result: dict[str, Any]) -> Iterable[dict[str, Any]]:
    for path in result["paths"].values():
        yield from path.values()


@cache
def description() -> dict[str, Any]:
    """Return the whole description. It is the same for every caller, and is built once
    in each process.
    """
    built: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return built

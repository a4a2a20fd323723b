"""Values that rows of several queries share: texts with choices, text from the chain,
and stored errors.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar

import msgspec
from django.db.models import Func, IntegerField, TextChoices
from msgspec import Meta

from discovery.domain.chain_text import clean_text

_MAX_TEXT_LENGTH: Final = 128


def one_of(choices: type[TextChoices], description: str | None = None) -> Meta:
    """Return the annotation of a text that is one of `choices`.

    Rows of the earlier system may hold another value, which is passed on unchanged.
    """
    return Meta(description=description, extra={"choices": choices})


def safe_text(text: str | None) -> str:
    """Return text from the chain without control and direction characters, cut to 128
    characters.
    """
    return clean_text(text, _MAX_TEXT_LENGTH)


class ErrorDetail(msgspec.Struct, frozen=True):
    """An error of a run, with the step in which it happened."""

    step: Annotated[
        str, Meta(description="The unit of work, such as `find_tokens` or a mint.")
    ]
    code: Annotated[
        str, Meta(description="The cause as a code, such as `rate_limited`.")
    ]
    message: str


def error_list(stored: Any) -> list[Any]:
    """Return the column `errors` as a list. Rows of the earlier system hold null, one
    text or one object there.
    """
    if stored is None:
        return []
    if isinstance(stored, list):
        return stored
    return [stored]


def error_messages(stored: Any) -> list[str]:
    """Return the message of each entry of the column `errors`."""
    return [_error_message(entry) for entry in error_list(stored)]


def _error_message(entry: Any) -> str:
    if not isinstance(entry, dict):
        return str(entry)
    for name in ("message", "code"):
        if entry.get(name):
            return str(entry[name])
    return str(entry)


def error_details(stored: Any) -> list[ErrorDetail]:
    """Return the entries of the column `errors` that are objects; others have neither
    step nor code.
    """
    return [
        _error_detail(entry) for entry in error_list(stored) if isinstance(entry, dict)
    ]


def _error_detail(entry: Mapping[str, Any]) -> ErrorDetail:
    return ErrorDetail(
        step=_text_of(entry, "step"),
        code=_text_of(entry, "code"),
        message=_text_of(entry, "message"),
    )


def _text_of(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    return str(value) if value else ""


class ErrorCount(Func):
    """Number of entries of the column `errors`. The database counts them, so that the
    column is not transferred.
    """

    template = (
        "CASE COALESCE(jsonb_typeof(%(expressions)s), 'null') WHEN 'array' THEN jsonb_array_length(%(expressions)s) "
        "WHEN 'null' THEN 0 ELSE 1 END"
    )
    output_field = IntegerField()


Struct = TypeVar("Struct", bound=msgspec.Struct)


def decode_stored(stored: Any, kind: type[Struct]) -> Struct | None:
    """Return a stored JSON object as `kind`, or None if it is empty or another version
    wrote it differently.
    """
    if not stored:
        return None
    try:
        return msgspec.convert(stored, kind, strict=False)
    except msgspec.ValidationError:
        return None

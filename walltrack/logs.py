"""Log lines: JSON for machines, console for people; keys and passwords are taken out of both.

Every line written within `bind(run_id=…)` carries that field, whoever writes it.
"""

import contextlib
import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

# A mint is a token too in the words of the field: alone, the word hides only what a URL or a form says with `=`.
_SECRET = re.compile(
    r"(?i)((?:(?:api[-_]?key|x-api-key|(?:access|auth|refresh|bearer|csrf)[-_]?token|password|secret|authorization)"
    r"[\"'\\]*\s*[=:]|\btoken\s*=)\s*[\"'\\]*(?:bearer\s+|basic\s+)?)[^\s&\"'\\,}]+"
)
_CREDENTIALS = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s/@]+@")
_OUR_KEY = re.compile(r"\b(wt_[A-Za-z0-9]+_)[A-Za-z0-9_-]{8,}")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})

_bound: ContextVar[Mapping[str, str]] = ContextVar("walltrack_log_fields", default=_NOTHING)


def redact(text: str) -> str:
    """`text` without the values of keys, tokens and URL passwords."""
    return _OUR_KEY.sub(r"\1***", _CREDENTIALS.sub(r"\1***@", _SECRET.sub(r"\1***", text)))


@contextlib.contextmanager
def bind(**fields: object) -> Iterator[None]:
    """Every line written within carries `fields` (run_id, step, request_id…): in this thread, its tasks and callees.

    Inner fields add to outer ones and win over them; None leaves a field out.
    """
    known = {**_bound.get(), **{name: str(value) for name, value in fields.items() if value is not None}}
    token = _bound.set(known)
    try:
        yield
    finally:
        _bound.reset(token)


def bound() -> Mapping[str, str]:
    """The fields in force here."""
    return MappingProxyType(dict(_bound.get()))


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """The bound fields, then the record's own, which win."""
    return {**_bound.get(), **{key: value for key, value in vars(record).items() if key not in _STANDARD}}


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, event and the line's fields (run_id, provider…)."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, redacted."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line.update(_fields(record))
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = self.formatStack(record.stack_info)
        return redact(json.dumps(line, default=str, ensure_ascii=False))


class ConsoleFormatter(logging.Formatter):
    """Time, level, logger and message for a person, with the line's fields behind."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s  %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  the base class's name
        """The first line, before any traceback."""
        tail = "".join(f" {key}={value}" for key, value in _fields(record).items())
        return super().formatMessage(record) + tail

    def format(self, record: logging.LogRecord) -> str:
        """The line, redacted."""
        return redact(super().format(record))

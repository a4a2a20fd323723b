"""Log lines as JSON for machines or as text for people. Keys and passwords are redacted
in both.

Every line that is written within `bind(run_id=…)` carries that field, whichever module
writes it.
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

# A mint is called a token too: the bare word `token` marks a secret only before `=`, as
# in a URL or a form.
_SECRET = re.compile(
    r"(?i)((?:(?:api[-_]?key|x-api-key|(?:access|auth|refresh|bearer|csrf)[-_]?token|password|secret|authorization)"
    r"[\"'\\]*\s*[=:]|\btoken\s*=)\s*[\"'\\]*(?:bearer\s+|basic\s+)?)[^\s&\"'\\,}]+"
)
_URL_PASSWORD = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s/@]+@")
_API_KEY = re.compile(r"\b(wt_[A-Za-z0-9]+_)[A-Za-z0-9_-]{8,}")
_RECORD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
}
_NO_FIELDS: Final[Mapping[str, str]] = MappingProxyType({})

_bound: ContextVar[Mapping[str, str]] = ContextVar(
    "walltrack_log_fields", default=_NO_FIELDS
)


def redact(text: str) -> str:
    """Return `text` with the values of keys, tokens and URL passwords replaced by
    `***`.
    """
    text = _SECRET.sub(r"\1***", text)
    text = _URL_PASSWORD.sub(r"\1***@", text)
    return _API_KEY.sub(r"\1***", text)


@contextlib.contextmanager
def bind(**fields: object) -> Iterator[None]:
    """Add `fields` (run_id, step, request_id…) to every line that this thread and its
    tasks write within the block.

    Inner fields are added to outer ones and override them. A field of None is left out.
    """
    merged = dict(_bound.get())
    for name, value in fields.items():
        if value is not None:
            merged[name] = str(value)
    token = _bound.set(merged)
    try:
        yield
    finally:
        _bound.reset(token)


def bound() -> Mapping[str, str]:
    """Return the fields that are bound at this point."""
    return MappingProxyType(dict(_bound.get()))


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return the bound fields and the record's own, which override them."""
    own_fields = {
        name: value
        for name, value in vars(record).items()
        if name not in _RECORD_ATTRIBUTES
    }
    return {**_bound.get(), **own_fields}


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, event and the line's fields (run_id,
    provider…).
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the redacted line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(
                timespec="milliseconds"
            ),
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
    """Time, level, logger and message as text, followed by the line's fields."""

    def __init__(self) -> None:
        super().__init__(
            "%(asctime)s %(levelname)-7s %(name)s  %(message)s", "%H:%M:%S"
        )

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  the base class's name
        """Return the first line, which precedes any traceback."""
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        return super().formatMessage(record) + fields

    def format(self, record: logging.LogRecord) -> str:
        """Return the redacted lines."""
        return redact(super().format(record))


def logging_config(level: str, format_name: str) -> dict[str, Any]:
    """Return the settings of `logging`: lines of `level` and above on standard error.

    format_name: `json` or `console`.
    """
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {"()": "walltrack.logs.JsonFormatter"},
            "console": {"()": "walltrack.logs.ConsoleFormatter"},
        },
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": format_name}
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # At INFO it logs every successful login.
            "axes": {"level": "WARNING"},
            "django.server": {
                "handlers": ["stderr"],
                "level": level,
                "propagate": False,
            },
        },
    }

"""Log lines: JSON for machines, console for people; keys and passwords are taken out of both."""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

_SECRET = re.compile(
    r"(?i)((?:api[-_]?key|x-api-key|token|password|secret|authorization)[\"']?\s*[=:]\s*[\"']?(?:bearer\s+)?)[^\s&\"',}]+"
)
_CREDENTIALS = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s/@]+@")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def redact(text: str) -> str:
    """`text` without the values of keys, tokens and URL passwords."""
    return _CREDENTIALS.sub(r"\1***@", _SECRET.sub(r"\1***", text))


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, event and the record's extra fields (run_id, provider…)."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, redacted."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line.update({key: value for key, value in vars(record).items() if key not in _STANDARD})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return redact(json.dumps(line, default=str, ensure_ascii=False))


class ConsoleFormatter(logging.Formatter):
    """Time, level, logger and message for a person, with the extra fields behind."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s  %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """The line, redacted."""
        extra = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        tail = "".join(f" {key}={value}" for key, value in extra.items())
        return redact(super().format(record) + tail)

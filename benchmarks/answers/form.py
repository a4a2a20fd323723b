"""The comparable form of an answer, and what differs between two recordings.

Left out: texts for people, random ids, durations, moments of the recording itself. Everything else is kept exactly.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

EPOCH: Final = int(datetime(2030, 1, 16, 12, tzinfo=UTC).timestamp())
"""The time at which every recording takes place: a Wednesday at noon."""
SLOWDOWN: Final = 1000
"""So many real seconds are one second of a recording, so that no recorded figure depends on the machine's speed."""
MAX_CALLS_APART: Final = 5
"""Call counts of a run may differ by so many, or by a tenth: two steps at once may ask for the same prices."""
_FIRST_YEAR: Final = 2029
"""What is earlier is a time by the clock of the database, which is not slowed down."""

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_REQUEST_ID: Final = re.compile(r"[0-9a-f]{32}")
_MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|\+00:00)")
_CALL_COUNT: Final = re.compile(r" › usage › \w+ › (?:calls|credits)$")
_WORKER: Final = re.compile(r"\S+:\d+")
_CODE: Final = re.compile(r"[a-z0-9_]+")
_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)*")
_TEXTS: Final = frozenset(
    {
        "description",
        "detail",
        "error_messages",
        "errors",
        "help",
        "message",
        "output",
        "problem",
        "reason",
        "source_note",
        "summary",
        "words",
    }
)
"""Fields whose values are texts for people."""
_EVIDENCE: Final = frozenset(
    {"evidence", "needed", "note", "observed", "provisional_because", "reason", "unscored_reason"}
)
"""Fields whose texts name figures: the words go, the figures stay."""
_CODES: Final = frozenset({"reason"})
"""Fields of texts that are codes in some answers; a code stays."""


class Normalizer:
    """Brings the answers of one scenario into the comparable form. Ids get numbers in the order of appearance."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}

    def value(self, value: Any, name: str = "") -> Any:
        """Return `value`, the JSON value of the field `name`, in the comparable form."""
        if isinstance(value, dict):
            return self._object(value, name)
        if isinstance(value, list) and name == "sources":
            return sorted(value)
        if isinstance(value, list):
            return [self.value(item, "" if isinstance(item, dict) else name) for item in value]
        if isinstance(value, str):
            return self._string(value, name)
        if _is_duration(name) and value is not None:
            return "<duration>"
        return value

    def text(self, text: str) -> str:
        """Return `text` without random ids and moments of the recording."""
        text = _UUID.sub(lambda match: self._id(match[0]), text)
        return _MOMENT.sub(_moment, text)

    def _object(self, fields: dict[str, Any], name: str) -> dict[str, Any]:
        if _is_duration(name):
            return dict.fromkeys(fields, "<duration>")
        if name == "facts":
            fields = {_WORKER.sub("<worker>", key): value for key, value in fields.items()}
        if name == "flags":
            return {key: _figures(str(value)) for key, value in fields.items()}
        return {self.text(key): self.value(value, key) for key, value in fields.items()}

    def _string(self, text: str, name: str) -> str:
        if not text or (name in _CODES and _CODE.fullmatch(text)):
            return text
        if name in _EVIDENCE:
            return _figures(text)
        if name in _TEXTS:
            return "<text>"
        if _is_duration(name):
            return "<duration>"
        if name in {"request_id", "x-request-id"}:
            return _REQUEST_ID.sub("<request id>", text)
        if name == "content-security-policy":
            return "; ".join(sorted(text.split("; ")))
        return self.text(text)

    def _id(self, text: str) -> str:
        return self._ids.setdefault(text, f"<id {len(self._ids) + 1}>")


def _is_duration(name: str) -> bool:
    return "duration" in name


def _figures(text: str) -> str:
    """Return the numbers of a text, in their order."""
    return " ".join(["<text>", *_NUMBER.findall(text)])


def _moment(match: re.Match[str]) -> str:
    """Return a moment without its fraction of a second, which only moments of the recording have."""
    if datetime.fromisoformat(match[0]).year < _FIRST_YEAR:
        return "<time of the database>"
    return f"{match[1]}{'.…' if match[2] else ''}{match[3]}"


def differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """Yield one line for each difference between two recorded values."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from _of_members(old, new, key, f"{path} › {key}" if path else key)
    elif isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            yield f"{path}: {len(old)} entries, now {len(new)}"
        for place, (before, after) in enumerate(zip(old, new, strict=False)):
            yield from differences(before, after, f"{path}[{place}]")
    elif not _are_equal(old, new, path):
        yield f"{path}: {_short(old)}, now {_short(new)}"


def _are_equal(old: Any, new: Any, path: str) -> bool:
    if _CALL_COUNT.search(path) and isinstance(old, int) and isinstance(new, int):
        return abs(old - new) <= max(MAX_CALLS_APART, old // 10)
    return bool(old == new) and isinstance(old, bool) == isinstance(new, bool)


def _of_members(old: dict[str, Any], new: dict[str, Any], key: str, path: str) -> Iterator[str]:
    if key not in new:
        yield f"{path}: gone, was {_short(old[key])}"
    elif key not in old:
        yield f"{path}: new, {_short(new[key])}"
    else:
        yield from differences(old[key], new[key], path)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 160 else f"{text[:160]}…"

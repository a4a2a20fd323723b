"""The comparable form of an answer, and what differs between two recordings.

Left out: texts for people, random ids, durations, fractions of seconds, the clock of
the database, the order of a token's sources. Two recordings may differ a little in call
counts and in the order of a wallet's discoveries, as steps complete in any order.
Everything else is kept exactly.
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

EPOCH: Final = int(datetime(2030, 1, 16, 12, tzinfo=UTC).timestamp())
"""The time at which every recording takes place: a Wednesday at noon."""
SLOWDOWN: Final = 4000
"""So many real seconds are one second of a recording, so that no recorded figure
depends on the machine's speed.
"""
MAX_CALLS_APART: Final = 5
"""Call counts of a run may differ by so many, or by a tenth: two steps at once may ask
for the same prices.
"""
_FIRST_YEAR: Final = 2029
"""What is earlier is a time by the clock of the database, which is not slowed down."""

_UUID: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
)
_REQUEST_ID: Final = re.compile(r"[0-9a-f]{32}")
_MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|\+00:00)")
_CALL_COUNT: Final = re.compile(r" › usage › \w+ › (?:calls|credits)$")
_WORKER: Final = re.compile(r"\S+:\d+")
_CODE: Final = re.compile(r"[a-z0-9_]+")
_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)*")


def _without_words(_text: str) -> str:
    return "<text>"


def _figures(text: str) -> str:
    """Return the numbers of a text, in their order."""
    return " ".join(["<text>", *_NUMBER.findall(text)])


def _code_or_figures(text: str) -> str:
    return text if _CODE.fullmatch(text) else _figures(text)


def _without_request_id(text: str) -> str:
    return _REQUEST_ID.sub("<request id>", text)


def _ordered_policy(text: str) -> str:
    return "; ".join(sorted(text.split("; ")))


_TEXTS: Final = (
    "description",
    "detail",
    "error_messages",
    "errors",
    "help",
    "message",
    "output",
    "problem",
    "source_note",
    "summary",
    "words",
)
_TEXTS_WITH_FIGURES: Final = (
    "evidence",
    "needed",
    "note",
    "observed",
    "verdict_reason",
)
_RULES: Final[dict[str, Callable[[str], str]]] = {
    **dict.fromkeys(_TEXTS, _without_words),
    **dict.fromkeys(_TEXTS_WITH_FIGURES, _figures),
    "reason": _code_or_figures,
    "request_id": _without_request_id,
    "x-request-id": _without_request_id,
    "content-security-policy": _ordered_policy,
}
"""What becomes of a text, by the name of its field. Other texts lose ids and moments of
the recording only.
"""


class Normalizer:
    """Brings the answers of one scenario into the comparable form. Ids get numbers in
    the order of appearance.
    """

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}

    def value(self, value: Any, name: str = "") -> Any:
        """Return `value`, the JSON value of the field `name`, in the comparable form."""
        match value:
            case None | bool():
                return value
            case dict():
                return self._object(value, name)
            case list():
                return self._list(value, name)
            case _ if "duration" in name:
                return "<duration>"
            case str():
                return self._string(value, name)
        return value

    def text(self, text: str) -> str:
        """Return `text` without random ids and moments of the recording."""
        text = _UUID.sub(self._id, text)
        return _MOMENT.sub(_moment, text)

    def _object(self, fields: dict[str, Any], name: str) -> dict[str, Any]:
        if name == "flags":
            return {flag: _figures(str(words)) for flag, words in fields.items()}
        normal: dict[str, Any] = {}
        for key, value in fields.items():
            label = _WORKER.sub("<worker>", key) if name == "facts" else self.text(key)
            # The parts of an average duration are called `current` and `previous`.
            normal[label] = self.value(value, name if "duration" in name else key)
        return normal

    def _list(self, values: list[Any], name: str) -> list[Any]:
        if name == "sources":
            return sorted(values)
        normal = []
        for value in values:
            inner = "" if isinstance(value, dict) else name
            normal.append(self.value(value, inner))
        return normal

    def _string(self, text: str, name: str) -> str:
        rule = _RULES.get(name, self.text)
        return rule(text) if text else ""

    def _id(self, match: re.Match[str]) -> str:
        return self._ids.setdefault(match[0], f"<id {len(self._ids) + 1}>")


def _moment(match: re.Match[str]) -> str:
    """Return a moment without its fraction of a second, which only moments of the
    recording have.
    """
    seconds, fraction, zone = match.groups()
    if datetime.fromisoformat(seconds).year < _FIRST_YEAR:
        return "<time of the database>"
    return f"{seconds}.…{zone}" if fraction else f"{seconds}{zone}"


def differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """Yield one line for each difference between two recorded values."""
    match old, new:
        case dict(), dict():
            yield from _of_objects(old, new, path)
        case list(), list():
            yield from _of_lists(old, new, path)
        case _ if not _are_equal(old, new, path):
            yield f"{path}: {_short(old)}, now {_short(new)}"


def _of_objects(old: dict[str, Any], new: dict[str, Any], path: str) -> Iterator[str]:
    for key in sorted(old.keys() | new.keys()):
        inner = f"{path} › {key}" if path else key
        if key not in new:
            yield f"{inner}: gone, was {_short(old[key])}"
        elif key not in old:
            yield f"{inner}: new, {_short(new[key])}"
        else:
            yield from differences(old[key], new[key], inner)


def _of_lists(old: list[Any], new: list[Any], path: str) -> Iterator[str]:
    if len(old) != len(new):
        yield f"{path}: {len(old)} entries, now {len(new)}"
    if path.endswith(" › discoveries"):
        old, new = sorted(old, key=_run_and_mint), sorted(new, key=_run_and_mint)
    for place, (before, after) in enumerate(zip(old, new, strict=False)):
        yield from differences(before, after, f"{path}[{place}]")


def _run_and_mint(discovery: dict[str, Any]) -> tuple[str, str, str]:
    """Return the sort key of a discovery that does not depend on the order in which
    steps completed.
    """
    return discovery["run_id"], discovery["mint"], discovery["cost_lamports"] or ""


def _are_equal(old: Any, new: Any, path: str) -> bool:
    if _CALL_COUNT.search(path) and isinstance(old, int) and isinstance(new, int):
        return abs(old - new) <= max(MAX_CALLS_APART, old // 10)
    # True equals 1 in Python, not in JSON.
    return bool(old == new) and isinstance(old, bool) == isinstance(new, bool)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 160 else f"{text[:160]}…"

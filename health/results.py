"""The result of a health check, and the formats in which it is shown."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec

Status = Literal["pass", "warn", "fail"]
_WORST_FIRST: Final[tuple[Status, ...]] = ("fail", "warn", "pass")
_UNITS: Final = (("d", 86_400), ("h", 3600), ("min", 60))


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one check.

    `time` is when the check ran; `last_seen` is when the component last reported, or
    None if it never reports. `status` and the times are public; `output` (text) and
    `facts` (names, hosts) are for operators only.
    """

    status: Status
    time: datetime
    output: str = ""
    last_seen: datetime | None = None
    facts: dict[str, Any] = {}


def worst_status(results: Iterable[CheckResult]) -> Status:
    """Return the worst status of all results, or `pass` if there are none."""
    statuses = [result.status for result in results]
    return min(statuses, key=_WORST_FIRST.index, default="pass")


def iso_utc(value: datetime | None) -> str | None:
    """Return the time in UTC as ISO 8601 with `Z` and whole seconds, or None."""
    if value is None:
        return None
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def age_text(seconds: float) -> str:
    """Return a duration in one unit: 45 s, 12 min, 3 h, 4 d; 0 s for a negative one."""
    for unit, unit_seconds in _UNITS:
        if seconds >= 2 * unit_seconds:
            return f"{int(seconds // unit_seconds)} {unit}"
    return f"{max(0, int(seconds))} s"

"""What a check found, and the words and states in which it is told."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec

Status = Literal["pass", "warn", "fail"]
_WORST: Final[tuple[Status, ...]] = ("fail", "warn", "pass")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of one check.

    status and the times are for everybody; `output` (plain words) and `facts` (names, hosts) for operators only.
    time: when it was asked; last_seen: when the part last spoke, None where that means nothing.
    """

    status: Status
    time: datetime
    output: str = ""
    last_seen: datetime | None = None
    facts: dict[str, Any] = {}


def worst(findings: Iterable[Finding]) -> Status:
    """fail before warn before pass; pass for none."""
    found = {finding.status for finding in findings}
    return next((status for status in _WORST if status in found), "pass")


def moment(value: datetime | None) -> str | None:
    """ISO 8601 in UTC with `Z`, to the second."""
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if value else None


def span(seconds: float) -> str:
    """A length of time in one unit: 45 s, 12 min, 3 h, 4 d."""
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{int(seconds // length)} {unit}"
    return f"{max(0, int(seconds))} s"

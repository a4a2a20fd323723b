"""The time that the product lives in: real time, or the time of a simulated market.

With SIMULATED_CLOCK_FILE, time is read from a JSON file that the simulated market reads
too: `{"real": r, "simulated": s, "speed": v}` means s + (time.time() - r) × v, but never
later than the present. Leases and heartbeats use the database's clock instead
(`discovery.models.database_time`).
"""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from django.conf import settings


class _Mapping(NamedTuple):
    real: float
    simulated: float
    speed: float

    def at(self, real: float) -> float:
        """Return the simulated time at a real one."""
        return min(real, self.simulated + (real - self.real) * self.speed)


_read: dict[str, tuple[int, _Mapping]] = {}
"""File → the time of its last change and its contents."""


def unix_now() -> float:
    """Return the time in unix seconds. Raises OSError, ValueError for a clock file that
    cannot be read.
    """
    real = time.time()
    path = settings.SIMULATED_CLOCK_FILE
    if not path:
        return real
    return _mapping(path).at(real)


def now() -> datetime:
    """Return the time, aware, in UTC."""
    return datetime.fromtimestamp(unix_now(), UTC)


def speed() -> float:
    """Return how fast time passes: 1, or more while a simulated market makes it up. What
    comes at intervals of real time, such as beat's ticks, may be late by as much.
    """
    path = settings.SIMULATED_CLOCK_FILE
    if not path:
        return 1.0
    mapping, real = _mapping(path), time.time()
    is_over = mapping.at(real) >= real
    return 1.0 if is_over else max(1.0, mapping.speed)


def _mapping(path: str) -> _Mapping:
    changed_at = Path(path).stat().st_mtime_ns
    known = _read.get(path)
    if known is not None and known[0] == changed_at:
        return known[1]
    values = json.loads(Path(path).read_text(encoding="utf-8"))
    mapping = _Mapping(
        float(values["real"]), float(values["simulated"]), float(values["speed"])
    )
    _read[path] = changed_at, mapping
    return mapping

"""The time of a market: the real one, or that of a clock file which can be moved.

Simulated time never runs ahead of real time: once it has caught up, both are the same.
"""

import json
import math
import os
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol


class Clock(Protocol):
    """The unix time at which a market is."""

    @property
    def origin(self) -> float:
        """The unix time at which the market began."""

    @property
    def speed(self) -> float:
        """Simulated seconds per real second."""

    def now(self) -> float:
        """Return the unix time of this moment."""


class ClockError(Exception):
    """A clock file that cannot be read, or a request to move it that is refused."""


class RealClock:
    """Real time; the market begins when the clock is created."""

    speed = 1.0

    def __init__(self) -> None:
        self.origin = time.time()

    def now(self) -> float:
        """Return the unix time."""
        return time.time()


@dataclass(slots=True, frozen=True)
class ClockState:
    """The contents of a clock file: at the unix time `real` it was `simulated`, and
    from then on time passes `speed` times as fast. `origin` is the first `simulated`.
    """

    real: float
    simulated: float
    speed: float
    origin: float

    def at(self, real_now: float) -> float:
        """Return the simulated unix time at a real one."""
        simulated = self.simulated + (real_now - self.real) * self.speed
        return min(simulated, real_now)


class ClockFile:
    """The clock of a JSON file that other programs read and that may be replaced at any
    time.
    """

    def __init__(self, path: Path) -> None:
        """Read the file and store its origin in it. Raises ClockError."""
        self._path = path
        try:
            self._stamp = self._current_stamp()
            self._state = _parse(path.read_bytes())
        except OSError as error:
            raise ClockError(f"{path}: {error.strerror}") from error
        except ValueError as error:
            raise ClockError(f"{path}: {error}") from error
        self._write(self._state)

    @property
    def origin(self) -> float:
        """The first simulated time of the file."""
        return self._state.origin

    @property
    def speed(self) -> float:
        """Simulated seconds per real second."""
        return self._state.speed

    def now(self) -> float:
        """Return the simulated unix time of this moment."""
        self._reload()
        return self._state.at(time.time())

    def move_to(self, simulated: float) -> None:
        """Set the time. Raises ClockError for an earlier time or one after the present."""
        real_now, now = time.time(), self.now()
        if simulated < now:
            raise ClockError(
                f"time moves forward only: it is {now:.3f}, {simulated:.3f} is earlier"
            )
        if simulated > real_now:
            raise ClockError(
                f"{simulated:.3f} is later than the present ({real_now:.3f})"
            )
        self._write(replace(self._state, real=real_now, simulated=simulated))

    def set_speed(self, speed: float) -> None:
        """Let time pass `speed` times as fast from now on; 0 stops it. Raises
        ClockError.
        """
        if speed < 0:
            raise ClockError(f"speed {speed} is negative")
        now = self.now()
        self._write(replace(self._state, real=time.time(), simulated=now, speed=speed))

    def _reload(self) -> None:
        """Read the file if it was replaced. One that cannot be read is reported and
        ignored: the last valid state goes on.
        """
        stamp = self._current_stamp()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._state = _parse(self._path.read_bytes(), self._state.origin)
        except (OSError, ValueError) as error:
            print(f"simmarket: {self._path} is ignored: {error}", file=sys.stderr)

    def _current_stamp(self) -> tuple[int, int, int]:
        status = self._path.stat()
        return status.st_mtime_ns, status.st_ino, status.st_size

    def _write(self, state: ClockState) -> None:
        """Replace the file in one step: a reader sees the old or the new contents."""
        draft = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
        draft.write_text(json.dumps(asdict(state)) + "\n")
        draft.replace(self._path)
        self._state = state
        self._stamp = self._current_stamp()


def _parse(raw: bytes, origin: float | None = None) -> ClockState:
    """Return the state that a file describes. origin: used if the file has none; without
    both, `simulated` is the origin. Raises ValueError.
    """
    body = json.loads(raw)
    if not isinstance(body, dict):
        raise ValueError("a JSON object is expected")  # noqa: TRY004  one error for every invalid file
    simulated = finite_number(body, "simulated")
    speed = finite_number(body, "speed")
    if speed < 0:
        raise ValueError(f"speed {speed} is negative")
    if "origin" in body:
        origin = finite_number(body, "origin")
    return ClockState(
        real=finite_number(body, "real"),
        simulated=simulated,
        speed=speed,
        origin=simulated if origin is None else origin,
    )


def finite_number(body: dict[str, Any], key: str) -> float:
    """Return a number of a JSON object. Raises ValueError if it is missing, infinite or
    not a number.
    """
    value = body.get(key)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is None or not is_number or not math.isfinite(value):
        raise ValueError(f"{key}: a finite number is expected, not {value!r}")
    return float(value)

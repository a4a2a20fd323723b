"""The lock of a data folder. Its holder publishes facts about itself in the lock file,
as JSON.
"""

import contextlib
import fcntl
import json
import os
from pathlib import Path
from typing import Any


class DataLock:
    """The lock of one data folder, which one process can hold at a time.

    The kernel frees the lock of a process that has ended, so a held lock means a
    running process, not a crashed one.
    """

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / "lock"
        self._descriptor: int | None = None
        self._facts: dict[str, Any] = {}

    def acquire(self) -> bool:
        """Return False while another process holds the lock. Raises OSError."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Release the lock if it is held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def publish(self, **facts: Any) -> None:
        """Add to the facts that `running_instance` returns elsewhere. The lock must be
        held. Raises OSError.
        """
        assert self._descriptor is not None
        self._facts |= facts
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(self._facts).encode(), 0)


def running_instance(data_dir: Path) -> dict[str, Any] | None:
    """Return the facts that the holder of the lock has published, or None if nobody
    holds it. Raises OSError.
    """
    lock = DataLock(data_dir)
    if not lock.path.exists():
        return None
    if lock.acquire():
        lock.release()
        return None
    with contextlib.suppress(ValueError):  # the holder is writing it at the moment
        return dict(json.loads(lock.path.read_text()))
    return {}

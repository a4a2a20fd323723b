"""Ends a worker's process whose event loop hangs.

A step that waits for a provider ends by itself (`STEP_SILENCE_SECONDS`). A process that
hangs writes no heartbeat: after STEP_DEAD_SECONDS another worker has its step, but the
process would keep its place for ever. The kernel's alarm ends it then, whatever it hangs
in, and the worker starts another one.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.conf import settings

GRACE_SECONDS: Final = 60

_is_armed = False


@contextmanager
def ended_if_hung() -> Iterator[None]:
    """End this process, by SIGALRM, if `still_works` is not called for
    STEP_SILENCE_SECONDS and a minute within the block.
    """
    global _is_armed  # noqa: PLW0603  one alarm for each process
    _is_armed = True
    still_works()
    try:
        yield
    finally:
        _is_armed = False
        signal.alarm(0)


def still_works() -> None:
    """Begin the time again. Outside of `ended_if_hung` nothing happens."""
    if _is_armed:
        signal.alarm(settings.STEP_SILENCE_SECONDS + GRACE_SECONDS)

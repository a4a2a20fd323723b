"""Interrupting a run from the terminal: Ctrl-C and TERM cancel it, and a cancelled run
is closed properly.
"""

import asyncio
import signal
import threading
from collections.abc import Awaitable
from typing import Any

from asgiref.sync import sync_to_async


class InterruptHandler:
    """Cancels the current task at the first Ctrl-C or TERM. The second one ends the
    process, as without a handler.

    The event loop runs beside the main thread, where signals arrive: without this they
    would not reach it.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._previous: dict[signal.Signals, Any] = {}

    async def guard(self, work: Awaitable[None]) -> None:
        """Await `work` with the handler in place. Raises CancelledError after a signal."""
        await sync_to_async(self._install)()
        try:
            await work
        finally:
            await sync_to_async(self._restore)()

    def _install(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._cancel)

    def _cancel(self, *_: object) -> None:
        self._restore()
        self._loop.call_soon_threadsafe(self._task.cancel)

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

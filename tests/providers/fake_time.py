"""An event loop whose clock jumps to the next scheduled callback: sleeping costs no
time, in the right order.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

Result = TypeVar("Result")


class _JumpingLoop(asyncio.SelectorEventLoop):
    """Only for work that waits for time alone: it does not wait for sockets."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0

    def time(self) -> float:
        return self._now

    def _run_once(self) -> None:
        waiting = [handle._when for handle in self._scheduled if not handle.cancelled()]
        if waiting and not self._ready:
            self._now = max(self._now, min(waiting))
        super()._run_once()


def in_fake_time(work: Callable[[Callable[[], float]], Awaitable[Result]]) -> Result:
    """Run `work(clock)`; the clock starts at 0 and sleeping moves it."""

    async def main() -> Result:
        return await work(asyncio.get_running_loop().time)

    with asyncio.Runner(loop_factory=_JumpingLoop) as runner:
        return runner.run(main())

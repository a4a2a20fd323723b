"""The planned actions of a world, executed in chain order."""

import heapq
from collections.abc import Callable

from simmarket.chain.builder import Builder, Moment

Action = Callable[[Moment], None]
_LAST_OFFSET_SECONDS = -5


class Timeline:
    """A queue of actions by time; an action may plan later ones."""

    def __init__(
        self, builder: Builder, last_offset_seconds: int = _LAST_OFFSET_SECONDS
    ) -> None:
        self._builder = builder
        self._last_offset_seconds = last_offset_seconds
        self._heap: list[tuple[int, int, int, Action]] = []
        self._count = 0

    def at(self, offset_seconds: int, action: Action, step: int = 0) -> None:
        """Plan an action; one that is due after the world's end runs just before the
        end.
        """
        self._count += 1
        due = min(offset_seconds, self._last_offset_seconds)
        heapq.heappush(self._heap, (due, step, self._count, action))

    def run(self, until_offset_seconds: int | None = None) -> None:
        """Execute all actions, or those up to a moment."""
        while self._heap:
            if (
                until_offset_seconds is not None
                and self._heap[0][0] > until_offset_seconds
            ):
                return
            offset_seconds, step, _, action = heapq.heappop(self._heap)
            action(self._builder.moment(offset_seconds, step))

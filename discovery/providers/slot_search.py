"""The search for a slot by time, with few calls."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Final, NamedTuple

from discovery.providers.errors import NotFound

FIRST_SLOTS_PER_SECOND: Final = 3.0
"""Measured in autumn 2026. Only the first guess uses it."""
MIN_GUESS_DISTANCE_SLOTS: Final = 10
GUESS_MARGIN: Final = 1.05
NEARBY_SLOTS: Final = 5
"""Number of slots after a guess that are tried one by one before the steps grow."""


class TimedSlot(NamedTuple):
    """A slot and its block time in unix seconds."""

    slot: int
    time: int


BlockTime = Callable[[int], Awaitable[int | None]]
"""Returns the unix seconds of a slot, None if the node has none. Raises NotFound for a
skipped slot.
"""


class SlotSearch:
    """Narrows a range of slots until its upper end is at most `tolerance_seconds` after
    `target`.

    Guesses by interpolation with the rate of slots measured so far, because slot times
    are uneven, and halves the range after a guess that gained little.

    later: a slot whose time is after `target` (unix seconds).
    """

    def __init__(
        self,
        block_time: BlockTime,
        target: int,
        later: TimedSlot,
        tolerance_seconds: int,
    ) -> None:
        self._block_time = block_time
        self._target = target
        self._tolerance_seconds = tolerance_seconds
        self._high = later
        self._low = 0
        self._low_time: int | None = None  # None: no slot before `target` is known yet
        self._ceiling = later.slot  # slots from here up to `high` were skipped
        self._slots_per_second = FIRST_SLOTS_PER_SECOND
        self._must_halve = False

    async def run(self) -> TimedSlot | None:
        """Return the earliest timed slot after the target, as far as the tolerance
        tells; None if the node's blocks do not reach back to the target.

        Raises ProviderError as `block_time` does, NotFound excepted.
        """
        while not self._is_close and self._width > 1:
            width = self._width
            guess = self._guess()
            timed_slot = await self._timed_slot(guess)
            if timed_slot is None:
                self._skip(guess)
            elif timed_slot.time > self._target:
                self._lower_high(timed_slot)
            else:
                self._low, self._low_time = timed_slot
            self._must_halve = self._width > width // 2
        if self._low_time is None and not self._is_close:
            return None
        return self._high

    @property
    def _is_close(self) -> bool:
        return self._high.time - self._target <= self._tolerance_seconds

    @property
    def _width(self) -> int:
        return self._ceiling - self._low

    def _guess(self) -> int:
        """Return a slot inside the range, which is wider than 1."""
        middle = self._low + self._width // 2
        if self._must_halve:
            return middle
        if self._low_time is None:
            # A guess below the range tries its first slot.
            guess = max(self._extrapolated(), self._low + 1)
        else:
            guess = self._interpolated(self._low_time)
        return guess if self._low < guess < self._ceiling else middle

    def _extrapolated(self) -> int:
        """Return the slot of the target by the rate of slots so far, and some slots
        more: a guess before the target bounds the range from below.
        """
        seconds = self._high.time - self._target
        distance = seconds * self._slots_per_second * GUESS_MARGIN
        return self._high.slot - int(distance) - MIN_GUESS_DISTANCE_SLOTS

    def _interpolated(self, low_time: int) -> int:
        """Return the slot at which a straight line between the ends of the range
        reaches the middle of the tolerance.
        """
        wanted = self._target + self._tolerance_seconds / 2 - low_time
        share = wanted / (self._high.time - low_time)
        return self._low + int((self._high.slot - self._low) * share)

    def _skip(self, guess: int) -> None:
        """Exclude the slots from the guess on: none of them has a time."""
        if self._low_time is None:
            self._low = guess
        else:
            self._ceiling = guess

    def _lower_high(self, timed_slot: TimedSlot) -> None:
        """Make this slot the upper end, and measure the rate of slots up to the old
        one.
        """
        slots = self._high.slot - timed_slot.slot
        seconds = self._high.time - timed_slot.time
        if seconds > 0:
            self._slots_per_second = slots / seconds
        self._high = timed_slot
        self._ceiling = timed_slot.slot

    async def _timed_slot(self, start: int) -> TimedSlot | None:
        """Return the first slot from `start` on that has a time, None if no tried one
        has.
        """
        for slot in outward(start, self._ceiling, NEARBY_SLOTS):
            try:
                time = await self._block_time(slot)
            except NotFound:
                continue
            if time is not None:
                return TimedSlot(slot, time)
        return None


def outward(start: int, end: int, nearby: int) -> Iterator[int]:
    """Yield `nearby` numbers from `start` on, then ever more distant ones, all below
    `end`: runs of skipped slots are short or long.
    """
    yield from range(start, min(start + nearby, end))
    step = nearby
    while start + step < end:
        yield start + step
        step *= 2

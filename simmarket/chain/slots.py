"""Slots and their times. The pace of slots changes from hour to hour, so no constant turns one into the other."""

from bisect import bisect_right

_FIRST_SLOT = 381_000_000
_SPARE_HOURS = 24 * 100  # how far the chain reaches back before the world's first second: further than anyone asks


def _slots_per_10_seconds(hour: int) -> int:
    return 27 + (hour * 7 + (hour // 5) * 3) % 5


class SlotClock:
    """Maps slots to offsets (whole seconds relative to the world's end) and back.

    Every second holds at least two slots; the table of hours grows as time passes.
    """

    def __init__(self, oldest_offset_seconds: int) -> None:
        self._first_hour = oldest_offset_seconds // 3600 - _SPARE_HOURS
        self._bases = [_FIRST_SLOT]

    @property
    def first_slot(self) -> int:
        """The oldest slot that exists here."""
        return _FIRST_SLOT

    def _base(self, hour: int) -> int:
        place = hour - self._first_hour
        while len(self._bases) <= place + 1:
            last = self._first_hour + len(self._bases) - 1
            self._bases.append(self._bases[-1] + 360 * _slots_per_10_seconds(last))
        return self._bases[place]

    def slot_at(self, offset_seconds: int, step: int = 0) -> int:
        """The first slot of that second, or the `step`-th after it."""
        hour, rest = divmod(offset_seconds, 3600)
        tens, second = divmod(rest, 10)
        pace = _slots_per_10_seconds(hour)
        return self._base(hour) + tens * pace - (-second * pace // 10) + step

    def offset_of(self, slot: int) -> int:
        """Offset in seconds of a slot at or after the first one."""
        while slot >= self._bases[-1]:
            self._base(self._first_hour + len(self._bases))
        place = bisect_right(self._bases, slot) - 1
        hour = self._first_hour + place
        pace = _slots_per_10_seconds(hour)
        tens, nth = divmod(slot - self._bases[place], pace)
        return hour * 3600 + tens * 10 + nth * 10 // pace

    @staticmethod
    def may_be_skipped(slot: int) -> bool:
        """Whether the leader of this slot made no block (unless a transaction of the world is in it)."""
        return (slot * 2_654_435_761 >> 7) % 43 == 0

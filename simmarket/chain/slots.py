"""Slots and their times. The slot rate changes from hour to hour, so that no constant
converts one into the other.
"""

from bisect import bisect_right

_FIRST_SLOT = 381_000_000
_SPARE_HOURS = (
    24 * 100
)  # how far the chain reaches back before the world's first second: further than any query


def _slots_per_10_seconds(hour: int) -> int:
    return 27 + (hour * 7 + (hour // 5) * 3) % 5


class SlotClock:
    """Maps slots to offsets (whole seconds relative to the world's end) and back.

    Every second holds at least two slots; the table of hours grows as time passes.
    """

    def __init__(self, oldest_offset_seconds: int) -> None:
        self._first_hour = oldest_offset_seconds // 3600 - _SPARE_HOURS
        self._first_slots = [_FIRST_SLOT]

    @property
    def first_slot(self) -> int:
        """The oldest slot that exists here."""
        return _FIRST_SLOT

    def _first_slot_of(self, hour: int) -> int:
        index = hour - self._first_hour
        while len(self._first_slots) <= index + 1:
            last_hour = self._first_hour + len(self._first_slots) - 1
            self._first_slots.append(
                self._first_slots[-1] + 360 * _slots_per_10_seconds(last_hour)
            )
        return self._first_slots[index]

    def slot_at(self, offset_seconds: int, step: int = 0) -> int:
        """Return the first slot of that second, or the `step`-th after it."""
        hour, rest = divmod(offset_seconds, 3600)
        tens, second = divmod(rest, 10)
        rate = _slots_per_10_seconds(hour)
        slots_before_second = -(-second * rate // 10)
        return self._first_slot_of(hour) + tens * rate + slots_before_second + step

    def offset_of(self, slot: int) -> int:
        """Return the offset in seconds of a slot at or after the first one."""
        while slot >= self._first_slots[-1]:
            self._first_slot_of(self._first_hour + len(self._first_slots))
        index = bisect_right(self._first_slots, slot) - 1
        hour = self._first_hour + index
        rate = _slots_per_10_seconds(hour)
        tens, slots_after_ten = divmod(slot - self._first_slots[index], rate)
        return hour * 3600 + tens * 10 + slots_after_ten * 10 // rate

    @staticmethod
    def may_be_skipped(slot: int) -> bool:
        """Return True if the leader of this slot made no block (unless a transaction of
        the world is in it).
        """
        return (slot * 2_654_435_761 >> 7) % 43 == 0

"""Figures as people read them: amounts, addresses and durations. The same on pages, in
tables and in the terminal.
"""

import re
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from typing import Final, Protocol

from discovery.domain.reasons import unknown_reason_label
from discovery.domain.units import lamports_to_sol

UNKNOWN: Final = "–"
"""Shown for a value that is not known."""
_SECONDS_PER_MINUTE: Final = 60
_SECONDS_PER_HOUR: Final = 3600
_SECONDS_PER_DAY: Final = 86_400
_EDGE: Final = 4


def sol_text(lamports: int | None, places: int = 4) -> str:
    """Return lamports as SOL with `places` digits after the point, UNKNOWN for None."""
    if lamports is None:
        return UNKNOWN
    return f"{lamports_to_sol(lamports):,.{places}f}"


def signed_pct_text(value: Decimal | float, places: int = 1) -> str:
    """Return a value that is in percent already with its sign, a true minus. What is
    rounded to nothing is +0.
    """
    text = f"{value:+,.{places}f}"
    if not text.strip("+-0.,"):
        text = text.replace("-", "+")
    return text.replace("-", "−")


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 token`, `1,200 tokens`."""
    plural = "" if number == 1 else "s"
    return f"{number:,} {noun}{plural}"


def cut_window_note(
    early_buyers: int, read_until: datetime, window_end: datetime
) -> str:
    """Return what was left out of an early window that has more early buyers than the
    maximum; the times in UTC.
    """
    return (
        f"the first {early_buyers:,} of more early buyers; the window was read until {read_until:%H:%M:%S} of "
        f"{window_end:%H:%M:%S} UTC"
    )


def short_address(address: str) -> str:
    """Return the first and last four characters of an address."""
    return f"{address[:_EDGE]}…{address[-_EDGE:]}"


def duration_text(seconds: float) -> str:
    """Return a duration in its two largest units: `4 s`, `3 min 20 s`, `5 h 4 min`, `3
    d 2 h`. A part of a second is dropped.
    """
    whole = int(seconds)
    if whole < _SECONDS_PER_MINUTE:
        return f"{whole} s"
    if whole < _SECONDS_PER_HOUR:
        return _two_units(whole, _SECONDS_PER_MINUTE, "min", 1, "s")
    if whole < _SECONDS_PER_DAY:
        return _two_units(whole, _SECONDS_PER_HOUR, "h", _SECONDS_PER_MINUTE, "min")
    days, rest = divmod(whole, _SECONDS_PER_DAY)
    return f"{days} d {rest // _SECONDS_PER_HOUR} h"


def _two_units(
    seconds: int, large: int, large_name: str, small: int, small_name: str
) -> str:
    count, rest = divmod(seconds, large)
    small_count = rest // small
    if not small_count:
        return f"{count} {large_name}"
    return f"{count} {large_name} {small_count} {small_name}"


def parse_whole_number(text: str, *, max_digits: int = 9) -> int | None:
    """Return the whole number that a person typed, None if the text is none or has more
    than `max_digits` digits. A sign, a point or a digit of another script is refused.
    """
    digits = text.strip()
    if re.fullmatch(rf"[0-9]{{1,{max_digits}}}", digits) is None:
        return None
    return int(digits)


class ResultFacts(Protocol):
    """What a row says of a result beside its figures."""

    @property
    def knowledge(self) -> str | None:
        """One of `Knowledge`, None if it is not stored."""

    @property
    def unknown_reason(self) -> str:
        """Empty unless the result is unknown."""

    @property
    def known_share(self) -> Decimal | None:
        """Share of the units, 0–1."""


def result_notes(result: ResultFacts) -> list[str]:
    """Return what a reader of a result must know, in short words: why it is unknown,
    how much of it is known, that units were moved out, and that the token was bought
    again.
    """
    notes: list[str] = []
    if result.knowledge == "unknown":
        notes.append(unknown_reason_label(result.unknown_reason))
    elif result.knowledge == "partly" and result.known_share is not None:
        notes.append(f"{_floor_pct(result.known_share)} % known")
    if getattr(result, "has_moved_out", False):
        notes.append("moved out")
    later = getattr(result, "later_cycles", 0)
    if later:
        notes.append("bought again" if later == 1 else f"bought again {later} times")
    return notes


def _floor_pct(share: Decimal) -> Decimal:
    """Return a share in percent with one digit, rounded down: less than all is never
    shown as all.
    """
    percent = (share * 100).quantize(Decimal("0.1"), rounding=ROUND_FLOOR)
    return percent.normalize() if percent % 1 else percent.quantize(Decimal(1))

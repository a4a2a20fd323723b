"""What was left out of early windows that have more early buyers than a run reads."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol

from discovery.domain.display import cut_window_note


class CutToken(Protocol):
    """A token of a run. window_read_until: None = its window was read to its end."""

    @property
    def mint(self) -> str: ...
    @property
    def symbol(self) -> str: ...
    @property
    def launched_at(self) -> datetime | None: ...
    @property
    def window_read_until(self) -> datetime | None: ...
    @property
    def early_buyers(self) -> int | None: ...


def cut_windows(
    tokens: Iterable[CutToken], early_window_minutes: int | None
) -> list[str]:
    """Return a note in words for each token whose window was cut; none for a run of the
    earlier system, whose window is not stored.
    """
    if early_window_minutes is None:
        return []
    window = timedelta(minutes=early_window_minutes)
    notes: list[str] = []
    for token in tokens:
        if token.window_read_until is None or token.launched_at is None:
            continue
        end = token.launched_at + window
        count = token.early_buyers or 0
        note = cut_window_note(count, token.window_read_until, end)
        notes.append(f"{token.symbol or token.mint}: {note}")
    return notes

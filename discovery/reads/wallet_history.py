"""Who changed what: the history of a wallet's status, label and note."""

from datetime import datetime
from typing import Final

import msgspec

from discovery.models import Wallet

MAX_CHANGES: Final = 30
_SHOWN: Final = ("status", "label", "note")


class ChangeRow(msgspec.Struct, frozen=True):
    """One change. `by`: a person's name, a key's, or `` where the system did it."""

    at: datetime
    by: str
    changes: list[str]


def wallet_changes(address: str) -> list[ChangeRow]:
    """The last MAX_CHANGES changes by people and keys, newest first. One query."""
    rows = list(
        Wallet.history.filter(address=address)
        .order_by("-history_date", "-history_id")
        .values("history_date", "history_change_reason", "history_user__username", *_SHOWN)[: MAX_CHANGES + 1]
    )
    found = []
    for place, row in enumerate(rows):
        before = rows[place + 1] if place + 1 < len(rows) else None
        words = [
            f"{name}: {before[name] or 'empty'} → {row[name] or 'empty'}" if before else f"{name}: {row[name]}"
            for name in _SHOWN
            if row[name] != (before[name] if before else "")
        ]
        if words:
            by = row["history_user__username"] or (row["history_change_reason"] or "").removeprefix("by ")
            found.append(ChangeRow(row["history_date"], by, words))
    return found[:MAX_CHANGES]

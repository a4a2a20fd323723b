"""Changes that people and API keys made to a wallet: its status, label and note."""

from datetime import datetime
from typing import Any, Final

import msgspec

from discovery.models import Wallet

MAX_CHANGES: Final = 30
_FIELDS: Final = ("status", "label", "note")


class ChangeRow(msgspec.Struct, frozen=True):
    """One change. `by`: the name of a person or a key, or "" if the system did it."""

    at: datetime
    by: str
    changes: list[str]


def wallet_changes(address: str) -> list[ChangeRow]:
    """Return the last changes by people and keys, newest first, MAX_CHANGES at most. One query."""
    columns = ("history_date", "history_change_reason", "history_user__username", *_FIELDS)
    newest_first = Wallet.history.filter(address=address).order_by("-history_date", "-history_id")
    rows = list(newest_first.values(*columns)[: MAX_CHANGES + 1])
    changes = []
    for row, earlier in zip(rows, [*rows[1:], None], strict=True):
        descriptions = _describe(row, earlier)
        if descriptions:
            changes.append(ChangeRow(row["history_date"], _author(row), descriptions))
    return changes[:MAX_CHANGES]


def _describe(row: dict[str, Any], earlier: dict[str, Any] | None) -> list[str]:
    """Return the differences to the earlier row in words. Without one, every value that is set."""
    descriptions = []
    for name in _FIELDS:
        if earlier is None:
            if row[name]:
                descriptions.append(f"{name}: {row[name]}")
        elif row[name] != earlier[name]:
            descriptions.append(f"{name}: {earlier[name] or 'empty'} → {row[name] or 'empty'}")
    return descriptions


def _author(row: dict[str, Any]) -> str:
    if row["history_user__username"]:
        return str(row["history_user__username"])
    return (row["history_change_reason"] or "").removeprefix("by ")

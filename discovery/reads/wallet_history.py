"""Changes of a wallet by users and API keys."""

from collections.abc import Mapping
from datetime import datetime
from itertools import zip_longest
from typing import Any, Final

import msgspec

from discovery.models import Wallet

MAX_CHANGES: Final = 30
_FIELDS: Final = {
    "status": "status",
    "blacklist_reason": "reason",
    "label": "label",
    "note": "note",
    "tags": "tags",
    "is_pinned": "pinned",
}
"""Column → its name in a description."""
_SWITCH_WORDS: Final = {True: "yes", False: "no"}


class ChangeRow(msgspec.Struct, frozen=True):
    """One change. `by` is the name of a user or an API key, or "" if the system made
    the change.
    """

    at: datetime
    by: str
    changes: list[str]


def wallet_changes(address: str) -> list[ChangeRow]:
    """Return the last changes, newest first, MAX_CHANGES at most. One query."""
    columns = (
        "history_date",
        "history_change_reason",
        "history_user__username",
        *_FIELDS,
    )
    newest_first = Wallet.history.filter(address=address).order_by(
        "-history_date", "-history_id"
    )
    # One row more than is returned: the oldest change is described by its differences
    # to that row.
    rows = list(newest_first.values(*columns)[: MAX_CHANGES + 1])
    changes: list[ChangeRow] = []
    for row, earlier in zip_longest(rows, rows[1:]):
        descriptions = _differences(row, earlier)
        if descriptions:
            author = _author(row)
            changes.append(ChangeRow(row["history_date"], author, descriptions))
    return changes[:MAX_CHANGES]


def _differences(
    row: Mapping[str, Any], earlier: Mapping[str, Any] | None
) -> list[str]:
    """Return each changed field with its old and its new value; of the first row (no
    earlier one) each field that has a value.
    """
    if earlier is None:
        return [
            f"{name}: {_text(row[column])}"
            for column, name in _FIELDS.items()
            if row[column]
        ]
    descriptions: list[str] = []
    for column, name in _FIELDS.items():
        if row[column] != earlier[column]:
            old_value, new_value = _text(earlier[column]), _text(row[column])
            descriptions.append(f"{name}: {old_value} → {new_value}")
    return descriptions


def _text(value: Any) -> str:
    match value:
        case bool():
            return _SWITCH_WORDS[value]
        case list():
            return ", ".join(value) or "empty"
        case _:
            return str(value or "empty")


def _author(row: Mapping[str, Any]) -> str:
    if row["history_user__username"]:
        return str(row["history_user__username"])
    reason = row["history_change_reason"] or ""
    return str(reason).removeprefix("by ")

"""What real nodes do to pages of signatures and transactions: rows twice, out of order,
fewer than asked for, or none.

Sources: duplicates solana-labs/solana #24417; short and empty pages while long-term
storage does not answer solana-labs/solana #21442, #21843, anza-xyz/agave #3700.
"""

import json
from collections.abc import Callable
from typing import Any

from simmarket.api.http_messages import dumps
from simmarket.chain.stable_hash import stable_hash

Row = dict[str, Any]


def _duplicate_rows(rows: list[Row]) -> list[Row]:
    """Return every third row twice, and the first one again at the end."""
    doubled: list[Row] = []
    for index, row in enumerate(rows):
        doubled += [row] * (2 if index % 3 == 0 else 1)
    return doubled + rows[:1]


def _shuffled_rows(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: stable_hash(signature_of(row)))


def _short_page(rows: list[Row]) -> list[Row]:
    return rows[: max(1, len(rows) // 3)]


def _empty_page(_: list[Row]) -> list[Row]:
    return []


PAGE_KINDS: dict[str, Callable[[list[Row]], list[Row]]] = {
    "duplicate_rows": _duplicate_rows,
    "shuffled_rows": _shuffled_rows,
    "short_page": _short_page,
    "empty_page": _empty_page,
}
PAGED_METHODS = ("getSignaturesForAddress", "getTransactionsForAddress")


def signature_of(row: Row) -> str:
    """Return the signature of a row of either method."""
    if "signature" in row:
        return str(row["signature"])
    return str(row["transaction"]["signatures"][0])


def odd_page(kind: str, result: bytes) -> bytes:
    """Return the result of a paged method as a node with this quirk sends it.

    A page of transactions that lost its last rows has the token of the last row left; an
    empty one has none.
    """
    page = json.loads(result)
    change = PAGE_KINDS[kind]
    if isinstance(page, list):
        return dumps(change(page))
    rows = change(page["data"])
    if kind == "empty_page":
        page["paginationToken"] = None
    elif kind == "short_page" and len(rows) < len(page["data"]):
        page["paginationToken"] = f"{rows[-1]['slot']}:{rows[-1]['transactionIndex']}"
    page["data"] = rows
    return dumps(page)

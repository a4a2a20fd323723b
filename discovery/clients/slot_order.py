"""The order of an address's transactions within one slot, by its balances.

A signature list names slots, and no index within them; a node may list the rows of one
slot in any order. Each transaction shows the balances of the address before and after
it, and the next one begins with what the last one left.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from typing import Final

import msgspec

from discovery.clients.transaction_history import OrderedTransaction
from discovery.providers.transactions import TransactionRecord

MAX_CHAINED: Final = 100
"""Transactions of one slot that are put in order; more stay as they are listed."""
_LAMPORTS: Final = "lamports"

Balances = Mapping[str, int]
"""Token account, or `_LAMPORTS` → amount that the address has in it."""


class _Step(msgspec.Struct, frozen=True):
    """A transaction with the balances of the address before and after it."""

    transaction: OrderedTransaction
    before: Balances
    after: Balances


def in_chain_order(
    address: str, transactions: Sequence[OrderedTransaction]
) -> list[OrderedTransaction]:
    """Return the transactions, which are sorted by slot, so that those of one slot follow
    from each other by the balances of the address.

    Those of which the balances prove no order stay as they are.
    """
    ordered: list[OrderedTransaction] = []
    for _, group in groupby(transactions, key=lambda each: each.slot):
        of_slot = list(group)
        if 1 < len(of_slot) <= MAX_CHAINED:
            of_slot = _in_order(address, of_slot)
        ordered += of_slot
    return ordered


def _in_order(
    address: str, transactions: list[OrderedTransaction]
) -> list[OrderedTransaction]:
    steps = [_step(address, each) for each in transactions]
    # Failed transactions, which are not read, cost lamports: then tokens alone tell.
    for has_lamports in (True, False):
        chain = _chain(steps, has_lamports=has_lamports)
        if chain is not None:
            return [step.transaction for step in chain]
    return transactions


def _chain(steps: Sequence[_Step], *, has_lamports: bool) -> list[_Step] | None:
    """Return the steps so that each follows from the one before, None if that cannot be
    found. The order as given is preferred.
    """

    def follows(one: _Step, other: _Step) -> bool:
        common = one.after.keys() & other.before.keys()
        return all(
            one.after[account] == other.before[account]
            for account in common
            if has_lamports or account != _LAMPORTS
        )

    if all(follows(one, other) for one, other in pairwise(steps)):
        return list(steps)
    for first in steps:
        rest = [step for step in steps if step is not first]
        chain = [first]
        while rest:
            following = next((each for each in rest if follows(chain[-1], each)), None)
            if following is None:
                break
            chain.append(following)
            rest.remove(following)
        if not rest:
            return chain
    return None


def _step(address: str, transaction: OrderedTransaction) -> _Step:
    record = transaction.record
    before, after = _lamports(address, record)
    keys = _all_keys(record)
    for balance in record.pre_token_balances:
        account = keys.get(balance.account_index, "")
        if address in {account, balance.owner}:
            before[account] = int(balance.ui_token_amount.amount)
            after.setdefault(account, 0)
    for balance in record.post_token_balances:
        account = keys.get(balance.account_index, "")
        if address in {account, balance.owner}:
            after[account] = int(balance.ui_token_amount.amount)
            before.setdefault(account, 0)
    return _Step(transaction, before, after)


def _lamports(
    address: str, record: TransactionRecord
) -> tuple[dict[str, int], dict[str, int]]:
    """Return the lamports of the address before and after, empty if they are not told."""
    lamports = lamports_of(address, record)
    if lamports is None:
        return {}, {}
    before, after = lamports
    return {_LAMPORTS: before}, {_LAMPORTS: after}


def lamports_of(address: str, record: TransactionRecord) -> tuple[int, int] | None:
    """Return the lamports of an address before and after a transaction, None if the
    record does not tell them.
    """
    if record.meta is None:
        return None
    before, after = record.meta.pre_balances, record.meta.post_balances
    for index, key in _all_keys(record).items():
        if key == address and index < min(len(before), len(after)):
            return before[index], after[index]
    return None


def _all_keys(record: TransactionRecord) -> dict[int, str]:
    """Return the account keys by index, those of lookup tables after the static ones."""
    keys = record.account_keys
    if record.meta is not None and record.meta.loaded_addresses is not None:
        loaded = record.meta.loaded_addresses
        keys = [*keys, *loaded.writable, *loaded.readonly]
    return dict(enumerate(keys))

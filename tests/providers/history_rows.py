"""Comparable rows of a transaction history."""

MAX_TRANSACTIONS = 50_000


def as_rows(transactions):
    """Return (signature, slot, block time) of each transaction."""
    return [
        (transaction.signature, transaction.slot, transaction.block_time)
        for transaction in transactions
    ]

"""Orders: what became of the units that a wallet put into a program's account.

A fill of an order need not name the wallet's token account, so that the account's own
history does not show it. The escrow account of the order does.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from discovery.clients.transaction_history import OrderedTransaction, TransactionSource
from discovery.decode.escrows import EscrowRelease, escrow_release
from discovery.pipeline.balance_history import BalanceChange, ChainPosition
from discovery.providers.concurrency import gather_or_cancel

MAX_ESCROWS: Final = 20
"""Accounts that are read for one wallet in one token."""
MAX_ESCROW_TRANSACTIONS: Final = 200
"""An account with more than these does not belong to one order."""


class OrderRelease(msgspec.Struct, frozen=True):
    """Units that left the escrow account of an order in one transaction."""

    escrow: str
    position: ChainPosition
    block_time: int  # unix seconds
    release: EscrowRelease


async def read_orders(
    changes: Iterable[BalanceChange], source: TransactionSource
) -> list[OrderRelease]:
    """Return what left the escrow accounts that the wallet put units into, in chain
    order; no request if there is none.

    changes: those of one wallet in one mint. Raises ProviderError.
    """
    deposits: dict[str, BalanceChange] = {}
    for change in changes:
        if change.escrow:
            deposits.setdefault(change.escrow, change)
    read = list(deposits.values())[:MAX_ESCROWS]
    if not read:
        return []
    lists = await gather_or_cancel(
        source.fetch_all_or_none(
            deposit.escrow, deposit.block_time, MAX_ESCROW_TRANSACTIONS
        )
        for deposit in read
    )
    releases: list[OrderRelease] = []
    for deposit, transactions in zip(read, lists, strict=True):
        if transactions is not None:
            releases += _releases(deposit, transactions)
    return sorted(releases, key=lambda release: release.position)


def _releases(
    deposit: BalanceChange, transactions: Sequence[OrderedTransaction]
) -> list[OrderRelease]:
    """Return what left the escrow account of one deposit. More than what went in is not
    the wallet's.
    """
    releases: list[OrderRelease] = []
    open_units = -deposit.units
    for transaction in transactions:
        release = escrow_release(
            transaction.record, deposit.escrow, deposit.wallet, deposit.mint
        )
        if release is None:
            continue
        open_units -= release.sold_units + release.returned_units
        if open_units < 0:
            break
        position = ChainPosition(
            transaction.slot, 0, transaction.index, transaction.signature
        )
        releases.append(
            OrderRelease(deposit.escrow, position, transaction.block_time, release)
        )
    return releases

"""Orders: what became of the units that a wallet put into a program's account.

A fill of an order need not name the wallet's token account, so that the account's own
history does not show it. The escrow account of the order does.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from discovery.clients.transaction_history import OrderedTransaction, TransactionSource
from discovery.decode.escrows import EscrowRelease, escrow_release
from discovery.pipeline.balance_history import BalanceChange
from discovery.pipeline.chain_position import ChainPosition
from discovery.providers.concurrency import gather_or_cancel

MAX_ESCROWS: Final = 20
"""Accounts that are read for one wallet in one token."""
MAX_ESCROW_TRANSACTIONS: Final = 200
"""An account with more than these does not belong to one order."""


class OrderRelease(msgspec.Struct, frozen=True):
    """Units that left escrow accounts of one wallet in one transaction."""

    escrows: tuple[str, ...]
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
    deposits: dict[str, list[BalanceChange]] = {}
    for change in changes:
        if change.escrow:
            deposits.setdefault(change.escrow, []).append(change)
    read = list(deposits.items())[:MAX_ESCROWS]
    if not read:
        return []
    lists = await gather_or_cancel(
        source.fetch_all_or_none(escrow, own[0].block_time, MAX_ESCROW_TRANSACTIONS)
        for escrow, own in read
    )
    releases: list[OrderRelease] = []
    for (_, own), transactions in zip(read, lists, strict=True):
        if transactions is not None:
            releases += _releases(own, transactions)
    return _merged(releases)


def _releases(
    deposits: Sequence[BalanceChange], transactions: Sequence[OrderedTransaction]
) -> list[OrderRelease]:
    """Return what left one escrow account. More than what went in is not the wallet's.

    deposits: those of the wallet into the account, in chain order; not empty.
    """
    first = deposits[0]
    releases: list[OrderRelease] = []
    released_units = 0
    for transaction in transactions:
        release = escrow_release(
            transaction.record, first.escrow, first.wallet, first.mint
        )
        if release is None:
            continue
        released_units += release.sold_units + release.returned_units
        deposited_units = sum(
            deposit.escrow_units
            for deposit in deposits
            if deposit.position.slot <= transaction.slot
        )
        if released_units > deposited_units:
            break
        position = ChainPosition(
            transaction.slot, 0, transaction.index, transaction.signature
        )
        releases.append(
            OrderRelease((first.escrow,), position, transaction.block_time, release)
        )
    return releases


def _merged(releases: list[OrderRelease]) -> list[OrderRelease]:
    """Return the releases in chain order, one a transaction: a keeper may fill several
    orders of a wallet at once, and that is one sale.
    """
    by_signature: dict[str, OrderRelease] = {}
    for release in sorted(releases, key=lambda each: each.position):
        signature = release.position.signature
        known = by_signature.get(signature)
        by_signature[signature] = release if known is None else _sum(known, release)
    return list(by_signature.values())


def _sum(one: OrderRelease, other: OrderRelease) -> OrderRelease:
    """Return both releases as one. Its sale is known only if both are."""
    first, second = one.release, other.release
    trade = None
    if first.trade is not None and second.trade is not None:
        trade = msgspec.structs.replace(
            first.trade,
            token_units=first.trade.token_units + second.trade.token_units,
            quote_units=first.trade.quote_units + second.trade.quote_units,
        )
    elif not first.sold_units or not second.sold_units:
        trade = first.trade or second.trade
    total = EscrowRelease(
        sold_units=first.sold_units + second.sold_units,
        returned_units=first.returned_units + second.returned_units,
        trade=trade,
    )
    escrows = one.escrows + other.escrows
    return msgspec.structs.replace(one, escrows=escrows, release=total)

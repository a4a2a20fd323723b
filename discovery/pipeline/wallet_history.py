"""The balance changes of one wallet by mint, in chain order: decoded once, extended by
what is newer, and stored, so that a refresh reads only that.
"""

import zlib
from collections.abc import Iterable
from itertools import chain
from typing import Final, Self

import msgspec

from discovery.clients.transaction_history import LastTransaction, OrderedTransaction
from discovery.decode.outcomes import Failed
from discovery.decode.swaps import decode
from discovery.domain.reasons import Reason
from discovery.pipeline.balance_history import (
    BalanceChange,
    balance_changes,
    skip_reason,
    token_programs,
)
from discovery.pipeline.orders import OrderRelease

FORM_VERSION: Final = 1
"""Version of the stored form. A change of `BalanceChange`, of `Trade` or of decoding
needs the next number: histories of another one are read from the chain again.
"""
_OVERLAP_SECONDS: Final = 300
"""Signatures of the newest seconds are known by name: a page by time repeats them."""
_COMPRESSION_LEVEL: Final = 1


class Unreadable(Exception):
    """A stored history that cannot be read."""


class _Form(msgspec.Struct, array_like=True):
    """What is stored of a history."""

    changes: dict[str, list[BalanceChange]]
    token_programs: dict[str, str]
    times: list[int]
    arbitrage_times: list[int]
    failed_times: list[int]
    funder: str
    recent: dict[str, int]
    last_signature: str
    releases: dict[str, list[OrderRelease]]


_decoder: Final = msgspec.msgpack.Decoder(_Form)


class WalletHistory:
    """The balance changes of one wallet by mint, in chain order.

    times, arbitrage_times, failed_times: block times of all transactions, of the
    wallet's own arbitrage, of those that could not be read. funder: the wallet that
    first sent SOL to it, "" if its history begins earlier. new_count: transactions added
    since it was made or loaded. last_signature: of the newest transaction of the wallet,
    failed ones included. releases: what left its orders, by mint.
    """

    def __init__(
        self, address: str, transactions: Iterable[OrderedTransaction] = ()
    ) -> None:
        self.address = address
        self.changes: dict[str, list[BalanceChange]] = {}
        self.token_programs: dict[str, str] = {}  # mint -> program
        self.times: list[int] = []
        self.arbitrage_times: list[int] = []
        self.failed_times: list[int] = []
        self.funder = ""
        self.new_count = 0
        self.last_signature = ""
        self.releases: dict[str, list[OrderRelease]] = {}
        self._recent: dict[str, int] = {}  # signature -> block time
        self.extend(transactions)

    @classmethod
    def from_bytes(cls, address: str, body: bytes) -> Self:
        """Return a stored history. Raises Unreadable."""
        try:
            form = _decoder.decode(zlib.decompress(body))
        except (zlib.error, msgspec.MsgspecError) as error:
            raise Unreadable(str(error)) from None
        history = cls(address)
        history.changes = form.changes
        history.token_programs = form.token_programs
        history.times = form.times
        history.arbitrage_times = form.arbitrage_times
        history.failed_times = form.failed_times
        history.funder = form.funder
        history._recent = form.recent
        history.last_signature = form.last_signature
        history.releases = form.releases
        return history

    def to_bytes(self) -> bytes:
        """Return the history in its stored form."""
        form = _Form(
            changes=self.changes,
            token_programs=self.token_programs,
            times=self.times,
            arbitrage_times=self.arbitrage_times,
            failed_times=self.failed_times,
            funder=self.funder,
            recent=self._recent,
            last_signature=self.last_signature,
            releases=self.releases,
        )
        return zlib.compress(msgspec.msgpack.encode(form), _COMPRESSION_LEVEL)

    @property
    def last(self) -> LastTransaction | None:
        """The newest transaction that is known, None without any."""
        if not self.last_signature or not self.times:
            return None
        return LastTransaction(self.last_signature, self.times[-1])

    def extend(self, transactions: Iterable[OrderedTransaction]) -> None:
        """Add transactions that are not older than the known ones. Those that are known
        by name are passed over, and each is added once.
        """
        once = {each.signature: each for each in transactions}
        ordered = sorted(
            once.values(), key=lambda each: (each.slot, each.index, each.signature)
        )
        added = [each for each in ordered if each.signature not in self._recent]
        if added and not self.times:
            self.funder = _funder(self.address, added[0])
        for transaction in added:
            self._add(transaction)
        if added:
            self.last_signature = added[-1].signature
        self.new_count += len(added)
        self._forget_old_names()

    def drop_before(self, since: int) -> None:
        """Drop what happened before a unix second, as if it had never been read."""
        for mint, changes in list(self.changes.items()):
            kept = [change for change in changes if change.block_time >= since]
            self.changes[mint] = kept
            if not kept:
                del self.changes[mint]
            self._drop_releases(mint, kept)
        self.times = [time for time in self.times if time >= since]
        self.failed_times = [time for time in self.failed_times if time >= since]
        self.arbitrage_times = [time for time in self.arbitrage_times if time >= since]

    def traded_mints(self) -> list[str]:
        """Return the mints that the wallet bought or sold: tokens that others sent to
        it prove nothing about it.
        """
        changes = chain.from_iterable(self.changes.values())
        return sorted({change.mint for change in changes if change.trade is not None})

    def _add(self, transaction: OrderedTransaction) -> None:
        self.times.append(transaction.block_time)
        self._recent[transaction.signature] = transaction.block_time
        record = transaction.record
        outcome = decode(record)
        if isinstance(outcome, Failed):
            self.failed_times.append(transaction.block_time)
            return
        is_arbitrage = skip_reason(outcome) == Reason.ARBITRAGE
        if is_arbitrage and record.fee_payer == self.address:
            self.arbitrage_times.append(transaction.block_time)
        for change in balance_changes(transaction, outcome):
            if change.wallet == self.address:
                self.changes.setdefault(change.mint, []).append(change)
        for mint, program in token_programs(record).items():
            self.token_programs.setdefault(mint, program)

    def _drop_releases(self, mint: str, changes: Iterable[BalanceChange]) -> None:
        """Drop what left orders whose deposit is not known any more."""
        escrows = {change.escrow for change in changes if change.escrow}
        known = self.releases.get(mint, [])
        self.releases[mint] = [
            release for release in known if escrows.intersection(release.escrows)
        ]

    def _forget_old_names(self) -> None:
        newest = max(self._recent.values(), default=0)
        self._recent = {
            signature: time
            for signature, time in self._recent.items()
            if time >= newest - _OVERLAP_SECONDS
        }


def _funder(address: str, first: OrderedTransaction) -> str:
    """Return the fee payer of the first transaction if that brought the wallet its
    first SOL, else "".
    """
    record = first.record
    keys = record.account_keys
    if record.meta is None or address not in keys:
        return ""
    index = keys.index(address)
    before, after = record.meta.pre_balances, record.meta.post_balances
    if index == 0 or index >= len(before):
        return ""
    is_first_sol = before[index] == 0 and after[index] > 0
    return keys[0] if is_first_sol else ""

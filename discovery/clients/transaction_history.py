"""Transactions of an address in a time range, in chain order.

Two sources return the same transactions in the same order: Helius by time
(helius_history.py) and plain RPC (rpc_history.py). The order is (slot, index). The
index is Helius' `transactionIndex`, or the place in the address's own signature list;
indexes of different lists are never compared.
"""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

import msgspec

from discovery.providers.errors import NotFound
from discovery.providers.records import AccountRecord
from discovery.providers.slot_search import TimedSlot
from discovery.providers.solana_rpc import SolanaRpc
from discovery.providers.transactions import TransactionRecord


class OrderedTransaction(msgspec.Struct, frozen=True, gc=False):
    """A successful transaction with its place in the list that it came from.
    `block_time` in unix seconds.
    """

    slot: int
    index: int
    block_time: int
    record: TransactionRecord

    @property
    def signature(self) -> str:
        """The signature that identifies the transaction."""
        return self.record.signature


class BlockTimeRange(msgspec.Struct, frozen=True):
    """A range of unix seconds, both ends inclusive, None = open."""

    since: int | None = None
    until: int | None = None

    def contains(self, time: int) -> bool:
        """Return True if the time is in the range."""
        return not self.starts_after(time) and not self.ends_before(time)

    def starts_after(self, time: int) -> bool:
        """Return True if the time is before the range."""
        return self.since is not None and time < self.since

    def ends_before(self, time: int) -> bool:
        """Return True if the time is after the range."""
        return self.until is not None and time > self.until


class LastTransaction(msgspec.Struct, frozen=True):
    """The newest transaction of an address that is known. block_time in unix seconds."""

    signature: str
    block_time: int


class NewTransactions(msgspec.Struct, frozen=True):
    """Successful transactions, oldest first. newest_signature: of the newest one, failed
    ones included; "" if there is none.
    """

    transactions: list[OrderedTransaction]
    newest_signature: str


class TransactionSource(Protocol):
    """A source of transactions. `source` is its short name."""

    source: str

    async def fetch_range(
        self, address: str, since: int | None, until: int | None, limit: int
    ) -> list[OrderedTransaction]:
        """Return successful transactions of the address, oldest first.

        since, until: unix seconds, inclusive; None = open. limit: about how many
        transactions to return at most. If there are more, the oldest are returned with
        a warning. Raises ProviderError.
        """

    async def fetch_accounts(
        self, addresses: Sequence[str], limit: int, *, is_again: bool = False
    ) -> list[list[OrderedTransaction]]:
        """Return all successful transactions of each address, oldest first, of each about
        the oldest `limit` at most.

        is_again: a first reading did not agree with the chain, so that no end of a list
        is believed without a further question. Raises ProviderError.
        """

    def read_forward(
        self, address: str, since: int | None, until: int | None
    ) -> AsyncGenerator[list[OrderedTransaction], None]:
        """Yield the successful transactions of the address in portions, oldest first.
        The reader may stop early: a portion that nobody asks for is not fetched.

        since, until: unix seconds, inclusive; None = open. A portion may be empty. Raises
        ProviderError.
        """

    async def fetch_all_or_none(
        self, address: str, since: int, limit: int
    ) -> list[OrderedTransaction] | None:
        """Return all transactions from unix second `since` on, oldest first; None
        without fetching them all if they exceed `limit`. Raises ProviderError.
        """

    async def fetch_newest(
        self, address: str, since: int, limit: int
    ) -> list[OrderedTransaction]:
        """Return the newest successful transactions from unix second `since` on, oldest
        first, `limit` at most. Raises ProviderError.
        """

    async def fetch_after(
        self, address: str, last: LastTransaction, limit: int
    ) -> NewTransactions | None:
        """Return the transactions after one that is known; None without fetching them
        all if they exceed `limit`. One call if there is none. Raises ProviderError.
        """

    async def fetch_latest(
        self, address: str, after: TimedSlot, until: int, limit: int
    ) -> list[OrderedTransaction]:
        """Return the last successful transactions of the address from a slot until unix
        second `until`, inclusive, newest first, at most `limit`. Raises ProviderError.
        """

    async def accounts(self, addresses: list[str]) -> list[AccountRecord | None]:
        """Return the accounts in the order of the addresses, None for those that do not
        exist. Raises ProviderError.
        """

    async def accounts_again(
        self, addresses: Sequence[str]
    ) -> list[AccountRecord | None]:
        """Return the accounts as `accounts` does, as they are now: a source may have
        stored them. Raises ProviderError.
        """


async def block_time_of(rpc: SolanaRpc, slot: int) -> int | None:
    """Return the unix seconds of a slot, None if the node has none or skipped the slot.

    Raises ProviderError if the node does not respond.
    """
    try:
        return await rpc.block_time(slot)
    except NotFound:
        return None

"""Transactions of an address by plain RPC: its signature list, then the transactions."""

import math
from collections.abc import AsyncGenerator, Mapping, Sequence
from itertools import chain
from typing import Final

import msgspec

from discovery.clients.signature_list import (
    IsBeginning,
    SignaturePages,
    successful_signatures,
)
from discovery.clients.slot_order import in_chain_order, lamports_of
from discovery.clients.transaction_cache import (
    SignatureLists,
    TransactionCache,
    saved_as_they_arrive,
)
from discovery.clients.transaction_history import (
    BlockTimeRange,
    LastTransaction,
    NewTransactions,
    OrderedTransaction,
    block_time_of,
)
from discovery.domain.run_errors import WarningSink
from discovery.providers.batches import batches
from discovery.providers.concurrency import gather_or_cancel
from discovery.providers.errors import BadRequest, NotFound
from discovery.providers.records import AccountRecord, SignatureRecord
from discovery.providers.slot_search import TimedSlot
from discovery.providers.solana_rpc import NAME, FetchedTransactions, SolanaRpc
from discovery.providers.transactions import TransactionRecord

MAX_SLOTS_PER_SECOND: Final = 4.0
"""A little above the rate of autumn 2026, so that a guess by it is late enough."""
LISTS_PORTION: Final = 50
"""Signature lists that are read and stored at once."""
PORTION_SIZE: Final = 50
"""Transactions that are read forward at once."""


class RpcTransactionSource:
    """A TransactionSource over any node.

    Fetches each transaction once: the accounts of a wallet and the pools of a token
    list the same ones. What arrives is cached as it arrives, so that a step that is cut
    pays for a portion again at most.
    """

    source = NAME

    def __init__(
        self,
        rpc: SolanaRpc,
        warnings: WarningSink,
        cache: TransactionCache | None = None,
    ) -> None:
        self._rpc = rpc
        self._warnings = warnings
        self._cache = cache
        self._lists = None if cache is None else SignatureLists()
        self._records: dict[str, TransactionRecord] = {}
        self._rejected: dict[str, str] = {}

    async def fetch_range(
        self, address: str, since: int | None, until: int | None, limit: int
    ) -> list[OrderedTransaction]:
        """Return successful transactions of the address, oldest first, `limit` at most.

        since, until: unix seconds, inclusive; None = open. The whole signature list of
        the range is read, so that the oldest transactions are the ones returned.
        Raises ProviderError. A transaction that cannot be read is a warning.
        """
        time_range = BlockTimeRange(since, until)
        rows = await self._stored_list(address, time_range)
        self._warn_of_rest(address, len(rows), limit)
        return await self._fetch(address, rows[:limit], time_range)

    async def fetch_accounts(
        self, addresses: Sequence[str], limit: int, *, is_again: bool = False
    ) -> list[list[OrderedTransaction]]:
        """Return all successful transactions of each address, oldest first, of each the
        oldest `limit` at most.

        is_again: a first reading did not agree with the chain. Nothing that is stored
        is believed then, and every end is confirmed. Raises ProviderError.
        """
        whole = BlockTimeRange()
        lists: dict[str, list[SignatureRecord]] = {}
        if not is_again:
            lists = await self._stored_lists(addresses, whole)
        unlisted = [address for address in addresses if address not in lists]
        for portion in batches(unlisted, LISTS_PORTION):
            read = await self._lists_of(portion, proves_ends=not is_again)
            await self._store_lists(read, whole)
            lists.update(read)
        rows = list(chain.from_iterable(lists.values()))
        if is_again:
            for row in rows:
                self._rejected.pop(row.signature, None)
        await self._load_records([row.signature for row in rows])
        found: list[list[OrderedTransaction]] = []
        for address in addresses:
            self._warn_of_rest(address, len(lists[address]), limit)
            found.append(await self._fetch(address, lists[address][:limit], whole))
        return found

    async def _lists_of(
        self, addresses: Sequence[str], *, proves_ends: bool
    ) -> dict[str, list[SignatureRecord]]:
        """Return the whole list of each address. The transactions that prove their ends
        are fetched together.
        """
        pages = {
            address: SignaturePages(
                self._rpc,
                address,
                BlockTimeRange(),
                is_beginning=self._proof_for(address) if proves_ends else None,
            )
            for address in addresses
        }
        await gather_or_cancel(each.read_newest() for each in pages.values())
        newest = chain.from_iterable(each.successful() for each in pages.values())
        await self._load_records([row.signature for row in newest])
        await gather_or_cancel(each.read() for each in pages.values())
        return {address: each.successful() for address, each in pages.items()}

    def _warn_of_rest(self, address: str, count: int, limit: int) -> None:
        if count > limit:
            self._warnings.add(
                f"{address}: more than {limit:,} transactions: the rest was left out"
            )

    async def read_forward(
        self, address: str, since: int | None, until: int | None
    ) -> AsyncGenerator[list[OrderedTransaction], None]:
        """Yield the transactions in portions, oldest first. Raises ProviderError."""
        time_range = BlockTimeRange(since, until)
        rows = await self._stored_list(address, time_range)
        for first in range(0, len(rows), PORTION_SIZE):
            portion = rows[first : first + PORTION_SIZE]
            yield await self._fetch(address, portion, time_range, first)

    async def fetch_all_or_none(
        self, address: str, since: int, limit: int
    ) -> list[OrderedTransaction] | None:
        """Return all transactions from unix second `since` on, oldest first; None if
        they exceed `limit`.

        A call returns a thousand signatures but one transaction, so only the signatures
        are listed to count them. Raises ProviderError.
        """
        time_range = BlockTimeRange(since)
        rows = await self._list(address, time_range, stop_after=limit)
        if len(rows) > limit:
            return None
        return await self._fetch(address, rows, time_range)

    async def fetch_newest(
        self, address: str, since: int, limit: int
    ) -> list[OrderedTransaction]:
        """Return the newest successful transactions from unix second `since` on, oldest
        first, `limit` at most. Raises ProviderError.
        """
        time_range = BlockTimeRange(since)
        rows = await self._list(address, time_range, stop_after=limit)
        return await self._fetch(address, rows[-limit:], time_range)

    async def fetch_after(
        self, address: str, last: LastTransaction, limit: int
    ) -> NewTransactions | None:
        """Return the transactions after one that is known; None if they exceed `limit`.
        Raises ProviderError.
        """
        time_range = BlockTimeRange(last.block_time)
        pages = SignaturePages(
            self._rpc, address, time_range, newer_than=last.signature
        )
        try:
            await pages.read(limit)
        except (NotFound, BadRequest):
            return None  # the node does not know the last transaction
        rows = pages.successful()
        if len(rows) > limit:
            return None
        transactions = await self._fetch(address, rows, time_range)
        return NewTransactions(transactions, pages.newest_signature)

    async def fetch_latest(
        self, address: str, after: TimedSlot, until: int, limit: int
    ) -> list[OrderedTransaction]:
        """Return the last successful transactions of the address from a slot until unix
        second `until`, inclusive, newest first, at most `limit`. Raises ProviderError,
        NotFound if the node's blocks do not reach back that far.

        The signature list begins after that time, at a block that is found by the usual
        rate of slots: two calls, and one for each transaction.
        """
        seconds = until - after.time
        slot = after.slot + math.ceil(seconds * MAX_SLOTS_PER_SECOND)
        anchor = await self._rpc.signature_near(slot)
        time_range = BlockTimeRange(after.time, until)
        pages = SignaturePages(self._rpc, address, time_range, before=anchor)
        await pages.read(stop_after=limit - 1)
        rows = [row for row in pages.successful() if row.slot >= after.slot]
        timed = [row for row in rows if row.block_time is not None]
        transactions = await self._fetch(address, timed[-limit:], time_range)
        return transactions[::-1]

    async def accounts(self, addresses: list[str]) -> list[AccountRecord | None]:
        """Return the accounts in the order of the addresses, None for those that do not
        exist. Raises ProviderError.
        """
        return await self._rpc.accounts(addresses)

    async def accounts_again(
        self, addresses: Sequence[str]
    ) -> list[AccountRecord | None]:
        """Return the accounts as they are now. Nothing is stored here. Raises
        ProviderError.
        """
        return await self._rpc.accounts(addresses)

    async def _stored_list(
        self, address: str, time_range: BlockTimeRange
    ) -> list[SignatureRecord]:
        """Return the list as it is stored, else that of the node."""
        rows = (await self._stored_lists([address], time_range)).get(address)
        if rows is None:
            rows = await self._list(address, time_range)
            await self._store_lists({address: rows}, time_range)
        return rows

    async def _stored_lists(
        self, addresses: Sequence[str], time_range: BlockTimeRange
    ) -> dict[str, list[SignatureRecord]]:
        if self._lists is None:
            return {}
        return await self._lists.get(addresses, time_range)

    async def _store_lists(
        self, lists: Mapping[str, list[SignatureRecord]], time_range: BlockTimeRange
    ) -> None:
        if self._lists is not None:
            await self._lists.put(lists, time_range)

    async def _list(
        self, address: str, time_range: BlockTimeRange, *, stop_after: float = math.inf
    ) -> list[SignatureRecord]:
        return await successful_signatures(
            self._rpc,
            address,
            time_range,
            stop_after=stop_after,
            is_beginning=self._proof_for(address),
        )

    def _proof_for(self, address: str) -> IsBeginning:
        async def is_beginning(rows: Sequence[SignatureRecord]) -> bool:
            await self._load_records([row.signature for row in rows])
            first = self._records.get(rows[0].signature)
            lamports = None if first is None else lamports_of(address, first)
            return lamports is not None and lamports[0] == 0

        return is_beginning

    async def _fetch(
        self,
        address: str,
        rows: Sequence[SignatureRecord],
        time_range: BlockTimeRange,
        first_index: int = 0,
    ) -> list[OrderedTransaction]:
        signatures = [row.signature for row in rows]
        await self._load_records(signatures)
        rejected = {
            signature: self._rejected[signature]
            for signature in signatures
            if signature in self._rejected
        }
        if rejected:
            self._warnings.add(f"{address}: {_describe_rejected(rejected)}")
        transactions: list[OrderedTransaction] = []
        for index, row in enumerate(rows, first_index):
            transaction = await self._ordered(index, row)
            if transaction is not None and time_range.contains(transaction.block_time):
                transactions.append(transaction)
        return [
            msgspec.structs.replace(transaction, index=index)
            for index, transaction in enumerate(
                in_chain_order(address, transactions), first_index
            )
        ]

    async def _load_records(self, signatures: Sequence[str]) -> None:
        """Load the missing transactions from the cache or the node."""
        missing = self._missing(signatures)
        if missing and self._cache is not None:
            self._records.update(await self._cache.get(missing))
            missing = self._missing(missing)
        if not missing:
            return
        fetched = FetchedTransactions()
        try:
            async with saved_as_they_arrive(self._cache) as fetched.records:
                await self._rpc.transactions(missing, fetched)
        finally:
            self._records.update(fetched.records)
        self._rejected.update(fetched.rejected)

    def _missing(self, signatures: Sequence[str]) -> list[str]:
        return [
            signature
            for signature in dict.fromkeys(signatures)
            if signature not in self._records and signature not in self._rejected
        ]

    async def _ordered(
        self, index: int, row: SignatureRecord
    ) -> OrderedTransaction | None:
        """Return the transaction with its place, None if it could not be fetched or has
        no time.
        """
        record = self._records.get(row.signature)
        if record is None:
            return None
        block_time = row.block_time
        if block_time is None:
            block_time = record.block_time
        if block_time is None:
            block_time = await block_time_of(self._rpc, row.slot)
        if block_time is None:
            self._warnings.add(f"{row.signature}: no block time")
            return None
        return OrderedTransaction(
            slot=row.slot,
            index=index,
            block_time=block_time,
            record=record,
        )


def _describe_rejected(rejected: Mapping[str, str]) -> str:
    signature, cause = next(iter(rejected.items()))
    if len(rejected) == 1:
        return f"a transaction was left out, {signature}: {cause}"
    return f"{len(rejected)} transactions were left out, the first {signature}: {cause}"

"""Transactions of an address by plain RPC: its signature list, then the transactions."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from discovery.clients.signature_list import successful_signatures
from discovery.clients.transaction_cache import TransactionCache
from discovery.clients.transaction_history import (
    BlockTimeRange,
    LastTransaction,
    NewTransactions,
    OrderedTransaction,
    block_time_of,
)
from discovery.domain.run_errors import WarningSink
from discovery.providers.records import AccountRecord, SignatureRecord
from discovery.providers.slot_search import TimedSlot
from discovery.providers.solana_rpc import NAME, PAGE_SIZE, SolanaRpc
from discovery.providers.transactions import TransactionRecord

MAX_SLOTS_PER_SECOND: Final = 4.0
"""A little above the rate of autumn 2026, so that a guess by it is late enough."""


class RpcTransactionSource:
    """A TransactionSource over any node.

    Fetches each transaction once: the accounts of a wallet and the pools of a token
    list the same ones.
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
        self._records: dict[str, TransactionRecord] = {}

    async def fetch_range(
        self, address: str, since: int | None, until: int | None, limit: int
    ) -> list[OrderedTransaction]:
        """Return successful transactions of the address, oldest first, `limit` at most.

        since, until: unix seconds, inclusive; None = open. The whole signature list of
        the range is read, so that the oldest transactions are the ones returned.
        Raises ProviderError. A transaction that cannot be read is a warning.
        """
        time_range = BlockTimeRange(since, until)
        rows = await successful_signatures(self._rpc, address, time_range)
        if len(rows) > limit:
            self._warnings.add(
                f"{address}: more than {limit:,} transactions: the rest was left out"
            )
        return await self._fetch(address, rows[:limit], time_range)

    async def fetch_all_or_none(
        self, address: str, since: int, limit: int
    ) -> list[OrderedTransaction] | None:
        """Return all transactions from unix second `since` on, oldest first; None if
        they exceed `limit`.

        A call returns a thousand signatures but one transaction, so only the signatures
        are listed to count them. Raises ProviderError.
        """
        time_range = BlockTimeRange(since)
        rows = await successful_signatures(
            self._rpc, address, time_range, stop_after=limit
        )
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
        rows = await successful_signatures(
            self._rpc, address, time_range, stop_after=limit
        )
        return await self._fetch(address, rows[-limit:], time_range)

    async def fetch_after(
        self, address: str, last: LastTransaction, limit: int
    ) -> NewTransactions | None:
        """Return the transactions after one that is known; None if they exceed `limit`.
        Raises ProviderError.
        """
        page = await self._rpc.signatures(address, newer_than=last.signature)
        newest_signature = page[0].signature if page else ""
        time_range = BlockTimeRange(last.block_time)
        rows = [row for row in reversed(page) if not row.failed]
        if len(page) == PAGE_SIZE:
            rows = await successful_signatures(
                self._rpc, address, time_range, stop_after=limit
            )
        if len(rows) > limit:
            return None
        transactions = await self._fetch(address, rows, time_range)
        return NewTransactions(transactions, newest_signature)

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
        rows = await self._rpc.signatures(address, before=anchor, limit=PAGE_SIZE)
        time_range = BlockTimeRange(after.time, until)
        wanted = [
            row
            for row in rows
            if not row.failed
            and row.slot >= after.slot
            and row.block_time is not None
            and time_range.contains(row.block_time)
        ]
        oldest_first = wanted[:limit][::-1]
        transactions = await self._fetch(address, oldest_first, time_range)
        return transactions[::-1]

    async def accounts(self, addresses: list[str]) -> list[AccountRecord | None]:
        """Return the accounts in the order of the addresses, None for those that do not
        exist. Raises ProviderError.
        """
        return await self._rpc.accounts(addresses)

    async def _fetch(
        self, address: str, rows: Sequence[SignatureRecord], time_range: BlockTimeRange
    ) -> list[OrderedTransaction]:
        await self._load_records(address, [row.signature for row in rows])
        transactions: list[OrderedTransaction] = []
        for index, row in enumerate(rows):
            transaction = await self._ordered(index, row)
            if transaction is not None and time_range.contains(transaction.block_time):
                transactions.append(transaction)
        return transactions

    async def _load_records(self, address: str, signatures: Sequence[str]) -> None:
        """Load the missing transactions from the cache or the node."""
        missing = self._missing(signatures)
        if self._cache is not None:
            self._records.update(await self._cache.get(missing))
            missing = self._missing(missing)
        fetched = await self._rpc.transactions(missing)
        self._records.update(fetched.records)
        if self._cache is not None:
            await self._cache.put(fetched.records)
        if fetched.rejected:
            self._warnings.add(f"{address}: {_describe_rejected(fetched.rejected)}")

    def _missing(self, signatures: Sequence[str]) -> list[str]:
        return [signature for signature in signatures if signature not in self._records]

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

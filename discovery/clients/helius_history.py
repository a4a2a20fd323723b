"""Transactions of an address from Helius, which pages them by time."""

from discovery.clients.transaction_history import (
    BlockTimeRange,
    LastTransaction,
    NewTransactions,
    OrderedTransaction,
    block_time_of,
)
from discovery.domain.run_errors import WarningSink
from discovery.providers.errors import BadPayload
from discovery.providers.helius import NAME, PAGE_SIZE, Helius, TransactionPage
from discovery.providers.records import AccountRecord
from discovery.providers.slot_search import TimedSlot
from discovery.providers.solana_rpc import PAGE_SIZE as SIGNATURES_PER_PAGE
from discovery.providers.solana_rpc import SolanaRpc
from discovery.providers.transactions import TransactionRecord


class HeliusTransactionSource:
    """A TransactionSource over the paid method of Helius."""

    source = NAME

    def __init__(self, helius: Helius, rpc: SolanaRpc, warnings: WarningSink) -> None:
        self._helius = helius
        self._rpc = rpc
        self._warnings = warnings

    async def fetch_range(
        self, address: str, since: int | None, until: int | None, limit: int
    ) -> list[OrderedTransaction]:
        """Return successful transactions of the address, oldest first.

        since, until: unix seconds, inclusive; None = open. limit: paging stops at so
        many, and the rest of the last page is returned too.
        Raises ProviderError. A transaction that cannot be read is a warning.
        """
        pages = _Pages(address, BlockTimeRange(since, until), limit)
        await self._fetch(pages)
        if pages.has_more:
            self._warnings.add(
                f"{address}: more than {limit:,} transactions: the rest was left out"
            )
        return pages.transactions()

    async def fetch_all_or_none(
        self, address: str, since: int, limit: int
    ) -> list[OrderedTransaction] | None:
        """Return all transactions from unix second `since` on, oldest first; None if
        they exceed `limit`, after the pages up to it. Raises ProviderError.
        """
        pages = _Pages(address, BlockTimeRange(since), limit)
        await self._fetch(pages)
        transactions = pages.transactions()
        if pages.has_more or len(transactions) > limit:
            return None
        return transactions

    async def fetch_newest(
        self, address: str, since: int, limit: int
    ) -> list[OrderedTransaction]:
        """Return the newest successful transactions from unix second `since` on, oldest
        first, `limit` at most. Raises ProviderError.
        """
        pages = _Pages(address, BlockTimeRange(since), limit)
        await self._fetch(pages, newest_first=True)
        oldest_first = sorted(
            pages.transactions(), key=lambda each: (each.slot, each.index)
        )
        return oldest_first[-limit:]

    async def fetch_after(
        self, address: str, last: LastTransaction, limit: int
    ) -> NewTransactions | None:
        """Return the transactions after one that is known; None if they exceed `limit`.

        The signature list answers for 1 credit whether there are any. Raises
        ProviderError.
        """
        rows = await self._rpc.signatures(address, newer_than=last.signature)
        if not rows:
            return NewTransactions([], "")
        newest_signature = rows[0].signature
        if all(row.failed for row in rows) and len(rows) < SIGNATURES_PER_PAGE:
            return NewTransactions([], newest_signature)
        found = await self.fetch_all_or_none(address, last.block_time, limit)
        if found is None:
            return None
        return NewTransactions(found, newest_signature)

    async def fetch_latest(
        self, address: str, after: TimedSlot, until: int, limit: int
    ) -> list[OrderedTransaction]:
        """Return the last successful transactions of the address from a slot until unix
        second `until`, inclusive, newest first, at most `limit`. One call. Raises
        ProviderError.
        """
        page = await self._helius.transactions(
            address, since=after.time, until=until, newest_first=True, limit=limit
        )
        transactions: list[OrderedTransaction] = []
        for position, record in enumerate(page.rows):
            transaction = await self._ordered(record, position)
            if transaction is not None and transaction.slot >= after.slot:
                transactions.append(transaction)
        return transactions

    async def accounts(self, addresses: list[str]) -> list[AccountRecord | None]:
        """Return the accounts in the order of the addresses, None for those that do not
        exist. Raises ProviderError.
        """
        return await self._rpc.accounts(addresses)

    async def _fetch(self, pages: "_Pages", *, newest_first: bool = False) -> None:
        while not pages.is_done:
            page = await self._helius.transactions(
                pages.address,
                since=pages.time_range.since,
                until=pages.time_range.until,
                newest_first=newest_first,
                token=pages.next_token,
                limit=PAGE_SIZE,
            )
            rows = page.rows
            if rows.rejected:
                self._warnings.add(
                    f"{pages.address}: {rows.rejected} transactions skipped: {rows.cause}"
                )
            for record in rows:
                pages.add(await self._ordered(record, len(pages)))
            pages.turn(page, self._helius.provider)

    async def _ordered(
        self, record: TransactionRecord, position: int
    ) -> OrderedTransaction | None:
        """Return the transaction with its place, None without a slot or block time."""
        if record.slot is None:
            self._warnings.add(f"{record.signature}: transaction without a slot")
            return None
        block_time = record.block_time
        if block_time is None:
            block_time = await block_time_of(self._rpc, record.slot)
        if block_time is None:
            self._warnings.add(f"{record.signature}: no block time")
            return None
        index = record.transaction_index
        if index is None:
            index = position
        return OrderedTransaction(
            slot=record.slot,
            index=index,
            block_time=block_time,
            record=record,
        )


class _Pages:
    """The transactions of the pages fetched so far, without duplicates of overlapping
    pages.
    """

    def __init__(self, address: str, time_range: BlockTimeRange, limit: int) -> None:
        self.address = address
        self.time_range = time_range
        self.next_token: str | None = None
        self.is_done = False
        self._limit = limit
        self._transactions: dict[str, OrderedTransaction] = {}
        self._used_tokens: set[str] = set()

    def __len__(self) -> int:
        return len(self._transactions)

    @property
    def has_more(self) -> bool:
        """Return True if paging stopped at the limit."""
        return self.next_token is not None

    def transactions(self) -> list[OrderedTransaction]:
        """Return the transactions in the order of the pages."""
        return list(self._transactions.values())

    def add(self, transaction: OrderedTransaction | None) -> None:
        """Add a transaction of the time range."""
        if transaction is not None and self.time_range.contains(transaction.block_time):
            self._transactions.setdefault(transaction.signature, transaction)

    def turn(self, page: TransactionPage, provider: str) -> None:
        """Go to the page after this one. Raises BadPayload if that was fetched before."""
        self.next_token = page.next_token
        if page.next_token is None or len(self) >= self._limit:
            self.is_done = True
            return
        if page.next_token in self._used_tokens:
            raise BadPayload(provider, "the same page again")
        self._used_tokens.add(page.next_token)

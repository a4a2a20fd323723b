"""Transactions of an address from Helius, which pages them by time.

The last page is the one without a token: a shorter page is followed by more. Rows are
counted once and sorted, whatever pages repeat. A token that is refused or has expired
costs nothing: the pages go on from the last slot.
"""

import math
from collections.abc import AsyncGenerator, Sequence
from typing import Final

from discovery.clients.signature_list import SignaturePages
from discovery.clients.transaction_history import (
    BlockTimeRange,
    LastTransaction,
    NewTransactions,
    OrderedTransaction,
    block_time_of,
)
from discovery.domain.run_errors import WarningSink
from discovery.providers.concurrency import gather_or_cancel
from discovery.providers.errors import BadPayload, BadRequest, NotFound, ServerFailed
from discovery.providers.helius import NAME, PAGE_SIZE, Helius, TransactionPage
from discovery.providers.records import AccountRecord
from discovery.providers.slot_search import TimedSlot
from discovery.providers.solana_rpc import SolanaRpc
from discovery.providers.transactions import TransactionRecord

FORWARD_PAGE_SIZE: Final = 300
"""Rows of a page that is read forward: each hundred costs credits, and the reader may
have seen enough after some hundreds.
"""


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

    async def fetch_accounts(
        self, addresses: Sequence[str], limit: int, *, is_again: bool = False
    ) -> list[list[OrderedTransaction]]:
        """Return all successful transactions of each address, oldest first, of each about
        the oldest `limit` at most. Nothing is stored, so that a second reading is like
        the first. Raises ProviderError.
        """
        return await gather_or_cancel(
            self.fetch_range(address, None, None, limit) for address in addresses
        )

    async def read_forward(
        self, address: str, since: int | None, until: int | None
    ) -> AsyncGenerator[list[OrderedTransaction], None]:
        """Yield the successful transactions of the address page by page, oldest first. No
        row at all is believed as it is in `fetch_range`. Raises ProviderError.
        """
        pages = _Pages(address, BlockTimeRange(since, until), math.inf)
        yielded: set[str] = set()
        while not pages.is_done:
            await self._fetch_page(pages, page_size=FORWARD_PAGE_SIZE)
            if pages.has_ended_empty:
                await self._fetch(pages)
            new = [
                each for each in pages.transactions() if each.signature not in yielded
            ]
            yielded.update(each.signature for each in new)
            yield new

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
        return pages.transactions()[-limit:]

    async def fetch_after(
        self, address: str, last: LastTransaction, limit: int
    ) -> NewTransactions | None:
        """Return the transactions after one that is known; None if they exceed `limit`.

        The signature list answers for 1 credit whether there are any. Raises
        ProviderError.
        """
        rows = SignaturePages(
            self._rpc,
            address,
            BlockTimeRange(last.block_time),
            newer_than=last.signature,
        )
        try:
            await rows.read(stop_after=0)
        except (NotFound, BadRequest):
            return None  # the node does not know the last transaction
        newest_signature = rows.newest_signature
        if not rows.successful():
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
        pages = _Pages(address, BlockTimeRange(after.time, until), limit)
        await self._fetch_pages(pages, newest_first=True, page_size=limit)
        transactions = [
            each for each in pages.transactions() if each.slot >= after.slot
        ]
        return transactions[-limit:][::-1]

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

    async def _fetch(self, pages: "_Pages", *, newest_first: bool = False) -> None:
        """Fetch the pages up to their limit. No row at all is believed of an address that
        does not exist on the chain; of another one only the second time, and never if
        the time range is open. Raises ProviderError.
        """
        await self._fetch_pages(pages, newest_first=newest_first)
        if not pages.is_empty:
            return
        (account,) = await self._rpc.accounts([pages.address])
        if account is None:
            return
        pages.begin_again()
        await self._fetch_pages(pages, newest_first=newest_first)
        if pages.is_empty and pages.time_range == BlockTimeRange():
            raise ServerFailed(
                self._helius.provider,
                f"no transaction of {pages.address} is listed, which exists",
            )

    async def _fetch_pages(
        self, pages: "_Pages", *, newest_first: bool, page_size: int = 0
    ) -> None:
        while not pages.is_done:
            await self._fetch_page(
                pages, newest_first=newest_first, page_size=page_size or PAGE_SIZE
            )

    async def _fetch_page(
        self, pages: "_Pages", *, newest_first: bool = False, page_size: int
    ) -> None:
        """Fetch the next page. A token that is refused is left out."""
        try:
            page = await self._helius.transactions(
                pages.address,
                since=pages.time_range.since,
                until=pages.time_range.until,
                newest_first=newest_first,
                from_slot=pages.from_slot,
                token=pages.next_token,
                limit=page_size,
            )
        except (BadRequest, NotFound):
            # Tokens expire: the pages go on from the last slot instead.
            if not pages.skip_token(newest_first=newest_first):
                raise
            return
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
    """The transactions of the pages fetched so far, without duplicates: rows and pages
    may repeat.

    from_slot: where the pages began again after a token was refused.
    """

    def __init__(self, address: str, time_range: BlockTimeRange, limit: float) -> None:
        self.address = address
        self.time_range = time_range
        self.next_token: str | None = None
        self.from_slot: int | None = None
        self.is_done = False
        self.is_empty = True
        self._limit = limit
        self._transactions: dict[str, OrderedTransaction] = {}
        self._used_tokens: set[str] = set()
        self._slots: set[int] = set()

    def __len__(self) -> int:
        return len(self._transactions)

    @property
    def has_more(self) -> bool:
        """Return True if paging stopped at the limit."""
        return self.next_token is not None

    @property
    def has_ended_empty(self) -> bool:
        """Return True after the last page, if no page had a row."""
        return self.is_done and self.is_empty

    def transactions(self) -> list[OrderedTransaction]:
        """Return the transactions, oldest first."""
        return sorted(
            self._transactions.values(), key=lambda each: (each.slot, each.index)
        )

    def add(self, transaction: OrderedTransaction | None) -> None:
        """Add a transaction of the time range."""
        if transaction is None:
            return
        self._slots.add(transaction.slot)
        if self.time_range.contains(transaction.block_time):
            self._transactions.setdefault(transaction.signature, transaction)

    def turn(self, page: TransactionPage, provider: str) -> None:
        """Go to the page after this one. Raises BadPayload if that was fetched before."""
        self.is_empty &= not page.rows and not page.rows.rejected
        self.next_token = page.next_token
        if page.next_token is None or len(self) >= self._limit:
            self.is_done = True
            return
        if page.next_token in self._used_tokens:
            raise BadPayload(provider, "the same page again")
        self._used_tokens.add(page.next_token)

    def skip_token(self, *, newest_first: bool) -> bool:
        """Go on from the last slot, without the token that was refused. Return False if
        there is none, or if that was tried from this slot before.
        """
        if self.next_token is None or not self._slots:
            return False
        last_slot = min(self._slots) if newest_first else max(self._slots)
        if last_slot == self.from_slot:
            return False
        self.from_slot = last_slot
        self.next_token = None
        self._used_tokens.clear()
        return True

    def begin_again(self) -> None:
        """Fetch the pages once more."""
        self.next_token = None
        self.is_done = False
        self._used_tokens.clear()

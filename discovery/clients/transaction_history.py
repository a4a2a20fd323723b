"""Transactions of an address between two moments, in chain order: by Helius where the key allows, else by plain RPC.

Both answer the same transactions in the same order. Order is (slot, index): the index is Helius' `transactionIndex`, or
the place in the address's own signature list; it is never compared across lists.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, Protocol

import msgspec

from discovery.providers.errors import BadPayload, NotFound
from discovery.providers.helius import Helius
from discovery.providers.records import AccountRecord, SignatureRecord
from discovery.providers.solana_rpc import PAGE, SolanaRpc
from discovery.providers.transactions import TransactionRecord

SEEK_TOLERANCE_SECONDS: Final = 20
Problem = Callable[[str, str], None]
"""Told of what could not be read: (what, plain cause)."""


class OrderedTransaction(msgspec.Struct, frozen=True, gc=False):
    """A successful transaction with its place in the list it came from. `block_time` in unix seconds."""

    slot: int
    index: int
    block_time: int
    record: TransactionRecord

    @property
    def signature(self) -> str:
        """The transaction's name."""
        return self.record.signature


class TransactionSource(Protocol):
    """Where transactions come from."""

    source: str

    async def fetch_range(
        self, address: str, since: int | None, until: int | None, most: int
    ) -> list[OrderedTransaction]:
        """Successful transactions of `address` from `since` to `until` (unix seconds, inclusive; None = open).

        Oldest first. At most about `most`; where more exist, the problem is told and the oldest are answered.
        """

    async def fetch_all_or_none(self, address: str, since: int, most: int) -> list[OrderedTransaction] | None:
        """All of them from `since` on, oldest first; None where they are more than `most`, which are not fetched."""

    async def accounts(self, addresses: list[str]) -> list[AccountRecord | None]:
        """Accounts in the order asked."""


class Cache(Protocol):
    """Keeps transactions by signature."""

    async def get(self, signatures: Sequence[str]) -> dict[str, TransactionRecord]:
        """Those that are there."""

    async def put(self, records: Mapping[str, TransactionRecord]) -> None:
        """Keep these."""


class HeliusTransactionSource:
    """Paged by time on the provider's side."""

    source = "helius"

    def __init__(self, helius: Helius, rpc: SolanaRpc, problem: Problem) -> None:
        self._helius = helius
        self._rpc = rpc
        self._problem = problem

    async def fetch_range(
        self, address: str, since: int | None, until: int | None, most: int
    ) -> list[OrderedTransaction]:
        """See TransactionSource."""
        found, more = await self._paged(address, since, until, most)
        if more:
            self._problem(address, f"more than {most:,} transactions: the rest was left out")
        return found

    async def fetch_all_or_none(self, address: str, since: int, most: int) -> list[OrderedTransaction] | None:
        """See TransactionSource."""
        found, more = await self._paged(address, since, None, most)
        return None if more or len(found) > most else found

    async def _paged(
        self, address: str, since: int | None, until: int | None, most: int
    ) -> tuple[list[OrderedTransaction], bool]:
        """Pages up to about `most` transactions, and whether there are more."""
        found: dict[str, OrderedTransaction] = {}
        token: str | None = None
        followed: set[str] = set()
        while True:
            page = await self._helius.transactions(address, since=since, until=until, token=token, limit=PAGE)
            if page.rows.rejected:
                self._problem(address, f"{page.rows.rejected} transactions skipped: {page.rows.cause}")
            for row in page.rows:
                located = await self._located(row, len(found))
                if located is not None and _within(located.block_time, since, until):
                    found.setdefault(located.signature, located)
            token = page.next_token
            if token is None:
                return list(found.values()), False
            if len(found) >= most:
                return list(found.values()), True
            if token in followed:
                raise BadPayload(self._helius.provider, "the same page again")
            followed.add(token)

    async def _located(self, row: TransactionRecord, place: int) -> OrderedTransaction | None:
        slot = row.slot
        if slot is None:
            self._problem(row.signature, "transaction without a slot")
            return None
        time = row.block_time if row.block_time is not None else await _time_of(self._rpc, slot)
        if time is None:
            self._problem(row.signature, "no block time")
            return None
        index = row.transaction_index if row.transaction_index is not None else place
        return OrderedTransaction(slot, index, time, row)

    async def accounts(self, addresses: list[str]) -> list[AccountRecord | None]:
        """See TransactionSource."""
        return await self._rpc.accounts(addresses)


class RpcTransactionSource:
    """By signature lists, newest first; a busy address is sought by time instead of paged from its end."""

    source = "solana_rpc"

    def __init__(self, rpc: SolanaRpc, problem: Problem, cache: Cache | None = None) -> None:
        self._rpc = rpc
        self._problem = problem
        self._cache = cache
        self._kept: dict[str, TransactionRecord] = {}

    async def fetch_range(
        self, address: str, since: int | None, until: int | None, most: int
    ) -> list[OrderedTransaction]:
        """See TransactionSource."""
        wanted, more = await self._rows(address, since, until)
        if more or len(wanted) > most:
            self._problem(address, f"more than {most:,} transactions: the rest was left out")
        return await self._fetched(address, wanted[:most], since, until)

    async def fetch_all_or_none(self, address: str, since: int, most: int) -> list[OrderedTransaction] | None:
        """See TransactionSource. Signatures are a thousand a call, transactions one: the many are not fetched."""
        wanted, more = await self._rows(address, since, None, most)
        return None if more or len(wanted) > most else await self._fetched(address, wanted, since, None)

    async def _fetched(
        self, address: str, wanted: list[SignatureRecord], since: int | None, until: int | None
    ) -> list[OrderedTransaction]:
        missing = [row.signature for row in wanted if row.signature not in self._kept]
        # Transactions of one token are fetched once: a wallet's account and the pool name the same ones.
        if self._cache is not None and missing:
            self._kept.update(await self._cache.get(missing))
            missing = [signature for signature in missing if signature not in self._kept]
        lost: list[tuple[str, str]] = []
        fetched = await self._rpc.transactions(missing, lambda signature, cause: lost.append((signature, cause)))
        self._kept.update(fetched)
        if self._cache is not None:
            await self._cache.put(fetched)
        if lost:
            (signature, cause), count = lost[0], len(lost)
            words = "a transaction was" if count == 1 else f"{count} transactions were"
            self._problem(address, f"{words} left out, {'' if count == 1 else 'the first '}{signature}: {cause}")
        found = []
        for index, row in enumerate(wanted):
            record = self._kept.get(row.signature)
            if record is None:
                continue  # told to `problem` when it was fetched
            time = row.block_time if row.block_time is not None else record.block_time
            if time is None:
                time = await _time_of(self._rpc, row.slot)
            if time is None:
                self._problem(row.signature, "no block time")
            elif (since is None or time >= since) and (until is None or time <= until):
                found.append(OrderedTransaction(row.slot, index, time, record))
        return found

    async def _rows(
        self, address: str, since: int | None, until: int | None, enough: int | None = None
    ) -> tuple[list[SignatureRecord], bool]:
        """Rows of successful transactions in the time span, oldest first, and whether the list was left at `enough`.

        Rows without a time are kept, their transaction decides.
        """
        kept: list[SignatureRecord] = []
        page = await self._rpc.signatures(address, limit=PAGE)
        if until is not None and len(page) == PAGE:
            oldest = next((row for row in reversed(page) if row.block_time is not None), None)
            if oldest is not None and oldest.block_time is not None and oldest.block_time > until:
                # A node without the blocks' times may still have the list: then it is paged from its end.
                with suppress(NotFound):
                    anchor = await self._rpc.signature_after(
                        until, oldest.slot, oldest.block_time, SEEK_TOLERANCE_SECONDS
                    )
                    page = await self._rpc.signatures(address, before=anchor, limit=PAGE)
        seen: set[str] = set()
        while page:
            if page[-1].signature in seen:
                raise BadPayload(self._rpc.provider, "the same page again")
            new = [row for row in page if row.signature not in seen]
            seen.update(row.signature for row in new)
            kept += [row for row in new if not row.failed and _within(row.block_time, since, until)]
            oldest_time = next((row.block_time for row in reversed(page) if row.block_time is not None), None)
            if len(page) < PAGE or (since is not None and oldest_time is not None and oldest_time < since):
                break
            if enough is not None and len(kept) > enough:
                return kept, True
            page = await self._rpc.signatures(address, before=page[-1].signature, limit=PAGE)
        kept.reverse()
        return kept, False

    async def accounts(self, addresses: list[str]) -> list[AccountRecord | None]:
        """See TransactionSource."""
        return await self._rpc.accounts(addresses)


def _within(time: int | None, since: int | None, until: int | None) -> bool:
    return time is None or ((since is None or time >= since) and (until is None or time <= until))


async def _time_of(rpc: SolanaRpc, slot: int) -> int | None:
    """A slot's time where the transaction did not carry it; None where the node has none either."""
    try:
        return await rpc.block_time(slot)
    except NotFound:
        return None

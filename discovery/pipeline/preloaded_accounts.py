"""Accounts that several wallets need, read in common batches of a hundred."""

from collections.abc import Iterable

from discovery.clients.transaction_history import (
    LastTransaction,
    NewTransactions,
    OrderedTransaction,
    TransactionSource,
)
from discovery.providers.records import AccountRecord
from discovery.providers.slot_search import TimedSlot


class PreloadedAccounts:
    """A TransactionSource that answers for accounts from what was read at once."""

    def __init__(self, source: TransactionSource) -> None:
        self.source = source.source
        self._source = source
        self._accounts: dict[str, AccountRecord | None] = {}

    async def preload(self, addresses: Iterable[str]) -> None:
        """Read these accounts. Raises ProviderError."""
        missing = sorted(set(addresses) - self._accounts.keys())
        if missing:
            accounts = await self._source.accounts(missing)
            self._accounts.update(zip(missing, accounts, strict=True))

    async def accounts(self, addresses: list[str]) -> list[AccountRecord | None]:
        """Return the accounts in the order of the addresses, None for those that do not
        exist. Raises ProviderError.
        """
        await self.preload(addresses)
        return [self._accounts[address] for address in addresses]

    async def fetch_range(
        self, address: str, since: int | None, until: int | None, limit: int
    ) -> list[OrderedTransaction]:
        """Return what the source returns."""
        return await self._source.fetch_range(address, since, until, limit)

    async def fetch_all_or_none(
        self, address: str, since: int, limit: int
    ) -> list[OrderedTransaction] | None:
        """Return what the source returns."""
        return await self._source.fetch_all_or_none(address, since, limit)

    async def fetch_newest(
        self, address: str, since: int, limit: int
    ) -> list[OrderedTransaction]:
        """Return what the source returns."""
        return await self._source.fetch_newest(address, since, limit)

    async def fetch_after(
        self, address: str, last: LastTransaction, limit: int
    ) -> NewTransactions | None:
        """Return what the source returns."""
        return await self._source.fetch_after(address, last, limit)

    async def fetch_latest(
        self, address: str, after: TimedSlot, until: int, limit: int
    ) -> list[OrderedTransaction]:
        """Return what the source returns."""
        return await self._source.fetch_latest(address, after, until, limit)

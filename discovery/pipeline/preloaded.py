"""Accounts and listed pairs that several wallets need, read in common batches."""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence

from discovery.clients.transaction_history import (
    LastTransaction,
    NewTransactions,
    OrderedTransaction,
    TransactionSource,
)
from discovery.providers.dexscreener import PairSource
from discovery.providers.records import AccountRecord, PairRecord, Rows
from discovery.providers.slot_search import TimedSlot


class PreloadedPairs:
    """A PairSource that answers from what was read at once. Rows that could not be read
    belong to every later answer: nobody knows whose they are.
    """

    def __init__(self, source: PairSource) -> None:
        self._source = source
        self._pairs: dict[str, list[PairRecord]] = {}
        self._unreadable: Rows[PairRecord] = Rows()

    async def preload(self, mints: Iterable[str]) -> None:
        """Read the pairs of these mints. Raises ProviderError."""
        missing = sorted(set(mints) - self._pairs.keys())
        if not missing:
            return
        pairs = await self._source.pairs(missing)
        self._pairs.update({mint: [] for mint in missing})
        for pair in pairs:
            if pair.mint in self._pairs:
                self._pairs[pair.mint].append(pair)
        self._unreadable.rejected += pairs.rejected
        self._unreadable.cause = self._unreadable.cause or pairs.cause

    async def pairs(self, mints: Iterable[str]) -> Rows[PairRecord]:
        """Return a pair of each mint in which it is the base token, as it was read.
        Raises ProviderError.
        """
        wanted = list(dict.fromkeys(mints))
        await self.preload(wanted)
        found: Rows[PairRecord] = Rows()
        found.merge(self._unreadable)
        for mint in wanted:
            found.extend(self._pairs[mint])
        return found

    async def all_pairs(self, mint: str) -> Rows[PairRecord]:
        """Return the pair of every pool of a token. Raises ProviderError."""
        return await self._source.all_pairs(mint)


class PreloadedAccounts:
    """A TransactionSource that answers for accounts from what was read at once."""

    def __init__(self, source: TransactionSource) -> None:
        self.source = source.source
        self._source = source
        self._accounts: dict[str, AccountRecord | None] = {}

    async def read(
        self, addresses: Iterable[str]
    ) -> Mapping[str, AccountRecord | None]:
        """Read these accounts. Return all that were read so far by address, None for
        those that do not exist. Raises ProviderError.
        """
        missing = sorted(set(addresses) - self._accounts.keys())
        if missing:
            accounts = await self._source.accounts(missing)
            self._accounts.update(zip(missing, accounts, strict=True))
        return self._accounts

    async def accounts(self, addresses: list[str]) -> list[AccountRecord | None]:
        """Return the accounts in the order of the addresses, None for those that do not
        exist. Raises ProviderError.
        """
        accounts = await self.read(addresses)
        return [accounts[address] for address in addresses]

    async def accounts_again(
        self, addresses: Sequence[str]
    ) -> list[AccountRecord | None]:
        """Return the accounts as they are now, in the order of the addresses. Raises
        ProviderError.
        """
        accounts = await self._source.accounts([*addresses])
        self._accounts.update(zip(addresses, accounts, strict=True))
        return accounts

    async def fetch_accounts(
        self, addresses: Sequence[str], limit: int, *, is_again: bool = False
    ) -> list[list[OrderedTransaction]]:
        """Return what the source returns."""
        return await self._source.fetch_accounts(addresses, limit, is_again=is_again)

    async def fetch_range(
        self, address: str, since: int | None, until: int | None, limit: int
    ) -> list[OrderedTransaction]:
        """Return what the source returns."""
        return await self._source.fetch_range(address, since, until, limit)

    def read_forward(
        self, address: str, since: int | None, until: int | None
    ) -> AsyncGenerator[list[OrderedTransaction], None]:
        """Return what the source returns."""
        return self._source.read_forward(address, since, until)

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

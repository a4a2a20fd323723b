"""Accounts by small integer id.

Most accounts of a world are token accounts, and deriving such an address costs two
curve tests. Ids let a world be built without the addresses: an address is derived when
a payload contains it or when a client queries an unknown one.
"""

from simmarket.chain import base58, programs
from simmarket.chain.curve25519 import address_with_seed, find_program_address


class AccountTable:
    """Two-way map between account ids and base58 addresses."""

    def __init__(self) -> None:
        self._addresses: list[str | None] = []
        self._ids: dict[str, int] = {}
        self._raw: dict[int, bytes] = {}
        self._associated: dict[tuple[int, int], int] = {}
        self._pending: dict[int, tuple[int, int, str]] = {}

    def __len__(self) -> int:
        return len(self._addresses)

    def add(self, address: str) -> int:
        """Return the id of a base58 address; the first call creates it."""
        existing = self._ids.get(address)
        if existing is not None:
            return existing
        account = len(self._addresses)
        self._addresses.append(address)
        self._ids[address] = account
        return account

    def add_raw(self, raw: bytes) -> int:
        """Return the id of a 32-byte address."""
        account = self.add(base58.encode(raw))
        self._raw[account] = raw
        return account

    def raw(self, account: int) -> bytes:
        """Return the 32 bytes of an account's address."""
        raw = self._raw.get(account)
        if raw is None:
            raw = base58.decode(self.address(account))
            self._raw[account] = raw
        return raw

    def derived(self, program: str, *seeds: bytes) -> int:
        """Return the id of the program-derived address of `seeds`."""
        raw, _ = find_program_address(seeds, self.raw(self.add(program)))
        return self.add_raw(raw)

    def seeded(self, base: int, seed: str) -> int:
        """Return the id of the token account that a wallet creates with
        CreateAccountWithSeed.
        """
        token_program = self.raw(self.add(programs.TOKEN))
        return self.add_raw(address_with_seed(self.raw(base), seed, token_program))

    def associated(
        self, owner: int, mint: int, token_program: str = programs.TOKEN
    ) -> int:
        """Return the id of the associated token account; its address is derived later."""
        account = self._associated.get((owner, mint))
        if account is None:
            account = len(self._addresses)
            self._addresses.append(None)
            self._associated[owner, mint] = account
            self._pending[account] = (owner, mint, token_program)
        return account

    def address(self, account: int) -> str:
        """Return the base58 address of an id."""
        address = self._addresses[account]
        if address is None:
            return self._derive(account)
        return address

    def find(self, address: str) -> int | None:
        """Return the id of an address, or None; derives every pending address before it
        returns None.
        """
        account = self._ids.get(address)
        if account is None and self._pending:
            self.derive_pending(len(self._pending))
            account = self._ids.get(address)
        return account

    def derive_pending(self, count: int) -> int:
        """Derive up to `count` addresses; return how many are left."""
        for account in list(self._pending)[:count]:
            self._derive(account)
        return len(self._pending)

    def _derive(self, account: int) -> str:
        owner, mint, token_program = self._pending.pop(account)
        seeds = (self.raw(owner), self.raw(self.add(token_program)), self.raw(mint))
        raw, _ = find_program_address(
            seeds, self.raw(self.add(programs.ASSOCIATED_TOKEN))
        )
        address = base58.encode(raw)
        self._addresses[account] = address
        self._ids[address] = account
        self._raw[account] = raw
        return address

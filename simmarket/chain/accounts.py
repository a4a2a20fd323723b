"""Accounts by small integer id.

Most accounts of a world are token accounts whose address costs two curve tests to derive. Ids let the world be
built without them; an address is derived when a payload names it, or when someone asks for an unknown address.
"""

from hashlib import sha256

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
        """Id of a base58 address, made at the first call."""
        known = self._ids.get(address)
        if known is not None:
            return known
        self._addresses.append(address)
        self._ids[address] = len(self._addresses) - 1
        return len(self._addresses) - 1

    def add_raw(self, raw: bytes) -> int:
        """Id of a 32-byte address."""
        account = self.add(base58.encode(raw))
        self._raw[account] = raw
        return account

    def raw(self, account: int) -> bytes:
        """The 32 bytes of an account's address."""
        known = self._raw.get(account)
        if known is None:
            known = self._raw[account] = base58.decode(self.address(account))
        return known

    def derived(self, program: str, *seeds: bytes) -> int:
        """Id of the program-derived address of `seeds`."""
        return self.add_raw(find_program_address(seeds, self.raw(self.add(program)))[0])

    def seeded(self, base: int, seed: str) -> int:
        """Id of the token account a wallet makes with CreateAccountWithSeed."""
        return self.add_raw(address_with_seed(self.raw(base), seed, self.raw(self.add(programs.TOKEN))))

    def associated(self, owner: int, mint: int, token_program: str = programs.TOKEN) -> int:
        """Id of the associated token account; its address is derived later."""
        account = self._associated.get((owner, mint))
        if account is None:
            self._addresses.append(None)
            account = len(self._addresses) - 1
            self._associated[owner, mint] = account
            self._pending[account] = (owner, mint, token_program)
        return account

    def address(self, account: int) -> str:
        """Base58 address of an id."""
        known = self._addresses[account]
        if known is None:
            known = self._derive(account)
        return known

    def find(self, address: str) -> int | None:
        """Id of an address, deriving every pending one before the answer is no."""
        known = self._ids.get(address)
        if known is None and self._pending:
            self.derive_pending(len(self._pending))
            known = self._ids.get(address)
        return known

    def derive_pending(self, count: int) -> int:
        """Derive up to `count` addresses; returns how many are left."""
        for account in list(self._pending)[:count]:
            self._derive(account)
        return len(self._pending)

    def _derive(self, account: int) -> str:
        owner, mint, token_program = self._pending.pop(account)
        seeds = (self.raw(owner), self.raw(self.add(token_program)), self.raw(mint))
        raw = find_program_address(seeds, self.raw(self.add(programs.ASSOCIATED_TOKEN)))[0]
        address = base58.encode(raw)
        self._addresses[account] = address
        self._ids[address] = account
        self._raw[account] = raw
        return address


def mixed(*parts: int | str) -> int:
    """A 64-bit number that depends on `parts` only: the same in every process."""
    return int.from_bytes(sha256("|".join(map(str, parts)).encode()).digest()[:8], "big")

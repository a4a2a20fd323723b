"""Balance changes of one transaction by owner. Every trade is read from them.

Account index order of all balances: static keys, then loaded writable, then loaded
readonly keys.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Final, NamedTuple, cast

from discovery.domain.addresses import is_on_curve
from discovery.domain.known_wallets import SERVICES
from discovery.domain.programs import (
    LENDERS,
    ORDER_BOOKS,
    QUOTE_REQUESTS,
    VENUES,
    WRAPPED_SOL,
)
from discovery.domain.trades import AccountUnits
from discovery.providers.transactions import (
    Meta,
    ParsedKey,
    TokenBalance,
    TransactionRecord,
)

_KNOWN_ADDRESSES: Final = frozenset(
    {*VENUES, *SERVICES, *LENDERS, *ORDER_BOOKS, *QUOTE_REQUESTS}
)


class AccountChange(NamedTuple):
    """Raw units that a token account held before, and those that it gained (+) or lost.
    owner: "" if it is not known.
    """

    account: str
    owner: str
    before_units: int
    units: int


class Deltas:
    """Units and lamports that each owner gained or lost.

    by_owner: owner -> mint -> raw units after minus before. Zero changes are included:
    the owner had an account in the transaction. program_owners: the owners off the
    curve, which no private key can sign for. A token account whose owner is not in
    the record (old captures) is `unknown-owner:<account>`. Raises IndexError if a row
    points outside the account keys, TypeError if the keys mix two encodings, ValueError
    if an amount is not a number of units.
    """

    __slots__ = (
        "_after",
        "_before",
        "_rows_of",
        "_token_accounts",
        "by_owner",
        "decimals",
        "keys",
        "known_keys",
        "meta",
        "program_owners",
        "signers",
    )

    def __init__(self, record: TransactionRecord, meta: Meta) -> None:
        self.meta = meta
        self.keys, self.signers = _keys_and_signers(record)
        if meta.loaded_addresses is not None:
            self.keys += meta.loaded_addresses.writable
            self.keys += meta.loaded_addresses.readonly
        self.known_keys = [key for key in self.keys if key in _KNOWN_ADDRESSES]
        self.by_owner: dict[str, dict[str, int]] = {}
        self.decimals: dict[str, int] = {}
        # Owner -> (account index, mint, units, -1 before or +1 after).
        self._rows_of: dict[str, list[tuple[int, str, int, int]]] = {}
        self._token_accounts: set[str] | None = None
        self._before: Sequence[TokenBalance] = meta.pre_token_balances or ()
        self._after: Sequence[TokenBalance] = meta.post_token_balances or ()
        self._add_rows(self._before, -1)
        self._add_rows(self._after, 1)
        self.program_owners = [
            owner for owner in self.by_owner if not is_on_curve(owner)
        ]

    def _add_rows(self, rows: Sequence[TokenBalance], sign: int) -> None:
        """Add the balances to `by_owner`: sign -1 for those before, +1 for those after."""
        by_owner, decimals, rows_of = self.by_owner, self.decimals, self._rows_of
        for row in rows:
            mint, amount = row.mint, row.ui_token_amount
            owner = row.owner or f"unknown-owner:{self.keys[row.account_index]}"
            units = int(amount.amount)
            if units < 0:
                raise ValueError("a negative balance")
            decimals[mint] = amount.decimals
            mints = by_owner.get(owner)
            if mints is None:
                by_owner[owner] = {mint: units * sign}
                rows_of[owner] = [(row.account_index, mint, units, sign)]
            else:
                mints[mint] = mints.get(mint, 0) + units * sign
                rows_of[owner].append((row.account_index, mint, units, sign))

    def native_lamports(self, owner: str) -> int:
        """Return the change of the owner's system account in lamports; 0 if it is not
        among the keys.
        """
        try:
            index = self.keys.index(owner)
        except ValueError:
            return 0
        return self.meta.post_balances[index] - self.meta.pre_balances[index]

    def wrapped_lamports(self, owner: str) -> int:
        """Return the change of the owner's wrapped SOL in lamports; 0 without any."""
        mints = self.by_owner.get(owner)
        return mints.get(WRAPPED_SOL, 0) if mints else 0

    def sol_lamports(self, owner: str) -> int:
        """Return the owner's change in native and wrapped SOL together, in lamports."""
        return self.native_lamports(owner) + self.wrapped_lamports(owner)

    def rent_lamports(self, owner: str) -> int:
        """Return the lamports that went into (+) or came out of (-) the owner's token
        accounts as rent.

        Wrapped SOL in the accounts is no rent. An account that the owner holds neither
        before nor after the transaction has no row and so no rent. `owner` is an
        address: the rent of an `unknown-owner:` cannot be computed.
        """
        return sum(self.rent_by_account(owner).values())

    def rent_by_account(self, owner: str) -> dict[str, int]:
        """Return token account of the owner -> lamports of rent, as `rent_lamports`."""
        before, after = self.meta.pre_balances, self.meta.post_balances
        rent: dict[int, int] = {}
        for index, mint, units, sign in self._rows_of.get(owner, ()):
            if index not in rent:
                rent[index] = after[index] - before[index]
            if mint == WRAPPED_SOL:
                rent[index] -= sign * units
        return {self.keys[index]: lamports for index, lamports in rent.items()}

    def owner_of(self, account: str, mint: str) -> str | None:
        """Return the owner of a token account of the mint, None if it has no row here."""
        try:
            index = self.keys.index(account)
        except ValueError:
            return None
        for row in chain(self._before, self._after):
            if row.account_index == index and row.mint == mint:
                return row.owner
        return None

    def is_transient(self, account: str) -> bool:
        """Return True if the account holds no lamports before and after: it was opened
        and closed. False if it is not among the keys.
        """
        try:
            index = self.keys.index(account)
        except ValueError:
            return False
        return self.meta.pre_balances[index] == self.meta.post_balances[index] == 0

    def token_accounts(self) -> set[str]:
        """Return the addresses of all token accounts in the transaction."""
        if self._token_accounts is None:
            rows = chain(self._before, self._after)
            self._token_accounts = {self.keys[row.account_index] for row in rows}
        return self._token_accounts

    def account_changes(self, mint: str) -> list[AccountChange]:
        """Return the changes of the token accounts of a mint that has rows here, in the
        order of the rows.
        """
        before: dict[int, int] = {}
        after: dict[int, int] = {}
        owners: dict[int, str] = {}
        for rows, units in ((self._before, before), (self._after, after)):
            for row in rows:
                if row.mint == mint:
                    units[row.account_index] = int(row.ui_token_amount.amount)
                    owners[row.account_index] = row.owner or ""
        return [
            AccountChange(
                account=self.keys[index],
                owner=owner,
                before_units=before.get(index, 0),
                units=after.get(index, 0) - before.get(index, 0),
            )
            for index, owner in owners.items()
        ]

    def markets_of(self, mint: str, wallet: str) -> list[str]:
        """Return the owners off the curve whose units of the mint changed, without the
        wallet.
        """
        by_owner = self.by_owner
        return [
            owner
            for owner in self.program_owners
            if owner != wallet and by_owner[owner].get(mint)
        ]

    def sole_account(self, owner: str, mint: str) -> AccountUnits | None:
        """Return the owner's token account of the mint, None if it has none or several
        here.
        """
        accounts = self.accounts_of(owner, mint)
        return accounts[0] if len(accounts) == 1 else None

    def accounts_of(self, owner: str, mint: str) -> tuple[AccountUnits, ...]:
        """Return the owner's token accounts of a mint with their units, in the order of
        the rows.
        """
        accounts: dict[int, AccountUnits] = {}
        for index, row_mint, units, sign in self._rows_of.get(owner, ()):
            if row_mint != mint:
                continue
            if sign < 0:
                accounts[index] = AccountUnits(self.keys[index], units, 0)
            else:
                known = accounts.get(index)
                before = known.before_units if known else 0
                accounts[index] = AccountUnits(self.keys[index], before, units)
        return tuple(accounts.values())


def _keys_and_signers(record: TransactionRecord) -> tuple[list[str], list[str]]:
    """Return the static account keys and the signers among them, from either encoding.

    Encoding `jsonParsed` marks each signer. With `json` the signers come first; the
    header has their number. Every signer has a signature, so a record without a header
    has as many signers as signatures.
    """
    message = record.transaction.message
    if isinstance(message.account_keys[0], ParsedKey):
        parsed = cast("list[ParsedKey]", message.account_keys)
        signers = [key.pubkey for key in parsed if key.signer]
        return [key.pubkey for key in parsed], signers
    signer_count = len(record.transaction.signatures)
    if message.header is not None:
        signer_count = message.header.num_required_signatures
    keys = cast("list[str]", message.account_keys).copy()
    "".join(keys)  # TypeError if a key of the other encoding is among them
    return keys, keys[:signer_count]

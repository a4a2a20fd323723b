"""Balance changes of one transaction by owner. Every trade is read from them.

Account index order of all balances: static keys, then loaded writable, then loaded
readonly keys.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from operator import attrgetter
from typing import Final, cast

from msgspec import Struct

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
_is_known: Final = _KNOWN_ADDRESSES.__contains__
_address_of: Final = attrgetter("pubkey")

_Account = tuple[str, int, str, int, int]
"""A token account: owner, account index, mint, raw units before and after. Plain tuples
are the fastest to create, and there is one for every account of every transaction.
"""


class AccountChange(Struct, frozen=True, gc=False):
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
    the owner had an account in the transaction. program_owners: the part of it of owners
    off the curve, which no private key can sign for. A token account whose owner is not in
    the record (old captures) is `unknown-owner:<account>`. Raises IndexError if a row
    points outside the account keys, TypeError if the keys mix two encodings, ValueError
    if an amount is not a number of units.
    """

    __slots__ = (
        "_accounts",
        "_after",
        "_before",
        "_token_accounts",
        "by_owner",
        "keys",
        "known_keys",
        "meta",
        "program_owners",
        "signers",
    )

    def __init__(self, record: TransactionRecord, meta: Meta) -> None:
        self.meta = meta
        self.keys, self.signers = _keys_and_signers(record)
        loaded = meta.loaded_addresses
        if loaded is not None:
            self.keys = [*self.keys, *loaded.writable, *loaded.readonly]
        self.known_keys = list(filter(_is_known, self.keys))
        self._token_accounts: set[str] | None = None
        self._before: Sequence[TokenBalance] = meta.pre_token_balances or ()
        self._after: Sequence[TokenBalance] = meta.post_token_balances or ()
        self._accounts = self._paired_rows()
        self.by_owner: dict[str, dict[str, int]] = {}
        self.program_owners: dict[str, dict[str, int]] = {}
        self._sum_by_owner()

    def _paired_rows(self) -> list[_Account]:
        """Return the token accounts in the order of the rows. The rows before and after
        are one account if owner and mint stayed the same.
        """
        accounts: list[_Account] = []
        unpaired = {row.account_index: row for row in self._after}
        rest: Iterable[TokenBalance] = unpaired.values()
        if len(unpaired) < len(self._after):
            # Two rows of one index make no sense: each row counts by itself.
            rest, unpaired = self._after, {}
        for row in self._before:
            index, mint = row.account_index, row.mint
            owner = row.owner or self._unknown_owner(index)
            before_units = int(row.ui_token_amount.amount)
            after_units = 0
            after = unpaired.get(index)
            if after is not None and after.mint == mint and after.owner == row.owner:
                del unpaired[index]
                after_units = int(after.ui_token_amount.amount)
            accounts.append((owner, index, mint, before_units, after_units))
        for row in rest:
            index = row.account_index
            owner = row.owner or self._unknown_owner(index)
            after_units = int(row.ui_token_amount.amount)
            accounts.append((owner, index, row.mint, 0, after_units))
        return accounts

    def _unknown_owner(self, index: int) -> str:
        return f"unknown-owner:{self.keys[index]}"

    def _sum_by_owner(self) -> None:
        """Fill `by_owner` and `program_owners` from the token accounts."""
        by_owner = self.by_owner
        for owner, _, mint, before_units, after_units in self._accounts:
            if before_units < 0 or after_units < 0:
                raise ValueError("a negative balance")
            units = after_units - before_units
            mints = by_owner.get(owner)
            if mints is not None:
                mints[mint] = mints.get(mint, 0) + units
                continue
            mints = by_owner[owner] = {mint: units}
            if not is_on_curve(owner):
                self.program_owners[owner] = mints

    def decimals_of(self, mint: str) -> int:
        """Return the decimals of a mint that has rows here."""
        for rows in (self._after, self._before):
            for row in reversed(rows):
                if row.mint == mint:
                    return row.ui_token_amount.decimals
        raise KeyError(mint)

    def has_wrapped_sol(self) -> bool:
        """Return True if an owner has an account of wrapped SOL here."""
        return WRAPPED_SOL in chain.from_iterable(self.by_owner.values())

    def native_lamports(self, owner: str) -> int:
        """Return the change of the owner's system account in lamports; 0 if it is not
        among the keys.
        """
        try:
            index = self.keys.index(owner)
        except ValueError:
            return 0
        return self.meta.post_balances[index] - self.meta.pre_balances[index]

    def sol_lamports(self, owner: str) -> int:
        """Return the owner's change in native and wrapped SOL together, in lamports."""
        lamports = self.native_lamports(owner)
        mints = self.by_owner.get(owner)
        if mints:
            lamports += mints.get(WRAPPED_SOL, 0)
        return lamports

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
        keys = self.keys
        before, after = self.meta.pre_balances, self.meta.post_balances
        rent: dict[str, int] = {}
        for account_owner, index, mint, before_units, after_units in self._accounts:
            if account_owner != owner:
                continue
            account = keys[index]
            if account not in rent:
                rent[account] = after[index] - before[index]
            if mint == WRAPPED_SOL:
                rent[account] += before_units - after_units
        return rent

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

    def sole_market(self, mint: str, wallet: str) -> str | None:
        """Return the owner off the curve, but for the wallet, whose units of the mint
        changed; None if there are several or none.
        """
        market = None
        for owner, mints in self.program_owners.items():
            if owner == wallet or not mints.get(mint):
                continue
            if market is not None:
                return None
            market = owner
        return market

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
        accounts = []
        for account_owner, index, account_mint, before, after in self._accounts:
            if account_owner == owner and account_mint == mint:
                accounts.append(AccountUnits(self.keys[index], before, after))
        return tuple(accounts)


def _keys_and_signers(record: TransactionRecord) -> tuple[list[str], list[str]]:
    """Return the static account keys and the signers among them, from either encoding.

    Encoding `jsonParsed` marks each signer. With `json` the signers come first; the
    header has their number. Every signer has a signature, so a record without a header
    has as many signers as signatures. The keys may be the list of the record itself.
    """
    message = record.transaction.message
    if isinstance(message.account_keys[0], ParsedKey):
        parsed = cast("list[ParsedKey]", message.account_keys)
        signers = [key.pubkey for key in parsed if key.signer]
        return list(map(_address_of, parsed)), signers
    signer_count = len(record.transaction.signatures)
    if message.header is not None:
        signer_count = message.header.num_required_signatures
    keys = cast("list[str]", message.account_keys)
    "".join(keys)  # TypeError if a key of the other encoding is among them
    return keys, keys[:signer_count]

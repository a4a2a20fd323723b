"""Balance changes of one transaction by owner: the ground truth every trade is read from.

Account index order of all balances: static keys, then loaded writable, then loaded readonly keys.
"""

from discovery.domain.programs import WRAPPED_SOL
from discovery.providers.transactions import Meta, TokenBalance, TransactionRecord

_NO_ROWS: list[TokenBalance] = []


class Deltas:
    """Units and lamports that each owner gained or lost.

    by_owner: owner -> mint -> raw units, post - pre, zero changes kept (the owner held an account in the transaction).
    A token account without an owner on the wire (old captures) stands as `unknown-owner:<account>`.
    Raises IndexError where a row points outside the account keys, TypeError where those are of two kinds, ValueError
    where an amount is no number of units.
    """

    __slots__ = ("by_owner", "decimals", "keys", "meta", "signers")

    def __init__(self, record: TransactionRecord, meta: Meta) -> None:
        message = record.transaction.message
        first = message.account_keys[0] if message.account_keys else ""
        if len(set(map(type, message.account_keys))) > 1:
            raise TypeError("account keys of both encodings in one message")
        if isinstance(first, str):
            keys: list[str] = list(message.account_keys)  # type: ignore[arg-type]
            required = message.header.num_required_signatures if message.header else len(record.transaction.signatures)
            signers = keys[:required]
        else:
            parsed = message.account_keys
            keys = [key.pubkey for key in parsed]  # type: ignore[union-attr]
            signers = [key.pubkey for key in parsed if key.signer]  # type: ignore[union-attr]
        if meta.loaded_addresses is not None:
            keys += meta.loaded_addresses.writable
            keys += meta.loaded_addresses.readonly
        self.keys = keys
        self.signers = signers
        self.meta = meta
        by_owner: dict[str, dict[str, int]] = {}
        decimals: dict[str, int] = {}
        for row in meta.pre_token_balances or _NO_ROWS:
            mint, amount = row.mint, row.ui_token_amount
            owner = row.owner or f"unknown-owner:{keys[row.account_index]}"
            units = int(amount.amount)
            if units < 0:
                raise ValueError("a negative balance")
            mints = by_owner.get(owner)
            if mints is None:
                by_owner[owner] = {mint: -units}
            else:
                mints[mint] = mints.get(mint, 0) - units
            decimals[mint] = amount.decimals
        for row in meta.post_token_balances or _NO_ROWS:
            mint, amount = row.mint, row.ui_token_amount
            owner = row.owner or f"unknown-owner:{keys[row.account_index]}"
            units = int(amount.amount)
            if units < 0:
                raise ValueError("a negative balance")
            mints = by_owner.get(owner)
            if mints is None:
                by_owner[owner] = {mint: units}
            else:
                mints[mint] = mints.get(mint, 0) + units
            decimals[mint] = amount.decimals
        self.by_owner = by_owner
        self.decimals = decimals

    def native_lamports(self, owner: str) -> int:
        """Change of the owner's own system account; 0 where it is not among the keys."""
        try:
            index = self.keys.index(owner)
        except ValueError:
            return 0
        return self.meta.post_balances[index] - self.meta.pre_balances[index]

    def sol_lamports(self, owner: str) -> int:
        """Change in native + wrapped SOL: one asset, whatever form it has."""
        mints = self.by_owner.get(owner)
        return self.native_lamports(owner) + (mints.get(WRAPPED_SOL, 0) if mints else 0)

    def rent_lamports(self, owner: str) -> int:
        """Lamports that went into (+) or came out of (-) the owner's token accounts beside wrapped SOL itself.

        An account the owner holds on neither side of the transaction leaves no row and no rent.
        """
        meta = self.meta
        rent = 0
        accounts: set[int] = set()
        for row in meta.post_token_balances or _NO_ROWS:
            if row.owner == owner:
                accounts.add(row.account_index)
                if row.mint == WRAPPED_SOL:
                    rent -= int(row.ui_token_amount.amount)
        for row in meta.pre_token_balances or _NO_ROWS:
            if row.owner == owner:
                accounts.add(row.account_index)
                if row.mint == WRAPPED_SOL:
                    rent += int(row.ui_token_amount.amount)
        for index in accounts:
            rent += meta.post_balances[index] - meta.pre_balances[index]
        return rent

    def units(self, owner: str, mint: str) -> tuple[int, int]:
        """The owner's raw units of a mint before and after, over its accounts in this transaction."""
        before = sum(
            int(row.ui_token_amount.amount)
            for row in self.meta.pre_token_balances or _NO_ROWS
            if row.owner == owner and row.mint == mint
        )
        return before, before + self.by_owner.get(owner, {}).get(mint, 0)

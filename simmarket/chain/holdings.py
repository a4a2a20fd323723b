"""The token accounts of a ledger by owner and by mint."""

from collections import defaultdict

from simmarket.chain.ledger import Ledger, TokenAccount


class Holdings:
    """Finds token accounts without a scan of the ledger. Accounts that are opened or
    closed later must be announced.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._by_owner: dict[int, dict[int, TokenAccount]] = defaultdict(dict)
        self._by_mint: dict[int, dict[int, TokenAccount]] = defaultdict(dict)
        for account, state in ledger.tokens.items():
            self.add(account, state)

    def add(self, account: int, state: TokenAccount) -> None:
        """Add an account that was opened."""
        self._by_owner[state.owner][account] = state
        self._by_mint[state.mint.account][account] = state

    def remove(self, account: int, state: TokenAccount) -> None:
        """Remove an account that was closed."""
        del self._by_owner[state.owner][account]
        del self._by_mint[state.mint.account][account]

    def of_owner(self, owner: int) -> dict[int, TokenAccount]:
        """Return the open token accounts of an owner by account id."""
        return self._by_owner.get(owner, {})

    def of_mint(self, mint: int) -> dict[int, TokenAccount]:
        """Return the open token accounts of a mint by account id."""
        return self._by_mint.get(mint, {})

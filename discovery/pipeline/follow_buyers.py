"""What the early buyers of a token did after its launch window.

1. Their later trades come from the markets, paged once, or from their own token accounts: whichever costs less.
2. A market shows its trades, not what moved elsewhere. If the balances of a wallet do not follow from each other, or
   its account holds other units now, its own account is read as well.
"""

from collections.abc import Sequence
from typing import Final

from discovery.analysis.estimate import FetchPath, Source, cheaper_path
from discovery.clients.transaction_history import TransactionSource
from discovery.domain.addresses import associated_token_account
from discovery.domain.findings import Candidate
from discovery.domain.token_accounts import token_account_units
from discovery.pipeline.balance_history import TokenHistory
from discovery.pipeline.launch_window import LaunchWindow
from discovery.providers.concurrency import gather_or_cancel

MAX_LATER_TRANSACTIONS: Final = 50_000
MAX_ACCOUNT_TRANSACTIONS: Final = 2_000


class BuyerFollower:
    """Adds the later transactions of early buyers to the history of their token."""

    def __init__(
        self, candidate: Candidate, window: LaunchWindow, source: TransactionSource, history: TokenHistory
    ) -> None:
        self._candidate = candidate
        self._window = window
        self._source = source
        self._history = history
        self._accounts: dict[str, str] = {}

    async def follow(self, wallets: Sequence[str], *, now: int, path: FetchPath | None) -> frozenset[str]:
        """Add the later transactions of the wallets. `now` in unix seconds; `path` None = the cheaper one.

        Returns the wallets whose balances still do not follow from their transactions. Raises ProviderError.
        """
        if not wallets:
            return frozenset()
        self._accounts = self._token_accounts(wallets)
        incomplete = list(wallets)
        held: dict[str, int] = {}
        if (path or self._cheaper_path(len(wallets), now)) == "pool":
            await self._add_markets()
            held = await self._held_units(wallets)
            incomplete = [wallet for wallet in wallets if not self._history.is_complete(wallet, held[wallet])]
        await self._add_accounts(incomplete)
        return frozenset(wallet for wallet in incomplete if not self._history.is_complete(wallet, held.get(wallet)))

    def _cheaper_path(self, wallet_count: int, now: int) -> FetchPath:
        if self._window.end >= now:
            return "pool"
        is_helius = self._source.source == "helius"
        source: Source = "helius" if is_helius else "solana_rpc"
        later_count = None
        if self._candidate.transactions_24h is not None:
            later_count = max(0, self._candidate.transactions_24h - self._history.transaction_count)
        return cheaper_path(source, later_count, wallet_count)

    async def _add_markets(self) -> None:
        since = self._window.end + 1
        requests = [
            self._source.fetch_range(market, since, None, MAX_LATER_TRANSACTIONS) for market in self._window.markets
        ]
        for list_number, transactions in enumerate(await gather_or_cancel(requests)):
            self._history.add(transactions, list_number)

    async def _add_accounts(self, wallets: Sequence[str]) -> None:
        requests = [
            self._source.fetch_range(self._accounts[wallet], None, None, MAX_ACCOUNT_TRANSACTIONS) for wallet in wallets
        ]
        for wallet, transactions in zip(wallets, await gather_or_cancel(requests), strict=True):
            self._history.add_account(wallet, transactions)

    async def _held_units(self, wallets: Sequence[str]) -> dict[str, int]:
        """Return the raw units in each wallet's token account; an account that does not exist holds none."""
        accounts = await self._source.accounts([self._accounts[wallet] for wallet in wallets])
        held = dict.fromkeys(wallets, 0)
        for wallet, account in zip(wallets, accounts, strict=True):
            if account is not None:
                held[wallet] = token_account_units(account.data)
        return held

    def _token_accounts(self, wallets: Sequence[str]) -> dict[str, str]:
        program = self._history.token_program
        return {wallet: associated_token_account(wallet, self._candidate.mint, program) for wallet in wallets}

"""The launch of a token and its first minutes: launch time, creators, markets and their
transactions.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from discovery.clients.transaction_history import OrderedTransaction, TransactionSource
from discovery.decode.creation import creators_of
from discovery.domain.addresses import pump_curve, pumpswap_pool
from discovery.domain.findings import Candidate, Launch, LaunchClock
from discovery.pipeline.balance_history import BalanceChange, TokenHistory
from discovery.pipeline.chain_position import ChainPosition
from discovery.providers.concurrency import gather_or_cancel

MAX_WINDOW_TRANSACTIONS: Final = 20_000
CLOCK_TOLERANCE_SECONDS: Final = 300
"""The first transaction of the curve may be this much later than the launch time of the
index.

A later one costs a second request.
"""


class LaunchWindow(msgspec.Struct, frozen=True):
    """The launch window of a token, `launched_at` to `end` in unix seconds, inclusive.
    `launch` None = not seen. read_until: market → last unix second of the window until
    which all its transactions were read.
    """

    launched_at: int
    end: int
    clock: LaunchClock
    markets: list[str]
    launch: Launch | None
    read_until: dict[str, int] = {}

    def is_read(self, market: str, until: int) -> bool:
        """Return True if all transactions of the market were read from the launch until
        that second.
        """
        return until <= self.read_until.get(market, self.launched_at - 1)

    @property
    def creator(self) -> str:
        """The first creator, "" if it is unknown."""
        if self.launch is None:
            return ""
        return next(iter(self.launch.creators), "")

    def has_buy(self, change: BalanceChange) -> bool:
        """Return True if the balance change is a buy in the window, both ends
        included.
        """
        if change.trade is None or change.trade.side != "buy":
            return False
        return self.launched_at <= change.block_time <= self.end


async def load_launch_window(
    candidate: Candidate,
    window_seconds: int,
    source: TransactionSource,
    history: TokenHistory,
) -> LaunchWindow | None:
    """Find the launch of the token and add the transactions of the window to the
    history.

    Launch time is the block time of the curve's first transaction, else the time of the
    index. Returns None if neither is known. Raises ProviderError.
    """
    curve = _CurveTransactions(candidate.mint, source)
    launched_at, clock, launch = candidate.launched_at, candidate.launch_clock, None
    expected_end = None
    if launched_at is not None:
        expected_end = launched_at + window_seconds + CLOCK_TOLERANCE_SECONDS
    creation = await curve.find_creation(expected_end)
    if creation is not None:
        launched_at, clock = creation.block_time, "curve"
        launch = Launch(creation.slot, creators_of(creation.record, candidate.mint))
        await curve.fetch_until(launched_at + window_seconds)
    if launched_at is None:
        return None
    end = launched_at + window_seconds
    in_window = curve.transactions_until(end)
    history.add(in_window, 0)
    read_until: dict[str, int] = {curve.address: _read_until(in_window, end)}
    pools = _pools(candidate, curve.address)
    requests = [
        source.fetch_range(pool, launched_at, end, MAX_WINDOW_TRANSACTIONS)
        for pool in pools
    ]
    pool_lists = await gather_or_cancel(requests)
    for list_number, transactions in enumerate(pool_lists, start=1):
        history.add(transactions, list_number)
        read_until[pools[list_number - 1]] = _read_until(transactions, end)
        launch = launch or _creation_in(transactions, candidate.mint)
    return LaunchWindow(
        launched_at=launched_at,
        end=end,
        clock=clock,
        markets=[curve.address, *pools],
        launch=launch,
        read_until=read_until,
    )


def _read_until(transactions: Sequence[OrderedTransaction], end: int) -> int:
    """Return the last unix second of which a market's list is complete: the list may
    have been cut in the middle of a second.
    """
    if len(transactions) < MAX_WINDOW_TRANSACTIONS:
        return end
    return transactions[-1].block_time - 1


def _creation_in(
    transactions: Iterable[OrderedTransaction], mint: str
) -> Launch | None:
    """Return the creation of the token on a launchpad, None if no transaction is one.

    transactions: oldest first. After one that finds units of the token there is none.
    """
    for transaction in transactions:
        balances = transaction.record.pre_token_balances
        if any(balance.mint == mint for balance in balances):
            return None
        creators = creators_of(transaction.record, mint)
        if creators:
            return Launch(transaction.slot, creators)
    return None


def first_buyers(history: TokenHistory, window: LaunchWindow) -> list[str]:
    """Return the wallets that bought in the window, in the order of their first buys."""
    first_buys: list[tuple[ChainPosition, str]] = []
    for wallet in history.wallets:
        buys = list(filter(window.has_buy, history.changes_of(wallet)))
        if buys:
            first_buys.append((buys[0].position, wallet))
    return [wallet for _, wallet in sorted(first_buys)]


class _CurveTransactions:
    """The transactions of a token's bonding curve, fetched as far as they are needed."""

    def __init__(self, mint: str, source: TransactionSource) -> None:
        self.address = pump_curve(mint)
        self._mint = mint
        self._source = source
        self._transactions: list[OrderedTransaction] = []
        self._fetched_until = -math.inf
        self._next_time: int | None = None

    async def fetch_until(self, until: int | None) -> None:
        """Fetch what is missing up to unix second `until`, None = all."""
        end = math.inf if until is None else until
        if end <= self._fetched_until:
            return
        self._transactions += await self._source.fetch_range(
            self.address,
            self._next_time,
            until,
            MAX_WINDOW_TRANSACTIONS,
        )
        self._fetched_until = end
        self._next_time = None if until is None else until + 1

    async def find_creation(
        self, expected_end: int | None
    ) -> OrderedTransaction | None:
        """Return the transaction that created the token on the curve, None if there is
        none.

        Fetches up to unix second `expected_end`, and everything if the creation is not
        in there: the clock of the index may be before the launch.
        """
        await self.fetch_until(expected_end)
        creation = self._first_with_mint()
        if creation is None:
            await self.fetch_until(None)
            creation = self._first_with_mint()
        return creation

    def _first_with_mint(self) -> OrderedTransaction | None:
        """Return the first transaction with the mint: anybody may send lamports to a
        curve's address before.
        """
        for transaction in self._transactions:
            balances = transaction.record.post_token_balances
            if self._mint in {balance.mint for balance in balances}:
                return transaction
        return None

    def transactions_until(self, end: int) -> list[OrderedTransaction]:
        """Return the fetched transactions up to unix second `end`."""
        return [
            transaction
            for transaction in self._transactions
            if transaction.block_time <= end
        ]


def _pools(candidate: Candidate, curve: str) -> list[str]:
    """Return the token's pools without the curve: the canonical one of PumpSwap first,
    which the index may not know, then those of the index.
    """
    pools = dict.fromkeys([pumpswap_pool(candidate.mint), *candidate.pools])
    pools.pop(curve, None)
    return list(pools)

"""Analyse one token: its launch window, its early buyers, the whole history of each in
it, and their profits.

1. The launch window is read first, forward until enough wallets have bought in it; these are the candidates.
2. The later trades of the candidates come from the markets, paged once, or from their own token accounts: whichever
   costs less.
3. A market shows its trades, not what moved elsewhere, and a list may lack rows. If the balances of a wallet do not
   follow from each other up to what its accounts hold on the chain now, these are read as well, and once more.
   The result of a wallet that holds other units even then is unknown.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Final

import msgspec

from discovery.analysis.early_buyers import evaluate_buyers
from discovery.analysis.estimate import FetchPath, Source, cheaper_path
from discovery.clients.transaction_history import TransactionSource
from discovery.domain.addresses import associated_token_account, is_wallet
from discovery.domain.findings import Candidate, EarlyBuyer, LaunchClock
from discovery.domain.reasons import Reason
from discovery.domain.run_errors import WarningSink
from discovery.domain.run_params import Params
from discovery.domain.token_accounts import token_account_units
from discovery.pipeline.balance_history import BalanceChange, TokenHistory
from discovery.pipeline.holdings import MAX_MISMATCH_DIVISOR
from discovery.pipeline.late_prices import late_reserves_of_window
from discovery.pipeline.late_reserves import LateReserves
from discovery.pipeline.launch_window import (
    LaunchWindow,
    first_buyers,
    load_launch_window,
)
from discovery.pipeline.odd_results import all_incomplete, nothing_to_analyse
from discovery.pipeline.orders import OrderRelease, read_orders
from discovery.pipeline.valuation import (
    TradePrices,
    ValuedTrade,
    load_trade_prices,
    missing_prices,
    value_history,
)
from discovery.providers.concurrency import gather_or_cancel
from discovery.providers.prices import SolPrices

MAX_LATER_TRANSACTIONS: Final = 50_000
MAX_ACCOUNT_TRANSACTIONS: Final = 2_000


class TokenAnalysis(msgspec.Struct, frozen=True):
    """The results of one token. `trades` and `other_changes` are those of the early
    buyers, `creator` "" = unknown. `late`: what the launch window shows of the prices
    some seconds after these trades. is_known: False = the early buyers are not known.
    read_until: the unix second until which the window was read, None = to its end.
    """

    candidate: Candidate
    launched_at: int | None
    launch_clock: LaunchClock
    buyers: list[EarlyBuyer]
    trades: list[ValuedTrade]
    other_changes: list[BalanceChange]
    transactions: int
    funnel: dict[str, int]
    creator: str = ""
    late: LateReserves = {}
    is_known: bool = True
    read_until: int | None = None


async def analyse_token(
    candidate: Candidate,
    params: Params,
    source: TransactionSource,
    prices: SolPrices,
    *,
    now: int,
    warnings: WarningSink,
    path: FetchPath | None = None,
) -> TokenAnalysis:
    """Return the early buyers of the token with their positions. `now` in unix seconds.

    path: how to follow the buyers after the window; None = the cheaper one. Raises
    ProviderError if a provider does not respond, BudgetExhausted if the run may make no
    more calls.
    """
    mint = candidate.mint
    history = TokenHistory(mint)
    window = await load_launch_window(
        candidate,
        source,
        history,
        window_seconds=params.early_window_minutes * 60,
        max_early_buyers=params.max_early_buyers,
    )
    if window is None or not window.trades:
        warnings.add(nothing_to_analyse(candidate, window))
        return _nothing(candidate, window)
    bought_in_window = first_buyers(history, window)
    wallets = [wallet for wallet in bought_in_window if is_wallet(wallet)]
    follower = BuyerFollower(candidate, window, source, history)
    incomplete = await follower.follow(wallets, now=now, path=path)
    unreconciled = _unreconciled(history, incomplete)
    if unreconciled:
        warnings.add(
            f"{mint}: {len(unreconciled)} of {len(wallets)} early buyers hold other units"
            " on the chain than their transactions show, which were read twice: their"
            " results are not known. A node whose lists have gaps causes this: try another"
            " one (SOLANA_RPC_URL, HELIUS_API_KEY), then analyse the token again"
        )
    changes = {wallet: history.changes_of(wallet) for wallet in wallets}
    releases = await _read_orders(changes, source)
    found = await load_trade_prices(
        prices,
        chain.from_iterable(changes.values()),
        chain.from_iterable(releases.values()),
    )
    if found.missing:
        warnings.add(f"{mint}: {missing_prices(found)}")
    valued = {
        wallet: value_history(
            changes[wallet],
            prices,
            releases=releases[wallet],
            units_now=incomplete.get(wallet),
        )
        for wallet in wallets
    }
    buyers = evaluate_buyers(
        mint,
        {wallet: valued[wallet].events for wallet in wallets},
        params,
        launched_at=window.launched_at,
        entry_order=wallets,
        incomplete_wallets=incomplete.keys(),
        unknown_reasons=unreconciled,
        launch=window.launch,
    )
    if window.cut_at is not None:
        buyers = buyers[: params.max_early_buyers]
    is_told = len(unreconciled) == len(wallets)
    if buyers and not is_told and all(buyer.wallet in incomplete for buyer in buyers):
        warnings.add(all_incomplete(candidate, buyers))
    if history.failed_count:
        warnings.add(
            f"{mint}: {history.failed_count} transactions could not be read and were skipped"
        )
    trades = [trade for buyer in buyers for trade in valued[buyer.wallet].trades]
    return TokenAnalysis(
        candidate=candidate,
        launched_at=window.launched_at,
        launch_clock=window.clock,
        buyers=buyers,
        trades=trades,
        other_changes=[
            change for buyer in buyers for change in valued[buyer.wallet].other_changes
        ],
        transactions=history.transaction_count,
        funnel=_funnel(len(bought_in_window), len(wallets), buyers)
        | _window_counts(window, found)
        | history.skipped_counts(),
        creator=window.creator,
        late=late_reserves_of_window(trades, history.markets, window),
        read_until=None if window.cut_at is None else window.read_end,
    )


def _unreconciled(
    history: TokenHistory, units_now: Mapping[str, int]
) -> dict[str, str]:
    """Return the wallets whose accounts hold other units now than their transactions
    leave in them, each with the reason for its unknown result. A rounding is ignored.
    """
    reasons: dict[str, str] = {}
    for wallet, units in units_now.items():
        expected_units = sum(history.units_by_account(wallet).values())
        difference = units - expected_units
        if abs(difference) * MAX_MISMATCH_DIVISOR > max(units, expected_units):
            direction = "in" if difference > 0 else "out"
            reasons[wallet] = f"{direction}_{Reason.NOT_SEEN}"
    return reasons


def _nothing(candidate: Candidate, window: LaunchWindow | None) -> TokenAnalysis:
    """Return the analysis of a token whose early buyers are not known."""
    is_launch_known = window is not None
    return TokenAnalysis(
        candidate=candidate,
        launched_at=window.launched_at if window else None,
        launch_clock=window.clock if window else "",
        buyers=[],
        trades=[],
        other_changes=[],
        transactions=window.transactions if window else 0,
        funnel={"window_without_trade" if is_launch_known else "no_launch_time": 1},
        is_known=False,
    )


def _window_counts(window: LaunchWindow, prices: TradePrices) -> dict[str, int]:
    counts = {
        "window_cut": int(window.cut_at is not None),
        "priced_by_second_source": prices.second_source,
    }
    return {name: count for name, count in counts.items() if count}


async def _read_orders(
    changes: dict[str, list[BalanceChange]], source: TransactionSource
) -> dict[str, list[OrderRelease]]:
    """Return what left the orders of each wallet. Raises ProviderError."""
    releases = await gather_or_cancel(
        read_orders(own_changes, source) for own_changes in changes.values()
    )
    return dict(zip(changes, releases, strict=True))


def _funnel(
    bought_in_window: int, wallet_count: int, buyers: Sequence[EarlyBuyer]
) -> dict[str, int]:
    funnel = {
        "bought_in_window": bought_in_window,
        "plumbing": bought_in_window - wallet_count,
        "not_first_acquired_by_buying": wallet_count - len(buyers),
        "early_buyers": len(buyers),
    }
    for buyer in buyers:
        name = f"rejected_{buyer.rejection}" if buyer.rejection else "qualified"
        funnel[name] = funnel.get(name, 0) + 1
    return {name: count for name, count in funnel.items() if count}


class BuyerFollower:
    """Adds the later transactions of early buyers to the history of their token."""

    def __init__(
        self,
        candidate: Candidate,
        window: LaunchWindow,
        source: TransactionSource,
        history: TokenHistory,
    ) -> None:
        self._candidate = candidate
        self._window = window
        self._source = source
        self._history = history

    async def follow(
        self, wallets: Sequence[str], *, now: int, path: FetchPath | None
    ) -> dict[str, int]:
        """Add the later transactions of the wallets. `now` in unix seconds; `path` None
        = the cheaper one.

        Returns the wallets whose balances still do not follow from their transactions,
        each with the raw units that its accounts hold now. Raises ProviderError.
        """
        if not wallets:
            return {}
        is_again = False
        if (path or self._cheaper_path(len(wallets), now)) == "pool":
            await self._add_markets()
        else:
            await self._add_accounts(wallets)
            is_again = True
        incomplete = await self._incomplete(wallets)
        if incomplete and not is_again:
            await self._add_accounts([*incomplete])
            incomplete = await self._incomplete([*incomplete])
        if incomplete:
            await self._add_accounts([*incomplete], is_again=True)
            incomplete = await self._incomplete([*incomplete])
        return incomplete

    def _cheaper_path(self, wallet_count: int, now: int) -> FetchPath:
        if self._window.read_end >= now:
            return "pool"
        is_helius = self._source.source == "helius"
        source: Source = "helius" if is_helius else "solana_rpc"
        later_count = None
        if self._candidate.transactions_24h is not None:
            known_count = self._history.transaction_count
            later_count = max(0, self._candidate.transactions_24h - known_count)
        return cheaper_path(source, later_count, wallet_count)

    async def _add_markets(self) -> None:
        since = self._window.read_end + 1
        requests = [
            self._source.fetch_range(market, since, None, MAX_LATER_TRANSACTIONS)
            for market in self._window.markets
        ]
        for list_number, transactions in enumerate(await gather_or_cancel(requests)):
            self._history.add(transactions, list_number)

    async def _add_accounts(
        self, wallets: Sequence[str], *, is_again: bool = False
    ) -> None:
        """Add the lists of all known token accounts of the wallets."""
        owners = self._owners_by_account(wallets)
        lists = await self._source.fetch_accounts(
            [*owners], MAX_ACCOUNT_TRANSACTIONS, is_again=is_again
        )
        for wallet, transactions in zip(owners.values(), lists, strict=True):
            self._history.add_account(wallet, transactions)

    async def _incomplete(self, wallets: Sequence[str]) -> dict[str, int]:
        """Return the wallets whose balances do not follow from each other up to what
        their accounts hold now, each with these raw units. 100 accounts a call. An
        account that does not exist holds none.
        """
        owners = self._owners_by_account(wallets)
        accounts = await self._source.accounts([*owners])
        units = dict.fromkeys(wallets, 0)
        for wallet, account in zip(owners.values(), accounts, strict=True):
            if account is not None:
                units[wallet] += token_account_units(account.data)
        return {
            wallet: units[wallet]
            for wallet in wallets
            if not self._history.is_complete(wallet, units[wallet])
        }

    def _owners_by_account(self, wallets: Sequence[str]) -> dict[str, str]:
        """Return token account → wallet: the associated one of each wallet, and others
        of it that its transactions name.
        """
        program = self._history.token_program
        owners: dict[str, str] = {}
        for wallet in wallets:
            associated = associated_token_account(wallet, self._candidate.mint, program)
            owners[associated] = wallet
            for account in self._history.units_by_account(wallet):
                owners.setdefault(account, wallet)
        return owners

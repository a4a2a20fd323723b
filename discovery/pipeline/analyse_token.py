"""Analyse one token: its launch window, its early buyers, the whole history of each in it, and their profits."""

from collections.abc import Sequence
from itertools import chain

import msgspec

from discovery.analysis.early_buyers import evaluate_buyers
from discovery.analysis.estimate import FetchPath
from discovery.clients.transaction_history import TransactionSource
from discovery.domain.addresses import is_wallet
from discovery.domain.findings import Candidate, EarlyBuyer, LaunchClock
from discovery.domain.run_errors import WarningSink
from discovery.domain.run_params import Params
from discovery.pipeline.balance_history import BalanceChange, TokenHistory
from discovery.pipeline.follow_buyers import BuyerFollower
from discovery.pipeline.launch_window import first_buyers, load_launch_window
from discovery.pipeline.valuation import ValuedTrade, load_trade_prices, value_history
from discovery.providers.prices import SolPrices


class TokenResult(msgspec.Struct, frozen=True):
    """The results of one token. `trades` are those of the early buyers, `creator` "" = unknown."""

    candidate: Candidate
    launched_at: int | None
    launch_clock: LaunchClock
    buyers: list[EarlyBuyer]
    trades: list[ValuedTrade]
    transactions: int
    funnel: dict[str, int]
    creator: str = ""


async def analyse_token(
    candidate: Candidate,
    params: Params,
    source: TransactionSource,
    prices: SolPrices,
    *,
    now: int,
    warnings: WarningSink,
    path: FetchPath | None = None,
) -> TokenResult:
    """Return the early buyers of the token with their positions. `now` in unix seconds.

    path: how to follow the buyers after the window; None = the cheaper one.
    Raises ProviderError if a provider does not respond, BudgetExhausted if the run may make no more calls.
    """
    mint = candidate.mint
    history = TokenHistory(mint)
    window = await load_launch_window(candidate, params.early_window_minutes * 60, source, history)
    if window is None:
        warnings.add(f"{mint}: no launch time is known and no market of it has transactions")
        return TokenResult(
            candidate=candidate,
            launched_at=None,
            launch_clock="",
            buyers=[],
            trades=[],
            transactions=0,
            funnel={"no_launch_time": 1},
        )
    bought_in_window = first_buyers(history, window)
    wallets = [wallet for wallet in bought_in_window if is_wallet(wallet)]
    follower = BuyerFollower(candidate, window, source, history)
    incomplete_wallets = await follower.follow(wallets, now=now, path=path)
    changes = {wallet: history.changes_of(wallet) for wallet in wallets}
    await _load_prices(mint, changes, prices, warnings)
    valued = {wallet: value_history(changes[wallet], prices) for wallet in wallets}
    buyers = evaluate_buyers(
        mint,
        {wallet: valued[wallet].events for wallet in wallets},
        params,
        launched_at=window.launched_at,
        entry_order=wallets,
        incomplete_wallets=incomplete_wallets,
        launch=window.launch,
    )
    if history.failed_count:
        warnings.add(f"{mint}: {history.failed_count} transactions could not be read and were skipped")
    return TokenResult(
        candidate=candidate,
        launched_at=window.launched_at,
        launch_clock=window.clock,
        buyers=buyers,
        trades=list(chain.from_iterable(valued[buyer.wallet].trades for buyer in buyers)),
        transactions=history.transaction_count,
        funnel=_funnel(len(bought_in_window), len(wallets), buyers) | history.skipped_counts(),
        creator=window.creator,
    )


async def _load_prices(
    mint: str, changes: dict[str, list[BalanceChange]], prices: SolPrices, warnings: WarningSink
) -> None:
    missing_count = await load_trade_prices(prices, chain.from_iterable(changes.values()))
    if missing_count:
        warnings.add(f"{mint}: no SOL/USD price for {missing_count} trades: their cost is unknown")


def _funnel(bought_in_window: int, wallet_count: int, buyers: Sequence[EarlyBuyer]) -> dict[str, int]:
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

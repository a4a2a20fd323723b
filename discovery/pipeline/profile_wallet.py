"""Profile one wallet over the days of the lookback: its cycles, its open holdings and
its trading habits.

One paged pass over the transactions that name the wallet. Transfers of others to its
token accounts do not name it, but change the balances of its next transaction; units
from before the first transaction have no known cost.
"""

from collections.abc import Mapping
from itertools import chain
from typing import Final

import msgspec
from django.conf import settings

from discovery.analysis.flags import Flag, arbitrage_flag, profile_flags, sandwich_flag
from discovery.analysis.profiles import build_profile
from discovery.analysis.statistics import SECONDS_PER_DAY
from discovery.analysis.token_results import TokenResult
from discovery.analysis.trading_history import trading_history
from discovery.clients.provider_clients import Providers
from discovery.clients.transaction_history import OrderedTransaction, TransactionSource
from discovery.domain.findings import HoldingEvent
from discovery.domain.judgements import Prior
from discovery.domain.profiles import Cycle, Profile
from discovery.domain.run_errors import WarningSink
from discovery.pipeline.bag_values import BagValue, bag_values
from discovery.pipeline.balance_history import BalanceChange, WalletHistory
from discovery.pipeline.holdings import open_holdings, unreconciled_units
from discovery.pipeline.late_prices import LateSampler
from discovery.pipeline.late_reserves import LateReserves
from discovery.pipeline.orders import OrderRelease, read_orders
from discovery.pipeline.valuation import ValuedTrade, load_trade_prices, value_history
from discovery.providers import helius
from discovery.providers.concurrency import gather_or_cancel
from discovery.providers.errors import ProviderError
from discovery.providers.prices import SolPrices

MAX_TRANSACTIONS_BY_TIME: Final = 5_000
MAX_TRANSACTIONS_BY_SIGNATURE: Final = 1_000
"""Transactions of a wallet that a profile reads: Helius returns a thousand a call,
plain RPC one.
"""


class WalletContext(msgspec.Struct, frozen=True):
    """Facts in the database about a wallet before its profile.

    seeds: the tokens through which it was found first. entries: mint → (its rank among
    the early buyers, their number). flags: names of those that hold whatever a profile
    says. late: late prices that are stored. prior: that of the last run.
    """

    seeds: frozenset[str]
    entries: dict[str, tuple[int, int]]
    flags: frozenset[str]
    late: LateReserves
    prior: Prior


class WalletResult(msgspec.Struct, frozen=True):
    """The results of profiling one wallet at `as_of` (unix seconds).

    bag_sources: mint → where the value of what is held comes from. late: late prices
    that were read now.
    flags: name → evidence. funder: the wallet that first sent SOL to it, "" if its
    history begins earlier.
    """

    address: str
    profile: Profile
    as_of: int
    cycles: list[Cycle]
    token_results: list[TokenResult]
    bag_sources: dict[str, str]
    late: LateReserves
    trades: list[ValuedTrade]
    other_changes: list[BalanceChange]
    flags: dict[str, str]
    funder: str
    transactions: int


async def profile_wallet(
    address: str,
    context: WalletContext,
    providers: Providers,
    *,
    now: int,
    warnings: WarningSink,
) -> WalletResult:
    """Return the profile of one wallet over `PROFILE_LOOKBACK_DAYS` before `now` (unix
    seconds).

    A wallet with more transactions than the maximum is `truncated`: nothing is computed
    from a part of its history. Raises ProviderError, BudgetExhausted.
    """
    source = providers.transaction_source(warnings)
    since = now - settings.PROFILE_LOOKBACK_DAYS * SECONDS_PER_DAY
    limit = MAX_TRANSACTIONS_BY_SIGNATURE
    if source.source == helius.NAME:
        limit = MAX_TRANSACTIONS_BY_TIME
    transactions = await source.fetch_all_or_none(address, since, limit)
    if transactions is None:
        return _truncated_result(address, context, now=now, transaction_count=limit)
    history = WalletHistory(address, transactions)
    if history.failed_count:
        warnings.add(
            f"{address}: {history.failed_count} transactions could not be read and were skipped"
        )
    mints = history.traded_mints()
    changes = {mint: history.changes[mint] for mint in mints}
    releases = await _read_orders(changes, source)
    await _load_prices(
        changes, releases, providers.prices, since=since, now=now, warnings=warnings
    )
    unreconciled = await unreconciled_units(history, source, warnings)
    valued = {
        mint: value_history(
            changes[mint],
            providers.prices,
            releases=releases[mint],
            units_now=unreconciled.get(mint),
        )
        for mint in mints
    }
    events = {mint: valued[mint].events for mint in mints}
    holdings = open_holdings(history, events)
    bags = await bag_values(holdings, providers, source, now=now, warnings=warnings)
    values = {
        holding.mint: _lamports(bags.known.get(holding.mint)) for holding in holdings
    }
    profile, cycles = build_profile(
        events,
        now=now,
        liquidation_values=values,
        seed_mints=context.seeds,
        entry_ranks=context.entries,
        overhead_lamports=0,  # failed transactions are not fetched: each would cost as much as a successful one
        truncated=False,
        unreconciled_mints=unreconciled.keys(),
        sol_usd_at=providers.prices.at_hour,
    )
    trades = list(chain.from_iterable(valued[mint].trades for mint in mints))
    flags = _flags(profile, events, history.arbitrage_count)
    record = trading_history(address, events, values, now)
    sampler = LateSampler(
        msgspec.structs.replace(record, unread=bags.unread),
        trades,
        source,
        seeds=context.seeds,
        flags=context.flags | flags.keys(),
        known=context.late,
        prior=context.prior,
    )
    measured = await sampler.measure(warnings)
    return WalletResult(
        address=address,
        profile=profile,
        as_of=now,
        cycles=cycles,
        token_results=measured.results,
        bag_sources={mint: bag.source for mint, bag in bags.known.items()},
        late=measured.read,
        trades=trades,
        other_changes=list(
            chain.from_iterable(valued[mint].other_changes for mint in mints)
        ),
        flags=flags,
        funder=_funder(address, history.transactions),
        transactions=len(transactions),
    )


def _lamports(bag: BagValue | None) -> int | None:
    return None if bag is None else bag.lamports


def _truncated_result(
    address: str, context: WalletContext, *, now: int, transaction_count: int
) -> WalletResult:
    profile, cycles = build_profile(
        {},
        now=now,
        liquidation_values={},
        seed_mints=context.seeds,
        entry_ranks=context.entries,
        overhead_lamports=0,
        truncated=True,
        unreconciled_mints=frozenset(),
        sol_usd_at=None,
    )
    return WalletResult(
        address=address,
        profile=profile,
        as_of=now,
        cycles=cycles,
        token_results=[],
        bag_sources={},
        late={},
        trades=[],
        other_changes=[],
        flags={},
        funder="",
        transactions=transaction_count,
    )


async def _read_orders(
    changes: Mapping[str, list[BalanceChange]], source: TransactionSource
) -> dict[str, list[OrderRelease]]:
    """Return what left the orders of the wallet, by mint. Raises ProviderError."""
    releases = await gather_or_cancel(
        read_orders(own_changes, source) for own_changes in changes.values()
    )
    return dict(zip(changes, releases, strict=True))


async def _load_prices(
    changes: Mapping[str, list[BalanceChange]],
    releases: Mapping[str, list[OrderRelease]],
    prices: SolPrices,
    *,
    since: int,
    now: int,
    warnings: WarningSink,
) -> None:
    """Load SOL/USD by the hour for figures that are only displayed, and by the minute
    for trades in a stable.
    """
    try:
        await prices.load_hours(since, now)
        await load_trade_prices(
            prices,
            chain.from_iterable(changes.values()),
            chain.from_iterable(releases.values()),
        )
    except ProviderError as error:
        warnings.add(
            f"SOL/USD: {error.cause}: results in USD and trades in stables are not known"
        )


def _flags(
    profile: Profile, events: Mapping[str, list[HoldingEvent]], arbitrage_count: int
) -> dict[str, str]:
    flags: list[Flag | None] = [
        *profile_flags(profile),
        sandwich_flag(events),
        arbitrage_flag(arbitrage_count, profile.swaps),
    ]
    return dict(flag for flag in flags if flag is not None)


def _funder(address: str, transactions: list[OrderedTransaction]) -> str:
    """Return the fee payer of the first transaction if that brought the wallet its
    first SOL, else "".
    """
    if not transactions:
        return ""
    record = transactions[0].record
    keys = record.account_keys
    if record.meta is None or address not in keys:
        return ""
    index = keys.index(address)
    before, after = record.meta.pre_balances, record.meta.post_balances
    if index == 0 or index >= len(before):
        return ""
    is_first_sol = before[index] == 0 and after[index] > 0
    return keys[0] if is_first_sol else ""

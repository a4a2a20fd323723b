"""Profile one wallet over the days of the lookback: its cycles, its open holdings and
its trading habits.

The transactions that name the wallet are read (read_wallet.py). Transfers of others to
its token accounts do not name it, but change the balances of its next transaction; units
from before the first transaction have no known cost.
"""

from collections.abc import Mapping
from itertools import chain

import msgspec

from discovery.analysis.flags import Flag, arbitrage_flag, profile_flags, sandwich_flag
from discovery.analysis.profiles import build_profile
from discovery.analysis.token_results import TokenResult
from discovery.analysis.trading_history import trading_history
from discovery.clients.provider_clients import Providers
from discovery.clients.transaction_history import TransactionSource
from discovery.domain.findings import HoldingEvent
from discovery.domain.judgements import Prior
from discovery.domain.profiles import Cycle, Profile
from discovery.domain.run_errors import WarningSink
from discovery.pipeline.bag_values import BagValue, bag_values
from discovery.pipeline.balance_history import BalanceChange
from discovery.pipeline.holdings import open_holdings, unreconciled_units
from discovery.pipeline.late_prices import LateSampler
from discovery.pipeline.late_reserves import LateReserves
from discovery.pipeline.orders import OrderRelease
from discovery.pipeline.read_wallet import StoredHistory, WalletReading, read_wallet
from discovery.pipeline.valuation import (
    ValuedTrade,
    load_trade_prices,
    missing_prices,
    value_history,
)
from discovery.providers.prices import SolPrices


class WalletContext(msgspec.Struct, frozen=True):
    """Facts in the database about a wallet before its profile.

    seeds: the tokens through which it was found first. entries: mint → (its rank among
    the early buyers, their number). known_buys: mint → unix seconds of its first buy, as
    the transactions of the token showed it. flags: names of those that hold whatever a profile
    says. late: late prices that are stored. prior: that of the last run. history: what
    the last profile read, None = nothing that can be used.
    """

    seeds: frozenset[str]
    entries: dict[str, tuple[int, int]]
    flags: frozenset[str]
    late: LateReserves
    prior: Prior
    history: StoredHistory | None = None
    known_buys: dict[str, int] = {}


class WalletResult(msgspec.Struct, frozen=True):
    """The results of profiling one wallet at `as_of` (unix seconds).

    bag_sources: mint → where the value of what is held comes from. late: late prices
    that were read now. flags: name → evidence. reading: what was read. unreconciled:
    mint → raw units on the chain, where they are fewer than the transactions leave.
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
    reading: WalletReading
    unreconciled: dict[str, int] = {}


async def profile_wallet(
    address: str,
    context: WalletContext,
    providers: Providers,
    *,
    now: int,
    warnings: WarningSink,
) -> WalletResult:
    """Return the profile of one wallet over `PROFILE_LOOKBACK_DAYS` before `now` (unix
    seconds). Raises ProviderError, BudgetExhausted.
    """
    source = providers.transaction_source(warnings)
    reading = await read_wallet(address, context.history, source, now=now)
    return await profile_reading(
        reading, context, providers, source, now=now, warnings=warnings
    )


async def profile_reading(
    reading: WalletReading,
    context: WalletContext,
    providers: Providers,
    source: TransactionSource,
    *,
    now: int,
    warnings: WarningSink,
) -> WalletResult:
    """Return the profile of a wallet whose transactions were read. Raises ProviderError,
    BudgetExhausted.
    """
    history = reading.history
    address = history.address
    if reading.failed_count:
        warnings.add(
            f"{address}: {reading.failed_count} transactions could not be read and were skipped"
        )
    if _lacks_known_buys(reading, context):
        warnings.add(
            "purchases are missing from the history that the transactions of a token"
            " show: the node may have lost older transactions of the wallet"
        )
    unreconciled = await unreconciled_units(history, source, warnings)
    mints = history.traded_mints()
    changes = {mint: history.changes[mint] for mint in mints}
    releases = {mint: history.releases.get(mint, []) for mint in mints}
    await _load_prices(
        changes,
        releases,
        providers.prices,
        since=reading.since,
        now=now,
        warnings=warnings,
    )
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
        truncated=reading.is_too_short(now),
        unreconciled_mints=unreconciled.keys(),
        sol_usd_at=providers.prices.at_hour,
    )
    trades = list(chain.from_iterable(valued[mint].trades for mint in mints))
    flags = _flags(profile, events, len(history.arbitrage_times))
    record = trading_history(address, events, values, now)
    record = msgspec.structs.replace(
        record, unread=bags.unread, truncated=reading.is_cut
    )
    sampler = LateSampler(
        record,
        trades,
        source,
        seeds=context.seeds,
        flags=context.flags | flags.keys(),
        known=context.late,
        prior=context.prior,
    )
    measured = sampler.measured()
    if history.new_count or not reading.is_refresh:
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
        reading=reading,
        unreconciled=unreconciled,
    )


def _lacks_known_buys(reading: WalletReading, context: WalletContext) -> bool:
    """Return True if the history knows nothing of a token that the wallet is known to
    have bought in its time.
    """
    return any(
        bought_at >= reading.begins_at and mint not in reading.history.changes
        for mint, bought_at in context.known_buys.items()
    )


def _lamports(bag: BagValue | None) -> int | None:
    return None if bag is None else bag.lamports


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
    cause = await prices.load_hours(since, now)
    if cause:
        warnings.add(f"SOL/USD: {cause}: results in USD are not known")
    found = await load_trade_prices(
        prices,
        chain.from_iterable(changes.values()),
        chain.from_iterable(releases.values()),
    )
    notice = missing_prices(found)
    if notice:
        warnings.add(notice)


def _flags(
    profile: Profile, events: Mapping[str, list[HoldingEvent]], arbitrage_count: int
) -> dict[str, str]:
    flags: list[Flag | None] = [
        *profile_flags(profile),
        sandwich_flag(events),
        arbitrage_flag(arbitrage_count, profile.swaps),
    ]
    return dict(flag for flag in flags if flag is not None)

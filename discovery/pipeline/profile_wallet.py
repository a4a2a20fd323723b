"""One wallet's history over the profile's days: what it holds, what came of what it held, and how it trades.

One paged pass over the transactions that name the wallet. What others sent to its token accounts does not name it, but
shows in the balances of its next transaction; what lay there before the first one has no known cost.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from django.conf import settings

from discovery.analysis import flags
from discovery.analysis.liquidation import liquidation_value_lamports
from discovery.analysis.profiles import build_profile
from discovery.analysis.statistics import SECONDS_PER_DAY
from discovery.clients.provider_clients import Providers
from discovery.clients.transaction_history import OrderedTransaction, Problem, TransactionSource
from discovery.decode.outcomes import Decoded, Failed, Reason, Skipped
from discovery.decode.swaps import decode
from discovery.domain.addresses import associated_token_account
from discovery.domain.findings import HoldingEvent
from discovery.domain.profiles import Cycle, Profile
from discovery.domain.programs import STABLES, TOKEN
from discovery.pipeline.balance_history import BalanceChange, ValuedTrade, valued_events
from discovery.providers.errors import ProviderError
from discovery.providers.records import PairRecord
from discovery.providers.transactions import ParsedKey

MAX_TRANSACTIONS_BY_TIME: Final = 5_000
MAX_TRANSACTIONS_BY_SIGNATURE: Final = 1_000
"""Transactions of a wallet that a profile reads: a page of a thousand a call, or one a call."""
MAX_LIQUIDATION_VALUES: Final = 300
MAX_MISMATCH_DIVISOR: Final = 100  # one part in a hundred


class WalletContext(msgspec.Struct, frozen=True):
    """What the database knows of a wallet before its profile."""

    seeds: frozenset[str]
    entries: dict[str, tuple[int, int]]  # mint -> (its rank among the early buyers, how many there were)


class WalletResult(msgspec.Struct, frozen=True):
    """What a profile step learned."""

    address: str
    profile: Profile
    cycles: list[Cycle]
    trades: list[ValuedTrade]
    flags: dict[str, str]  # flag -> evidence
    funder: str  # who first sent it SOL; "" where its history begins before
    transactions: int


class _History:
    """A wallet's transactions, decoded, by mint."""

    def __init__(self, address: str, transactions: Sequence[OrderedTransaction]) -> None:
        self.touches: dict[str, list[BalanceChange]] = {}
        self.programs: dict[str, str] = {}
        self.arbitrages = 0
        self.failures = 0
        for located in sorted(transactions, key=lambda each: (each.slot, each.index, each.signature)):
            self._add(address, located)

    def _add(self, address: str, located: OrderedTransaction) -> None:
        outcome = decode(located.record)
        if isinstance(outcome, Failed):
            self.failures += 1
            return
        if isinstance(outcome, Skipped) and outcome.reason == Reason.ARBITRAGE:
            self.arbitrages += _keys(located)[:1] == [address]
        trades = outcome.trades if isinstance(outcome, Decoded) else ()
        for change in outcome.changes:
            if change.wallet != address:
                continue
            self.touches.setdefault(change.mint, []).append(
                BalanceChange(
                    place=(located.slot, 0, located.index, located.signature),
                    block_time=located.block_time,
                    before_units=change.before_units,
                    after_units=change.after_units,
                    signature=located.signature,
                    trade=next((t for t in trades if t.wallet == address and t.mint == change.mint), None),
                    burned=isinstance(outcome, Skipped) and outcome.reason == Reason.BURNED,
                )
            )
        meta = located.record.meta
        for row in (meta.post_token_balances or ()) if meta is not None else ():
            if row.program_id:
                self.programs.setdefault(row.mint, row.program_id)

    def traded(self) -> list[str]:
        """Mints it bought or sold: what was only sent to it says nothing of it."""
        return sorted(mint for mint, touches in self.touches.items() if any(touch.trade for touch in touches))


async def profile_wallet(
    address: str, known: WalletContext, providers: Providers, *, now: int, problem: Problem
) -> WalletResult:
    """The profile of one wallet over `PROFILE_LOOKBACK_DAYS` before `now` (unix seconds).

    A wallet with more transactions than are read is `truncated`: nothing is computed from a part of its history.
    Raises ProviderError, BudgetSpent.
    """
    histories = providers.histories(problem)
    since = now - settings.PROFILE_LOOKBACK_DAYS * SECONDS_PER_DAY
    most = MAX_TRANSACTIONS_BY_TIME if histories.source == "helius" else MAX_TRANSACTIONS_BY_SIGNATURE
    transactions = await histories.fetch_all_or_none(address, since, most)
    if transactions is None:
        found, cycles = _profile({}, known, now, {}, frozenset(), None, truncated=True)
        return WalletResult(address, found, cycles, [], {}, "", most)
    history = _History(address, transactions)
    if history.failures:
        problem(address, f"{history.failures} transactions could not be read and were skipped")
    mints = history.traded()
    await _load_prices(providers, history, mints, since, now, problem)
    events: dict[str, list[HoldingEvent]] = {}
    trades: list[ValuedTrade] = []
    for mint in mints:
        events[mint], of_mint = valued_events(history.touches[mint], providers.prices, from_nothing=True)
        trades += of_mint
    (exits, incomplete) = await _holdings(address, history, mints, providers, histories, now, problem)
    found, cycles = _profile(events, known, now, exits, incomplete, providers, truncated=False)
    seen = [*flags.profile_flags(found), flags.sandwich_flag(events), flags.arbitrage_flag(history.arbitrages)]
    return WalletResult(
        address=address,
        profile=found,
        cycles=cycles,
        trades=trades,
        flags=dict(flag for flag in seen if flag is not None),
        funder=_funder(address, transactions),
        transactions=len(transactions),
    )


def _profile(
    events: Mapping[str, Sequence[HoldingEvent]],
    known: WalletContext,
    now: int,
    exits: Mapping[str, int | None],
    incomplete: frozenset[str],
    providers: Providers | None,
    *,
    truncated: bool,
) -> tuple[Profile, list[Cycle]]:
    return build_profile(
        events,
        now=now,
        liquidation_values=exits,
        seed_mints=known.seeds,
        entry_ranks=known.entries,
        overhead_lamports=0,  # failed transactions are not asked for: each would cost what a good one does
        truncated=truncated,
        unreconciled_mints=incomplete,
        sol_usd_at=providers.prices.at_hour if providers is not None else None,
    )


async def _load_prices(
    providers: Providers, history: _History, mints: Sequence[str], since: int, now: int, problem: Problem
) -> None:
    """SOL/USD by the minute for trades in a stable, by the hour for what is only shown. Without it, it is said."""
    times = [
        touch.block_time
        for mint in mints
        for touch in history.touches[mint]
        if touch.trade is not None and touch.trade.quote_mint in STABLES
    ]
    try:
        await providers.prices.load_hours(since, now)
        if times:
            await providers.prices.load(times)
    except ProviderError as error:
        problem("SOL/USD", f"{error.cause}: results in USD and trades in stables are not known")


async def _holdings(
    address: str,
    history: _History,
    mints: Sequence[str],
    providers: Providers,
    histories: TransactionSource,
    now: int,
    problem: Problem,
) -> tuple[dict[str, int | None], frozenset[str]]:
    """What each holding would bring now, and the mints of which the chain holds less than the history says."""
    held = {mint: units for mint in mints if (units := history.touches[mint][-1].after_units)}
    if not held:
        return {}, frozenset()
    exits, incomplete = await asyncio.gather(
        _exits(held, history, providers, now, problem), _unreconciled(address, held, history, histories, problem)
    )
    return exits, incomplete


async def _exits(
    held: Mapping[str, int], history: _History, providers: Providers, now: int, problem: Problem
) -> dict[str, int | None]:
    usd_per_sol = providers.prices.at_hour(now)
    if usd_per_sol is None or len(held) > MAX_LIQUIDATION_VALUES:
        problem("exit values", "not known: no SOL/USD price" if usd_per_sol is None else "too many open holdings")
        return {}
    try:
        pairs = await providers.dexscreener.pairs(held)
    except ProviderError as error:
        problem("exit values", f"not known: {error.cause}")
        return {}
    deepest: dict[str, PairRecord] = {}
    for pair in pairs:
        best = deepest.get(pair.mint)
        if best is None or (pair.liquidity_usd or 0) > (best.liquidity_usd or 0):
            deepest[pair.mint] = pair
    exits: dict[str, int | None] = {}
    for mint, units in held.items():
        pool = deepest.get(mint)
        decimals = next(touch.trade.token_decimals for touch in history.touches[mint] if touch.trade is not None)
        price, liquidity = (None, None) if pool is None else (pool.price_usd, pool.liquidity_usd)
        # A curve has no pool whose liquidity is told: its price without depth says nothing of an exit.
        unknown = pool is not None and price is not None and liquidity is None
        exits[mint] = None if unknown else liquidation_value_lamports(units, decimals, price, liquidity, usd_per_sol)
    return exits


async def _unreconciled(
    address: str, held: Mapping[str, int], history: _History, histories: TransactionSource, problem: Problem
) -> frozenset[str]:
    accounts: list[str] = [associated_token_account(address, mint, history.programs.get(mint, TOKEN)) for mint in held]
    try:
        found = await histories.accounts(accounts)
    except ProviderError as error:
        problem("balances", f"not compared with the chain: {error.cause}")
        return frozenset()
    less = set()
    for (mint, units), row in zip(held.items(), found, strict=True):
        on_chain = int.from_bytes(row.data[64:72], "little") if row is not None else 0  # SPL: amount at byte 64
        # More than the history says came unseen and has no cost; less means that something was not seen.
        if (units - on_chain) * MAX_MISMATCH_DIVISOR > units:
            less.add(mint)
    return frozenset(less)


def _keys(located: OrderedTransaction) -> list[str]:
    keys = located.record.transaction.message.account_keys
    return [key.pubkey if isinstance(key, ParsedKey) else key for key in keys]


def _funder(address: str, transactions: Sequence[OrderedTransaction]) -> str:
    """Who paid the first SOL into a wallet that had none; "" where its first transaction here finds some there."""
    first = min(transactions, key=lambda each: (each.slot, each.index, each.signature), default=None)
    if first is None or first.record.meta is None:
        return ""
    keys = _keys(first)
    place = keys.index(address) if address in keys else 0
    before, after = first.record.meta.pre_balances, first.record.meta.post_balances
    if place == 0 or place >= len(before) or before[place] or not after[place]:
        return ""
    return keys[0]

"""Prices some seconds after the trades of a wallet: what somebody who copies it later
would have paid and got. They are read for a sample of its tokens, if its score without
them is good enough.
"""

from collections.abc import Container, Iterable, Sequence
from typing import Final

import msgspec
from django.conf import settings

from discovery.analysis.evidence import read_evidence
from discovery.analysis.judging import judge
from discovery.analysis.late_sample import STAGES, late_sample
from discovery.analysis.token_results import (
    TokenResult,
    followed_trades,
    token_results,
)
from discovery.clients.transaction_history import OrderedTransaction, TransactionSource
from discovery.clients.usage import BudgetExhausted
from discovery.decode.outcomes import Decoded
from discovery.decode.swaps import decode
from discovery.domain.addresses import pump_curve, pumpswap_pool
from discovery.domain.bonding_curve import FINISHED_BASE_UNITS
from discovery.domain.histories import PoolReserves, TokenEvent, TradingHistory
from discovery.domain.judgements import Exclusion, Prior
from discovery.domain.known_wallets import SHARED_AUTHORITIES
from discovery.domain.run_errors import WarningSink
from discovery.pipeline.follow_terms import follow_terms
from discovery.pipeline.late_reserves import LateReserves, TradeKey
from discovery.pipeline.launch_window import LaunchWindow
from discovery.pipeline.market_states import MarketStates
from discovery.pipeline.valuation import ValuedTrade
from discovery.providers.concurrency import gather_bounded
from discovery.providers.errors import NotFound, ProviderError
from discovery.providers.slot_search import TimedSlot

MAX_CONCURRENT: Final = 8
TRANSACTIONS_PER_TRADE: Final = 5
"""Transactions that are looked at: the last one may not show the reserves."""


class LateMeasurement(msgspec.Struct, frozen=True):
    """Token results with the late prices that are known, and those that were read now."""

    results: list[TokenResult]
    read: dict[TradeKey, PoolReserves]


class LateSampler:
    """Measures the sample of one wallet.

    seeds: mints that are no evidence. flags: names of the wallet's flags. known: late
    prices that an earlier profile read. prior: that of the last run.
    """

    def __init__(
        self,
        history: TradingHistory,
        trades: Iterable[ValuedTrade],
        source: TransactionSource,
        *,
        seeds: Container[str],
        flags: Iterable[str],
        known: LateReserves,
        prior: Prior,
    ) -> None:
        self._history = history
        self._source = source
        self._seeds = seeds
        self._flags = frozenset(flags)
        self._known = dict(known)
        self._prior = prior
        self._events: dict[str, list[TokenEvent]] = {}
        for event in history.events:
            self._events.setdefault(event.mint, []).append(event)
        self._trades = {trade_key(valued): valued for valued in trades}

    def measured(self) -> LateMeasurement:
        """Return the results with the late prices that are known, without a request."""
        return LateMeasurement(self._results(), {})

    async def measure(self, warnings: WarningSink) -> LateMeasurement:
        """Read late prices as far as the wallet's score asks for them. A provider that
        does not respond, or a run without calls left, ends the sample with a warning.
        """
        results = self._results()
        read: dict[TradeKey, PoolReserves] = {}
        for stage in STAGES:
            evidence = [self._without_seed(result) for result in results]
            score = self._score(evidence)
            if score is None or score < stage.min_score:
                break
            missing = self._missing(evidence, stage.tokens)
            has_failed = not await self._read_all(missing, read, warnings)
            self._known |= read
            results = self._results()
            if has_failed:
                break
        return LateMeasurement(results, read)

    async def measure_tokens(
        self, mints: Container[str], tokens: int, warnings: WarningSink
    ) -> LateMeasurement:
        """Read the late prices of at most `tokens` of these mints, whatever the wallet's
        score is and however young they are. Errors end the sample with a warning.
        """
        wanted = [
            msgspec.structs.replace(result, exclusion=None)
            for result in self._results()
            if result.mint in mints
        ]
        read: dict[TradeKey, PoolReserves] = {}
        await self._read_all(self._missing(wanted, tokens), read, warnings)
        self._known |= read
        return LateMeasurement(self._results(), read)

    def _results(self) -> list[TokenResult]:
        history = with_late_reserves(self._history, self._known)
        return token_results(history, follow_terms())

    def _without_seed(self, result: TokenResult) -> TokenResult:
        """Return the result as the score counts it: seed tokens are no evidence."""
        if result.mint not in self._seeds:
            return result
        return msgspec.structs.replace(result, exclusion=Exclusion.SEED)

    def _score(self, results: Iterable[TokenResult]) -> float | None:
        evidence = read_evidence(self._history.wallet, "found", self._flags, results)
        judgements, _ = judge([evidence], self._prior)
        return judgements[0].score

    def _missing(self, evidence: Sequence[TokenResult], tokens: int) -> list[TradeKey]:
        """Return the trades of the sample that a follower would copy and whose late
        prices are not known.

        Tokens with a trade in a market that cannot be looked up are not in the sample:
        half a token says nothing.
        """
        keys_of = {result.mint: self._keys(result.mint) for result in evidence}
        measurable = [
            result
            for result in evidence
            if all(map(self._market, keys_of[result.mint]))
        ]
        mints = late_sample(self._history.wallet, measurable, tokens)
        return [
            key for mint in mints for key in keys_of[mint] if key not in self._known
        ]

    def _keys(self, mint: str) -> list[TradeKey]:
        wallet = self._history.wallet
        trades = followed_trades(self._events[mint])
        return [TradeKey(wallet, trade.signature, mint) for trade in trades]

    def _market(self, key: TradeKey) -> str:
        """Return the address of the trade's own market, "" if it is not known."""
        valued = self._trades.get(key)
        pool = None if valued is None else valued.trade.pool
        if pool is None or pool in SHARED_AUTHORITIES:
            return ""
        return pool

    async def _read_all(
        self,
        keys: Sequence[TradeKey],
        read: dict[TradeKey, PoolReserves],
        warnings: WarningSink,
    ) -> bool:
        """Add the late prices of these trades to `read`, as far as their markets show
        them. Return False if a provider did not respond or no call was left: what was
        read until then stays.
        """

        async def read_one(key: TradeKey) -> None:
            reserves = await self._read(key)
            if reserves is not None:
                read[key] = reserves

        try:
            await gather_bounded(keys, read_one, MAX_CONCURRENT)
        except (ProviderError, BudgetExhausted) as error:
            warnings.add(f"prices behind the wallet: not read: {error}")
            return False
        return True

    async def _read(self, key: TradeKey) -> PoolReserves | None:
        """Return the reserves of the token's market after the delay: those of the last
        transaction until then that shows them. None if none does.
        """
        pool = self._market(key)
        reserves = await self._reserves_of(pool, key)
        if reserves is None or not is_finished_curve(pool, key.mint, reserves):
            return reserves
        return await self._reserves_of(pumpswap_pool(key.mint), key)

    async def _reserves_of(self, pool: str, key: TradeKey) -> PoolReserves | None:
        valued = self._trades[key]
        after = TimedSlot(valued.trade.slot or 0, valued.block_time)
        until = valued.block_time + settings.FOLLOW.delay_seconds
        try:
            transactions = await self._source.fetch_latest(
                pool, after, until, TRANSACTIONS_PER_TRADE
            )
        except NotFound:
            return None
        for transaction in transactions:
            reserves = _reserves(transaction, pool, key.mint)
            if reserves is not None:
                return reserves
        return None


def late_reserves_of_window(
    trades: Iterable[ValuedTrade], markets: MarketStates, window: LaunchWindow
) -> dict[TradeKey, PoolReserves]:
    """Return the late prices that a launch window shows, at no further request: of the
    trades in markets of which every transaction until then was read.
    """
    markets.sort()
    late: dict[TradeKey, PoolReserves] = {}
    for valued in trades:
        reserves = _late_in_window(valued, markets, window)
        if reserves is not None:
            late[trade_key(valued)] = reserves
    return late


def _late_in_window(
    valued: ValuedTrade, markets: MarketStates, window: LaunchWindow
) -> PoolReserves | None:
    mint, slot = valued.trade.mint, valued.trade.slot or 0
    until = valued.block_time + settings.FOLLOW.delay_seconds
    pool = valued.trade.pool or ""
    if valued.block_time < window.launched_at or not window.is_read(pool, until):
        return None
    reserves = markets.at(pool, slot, until)
    if reserves is None or not is_finished_curve(pool, mint, reserves):
        return reserves
    successor = pumpswap_pool(mint)
    return (
        markets.at(successor, slot, until) if window.is_read(successor, until) else None
    )


def is_finished_curve(pool: str, mint: str, reserves: PoolReserves) -> bool:
    """Return True if the pool is a bonding curve that has sold everything: its token
    trades elsewhere from then on.
    """
    is_sold_out = reserves.base_units <= FINISHED_BASE_UNITS
    return is_sold_out and pool == pump_curve(mint)


def trade_key(valued: ValuedTrade) -> TradeKey:
    """Return what identifies a trade."""
    trade = valued.trade
    return TradeKey(trade.wallet, trade.signature, trade.mint)


def with_late_reserves(history: TradingHistory, late: LateReserves) -> TradingHistory:
    """Return the history with the late prices of its trades."""
    events = list(history.events)
    for index, event in enumerate(events):
        reserves = late.get(TradeKey(history.wallet, event.signature, event.mint))
        if reserves is not None:
            events[index] = msgspec.structs.replace(event, pool_later=reserves)
    return msgspec.structs.replace(history, events=events)


def _reserves(
    transaction: OrderedTransaction, pool: str, mint: str
) -> PoolReserves | None:
    """Return the reserves of the pool after a transaction, None if it does not show
    them.
    """
    outcome = decode(transaction.record)
    if not isinstance(outcome, Decoded):
        return None
    for trade in outcome.trades:
        is_same_market = (trade.pool, trade.mint) == (pool, mint)
        if is_same_market and trade.reserves_after is not None:
            return trade.reserves_after
    return None

"""Outcomes of score snapshots: what the tokens brought that a wallet first bought after
its judgement, for the wallet and for a follower.

A token is judged as it stood at the horizon: later trades change nothing. What was held
then is valued when the outcome is measured.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain
from types import MappingProxyType
from typing import Final

import msgspec

from discovery.analysis.token_results import TokenResult
from discovery.analysis.trading_history import trading_history
from discovery.clients.provider_clients import Providers
from discovery.clients.transaction_history import TransactionSource
from discovery.domain.findings import HoldingEvent
from discovery.domain.histories import PoolReserves
from discovery.domain.judgements import Exclusion
from discovery.domain.run_errors import WarningSink
from discovery.pipeline.bag_values import BagValues, bag_values
from discovery.pipeline.holdings import open_holdings
from discovery.pipeline.late_prices import LateSampler
from discovery.pipeline.late_reserves import TradeKey
from discovery.pipeline.profile_wallet import WalletContext
from discovery.pipeline.read_wallet import WalletReading
from discovery.pipeline.valuation import ValuedTrade, value_history

MAX_LATE_TOKENS: Final = 20
"""Tokens of one outcome whose late prices are read."""
PATIENCE_SECONDS: Final = 2 * 86_400
"""A due outcome waits this long for a provider that can value what is held."""
CUT: Final = (
    "the wallet has too many transactions: its history begins after the snapshot"
)


class DueOutcome(msgspec.Struct, frozen=True):
    """An outcome to measure: of a snapshot at `at`, until `until`. Unix seconds."""

    id: int
    at: int
    until: int


class MeasuredOutcome(msgspec.Struct, frozen=True):
    """The tokens first bought within an outcome, and the trades within it.

    problem: why nothing can be known; "" if it was measured.
    """

    id: int
    results: list[TokenResult] = []
    purchases: int = 0
    trades: int = 0
    problem: str = ""


class Measurement(msgspec.Struct, frozen=True):
    """Outcomes that were measured, and late prices that were read for them."""

    outcomes: list[MeasuredOutcome]
    late: dict[TradeKey, PoolReserves]


async def measure_outcomes(
    reading: WalletReading,
    context: WalletContext,
    due: Sequence[DueOutcome],
    providers: Providers,
    source: TransactionSource,
    *,
    now: int,
    warnings: WarningSink,
    unreconciled: Mapping[str, int] = MappingProxyType({}),
) -> Measurement:
    """Return the outcomes of one wallet that can be measured now. Those whose holdings
    no provider could value are left for later.

    reading: its transactions until `now` (unix seconds). unreconciled: mint → raw units
    on the chain, where they are fewer than these leave. Raises ProviderError,
    BudgetExhausted.
    """
    if not due:
        return Measurement([], {})
    history = _History(reading, providers, unreconciled)
    measured: list[MeasuredOutcome] = []
    late: dict[TradeKey, PoolReserves] = {}
    for outcome in due:
        if reading.is_cut and reading.begins_at > outcome.at:
            measured.append(MeasuredOutcome(outcome.id, problem=CUT))
            continue
        found = await _measure(
            history, context, outcome, source, late, now=now, warnings=warnings
        )
        if found is not None:
            measured.append(found)
    return Measurement(measured, late)


class _History:
    """The valued events of one wallet by mint."""

    def __init__(
        self,
        reading: WalletReading,
        providers: Providers,
        unreconciled: Mapping[str, int],
    ) -> None:
        self.reading = reading
        self.providers = providers
        history = reading.history
        valued = {
            mint: value_history(
                history.changes[mint],
                providers.prices,
                releases=history.releases.get(mint, []),
                units_now=unreconciled.get(mint),
            )
            for mint in history.traded_mints()
        }
        self.events = {mint: own.events for mint, own in valued.items()}
        self.trades: list[ValuedTrade] = list(
            chain.from_iterable(own.trades for own in valued.values())
        )

    def until(self, time: int) -> dict[str, list[HoldingEvent]]:
        """Return the events until a unix second, of mints that were traded by then."""
        events: dict[str, list[HoldingEvent]] = {}
        for mint, own in self.events.items():
            past = [event for event in own if event.block_time <= time]
            if any(event.is_trade for event in past):
                events[mint] = past
        return events


async def _measure(
    history: _History,
    context: WalletContext,
    outcome: DueOutcome,
    source: TransactionSource,
    late: dict[TradeKey, PoolReserves],
    *,
    now: int,
    warnings: WarningSink,
) -> MeasuredOutcome | None:
    """Return one outcome, None if a holding could not be valued and there is time."""
    address = history.reading.history.address
    events = history.until(outcome.until)
    entered = _entered(events, outcome)
    own = {mint: events[mint] for mint in entered}
    holdings = [
        holding
        for holding in open_holdings(history.reading.history, events)
        if holding.mint in entered
    ]
    bags = await bag_values(
        holdings, history.providers, source, now=now, warnings=warnings
    )
    if bags.unread and now - outcome.until < PATIENCE_SECONDS:
        return None
    values = {holding.mint: _lamports(bags, holding.mint) for holding in holdings}
    record = trading_history(address, own, values, outcome.until)
    record = msgspec.structs.replace(record, unread=bags.unread)
    sampler = LateSampler(
        record,
        history.trades,
        source,
        seeds=frozenset(),
        flags=(),
        known={**context.late, **late},
        prior=context.prior,
    )
    measured = await sampler.measure_tokens(entered, MAX_LATE_TOKENS, warnings)
    late.update(measured.read)
    within = [
        event
        for event in chain.from_iterable(events.values())
        if event.is_trade and event.block_time > outcome.at
    ]
    return MeasuredOutcome(
        id=outcome.id,
        results=_results_that_count(measured.results),
        purchases=sum(event.kind == "buy" for event in within),
        trades=len(within),
    )


def _entered(
    events: Mapping[str, Iterable[HoldingEvent]], outcome: DueOutcome
) -> AbstractSet[str]:
    """Return the mints that were first bought after the snapshot."""
    entered: set[str] = set()
    for mint, own in events.items():
        first_buy = next((event for event in own if event.kind == "buy"), None)
        if first_buy is not None and first_buy.block_time > outcome.at:
            entered.add(mint)
    return entered


def _lamports(bags: BagValues, mint: str) -> int | None:
    value = bags.known.get(mint)
    return None if value is None else value.lamports


def _results_that_count(results: Iterable[TokenResult]) -> list[TokenResult]:
    """Return the results without dust: nobody follows it. However young a token is, its
    result at the horizon counts.
    """
    return [result for result in results if result.exclusion is not Exclusion.DUST]

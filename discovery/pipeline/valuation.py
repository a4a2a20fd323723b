"""The value of trades in lamports, and the events of a wallet's holding that analysis
computes with.
"""

from collections.abc import Iterable
from fractions import Fraction

import msgspec

from discovery.domain.findings import EventKind, HoldingEvent
from discovery.domain.programs import STABLE_DECIMALS, STABLES, WRAPPED_SOL
from discovery.domain.trades import Trade
from discovery.domain.units import usd_units_to_lamports
from discovery.pipeline.balance_history import BalanceChange
from discovery.providers.prices import SolPrices


class ValuedTrade(msgspec.Struct, frozen=True):
    """A trade with its block time and its market amount in lamports, None if no price
    is known.
    """

    trade: Trade
    block_time: int
    value_lamports: Fraction | None


class ValuedHistory(msgspec.Struct, frozen=True):
    """The events of one wallet's units of one mint in chain order, and the trades among
    them.
    """

    events: list[HoldingEvent]
    trades: list[ValuedTrade]


async def load_trade_prices(prices: SolPrices, changes: Iterable[BalanceChange]) -> int:
    """Load SOL/USD for the trades that are quoted in a stable. Returns how many of them
    stay without a price; 0 without a request if there is none.

    Raises ProviderError.
    """
    times = [change.block_time for change in changes if _is_quoted_in_stable(change)]
    if not times:
        return 0
    await prices.load(times)
    return sum(prices.at(time) is None for time in times)


def _is_quoted_in_stable(change: BalanceChange) -> bool:
    return change.trade is not None and change.trade.priced_in.mint in STABLES


def value_history(
    changes: Iterable[BalanceChange],
    prices: SolPrices,
    *,
    initial_units: int | None = None,
) -> ValuedHistory:
    """Return the balance changes as events with values, with the unseen transfers
    between them.

    initial_units: the units before the first change, None = unknown. Other units there
    were transferred unseen, at an unknown cost.
    """
    history = ValuedHistory([], [])
    units = initial_units
    for change in changes:
        if units is not None and units != change.before_units:
            unseen_units = change.before_units - units
            history.events.append(_transfer(change, unseen_units, "transfer_out"))
        units = change.after_units
        if change.trade is None:
            moved_units = change.after_units - change.before_units
            outflow: EventKind = "burn" if change.is_burn else "transfer_out"
            history.events.append(_transfer(change, moved_units, outflow))
            continue
        value = value_lamports(change.trade, change.block_time, prices)
        history.trades.append(ValuedTrade(change.trade, change.block_time, value))
        history.events.append(_trade_event(change, change.trade, value))
    return history


def _transfer(change: BalanceChange, units: int, outflow: EventKind) -> HoldingEvent:
    """Return a transfer of raw units in or before the transaction, negative = out.
    `outflow` is its kind then.
    """
    return HoldingEvent(
        kind="transfer_in" if units > 0 else outflow,
        signature=change.position.signature,
        slot=change.position.slot,
        block_time=change.block_time,
        units=abs(units),
    )


def _trade_event(
    change: BalanceChange, trade: Trade, value: Fraction | None
) -> HoldingEvent:
    return HoldingEvent(
        kind=trade.side,
        signature=change.position.signature,
        slot=change.position.slot,
        block_time=change.block_time,
        units=abs(trade.token_units),
        value_lamports=value,
        extras_lamports=trade.extras_lamports,
    )


def value_lamports(trade: Trade, block_time: int, prices: SolPrices) -> Fraction | None:
    """Return the market amount of a trade in lamports, None if no price is known.

    block_time: unix seconds. An amount in SOL needs no price, one in a stable the
    SOL/USD price of that time. A token for a token is worth the SOL or stable that
    passed between the markets of the two, if one is seen.
    """
    mint, units = trade.priced_in
    if mint == WRAPPED_SOL:
        return Fraction(units)
    if mint not in STABLES:
        return None
    price = prices.at(block_time)
    if price is None:
        return None
    return usd_units_to_lamports(units, STABLE_DECIMALS, price)

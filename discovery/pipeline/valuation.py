"""The value of trades in lamports, and the events of a wallet's holding that analysis
computes with.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

import msgspec

from discovery.domain.display import counted
from discovery.domain.findings import EventKind, HoldingEvent
from discovery.domain.programs import STABLE_DECIMALS, STABLES, WRAPPED_SOL
from discovery.domain.reasons import Reason
from discovery.domain.trades import Trade
from discovery.domain.units import usd_units_to_lamports
from discovery.pipeline.balance_history import BalanceChange
from discovery.pipeline.chain_position import ChainPosition
from discovery.pipeline.orders import OrderRelease
from discovery.providers.prices import SolPrices

_OUTFLOWS: Final[Mapping[Reason, EventKind]] = {
    Reason.TRANSFER: "transfer_out",
    Reason.BURNED: "burn",
}
"""Outflows of which it is known what they brought: nothing."""


class ValuedTrade(msgspec.Struct, frozen=True):
    """A trade with its block time and its market amount in lamports, None if no price
    is known.
    """

    trade: Trade
    block_time: int
    value_lamports: Fraction | None


class ValuedHistory(msgspec.Struct, frozen=True):
    """The events of one wallet's units of one mint in chain order, the trades among
    them, and the balance changes without a trade.
    """

    events: list[HoldingEvent]
    trades: list[ValuedTrade]
    other_changes: list[BalanceChange]


class TradePrices(NamedTuple):
    """What became of the prices of trades in a stable: how many have none, and why ("" =
    no source failed), and how many came from the second source.
    """

    missing: int = 0
    cause: str = ""
    second_source: int = 0


async def load_trade_prices(
    prices: SolPrices,
    changes: Iterable[BalanceChange],
    releases: Iterable[OrderRelease] = (),
) -> TradePrices:
    """Load SOL/USD for the trades that are quoted in a stable; no request if there is
    none. A trade without a price has no value, and everything else goes on.
    """
    trades = [(change.trade, change.block_time) for change in changes]
    trades += [(release.release.trade, release.block_time) for release in releases]
    times = [time for trade, time in trades if _is_quoted_in_stable(trade)]
    if not times:
        return TradePrices()
    cause = await prices.load(times)
    return TradePrices(
        missing=sum(prices.at(time) is None for time in times),
        cause=cause,
        second_source=sum(map(prices.is_from_second_source, times)),
    )


def missing_prices(found: TradePrices) -> str:
    """Return in words what the missing prices cost and when they are asked for again,
    "" if none is missing.
    """
    if not found.missing:
        return ""
    cause = found.cause or "no source has a candle of that time"
    return (
        f"no SOL/USD price for {counted(found.missing, 'trade')} in a stable ({cause}): what they were worth is "
        "not known; the next profile or analysis that reads them asks again"
    )


def _is_quoted_in_stable(trade: Trade | None) -> bool:
    return trade is not None and trade.priced_in.mint in STABLES


def value_history(
    changes: Iterable[BalanceChange],
    prices: SolPrices,
    *,
    releases: Sequence[OrderRelease] = (),
    units_now: int | None = None,
) -> ValuedHistory:
    """Return the balance changes as events with values, with what is missing between
    them.

    releases: what left the orders of the wallet. units_now: the raw units that the
    chain shows now, None = not compared. Units before the first change, and differences
    between a balance and the one before it, are events too: nobody knows their cost or
    price.
    """
    valuation = _Valuation(prices, releases)
    for change in changes:
        valuation.add(change)
    valuation.finish(units_now)
    return valuation.history


class _Valuation:
    """Turns balance changes and releases of orders into events, in chain order."""

    def __init__(self, prices: SolPrices, releases: Sequence[OrderRelease]) -> None:
        self.history = ValuedHistory([], [], [])
        self._prices = prices
        self._releases = deque(releases)
        self._released = {release.position.signature for release in releases}
        self._order_escrows = {
            escrow for release in releases for escrow in release.escrows
        }
        self._last: BalanceChange | None = None
        self._units: dict[str, int] = {}  # by token account

    def add(self, change: BalanceChange) -> None:
        """Add the next balance change."""
        self._add_releases(before=change)
        self._add_gap(change)
        self._last = change
        if change.trade is not None:
            self._add_trade(change.position, change.block_time, change.trade)
            return
        self.history.other_changes.append(change)
        kind = self._kind(change)
        if kind == "order_open" and change.escrow_units:
            # What the token keeps as a fee on transfers is gone.
            fee_units = -change.units - change.escrow_units
            self._add_move(change, kind, change.escrow_units, change.reason)
            if fee_units > 0:
                self._add_move(change, "burn", fee_units, Reason.BURNED)
            return
        self._add_move(change, kind, change.units, change.reason)

    def finish(self, units_now: int | None) -> None:
        """Add the releases after the last change, and what the chain shows beyond it."""
        self._add_releases(before=None)
        if self._last is None or units_now is None:
            return
        unseen_units = units_now - sum(self._units.values())
        if unseen_units:
            self._add_unseen(self._last, unseen_units, Reason.NOT_SEEN)

    def _add_gap(self, change: BalanceChange) -> None:
        """Add the units that came in or left between the last change and this one,
        account by account: a transaction shows those that it names.
        """
        units = self._units
        gap = 0
        for account in change.accounts:
            gap += account.before_units - units.get(account.account, 0)
            units[account.account] = account.after_units
        if gap:
            is_first = self._last is None
            reason = Reason.HELD_BEFORE if is_first else Reason.NOT_SEEN
            self._add_unseen(change, gap, reason)

    def _add_unseen(self, change: BalanceChange, units: int, reason: Reason) -> None:
        kind: EventKind = "transfer_in" if units > 0 else "unpriced_out"
        self._add_move(change, kind, units, reason)

    def _kind(self, change: BalanceChange) -> EventKind:
        """Return the kind of a change without a trade."""
        is_inflow = change.units > 0
        if is_inflow:
            is_return = change.position.signature in self._released
            is_from_order = is_return or change.reason == Reason.ORDER_CLOSED
            return "order_closed" if is_from_order else "transfer_in"
        is_order = change.escrow in self._order_escrows
        if is_order or change.reason == Reason.ORDER_OPEN:
            return "order_open"
        return _OUTFLOWS.get(change.reason, "unpriced_out")

    def _add_move(
        self, change: BalanceChange, kind: EventKind, units: int, reason: Reason
    ) -> None:
        self.history.events.append(
            HoldingEvent(
                kind=kind,
                signature=change.position.signature,
                slot=change.position.slot,
                block_time=change.block_time,
                units=abs(units),
                reason=reason,
            )
        )

    def _add_trade(
        self,
        position: ChainPosition,
        block_time: int,
        trade: Trade,
        *,
        is_from_order: bool = False,
    ) -> None:
        value = value_lamports(trade, block_time, self._prices)
        self.history.trades.append(ValuedTrade(trade, block_time, value))
        self.history.events.append(
            HoldingEvent(
                kind=trade.side,
                signature=position.signature,
                slot=position.slot,
                block_time=block_time,
                units=abs(trade.token_units),
                value_lamports=value,
                extras_lamports=trade.extras_lamports,
                is_from_order=is_from_order,
                market=trade.reserves_after,
            )
        )

    def _add_releases(self, *, before: BalanceChange | None) -> None:
        """Add the releases of orders up to a change, None = all."""
        while self._releases:
            release = self._releases[0]
            if before is not None and release.position.slot >= before.position.slot:
                return
            self._releases.popleft()
            self._add_release(release)

    def _add_release(self, order: OrderRelease) -> None:
        """Add what left an order. Units that came back are a balance change of their
        own.
        """
        sold_units, _, trade = order.release
        if trade is not None:
            self._add_trade(order.position, order.block_time, trade, is_from_order=True)
        elif sold_units:
            self.history.events.append(
                HoldingEvent(
                    kind="sell",
                    signature=order.position.signature,
                    slot=order.position.slot,
                    block_time=order.block_time,
                    units=sold_units,
                    reason=Reason.KEEPER_FILL,
                    is_from_order=True,
                )
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

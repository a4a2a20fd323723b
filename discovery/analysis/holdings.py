"""Holdings: a wallet's history in one mint, split into cycles from flat to flat, by
weighted average cost, exact.

State: K units with a known cost, B their remaining basis in lamports, U units without a
known cost, Q = K + U.

| event                       | effect                                                                               |
| --------------------------- | ------------------------------------------------------------------------------------ |
| buy q for v, fees f         | K += q; B += v + f                                                                   |
| buy q at an unknown price   | U += q                                                                               |
| sell q ≤ Q for v, fees f    | m = q·K/Q; c = B·m/K; realised += (v - f)·m/q - c; unmatched += (v - f)·(q - m)/q    |
| sell q > Q                  | q - Q units without a known cost are added before                                    |
| transfer in q               | units that were transferred out before come back with their cost; the rest: U += rest |
| transfer out q              | K, U and B shrink pro rata                                                           |
| burn q                      | K, U and B shrink pro rata; their basis is lost                                      |
| any other outflow of q      | K, U and B shrink pro rata; what they brought is not known                           |
| q into an order, or back    | nothing: they still belong to the wallet                                             |

A cycle opens with the first units of a flat wallet and closes when at most 1 % of its
peak is left. What is left is a cost of that cycle. If it is sold later, that cycle gets
the proceeds. Units that were received without paying have no cost, so their proceeds
are never profit. Units that leave earn nothing.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from discovery.analysis.holding import ZERO, Holding, HoldingBuilder, Removal
from discovery.domain.findings import HoldingEvent
from discovery.domain.reasons import Reason

FLAT_SHARE: Final = Fraction(1, 100)


class _MovedUnits(NamedTuple):
    """Units that one transfer took out of one cycle. builder: None for units without a
    known cost.
    """

    builder: HoldingBuilder | None
    units: Fraction
    basis: Fraction


class _Splitter:
    """Applies events and shares their effect among the cycles that still have units."""

    def __init__(self) -> None:
        self.builders: list[HoldingBuilder] = []
        self.unknown_units = ZERO
        self.order_units = 0
        self._owners: list[HoldingBuilder] = []  # cycles with units of a known cost
        self._moved: list[_MovedUnits] = []

    @property
    def held_units(self) -> Fraction:
        """Units held, with and without a known cost, those in open orders included."""
        return sum((owner.units for owner in self._owners), self.unknown_units)

    def add(self, event: HoldingEvent) -> None:
        """Apply the next event in chain order."""
        if not event.units:
            return
        if self._opens_cycle(event):
            self.builders.append(HoldingBuilder(event))
        current = self.builders[-1]
        if event.is_trade:
            current.add_trade(event)
        match event.kind:
            case "buy":
                self._buy(event)
            case "sell":
                self._sell(event)
            case "transfer_in":
                self._receive(event)
            case "transfer_out":
                self._move_out(event)
            case "burn" | "unpriced_out":
                self._lose(event)
            case "order_open":
                self._add_missing(event.units + self.order_units)
                self.order_units += event.units
            case "order_closed":
                returned = min(event.units, self.order_units)
                self.order_units -= returned
                self._add_unknown(event.units - returned, event.reason)
        current = self.builders[-1]
        current.peak_units = max(current.peak_units, self.held_units)
        self._close_if_flat(event)

    def _opens_cycle(self, event: HoldingEvent) -> bool:
        """Return True for the first event and for units that reach a flat wallet, unless
        they are units of its own that come back.
        """
        if not self.builders:
            return True
        is_flat = self.builders[-1].closed_at is not None
        if not is_flat or not event.is_acquisition:
            return False
        if event.kind == "order_closed":
            return event.units > self.order_units
        return event.units > self._returning_units(event)

    def _returning_units(self, event: HoldingEvent) -> Fraction:
        """Return how many units of an inflow were sent away before. Only transfers bring
        such units back: nobody knows what other inflows cost.
        """
        if event.kind != "transfer_in" or event.reason != Reason.TRANSFER:
            return ZERO
        moved_units = sum((moved.units for moved in self._moved), ZERO)
        return min(moved_units, Fraction(event.units))

    def _buy(self, event: HoldingEvent) -> None:
        if event.value_lamports is None:
            self._add_unknown(event.units, event.reason)
            return
        current = self.builders[-1]
        cost = event.value_lamports + event.extras_lamports
        current.add_units(Fraction(event.units), cost, event.block_time)
        current.acquired_units += event.units
        if current not in self._owners:
            self._owners.append(current)

    def _sell(self, event: HoldingEvent) -> None:
        current = self.builders[-1]
        if event.is_from_order:
            self.order_units -= min(event.units, self.order_units)
        self._add_missing(event.units + self.order_units)
        removals, unknown_units = self._take(event.units)
        if event.value_lamports is None:
            for removal in removals:
                removal.builder.add_unpriced(
                    removal, event.reason, category="unpriced_sale"
                )
            current.add_unpriced_units(unknown_units, event.reason)
            return
        net = event.value_lamports - event.extras_lamports
        for removal in removals:
            removal.builder.add_sale(event, net, removal)
        current.unmatched_proceeds += net * unknown_units / event.units
        current.uncovered_value += event.value_lamports * unknown_units / event.units

    def _receive(self, event: HoldingEvent) -> None:
        """Add units: first those that were transferred out before, the latest first,
        with their cost, then units without a known cost.
        """
        returning = self._returning_units(event)
        missing = returning
        while missing:
            moved = self._moved.pop()
            units_back = min(missing, moved.units)
            share = units_back / moved.units
            if units_back < moved.units:
                rest = 1 - share
                self._moved.append(
                    _MovedUnits(moved.builder, moved.units * rest, moved.basis * rest)
                )
            missing -= units_back
            self._take_back(moved.builder, units_back, moved.basis * share)
        self._add_unknown(event.units - returning, event.reason)

    def _take_back(
        self, builder: HoldingBuilder | None, units: Fraction, basis: Fraction
    ) -> None:
        """Return moved units to their cycle, which is open again if it is the latest."""
        if builder is None:
            self.unknown_units += units
            return
        builder.take_back(units, basis)
        if builder not in self._owners:
            self._owners.append(builder)
        if builder is self.builders[-1]:
            builder.reopen()

    def _move_out(self, event: HoldingEvent) -> None:
        self._add_missing(event.units + self.order_units)
        removals, unknown_units = self._take(event.units)
        for removal in removals:
            removal.builder.add_move_out(removal, event)
            moved = _MovedUnits(removal.builder, removal.units, removal.basis)
            self._moved.append(moved)
        if unknown_units:
            self._moved.append(_MovedUnits(None, unknown_units, ZERO))

    def _lose(self, event: HoldingEvent) -> None:
        """Remove burned units, or units that left at an unknown price."""
        self._add_missing(event.units + self.order_units)
        removals, unknown_units = self._take(event.units)
        if event.kind == "burn":
            for removal in removals:
                removal.builder.add_burn(removal, event.reason)
            return
        for removal in removals:
            removal.builder.add_unpriced(removal, event.reason, category=event.reason)
        self.builders[-1].add_unpriced_units(unknown_units, event.reason)

    def count_open_orders(self) -> None:
        """Count the units that wait in orders with the cycles that they belong to."""
        held_units = self.held_units
        if not self.order_units or not held_units:
            return
        share = min(Fraction(1), self.order_units / held_units)
        for owner in self._owners:
            owner.add_open_orders(owner.units * share, owner.remaining_basis * share)
        self.builders[-1].add_open_orders(self.unknown_units * share, ZERO)

    def _add_missing(self, units: int) -> None:
        """Add the units that an outflow takes beyond those that are known: they came
        from a transaction that was not seen.
        """
        missing = units - self.held_units
        if missing > 0:
            self.builders[-1].is_incomplete = True
            self._add_unknown(missing, Reason.NOT_SEEN)

    def _add_unknown(self, units: Fraction | int, reason: Reason) -> None:
        """Add units without a known cost."""
        if not units:
            return
        self.unknown_units += units
        self.builders[-1].add_uncosted(units, reason)

    def _take(self, units: int) -> tuple[list[Removal], Fraction]:
        """Take units pro rata from all that are held. Returns what each cycle lost, and
        the units without a known cost among them.
        """
        held_units = self.held_units
        if not held_units:
            return [], ZERO
        share = min(Fraction(1), Fraction(units) / held_units)
        removals = [owner.remove(share) for owner in self._owners]
        self._owners = [owner for owner in self._owners if owner.units]
        unknown_units = self.unknown_units * share
        self.unknown_units -= unknown_units
        return removals, unknown_units

    def _close_if_flat(self, event: HoldingEvent) -> None:
        """Close the latest cycle if at most 1 % of its peak is left."""
        current = self.builders[-1]
        is_flat = self.held_units <= current.peak_units * FLAT_SHARE
        if is_flat and current.closed_at is None:
            current.closed_at = event.block_time
            current.is_closed_by_transfer = event.kind == "transfer_out"


def split_cycles(mint: str, events: Sequence[HoldingEvent]) -> list[Holding]:
    """Return the holdings of one wallet in one mint, oldest first, numbered from 1.
    `events` are in chain order.

    Holdings without a buy or a sale (units that were only sent around) are left out.
    Units without a known cost and units in open orders that the wallet still holds are
    in the latest one.
    """
    splitter = _Splitter()
    for event in events:
        splitter.add(event)
    splitter.count_open_orders()
    traded = [
        builder for builder in splitter.builders if builder.last_trade_at is not None
    ]
    holdings = []
    for number, builder in enumerate(traded, start=1):
        is_latest = builder is splitter.builders[-1]
        unknown_units = splitter.unknown_units if is_latest else ZERO
        holdings.append(builder.build(mint, number, unknown_units))
    return holdings

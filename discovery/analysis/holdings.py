"""Holdings: a wallet's history in one mint, split into cycles from flat to flat.

The accounting is that of `positions.CostBasisLedger`: cost basis, matched and unmatched
proceeds of a token's cycles add up exactly to those of its position. A cycle opens with
the first units of a flat wallet and closes when at most 1 % of its peak is left. What
is left is a cost of that cycle. If it is sold later, that cycle gets the proceeds.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil
from typing import Final, NamedTuple

import msgspec

from discovery.analysis.positions import ZERO, CostBasisLedger
from discovery.analysis.statistics import quotient
from discovery.domain.findings import HoldingEvent

FLAT_SHARE: Final = Fraction(1, 100)
_HOLD_WEIGHT_SCALE: Final = 2**64
"""Weights of holding times are in 2⁻⁶⁴ lamports: integers stay fast over thousands of
sales.
"""


class Holding(msgspec.Struct, frozen=True):
    """One cycle before its result is known. Amounts in lamports and raw units, exact;
    times in unix seconds.
    """

    mint: str
    number: int
    opened_at: int
    closed_at: int | None
    transferred_out_at: int | None  # time of the last transfer out
    is_closed_by_transfer: bool
    last_trade_at: int
    first_signature: str
    cost_basis: Fraction
    matched_proceeds: Fraction
    unmatched_proceeds: Fraction
    fees_lamports: int
    sold_value: Fraction
    covered_value: Fraction  # the part of it from units with a known cost
    unpriced_basis: Fraction  # cost of units sold at an unknown price
    known_units: Fraction  # held units with a known cost
    held_units: Fraction
    remaining_basis: Fraction
    buys: int
    sells: int
    hold_seconds: Fraction | None
    is_incomplete: bool


class _Before(NamedTuple):
    """State of the ledger before an event."""

    known_units: Fraction
    cost_basis: Fraction
    held_units: Fraction


class _Removal(NamedTuple):
    """Units that one event took from one cycle, and their basis."""

    builder: "_HoldingBuilder"
    share: Fraction | int  # of all units with a known cost that the event took
    units: Fraction
    basis: Fraction


class _HoldingBuilder:
    """Collects the events of one cycle.

    units, remaining_basis: those of its own units that are still there. bought_at:
    their mean time, by cost.
    """

    def __init__(self, event: HoldingEvent) -> None:
        self.opened_at = event.block_time
        self.first_signature = event.signature
        self.closed_at: int | None = None
        self.transferred_out_at: int | None = None
        self.is_closed_by_transfer = False
        self.last_trade_at: int | None = None
        self.peak_units = ZERO
        self.cost_basis = ZERO
        self.matched_proceeds = ZERO
        self.unmatched_proceeds = ZERO
        self.covered_value = ZERO
        self.uncovered_value = ZERO
        self.unpriced_basis = ZERO
        self.fees_lamports = 0
        self.buys = 0
        self.sells = 0
        self.units = ZERO
        self.remaining_basis = ZERO
        self.bought_at = ZERO
        self.hold_sum = ZERO
        self.hold_weight = 0
        self.is_incomplete = False

    def add_units(self, units: Fraction, basis: Fraction, time: int) -> None:
        """Add bought units and their cost."""
        self.units += units
        self.remaining_basis += basis
        self.cost_basis += basis
        if basis:
            step = (time - self.bought_at) * basis / self.remaining_basis
            # Microseconds: a time needs no exact fraction.
            self.bought_at = round(self.bought_at + step, 6)

    def add_trade(self, event: HoldingEvent) -> None:
        """Count a buy or a sale."""
        if event.kind == "buy":
            self.buys += 1
        else:
            self.sells += 1
        self.fees_lamports += event.extras_lamports
        self.last_trade_at = event.block_time
        self.is_incomplete |= event.value_lamports is None

    def keep(self, units: Fraction, basis: Fraction, share: Fraction | int) -> _Removal:
        """Keep only `units` with `basis`. Returns what was removed: `share` of all that
        the event took.
        """
        removal = _Removal(
            self, share, self.units - units, self.remaining_basis - basis
        )
        self.units = units
        self.remaining_basis = basis
        return removal

    def add_sale(
        self, event: HoldingEvent, matched: Fraction, removal: _Removal
    ) -> None:
        """Add this cycle's part of a sale: `removal` of its units brought `matched`
        lamports net of fees.
        """
        self.matched_proceeds += matched
        if event.value_lamports is None:
            self.unpriced_basis += removal.basis
            return
        self.covered_value += event.value_lamports * removal.units / event.units
        weight = ceil(removal.basis * _HOLD_WEIGHT_SCALE)
        self.hold_sum += weight * (event.block_time - self.bought_at)
        self.hold_weight += weight

    def build(self, mint: str, number: int, unknown_units: Fraction) -> Holding:
        """Return the holding. `unknown_units`: units without a known cost that the
        wallet holds beside it.
        """
        assert self.last_trade_at is not None
        return Holding(
            mint=mint,
            number=number,
            opened_at=self.opened_at,
            closed_at=self.closed_at,
            transferred_out_at=self.transferred_out_at,
            is_closed_by_transfer=self.is_closed_by_transfer,
            last_trade_at=self.last_trade_at,
            first_signature=self.first_signature,
            cost_basis=self.cost_basis,
            matched_proceeds=self.matched_proceeds,
            unmatched_proceeds=self.unmatched_proceeds,
            fees_lamports=self.fees_lamports,
            # A sale at an unknown price counts at its cost: it lowers coverage instead
            # of disappearing from it.
            sold_value=self.covered_value + self.uncovered_value + self.unpriced_basis,
            covered_value=self.covered_value,
            unpriced_basis=self.unpriced_basis,
            known_units=self.units,
            held_units=self.units + unknown_units,
            remaining_basis=self.remaining_basis,
            buys=self.buys,
            sells=self.sells,
            hold_seconds=quotient(self.hold_sum, self.hold_weight),
            is_incomplete=self.is_incomplete,
        )


class _Splitter:
    """Applies events to one ledger and shares their effect among the cycles that still
    have units.
    """

    def __init__(self) -> None:
        self.ledger = CostBasisLedger()
        self.builders: list[_HoldingBuilder] = []

    def add(self, event: HoldingEvent) -> None:
        """Apply the next event in chain order."""
        if self._opens_cycle(event):
            self.builders.append(_HoldingBuilder(event))
        ledger, current = self.ledger, self.builders[-1]
        before = _Before(ledger.known_units, ledger.cost_basis, ledger.held_units)
        proceeds = ledger.apply(event)
        current.peak_units = max(current.peak_units, ledger.held_units)
        if event.is_trade:
            current.add_trade(event)
        match event.kind:
            case "buy":
                bought = ledger.known_units - before.known_units
                cost = ledger.cost_basis - before.cost_basis
                current.add_units(bought, cost, event.block_time)
            case "sell":
                for removal in self._take_units(event, before):
                    matched = proceeds.matched * removal.share
                    removal.builder.add_sale(event, matched, removal)
                current.unmatched_proceeds += proceeds.unmatched
                current.uncovered_value += self._uncovered_value(event, before)
            case "transfer_out":
                self._take_units(event, before)
                if before.held_units:
                    current.transferred_out_at = event.block_time
            case "burn":
                self._take_units(event, before)
        self._close_if_flat(event)

    def _opens_cycle(self, event: HoldingEvent) -> bool:
        """Return True for the first event and for units that reach a flat wallet."""
        if not self.builders:
            return True
        if self.builders[-1].closed_at is None:
            return False
        return event.is_acquisition

    def _take_units(self, event: HoldingEvent, before: _Before) -> list[_Removal]:
        """Take the units of the event from the cycles that have some, pro rata."""
        self.builders[-1].is_incomplete |= event.units > before.held_units
        owners = [builder for builder in self.builders if builder.units]
        if len(owners) == 1:
            # A sole owner has what the ledger has. Divisions of fractions are slow.
            units, basis = self.ledger.known_units, self.ledger.remaining_basis
            return [owners[0].keep(units, basis, 1)]
        removals = []
        for owner in owners:
            share = owner.units / before.known_units
            basis = owner.remaining_basis * self.ledger.known_units / before.known_units
            removals.append(owner.keep(self.ledger.known_units * share, basis, share))
        return removals

    def _uncovered_value(self, event: HoldingEvent, before: _Before) -> Fraction:
        """Return the part of a sale's value from units without a known cost."""
        if event.value_lamports is None:
            return ZERO
        covered_share = (before.known_units - self.ledger.known_units) / event.units
        return event.value_lamports * (1 - covered_share)

    def _close_if_flat(self, event: HoldingEvent) -> None:
        """Close the latest cycle if at most 1 % of its peak is left."""
        current = self.builders[-1]
        is_flat = self.ledger.held_units <= current.peak_units * FLAT_SHARE
        if is_flat and current.closed_at is None:
            current.closed_at = event.block_time
            current.is_closed_by_transfer = event.kind == "transfer_out"


def split_cycles(mint: str, events: Sequence[HoldingEvent]) -> list[Holding]:
    """Return the holdings of one wallet in one mint, oldest first, numbered from 1.
    `events` are in chain order.

    Holdings without a buy or a sale (units that were only sent around) are left out.
    Units without a known cost that the wallet still holds are in the latest one.
    """
    splitter = _Splitter()
    for event in events:
        splitter.add(event)
    traded = [
        builder for builder in splitter.builders if builder.last_trade_at is not None
    ]
    holdings = []
    for number, builder in enumerate(traded, start=1):
        is_latest = builder is splitter.builders[-1]
        unknown_units = splitter.ledger.unknown_units if is_latest else ZERO
        holdings.append(builder.build(mint, number, unknown_units))
    return holdings

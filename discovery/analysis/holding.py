"""One cycle of a wallet in a mint: what went in, what came out, and how much of it is
known.
"""

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from math import ceil
from typing import Final, NamedTuple

import msgspec

from discovery.analysis.statistics import quotient
from discovery.domain.findings import HoldingEvent, Knowledge
from discovery.domain.reasons import Reason

ZERO: Final = Fraction(0)
MAX_UNPRICED_SHARE: Final = Fraction(5, 100)
"""Share of the units, and of their cost, that may leave at an unknown price before the
result is unknown.
"""
MAX_UNCOSTED_SHARE: Final = Fraction(10, 100)
"""Share of the units that may come in without a known cost."""
_HOLD_WEIGHT_SCALE: Final = 2**64
"""Weights of holding times are in 2⁻⁶⁴ lamports: integers stay fast over thousands of
sales.
"""


class OutflowCost(NamedTuple):
    """Number of outflows of one category, and the cost of their units in lamports."""

    number: int
    cost: Fraction


class Holding(msgspec.Struct, frozen=True):
    """One cycle before its result is resolved. Amounts in lamports and raw units,
    exact; times in unix seconds.

    knowledge, unknown_reason, known_share: `docs/profit.md`, "Known or unknown".
    """

    mint: str
    number: int
    opened_at: int
    closed_at: int | None
    transferred_out_at: int | None  # last transfer of units that did not come back
    is_closed_by_transfer: bool
    last_trade_at: int
    first_signature: str
    first_buy_signature: str  # "" without a buy
    cost_basis: Fraction
    matched_proceeds: Fraction
    unmatched_proceeds: Fraction
    sold_basis: Fraction  # cost of the units that were sold at a known price or burned
    fees_lamports: int
    sold_value: Fraction
    covered_value: Fraction  # the part of it from units with a known cost
    unpriced_basis: Fraction  # cost of units that left at an unknown price
    known_units: Fraction  # held units with a known cost
    held_units: Fraction
    remaining_basis: Fraction
    buys: int
    sells: int
    hold_seconds: Fraction | None
    is_incomplete: bool
    knowledge: Knowledge
    unknown_reason: str
    known_share: Fraction
    outflow_costs: Mapping[str, OutflowCost]
    inflow_counts: Mapping[str, int]  # of units without a known cost, by reason

    @property
    def realised(self) -> Fraction:
        """Matched proceeds minus the cost of what was sold or burned, in lamports."""
        return self.matched_proceeds - self.sold_basis

    @property
    def profit_pct(self) -> Fraction | None:
        """(matched proceeds - cost basis) / cost basis × 100. Unsold units are worth
        nothing. None if the result is unknown.
        """
        if self.knowledge == "unknown":
            return None
        return (self.matched_proceeds - self.cost_basis) / self.cost_basis * 100


class Removal(NamedTuple):
    """Units with a known cost that one event took from one cycle, and their basis."""

    builder: "HoldingBuilder"
    units: Fraction
    basis: Fraction


class HoldingBuilder:
    """Collects the events of one cycle.

    units, remaining_basis: those of its own units that are still there. bought_at:
    their mean time, by cost.
    """

    def __init__(self, event: HoldingEvent) -> None:
        self.opened_at = event.block_time
        self.first_signature = event.signature
        self.first_buy_signature = ""
        self.closed_at: int | None = None
        self.moved_out_at: int | None = None
        self.moved_units = ZERO  # sent to other wallets and not back yet
        self.order_basis = ZERO
        self.is_closed_by_transfer = False
        self.last_trade_at: int | None = None
        self.peak_units = ZERO
        self.cost_basis = ZERO
        self.matched_proceeds = ZERO
        self.unmatched_proceeds = ZERO
        self.sold_basis = ZERO
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
        self.acquired_units = ZERO
        self._uncosted: dict[str, Fraction] = {}  # units by reason
        self._unpriced: dict[str, Fraction] = {}
        self._outflows: dict[str, OutflowCost] = {}
        self._inflows: Counter[str] = Counter()

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
            self.first_buy_signature = self.first_buy_signature or event.signature
        else:
            self.sells += 1
        self.fees_lamports += event.extras_lamports
        self.last_trade_at = event.block_time
        self.is_incomplete |= event.value_lamports is None

    def add_uncosted(self, units: Fraction | int, reason: Reason) -> None:
        """Count units that came in without a known cost."""
        self.acquired_units += units
        self._inflows[reason] += 1
        self._uncosted[reason] = self._uncosted.get(reason, ZERO) + units

    def add_unpriced(self, removal: Removal, reason: Reason, *, category: str) -> None:
        """Add this cycle's part of an outflow at an unknown price. category: of the
        outflow.
        """
        self.unpriced_basis += removal.basis
        self.add_unpriced_units(removal.units, reason)
        self.add_outflow(category, removal.basis)

    def add_unpriced_units(self, units: Fraction, reason: Reason) -> None:
        """Count units that left at an unknown price."""
        if units:
            self._unpriced[reason] = self._unpriced.get(reason, ZERO) + units

    def add_open_orders(self, units: Fraction, basis: Fraction) -> None:
        """Count units that wait in orders: nobody knows yet what they bring."""
        self.order_basis += basis
        self.add_unpriced_units(units, Reason.ORDER_OPEN)

    def add_move_out(self, removal: Removal, event: HoldingEvent) -> None:
        """Count units that were sent to another wallet."""
        self.moved_units += removal.units
        self.moved_out_at = event.block_time
        self.add_outflow(event.reason, removal.basis)

    def add_burn(self, removal: Removal, reason: Reason) -> None:
        """Add this cycle's part of burned units: their cost is lost."""
        self.sold_basis += removal.basis
        self.add_outflow(reason, removal.basis)

    def add_outflow(self, category: str, basis: Fraction) -> None:
        """Count an outflow of units with a known cost."""
        before = self._outflows.get(category, OutflowCost(0, ZERO))
        self._outflows[category] = OutflowCost(before.number + 1, before.cost + basis)

    def remove(self, share: Fraction) -> Removal:
        """Remove a share of the units with their basis. Returns what was removed."""
        if share == 1:
            removal = Removal(self, self.units, self.remaining_basis)
            self.units = self.remaining_basis = ZERO
            return removal
        removal = Removal(self, self.units * share, self.remaining_basis * share)
        self.units -= removal.units
        self.remaining_basis -= removal.basis
        return removal

    def take_back(self, units: Fraction, basis: Fraction) -> None:
        """Add units that were transferred out before, with their cost."""
        self.moved_units -= units
        self.units += units
        self.remaining_basis += basis

    def reopen(self) -> None:
        """Undo the end of the cycle: units of it came back."""
        self.closed_at = None
        self.is_closed_by_transfer = False

    def add_sale(
        self, event: HoldingEvent, net_lamports: Fraction, removal: Removal
    ) -> None:
        """Add this cycle's part of a sale, which brought `net_lamports` for all of its
        units.
        """
        assert event.value_lamports is not None
        share = removal.units / event.units
        self.matched_proceeds += net_lamports * share
        self.covered_value += event.value_lamports * share
        self.sold_basis += removal.basis
        self.add_outflow("sale", removal.basis)
        weight = ceil(removal.basis * _HOLD_WEIGHT_SCALE)
        self.hold_sum += weight * (event.block_time - self.bought_at)
        self.hold_weight += weight

    def build(self, mint: str, number: int, unknown_units: Fraction) -> Holding:
        """Return the holding. `unknown_units`: units without a known cost that the
        wallet holds beside it.
        """
        assert self.last_trade_at is not None
        unknown_reason = self._unknown_reason()
        return Holding(
            mint=mint,
            number=number,
            opened_at=self.opened_at,
            closed_at=self.closed_at,
            transferred_out_at=self.moved_out_at if self.moved_units else None,
            is_closed_by_transfer=self.is_closed_by_transfer,
            last_trade_at=self.last_trade_at,
            first_signature=self.first_signature,
            first_buy_signature=self.first_buy_signature,
            cost_basis=self.cost_basis,
            matched_proceeds=self.matched_proceeds,
            unmatched_proceeds=self.unmatched_proceeds,
            sold_basis=self.sold_basis,
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
            knowledge=self._knowledge(unknown_reason),
            unknown_reason=unknown_reason,
            known_share=self._known_share(),
            outflow_costs=dict(self._outflows),
            inflow_counts=dict(self._inflows),
        )

    def _unknown_reason(self) -> str:
        """Return why the result is unknown, "" if it is known or partly known."""
        if not self.cost_basis:
            return "no_cost"
        if self._unpriced_share() > MAX_UNPRICED_SHARE:
            return f"out_{_most_common(self._unpriced)}"
        if self._share_of(self._uncosted) > MAX_UNCOSTED_SHARE:
            return f"in_{_most_common(self._uncosted)}"
        return ""

    def _knowledge(self, unknown_reason: str) -> Knowledge:
        if unknown_reason:
            return "unknown"
        return "partly" if self._unpriced or self._uncosted else "known"

    def _known_share(self) -> Fraction:
        """Return the share of the units whose cost is known and that did not leave at
        an unknown price.
        """
        unknown = self._unpriced_share() + self._share_of(self._uncosted)
        return max(ZERO, 1 - unknown)

    def _unpriced_share(self) -> Fraction:
        """Return the share that left at an unknown price or waits in orders: of the
        units or of their cost, whichever is larger.
        """
        basis = self.unpriced_basis + self.order_basis
        of_cost = basis / self.cost_basis if self.cost_basis else ZERO
        return max(of_cost, self._share_of(self._unpriced))

    def _share_of(self, units_by_reason: Mapping[str, Fraction]) -> Fraction:
        """Return the share of units in all that came in during the cycle."""
        if not self.acquired_units:
            return ZERO
        return sum(units_by_reason.values(), ZERO) / self.acquired_units


def _most_common(units_by_reason: Mapping[str, Fraction]) -> str:
    return max(units_by_reason, key=lambda reason: units_by_reason[reason])

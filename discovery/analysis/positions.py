"""Positions: what a wallet's units of one mint cost and brought, by weighted average
cost, exact.

State: K units with a known cost, B their remaining basis in lamports, U units without a
known cost, Q = K + U.

| event                       | effect                                                                               |
| --------------------------- | ------------------------------------------------------------------------------------ |
| buy q for v, fees f         | K += q; B += v + f                                                                   |
| sell q ≤ Q for v, fees f    | m = q·K/Q; c = B·m/K; realised += (v - f)·m/q - c; unmatched += (v - f)·(q - m)/q    |
| sell q > Q                  | the first Q as above, value and fees pro rata; the excess is unmatched, incomplete   |
| transfer in q               | U += q                                                                               |
| transfer out q, burn q      | K, U and B shrink pro rata; a burn loses its basis                                   |

Units that were received without paying have no cost, so their proceeds are never
profit. Units that leave earn nothing.
"""

from collections.abc import Iterable
from fractions import Fraction
from typing import Final, NamedTuple

from discovery.domain.findings import HoldingEvent, Position

ZERO: Final = Fraction(0)


class Proceeds(NamedTuple):
    """Proceeds of one event in lamports, net of fees: of units with a known cost, and
    of the others.
    """

    matched: Fraction
    unmatched: Fraction


NO_PROCEEDS: Final = Proceeds(ZERO, ZERO)


class CostBasisLedger:
    """Running position of one wallet in one mint. Amounts in lamports and raw units,
    exact.
    """

    def __init__(self) -> None:
        self.known_units = ZERO  # units with a known cost
        self.unknown_units = ZERO
        self.cost_basis = ZERO  # of all units ever bought
        self.remaining_basis = ZERO
        self.removed_basis = (
            ZERO  # of units that were transferred out or sold at an unknown price
        )
        self.matched_proceeds = ZERO
        self.unmatched_proceeds = ZERO
        self.is_incomplete = False
        self.has_transferred_out = False

    def apply(self, event: HoldingEvent) -> Proceeds:
        """Apply the next event in chain order. Returns the proceeds that it brought."""
        match event.kind:
            case "buy":
                self._buy(event)
            case "sell":
                return self._sell(event)
            case "transfer_in":
                self.unknown_units += event.units
            case "transfer_out":
                self.removed_basis += self._remove(event.units)
                self.has_transferred_out = True
            case "burn":
                self._remove(event.units)
        return NO_PROCEEDS

    def _buy(self, event: HoldingEvent) -> None:
        if event.value_lamports is None:
            # The units exist, but their cost is unknown.
            self.unknown_units += event.units
            self.is_incomplete = True
            return
        cost = event.value_lamports + event.extras_lamports
        self.known_units += event.units
        self.cost_basis += cost
        self.remaining_basis += cost

    def _sell(self, event: HoldingEvent) -> Proceeds:
        """Sell units pro rata. A sale at an unknown price has no proceeds."""
        known_units = self.known_units
        basis = self._remove(event.units)
        if event.value_lamports is None:
            self.is_incomplete = True
            self.removed_basis += basis
            return NO_PROCEEDS
        net = event.value_lamports - event.extras_lamports
        matched = net * (known_units - self.known_units) / event.units
        proceeds = Proceeds(matched, net - matched)
        self.matched_proceeds += proceeds.matched
        self.unmatched_proceeds += proceeds.unmatched
        return proceeds

    def _remove(self, units: int) -> Fraction:
        """Remove units pro rata, at most all of them. Returns their basis."""
        held, basis = self.held_units, self.remaining_basis
        if units > held:
            self.is_incomplete = True
        if units >= held:
            self.known_units = self.unknown_units = self.remaining_basis = ZERO
            return basis
        remaining_share = 1 - units / held
        self.known_units *= remaining_share
        self.unknown_units *= remaining_share
        self.remaining_basis *= remaining_share
        return basis - self.remaining_basis

    @property
    def realised(self) -> Fraction:
        """Matched proceeds minus the basis of what was sold or burned."""
        return self.matched_proceeds - (
            self.cost_basis - self.remaining_basis - self.removed_basis
        )

    @property
    def held_units(self) -> Fraction:
        """Units held, with and without a known cost."""
        return self.known_units + self.unknown_units


def compute_position(events: Iterable[HoldingEvent]) -> Position:
    """Return the position of one wallet in one mint after `events`, which are in chain
    order. Amounts in lamports and raw units, exact; times in unix seconds. Without
    events all amounts are 0 and all times None.
    """
    history = list(events)
    ledger = CostBasisLedger()
    for event in history:
        ledger.apply(event)
    buys = [event for event in history if event.kind == "buy"]
    trades = [event for event in history if event.is_trade]
    return Position(
        cost_basis_lamports=ledger.cost_basis,
        matched_proceeds_lamports=ledger.matched_proceeds,
        realised_lamports=ledger.realised,
        unmatched_proceeds_lamports=ledger.unmatched_proceeds,
        held_known_units=ledger.known_units,
        held_unknown_units=ledger.unknown_units,
        remaining_basis_lamports=ledger.remaining_basis,
        buys=len(buys),
        sells=len(trades) - len(buys),
        first_buy_time=buys[0].block_time if buys else None,
        last_trade_time=trades[-1].block_time if trades else None,
        history_incomplete=ledger.is_incomplete,
        left_wallet=ledger.has_transferred_out,
    )

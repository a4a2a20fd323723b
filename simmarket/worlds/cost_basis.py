"""Weighted average cost of one wallet in one token, in exact fractions of lamports."""

from dataclasses import dataclass
from fractions import Fraction

ZERO = Fraction(0)


@dataclass(slots=True)
class CostBasis:
    """Units with a cost basis, their basis, units without one (received), and the
    proceeds of both.

    `cost` is what all buys cost. `matched_proceeds` come from units with a basis,
    `unmatched_proceeds` from others.
    """

    units_with_basis: Fraction = ZERO
    basis: Fraction = ZERO
    units_without_basis: Fraction = ZERO
    cost: Fraction = ZERO
    realised: Fraction = ZERO
    matched_proceeds: Fraction = ZERO
    unmatched_proceeds: Fraction = ZERO
    history_incomplete: bool = False

    @property
    def units(self) -> Fraction:
        """All units known to be in the wallet."""
        return self.units_with_basis + self.units_without_basis

    def buy(self, units: int, lamports: Fraction, fees: int) -> None:
        """Add units bought for `lamports` at the market and `fees` lamports."""
        self.units_with_basis += units
        self.basis += lamports + fees
        self.cost += lamports + fees

    def sell(self, units: int, lamports: Fraction, fees: int) -> None:
        """Remove units sold; the proceeds of more units than the known ones are
        unmatched.
        """
        net_proceeds = lamports - fees
        known_units = min(Fraction(units), self.units)
        if known_units < units:
            self.history_incomplete = True
            known_proceeds = net_proceeds * known_units / units
            self.unmatched_proceeds += net_proceeds - known_proceeds
            net_proceeds = known_proceeds
        if known_units:
            self._sell_known(known_units, net_proceeds)

    def _sell_known(self, units: Fraction, net_proceeds: Fraction) -> None:
        """Remove units with and without basis in the proportion in which the wallet
        holds them.
        """
        matched_units = units * self.units_with_basis / self.units
        unmatched_units = units - matched_units
        cost = ZERO
        if self.units_with_basis:
            cost = self.basis * matched_units / self.units_with_basis
        matched_proceeds = net_proceeds * matched_units / units
        self.realised += matched_proceeds - cost
        self.matched_proceeds += matched_proceeds
        self.unmatched_proceeds += net_proceeds - matched_proceeds
        self.units_with_basis -= matched_units
        self.units_without_basis -= unmatched_units
        self.basis -= cost

    def receive(self, units: int) -> None:
        """Add units received by a transfer: they have no basis."""
        self.units_without_basis += units

    def send(self, units: int) -> None:
        """Remove units sent by a transfer, with their share of the basis."""
        if self.units == 0:
            return
        remaining_share = 1 - min(Fraction(units), self.units) / self.units
        self.units_with_basis *= remaining_share
        self.basis *= remaining_share
        self.units_without_basis *= remaining_share

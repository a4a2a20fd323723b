"""Weighted average cost of one wallet in one token, in exact fractions of lamports."""

from dataclasses import dataclass
from fractions import Fraction

ZERO = Fraction(0)


@dataclass(slots=True)
class Position:
    """Units with basis, their basis, units without basis, and what came out of the matched part."""

    with_basis: Fraction = ZERO
    basis: Fraction = ZERO
    without_basis: Fraction = ZERO
    put_in: Fraction = ZERO
    realised: Fraction = ZERO
    matched_proceeds: Fraction = ZERO
    unmatched_proceeds: Fraction = ZERO
    history_incomplete: bool = False

    @property
    def held(self) -> Fraction:
        """All units known to be in the wallet."""
        return self.with_basis + self.without_basis

    def buy(self, units: int, lamports: Fraction, extras: int) -> None:
        """Units bought for `lamports` at the market and `extras` of fees."""
        self.with_basis += units
        self.basis += lamports + extras
        self.put_in += lamports + extras

    def sell(self, units: int, lamports: Fraction, extras: int) -> None:
        """Units sold; what exceeds the known units is proceeds without basis."""
        known = min(Fraction(units), self.held)
        if known < units:
            self.history_incomplete = True
            share = known / units
            self.unmatched_proceeds += (lamports - extras) * (1 - share)
            lamports, fees = lamports * share, extras * share
        else:
            fees = Fraction(extras)
        if known == 0:
            return
        matched = known * self.with_basis / self.held
        cost = self.basis * matched / self.with_basis if self.with_basis else ZERO
        net = lamports - fees
        self.realised += net * matched / known - cost
        self.matched_proceeds += net * matched / known
        self.unmatched_proceeds += net * (known - matched) / known
        self.with_basis -= matched
        self.basis -= cost
        self.without_basis -= known - matched

    def receive(self, units: int) -> None:
        """Units that came in by a transfer: no basis."""
        self.without_basis += units

    def give(self, units: int) -> None:
        """Units that left by a transfer take their basis along."""
        held = self.held
        if held == 0:
            return
        left = 1 - min(Fraction(units), held) / held
        self.with_basis *= left
        self.basis *= left
        self.without_basis *= left

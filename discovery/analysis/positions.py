"""What came of a wallet's units of one mint: weighted average cost, exact.

State: Qb units with basis, C basis in lamports, Qu units without basis, Q = Qb + Qu.

| event                       | effect                                                                              |
| --------------------------- | ----------------------------------------------------------------------------------- |
| buy q for v, fees f         | Qb += q; C += v + f                                                                 |
| sell q ≤ Q for v, fees f    | m = q·Qb/Q; c = C·m/Qb; realised += (v - f)·m/q - c; unmatched += (v - f)·(q - m)/q |
| sell q > Q                  | the first Q as above, value and fees pro rata; the excess is unmatched, incomplete  |
| transfer in q               | Qu += q                                                                             |
| transfer out q, burn q      | Qb, Qu and C shrink pro rata; a burn loses its basis                                |

Units that came in for nothing have no cost, so what they bring is never profit; units that leave earn nothing.
"""

from collections.abc import Iterable
from fractions import Fraction

from discovery.domain.findings import HoldingEvent, Position

ZERO = Fraction(0)


class CostBasisLedger:
    """The running position: what the events so far come to. Amounts in lamports and raw units, exact."""

    def __init__(self) -> None:
        self.known_units = ZERO
        self.basis = ZERO
        self.unknown_units = ZERO
        self.put_in = ZERO
        self.matched = ZERO
        self.carried_away = ZERO  # basis of units that left or were sold at a price nobody knows
        self.unmatched = ZERO
        self.incomplete = False
        self.left_wallet = False

    def apply(self, event: HoldingEvent) -> tuple[Fraction, Fraction]:
        """Take in the next event in chain order; the matched and the unmatched proceeds that it brought."""
        if event.kind == "buy":
            self._buy(event.units, event.value_lamports, event.extras_lamports)
        elif event.kind == "sell":
            return self._sell(event.units, event.value_lamports, event.extras_lamports)
        elif event.kind == "transfer_in":
            self.unknown_units += event.units
        else:
            if event.units > self.held:
                self.incomplete = True
            gone = self._remove(event.units)
            if event.kind == "transfer_out":
                self.carried_away += gone
                self.left_wallet = True
        return ZERO, ZERO

    def _buy(self, units: int, value: Fraction | None, extras: int) -> None:
        if value is None:
            # A price nobody knows: the units are there, their cost is not.
            self.unknown_units += units
            self.incomplete = True
            return
        self.known_units += units
        self.basis += value + extras
        self.put_in += value + extras

    def _sell(self, units: int, value: Fraction | None, extras: int) -> tuple[Fraction, Fraction]:
        if value is None:
            self.incomplete = True
            self.carried_away += self._remove(units)
            return ZERO, ZERO
        net = value - extras
        if units > self.held:
            self.incomplete = True
        known = self.known_units
        self._remove(units)
        matched = net * (known - self.known_units) / units
        self.matched += matched
        self.unmatched += net - matched
        return matched, net - matched

    def _remove(self, units: int) -> Fraction:
        """Take units out pro rata, at most all; the basis that went with them."""
        held, basis = self.held, self.basis
        if units >= held:
            self.known_units = self.unknown_units = self.basis = ZERO
        else:
            kept = 1 - units / held
            self.known_units *= kept
            self.unknown_units *= kept
            self.basis *= kept
        return basis - self.basis

    @property
    def realised(self) -> Fraction:
        """Matched proceeds minus the basis of what was sold or burnt."""
        return self.matched - (self.put_in - self.basis - self.carried_away)

    @property
    def held(self) -> Fraction:
        """Units held, with and without basis."""
        return self.known_units + self.unknown_units


def compute_position(events: Iterable[HoldingEvent]) -> Position:
    """The position after `events`, which are one wallet's of one mint in chain order."""
    book = CostBasisLedger()
    buys = sells = 0
    first_buy: int | None = None
    last_trade: int | None = None
    for event in events:
        book.apply(event)
        if event.kind == "buy":
            buys += 1
            first_buy = event.block_time if first_buy is None else first_buy
            last_trade = event.block_time
        elif event.kind == "sell":
            sells += 1
            last_trade = event.block_time
    return Position(
        cost_basis_lamports=book.put_in,
        matched_proceeds_lamports=book.matched,
        realised_lamports=book.realised,
        unmatched_proceeds_lamports=book.unmatched,
        held_known_units=book.known_units,
        held_unknown_units=book.unknown_units,
        remaining_basis_lamports=book.basis,
        buys=buys,
        sells=sells,
        first_buy_time=first_buy,
        last_trade_time=last_trade,
        history_incomplete=book.incomplete,
        left_wallet=book.left_wallet,
    )

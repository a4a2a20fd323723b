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


class _State:
    """The running position."""

    def __init__(self) -> None:
        self.known_units = ZERO
        self.basis = ZERO
        self.unknown_units = ZERO
        self.put_in = ZERO
        self.matched = ZERO
        self.realised = ZERO
        self.unmatched = ZERO
        self.incomplete = False
        self.left_wallet = False

    def buy(self, units: int, value: Fraction | None, extras: int) -> None:
        if value is None:
            # A price nobody knows: the units are there, their cost is not.
            self.unknown_units += units
            self.incomplete = True
            return
        self.known_units += units
        self.basis += value + extras
        self.put_in += value + extras

    def sell(self, units: int, value: Fraction | None, extras: int) -> None:
        if value is None:
            self.incomplete = True
            self.remove(min(Fraction(units), self.held))
            return
        net = value - extras
        held = self.held
        sold = min(Fraction(units), held)
        if sold < units:
            self.incomplete = True
        if sold:
            matched_units = sold * self.known_units / held
            cost = self.basis * matched_units / self.known_units if self.known_units else ZERO
            matched = net * matched_units / units
            self.matched += matched
            self.realised += matched - cost
            self.known_units -= matched_units
            self.basis -= cost
            self.unknown_units -= sold - matched_units
        else:
            matched = ZERO
        self.unmatched += net - matched

    def remove(self, units: Fraction) -> Fraction:
        """Take units out pro rata; the basis that went with them."""
        held = self.held
        if not held or not units:
            return ZERO
        share = units / held
        gone = self.basis * share
        self.known_units -= self.known_units * share
        self.unknown_units -= self.unknown_units * share
        self.basis -= gone
        return gone

    @property
    def held(self) -> Fraction:
        return self.known_units + self.unknown_units


def position(events: Iterable[HoldingEvent]) -> Position:
    """The position after `events`, which are one wallet's of one mint in chain order."""
    state = _State()
    buys = sells = 0
    first_buy: int | None = None
    last_trade: int | None = None
    for event in events:
        if event.kind == "buy":
            state.buy(event.units, event.value_lamports, event.extras_lamports)
            buys += 1
            first_buy = event.block_time if first_buy is None else first_buy
            last_trade = event.block_time
        elif event.kind == "sell":
            state.sell(event.units, event.value_lamports, event.extras_lamports)
            sells += 1
            last_trade = event.block_time
        elif event.kind == "transfer_in":
            state.unknown_units += event.units
        else:
            if event.units > state.held:
                state.incomplete = True
            gone = state.remove(min(Fraction(event.units), state.held))
            if event.kind == "burn":
                state.realised -= gone
            else:
                state.left_wallet = True
    return Position(
        put_in_lamports=state.put_in,
        matched_lamports=state.matched,
        realised_lamports=state.realised,
        unmatched_lamports=state.unmatched,
        held_known_units=state.known_units,
        held_unknown_units=state.unknown_units,
        basis_left_lamports=state.basis,
        buys=buys,
        sells=sells,
        first_buy_time=first_buy,
        last_trade_time=last_trade,
        history_incomplete=state.incomplete,
        left_wallet=state.left_wallet,
    )

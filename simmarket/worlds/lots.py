"""What a wallet's units of one token cost and brought, in exact fractions of lamports:
lots of units, each of one cycle or without a known cost.
"""

from dataclasses import dataclass, field
from fractions import Fraction

ZERO = Fraction(0)
FLAT_SHARE = Fraction(1, 100)
MAX_UNPRICED_SHARE = Fraction(1, 20)
MAX_UNCOSTED_SHARE = Fraction(1, 10)


@dataclass(slots=True)
class TrueCycle:
    """One holding from flat to flat. `acquired`, `uncosted` and `unpriced` are units:
    all that came in, those without a known cost, those that left at an unknown price.
    """

    opened: int
    closed: int | None = None
    last_trade: int | None = None
    peak: Fraction = ZERO
    cost: Fraction = ZERO
    matched: Fraction = ZERO
    unmatched: Fraction = ZERO
    sold_cost: Fraction = ZERO
    acquired: Fraction = ZERO
    uncosted: Fraction = ZERO
    unpriced: Fraction = ZERO
    buys: int = 0
    has_sent_units: bool = False
    has_missing_units: bool = False

    @property
    def knowledge(self) -> str:
        """Whether the result is known, partly or unknown."""
        if not self.cost or not self.acquired:
            return "unknown"
        if self.unpriced > MAX_UNPRICED_SHARE * self.acquired:
            return "unknown"
        if self.uncosted > MAX_UNCOSTED_SHARE * self.acquired:
            return "unknown"
        return "partly" if self.unpriced or self.uncosted else "known"

    @property
    def profit_pct(self) -> Fraction | None:
        """The exact profit in percent of the cost, None if it is unknown."""
        if self.knowledge == "unknown":
            return None
        return (self.matched - self.cost) / self.cost * 100


@dataclass(slots=True)
class _Lot:
    cycle: TrueCycle | None  # None: without a known cost
    units: Fraction
    cost: Fraction


@dataclass(slots=True)
class Lots:
    """The lots of one wallet in one token, and its cycles, oldest first."""

    cycles: list[TrueCycle] = field(default_factory=list)
    in_orders: int = 0
    _lots: list[_Lot] = field(default_factory=list)
    _sent: list[_Lot] = field(default_factory=list)  # the last one on top

    @property
    def units(self) -> Fraction:
        """All units of the wallet, those in orders included."""
        return sum((lot.units for lot in self._lots), ZERO)

    def buy(self, units: int, lamports: Fraction, fees: int, at: int) -> None:
        """Add units bought for `lamports` at the market and `fees` lamports."""
        cycle = self._current(at)
        cost = lamports + fees
        cycle.cost += cost
        cycle.acquired += units
        cycle.buys += 1
        cycle.last_trade = at
        self._lots.append(_Lot(cycle, Fraction(units), cost))
        self._end(cycle, at)

    def sell(
        self,
        units: int,
        lamports: Fraction,
        fees: int,
        at: int,
        *,
        from_order: bool = False,
    ) -> None:
        """Remove units sold for `lamports` before fees."""
        cycle = self._latest(at)
        cycle.last_trade = at
        if from_order:
            self.in_orders -= min(units, self.in_orders)
        net = lamports - fees
        for lot in self._take(units, cycle):
            part = net * lot.units / units
            if lot.cycle is None:
                cycle.unmatched += part
            else:
                lot.cycle.matched += part
                lot.cycle.sold_cost += lot.cost
        self._end(cycle, at)

    def sell_unpriced(self, units: int, at: int) -> None:
        """Remove units sold for something without a known value."""
        self._latest(at).last_trade = at
        self.lose(units, at)

    def lose(self, units: int, at: int) -> None:
        """Remove units of which nobody knows what they brought."""
        cycle = self._latest(at)
        cycle.unpriced += units
        self._take(units, cycle)
        self._end(cycle, at)

    def burn(self, units: int, at: int) -> None:
        """Remove units that no longer exist."""
        cycle = self._latest(at)
        for lot in self._take(units, cycle):
            if lot.cycle is not None:
                lot.cycle.sold_cost += lot.cost
        self._end(cycle, at)

    def receive(self, units: int, at: int) -> None:
        """Add units received: first those that were sent away before, with their cost,
        then units without a cost.
        """
        missing = Fraction(units)
        current = self.cycles[-1] if self.cycles else None
        if current is not None and any(lot.cycle is current for lot in self._sent):
            current.closed = None
        else:
            current = self._current(at)
        while missing and self._sent:
            lot = self._sent.pop()
            share = min(Fraction(1), missing / lot.units)
            if share < 1:
                rest = _Lot(lot.cycle, lot.units * (1 - share), lot.cost * (1 - share))
                self._sent.append(rest)
            missing -= lot.units * share
            back = _Lot(lot.cycle, lot.units * share, lot.cost * share)
            self._lots.append(back)
        self._add_uncosted(missing, current)
        self._end(current, at)

    def send(self, units: int, at: int) -> None:
        """Remove units sent to another wallet, with their cost."""
        cycle = self._latest(at)
        cycle.has_sent_units = True
        self._sent += self._take(units, cycle)
        self._end(cycle, at)

    def open_order(self, units: int) -> None:
        """Move units into an order: they stay the wallet's."""
        self.in_orders += units

    def close_order(self, units: int) -> None:
        """Take units back from an order."""
        self.in_orders -= units

    def finish(self) -> None:
        """Count units that still wait in orders: what they bring is not known."""
        if self.in_orders:
            self.cycles[-1].unpriced += self.in_orders

    def _current(self, at: int) -> TrueCycle:
        """Return the open cycle, a new one if the wallet is flat."""
        if not self.cycles or self.cycles[-1].closed is not None:
            self.cycles.append(TrueCycle(at))
        return self.cycles[-1]

    def _latest(self, at: int) -> TrueCycle:
        if not self.cycles:
            self.cycles.append(TrueCycle(at))
        return self.cycles[-1]

    def _take(self, units: int, cycle: TrueCycle) -> list[_Lot]:
        """Take units from all lots in proportion, and return what was taken. Units that
        are not there came in unseen.
        """
        missing = units + self.in_orders - self.units
        if missing > 0:
            cycle.has_missing_units = True
            self._add_uncosted(missing, cycle)
        share = units / self.units
        taken = [
            _Lot(lot.cycle, lot.units * share, lot.cost * share) for lot in self._lots
        ]
        for lot, part in zip(self._lots, taken, strict=True):
            lot.units -= part.units
            lot.cost -= part.cost
        self._lots = [lot for lot in self._lots if lot.units]
        return taken

    def _add_uncosted(self, units: Fraction, cycle: TrueCycle) -> None:
        if units:
            cycle.acquired += units
            cycle.uncosted += units
            self._lots.append(_Lot(None, units, ZERO))

    def _end(self, cycle: TrueCycle, at: int) -> None:
        """Close the cycle if at most 1 % of its peak is left."""
        cycle.peak = max(cycle.peak, self.units)
        if cycle.closed is None and self.units <= FLAT_SHARE * cycle.peak:
            cycle.closed = at

"""What a wallet and someone who follows it hold of one token, what they paid for it and
what they got.

Units bought and units that came by transfer are two heaps; whatever leaves takes the
same part of both, and only the first counts. What was sent away never comes back.
Results are fractions of what was paid: -1 is all of it, +1 doubles it.
"""

from dataclasses import dataclass

from simmarket.chain.programs import LAMPORTS_PER_SOL
from simmarket.chain.world import Movement

STAKE_LAMPORTS = LAMPORTS_PER_SOL // 2
COST_LAMPORTS = LAMPORTS_PER_SOL // 500  # of one transaction
FEE = 0.01
MIN_ADD = 0.1  # a smaller part of the first buy is not followed
_LEFT_OVER = 0.001  # of the units bought: less is nothing


@dataclass(frozen=True, slots=True)
class Result:
    """Lamports that one wallet put into a token, got out of it, and what the rest would
    bring at the world's end.
    """

    paid: float
    got: float
    held: float

    @property
    def gain(self) -> float:
        """The result as a fraction of what was paid."""
        return (self.got + self.held) / self.paid - 1

    @property
    def realised(self) -> float:
        """The same without the rest."""
        return self.got / self.paid - 1


@dataclass(frozen=True, slots=True)
class Reserves:
    """Quote and base units of a pool."""

    quote: int
    base: int

    def bought(self, lamports: float) -> float:
        """Return the units that so many lamports buy."""
        net = lamports * (1 - FEE)
        return self.base * net / (self.quote + net)

    def sold(self, units: float) -> float:
        """Return the lamports that units bring."""
        return self.quote * units / (self.base + units) * (1 - FEE)


@dataclass(slots=True)
class FollowerPurse:
    """Someone who does what a wallet does, with its own stake."""

    units: float = 0.0
    paid: float = 0.0
    got: float = 0.0
    first_value: int = 0

    def buy(self, value: int, reserves: Reserves, *, leader_was_flat: bool) -> None:
        """Follow a buy of `value` lamports."""
        if leader_was_flat or not self.units:
            self.first_value = value
        share = min(1.0, value / self.first_value)
        if share < MIN_ADD:
            return
        lamports = STAKE_LAMPORTS * share
        self.units += reserves.bought(lamports)
        self.paid += lamports + COST_LAMPORTS

    def sell(self, part: float, reserves: Reserves) -> None:
        """Follow a sale of a part of what the wallet held."""
        if self.units:
            units = self.units * part
            self.got += max(0.0, reserves.sold(units) - COST_LAMPORTS)
            self.units -= units

    def lose(self, part: float) -> None:
        """Follow a transfer to another wallet: what leaves is lost."""
        self.units *= 1 - part

    def result(self, lamports_per_unit: float) -> Result:
        """Return the result with the value of the rest at the end."""
        held = 0.0
        if self.units:
            held = max(0.0, lamports_per_unit * self.units - COST_LAMPORTS)
        return Result(self.paid, self.got, held)


@dataclass(slots=True)
class LeaderPurse:
    """The units of a wallet in two heaps, and its lamports.

    held: all units, exactly: the heaps are rounded, and a rest of a rounding error would
    look like a holding.
    """

    held: int = 0
    bought: float = 0.0
    free: float = 0.0
    all_bought: float = 0.0
    paid: float = 0.0
    got: float = 0.0

    def part_of(self, movement: Movement) -> float:
        """Return which part of the units leaves with a movement, at most all."""
        return min(1.0, movement.units / self.held)

    def receive(self, movement: Movement) -> None:
        """Take in units that came free."""
        self.held += movement.units
        self.free += movement.units

    def buy(self, movement: Movement) -> None:
        """Take in what was bought; the fees of the transaction are part of its cost."""
        self.held += movement.units
        self.paid += movement.quote_units + movement.fees_lamports
        self.bought += movement.units
        self.all_bought += movement.units

    def sell(self, movement: Movement) -> None:
        """Give away what was sold; units that were not bought bring nothing here."""
        net = movement.quote_units - movement.fees_lamports
        part_seen = min(1.0, self.held / movement.units)
        self.got += net * part_seen * self.bought / self.held
        self.leave(movement)

    def leave(self, movement: Movement) -> None:
        """Take the same part off both heaps."""
        part = self.part_of(movement)
        self.held -= min(self.held, movement.units)
        self.bought *= 1 - part
        self.free *= 1 - part

    def result(self, held_lamports: float) -> Result:
        """Return the result with the value of all units that are left."""
        held = 0.0
        if self.held > _LEFT_OVER * self.all_bought:
            held = held_lamports * self.bought / self.held
        return Result(self.paid, self.got, held)

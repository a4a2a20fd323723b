"""What a trader of world `traders` does in one token: the trades of each habit, planned
on the token's life.
"""

from dataclasses import dataclass
from typing import NamedTuple

from simmarket.chain.builder import Moment
from simmarket.chain.world import BUY
from simmarket.worlds.actors import SOL
from simmarket.worlds.behaviours import Behaviours
from simmarket.worlds.traders_tokens import Stage, lift_for, plan_pulls, pull

_WASH_ROUNDS = 8
_DIP = 0.86  # of the reserve that stays when others take profit, too


class Sale(NamedTuple):
    """A share of what is held, sold at a moment."""

    offset_seconds: int
    share: float


@dataclass(slots=True, frozen=True)
class Trip:
    """One trader's way through a token: a buy and the sales after it."""

    stage: Stage
    buy_offset_seconds: int
    sales: tuple[Sale, ...]


class TraderPlans(Behaviours):
    """Plans the trades of one token's traders."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.scenario, stage.life.phases)
        self.stage = stage
        self.life = stage.life

    # Parts of trips.

    def ride(self, wallet: int, first: float, last: float) -> Trip:
        """Buys on the way up, between two fractions of the rise, and sells while the
        price is high, in one or two clips.
        """
        buy_offset = self._in_the_rise(first, last)
        sale_offset = self._between(self.phases.good)
        sales = [Sale(sale_offset, 1.0)]
        if self.rng.random() < 0.4:
            earlier = self.rng.randint(self.phases.good[0], sale_offset)
            sales.insert(0, Sale(earlier, self.rng.uniform(0.3, 0.6)))
        return self._take(wallet, Trip(self.stage, buy_offset, tuple(sales)))

    def stumble(self, wallet: int, first: float, last: float) -> Trip:
        """Buys while the price is high and sells between two fractions of the fall."""
        sale_offset = self._in_the_fall(first, last)
        sales = (Sale(sale_offset, 1.0),)
        return self._take(wallet, Trip(self.stage, self._while_high(), sales))

    def hold(self, wallet: int) -> Trip:
        """Buys while the price is high and never sells."""
        return self._take(wallet, Trip(self.stage, self._while_high(), ()))

    def follow(self, wallet: int, trip: Trip) -> None:
        """Does what another wallet did, half a minute after it."""
        offset = trip.buy_offset_seconds + self.rng.randint(22, 40)
        self._buy(wallet, offset, 0.3, 0.9)
        for sale in trip.sales:
            sale_offset = sale.offset_seconds + self.rng.randint(22, 45)
            self._sell(wallet, sale_offset, sale.share)

    def attract(self, trip: Trip) -> None:
        """Let others buy twenty seconds after a trip's buy and sell twenty seconds
        after each of its sales: a follower who is later than that pays more and
        gets less.
        """
        for delay_seconds in (17, 32, 47):
            offset = trip.buy_offset_seconds + delay_seconds
            self._plan_push(offset + self.rng.randint(0, 4))
        for sale in trip.sales:
            self._plan_dip(sale.offset_seconds + self.rng.randint(17, 21))
            plan_pulls(self.scenario, [sale.offset_seconds + 110])

    # Whole habits.

    def scalp(self, wallet: int) -> None:
        """Buys while the price is high and sells as soon as one to five per cent are
        gained.
        """
        offset = self._while_high()
        gain = self.rng.uniform(0.01, 0.05)
        lamports = int(self.rng.uniform(0.4, 0.8) * SOL)
        wait_seconds = self.rng.randint(60, 240)
        timeline = self.scenario.timeline

        def take_profit(paid: int, when: Moment) -> None:
            lift_for(self.scenario, wallet, int(paid * (1 + gain)), when)
            self.scenario.sell(wallet, 1, when)

        def enter(when: Moment) -> None:
            self.scenario.buy(wallet, lamports, when)
            bought = self.scenario.builder.world.movements[-1]
            if bought.kind == BUY and bought.wallet == wallet:
                paid = bought.quote_units + 2 * bought.fees_lamports
                due = when.offset_seconds + wait_seconds
                timeline.at(due, lambda later: take_profit(paid, later))

        timeline.at(offset, enter)

    def snap(self, wallet: int) -> None:
        """Buys in the slot of the launch or the next one, sells to those who came
        within the next seconds.
        """
        self._buy(wallet, self.life.launch, 0.6, 1.2, step=self.rng.randint(0, 1))
        self._sell(wallet, self.rng.randint(self.life.top + 4, self.life.fade - 2), 1)

    def spray(self, wallet: int) -> None:
        """Buys a little within seconds of the launch and sells within the minute."""
        delay = self.rng.randint(3, 6)
        if self.life.top - self.life.launch < 60:
            delay = self.rng.randint(6, 12)
        self._buy(wallet, self.life.launch + delay, 0.05, 0.12)
        self._sell(wallet, self.life.launch + self.rng.randint(38, 58), 1)

    def wash(self, wallet: int) -> None:
        """Buys and sells the same again and again while nothing moves."""
        offset = self._while_high()
        for _ in range(_WASH_ROUNDS):
            self._buy(wallet, offset, 0.5, 0.6)
            self._sell(wallet, offset + self.rng.randint(8, 16), 1)
            offset += self.rng.randint(30, 50)

    def move_away(self, wallet: int, second_wallet: int) -> None:
        """Buys while the price is high; sends all of it to a second wallet while it
        falls, which sells there or never.
        """
        self._buy(wallet, self._while_high(), 0.4, 1.0)
        transfer_offset = self._in_the_fall(0.15, 0.45)
        self._transfer(wallet, second_wallet, transfer_offset, 1)
        if self.rng.random() < 0.5:
            self._sell(second_wallet, transfer_offset + self.rng.randint(60, 300), 1)

    def be_found(self, wallet: int) -> None:
        """Buys a token of the run in its first half hour and sells when it has risen
        much further.
        """
        self._buy(wallet, self._early(70, 1500), 0.3, 0.9)
        first, last = self.phases.good
        self._sell(wallet, self.rng.randint(first, last), self.rng.choice((0.6, 1)))
        self._sell(wallet, last + self.rng.randint(60, 600), 1)

    def be_found_first(self, wallet: int) -> None:
        """The same, bought in the first slots after the launch."""
        self._buy(wallet, self.life.launch, 0.3, 0.9, step=1)
        self._sell(wallet, self._between(self.phases.good), 1)

    # Moments and prices.

    def _take(self, wallet: int, trip: Trip) -> Trip:
        self._buy(wallet, trip.buy_offset_seconds, 0.3, 0.9)
        for sale in trip.sales:
            self._sell(wallet, sale.offset_seconds, sale.share)
        return trip

    def _in_the_rise(self, first: float, last: float) -> int:
        share = self.rng.uniform(first, last)
        return self.life.launch + round(share * (self.life.top - self.life.launch))

    def _while_high(self) -> int:
        """Return a moment of the high time that leaves some minutes of it."""
        first, last = self.phases.good
        return self.rng.randint(first, last - 10 * 60)

    def _in_the_fall(self, first: float, last: float) -> int:
        share = self.rng.uniform(first, last)
        return self.life.fade + round(share * (self.life.down - self.life.fade))

    def _plan_push(self, offset_seconds: int) -> None:
        buyer = self.rng.choice(self.scenario.actors.groups["crowd"])
        self._buy(buyer, offset_seconds, 2.5, 4.0)

    def _plan_dip(self, offset_seconds: int) -> None:
        def action(when: Moment) -> None:
            pull(self.scenario, int(self.scenario.reserve() * _DIP), when)

        self.scenario.timeline.at(offset_seconds, action)

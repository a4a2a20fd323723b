"""What each group of wallets does in a token's first half hour and after it."""

from collections.abc import Callable
from dataclasses import dataclass

from simmarket.chain.builder import Moment
from simmarket.worlds.actors import SOL
from simmarket.worlds.expected_results import LUCKY_ONCE, SKILLED
from simmarket.worlds.scenario import Stage

HOUR = 3600


@dataclass(slots=True, frozen=True)
class Times:
    """When a token's story turns, in offset seconds: launch, when early buyers would sell well, and badly."""

    launch: int
    good: tuple[int, int]
    bad: tuple[int, int]


class Habits:
    """Plans the early actors of one stage."""

    def __init__(self, stage: Stage, times: Times) -> None:
        self.stage = stage
        self.times = times
        self.rng = stage.builder.random
        self.friends = iter(stage.cast.next("crowd", 12))

    def plan(self, counts: dict[str, int]) -> None:
        """Plan so many wallets of each group."""
        scripts: dict[str, Callable[[int], None]] = {
            SKILLED: self.skilled,
            LUCKY_ONCE: self.lucky,
            "sniper": self.sniper,
            "bot user": self.ordinary,
            "tipper": self.ordinary,
            "crowd": self.ordinary,
            "bag holder": self.bag_holder,
            "transfer in": self.transfer_in,
            "receiver": self.receiver,
            "transfer-out loser": self.transfer_out,
            "same slot twice": self.same_slot,
            "returner": self.returner,
            "clip seller": self.clip_seller,
            "overseller": self.overseller,
        }
        for group, count in counts.items():
            for wallet in self.stage.cast.next(group, count):
                scripts[group](wallet)

    def skilled(self, wallet: int) -> None:
        """Buys in the first minutes, sells in clips while it is good."""
        self._buy(wallet, self._early(40, 500), 1.0, 3.0)
        for nth in range(self.rng.randint(2, 4)):
            self._sell(wallet, self._between(self.times.good), 0.45 if nth else 0.35)
        self._sell(wallet, self.times.good[1] + self.rng.randint(1, 400), 0.9)

    def lucky(self, wallet: int) -> None:
        """Does well in tokens that go well; the plan lets it meet only one of these."""
        self._buy(wallet, self._early(60, 900), 0.8, 2.0)
        when = self.times.good if self.stage.token.kind == "pump" else self.times.bad
        self._sell(wallet, self._between(when), 1)

    def sniper(self, wallet: int) -> None:
        """In the launch slot or the next one; out within minutes."""
        late = self.rng.randint(0, 2)
        self._buy(wallet, self.times.launch + late // 2, 0.5, 1.6, step=late % 2)
        self._sell(wallet, self.times.launch + self.rng.randint(50, 240), 0.6)
        self._sell(wallet, self.times.launch + self.rng.randint(241, 500), 1)

    def ordinary(self, wallet: int) -> None:
        """Buys early, perhaps twice, sells some of it some time."""
        self._buy(wallet, self._early(20, 1790), 0.2, 1.5)
        if self.rng.random() < 0.3:
            self._buy(wallet, self._early(600, 5000), 0.2, 0.8)
        if self.rng.random() < 0.7:
            span = self.times.good if self.rng.random() < 0.5 else self.times.bad
            self._sell(wallet, self._between(span), self.rng.choice((0.3, 0.5, 1, 1)))

    def bag_holder(self, wallet: int) -> None:
        """Buys and keeps."""
        self._buy(wallet, self._early(30, 1700), 0.2, 1.2)
        if self.rng.random() < 0.4:
            self._buy(wallet, self._early(900, 7200), 0.2, 0.6)

    def transfer_in(self, wallet: int) -> None:
        """Receives units first, buys after that: no early buyer."""
        self._gift(wallet, 200, 700, 0.4)
        self._buy(wallet, self._early(900, 1600), 0.4, 1.2)
        self._sell(wallet, self._between(self.times.good), 1)

    def receiver(self, wallet: int) -> None:
        """Only ever receives and sells."""
        self._gift(wallet, 200, 1500, 0.5)
        self._sell(wallet, self._between(self.times.good), self.rng.choice((0.5, 1)))

    def transfer_out(self, wallet: int) -> None:
        """Sends its bag to its second wallet, which sells it."""
        groups = self.stage.cast.groups
        second = groups["second wallet"][groups["transfer-out loser"].index(wallet)]
        self._buy(wallet, self._early(60, 1500), 0.6, 1.8)
        moved = self._between(self.times.good)
        if self.rng.random() < 0.5:
            self._sell(wallet, moved - 60, 0.2)
        self.stage.agenda.at(moved, lambda when: self.stage.give(wallet, second, 1, when))
        self._sell(second, max(moved + 300, self._between(self.times.bad)), 1)

    def same_slot(self, wallet: int) -> None:
        """Buys twice in one slot."""
        moment = self._early(30, 900)
        self._buy(wallet, moment, 0.3, 0.9, step=1)
        self._buy(wallet, moment, 0.3, 0.9, step=1)
        self._sell(wallet, self._between(self.times.good), 0.7)

    def returner(self, wallet: int) -> None:
        """Flat inside the window, back hours later."""
        self._buy(wallet, self._early(40, 400), 0.4, 1.5)
        self._sell(wallet, self._early(600, 1500), 1)
        back = self.times.launch + self.rng.randint(1 * HOUR, 2 * HOUR)
        self._buy(wallet, back, 0.5, 1.5)
        self._sell(wallet, max(back + 600, self._between(self.times.good)), self.rng.choice((0.5, 1)))

    def clip_seller(self, wallet: int) -> None:
        """Sells the same bag in many clips."""
        self._buy(wallet, self._early(60, 1200), 0.6, 2.0)
        for _ in range(5):
            self._sell(wallet, self._between(self.times.good), 0.35)

    def overseller(self, wallet: int) -> None:
        """Buys early, receives more, sells everything: more than it bought."""
        self._buy(wallet, self._early(60, 600), 0.3, 1.0)
        self._gift(wallet, 900, 1700, 0.6)
        self._sell(wallet, self._between(self.times.good), 0.6)
        self._sell(wallet, self.times.good[1] + 60, 1)

    def _early(self, first: int, last: int) -> int:
        return self.times.launch + self.rng.randint(first, last)

    def _between(self, span: tuple[int, int]) -> int:
        return self.rng.randint(span[0], max(span[0], span[1]))

    def _buy(self, wallet: int, offset: int, least: float, most: float, step: int = 0) -> None:
        lamports = int(self.rng.uniform(least, most) * SOL)

        def action(when: Moment) -> None:
            self.stage.buy(wallet, lamports, when)

        self.stage.agenda.at(offset, action, step)

    def _sell(self, wallet: int, offset: int, share: float) -> None:
        self.stage.agenda.at(offset, lambda when: self.stage.sell(wallet, share, when))

    def _gift(self, wallet: int, first: int, last: int, share: float) -> None:
        """A friend of the crowd buys, then sends part of it."""
        friend = next(self.friends)
        self._buy(friend, self._early(20, first - 20), 0.8, 2.0)
        self.stage.agenda.at(self._early(first, last), lambda when: self.stage.give(friend, wallet, share, when))

"""The trades of each group of wallets in a token's first half hour and after it."""

from collections.abc import Callable
from dataclasses import dataclass

from simmarket.chain.builder import Moment
from simmarket.worlds.actors import SOL
from simmarket.worlds.expected_results import LUCKY_ONCE, SKILLED
from simmarket.worlds.scenario import Scenario

HOUR = 3600
Span = tuple[int, int]


@dataclass(slots=True, frozen=True)
class Phases:
    """The launch of a token and the periods in which early buyers sell well and badly,
    in offset seconds.
    """

    launch: int
    good: Span
    bad: Span


class Behaviours:
    """Plans the trades of the early buyers of one scenario."""

    def __init__(self, scenario: Scenario, phases: Phases) -> None:
        self.scenario = scenario
        self.phases = phases
        self.rng = scenario.builder.random
        self.friends = iter(scenario.actors.next("crowd", 12))

    def plan(self, counts: dict[str, int]) -> None:
        """Plan the trades of so many wallets of each group."""
        planners: dict[str, Callable[[int], None]] = {
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
            for wallet in self.scenario.actors.next(group, count):
                planners[group](wallet)

    def skilled(self, wallet: int) -> None:
        """Buys in the first minutes, sells in clips in the good period."""
        self._buy(wallet, self._early(40, 500), 1.0, 3.0)
        for index in range(self.rng.randint(2, 4)):
            self._sell(wallet, self._between(self.phases.good), 0.45 if index else 0.35)
        self._sell(wallet, self.phases.good[1] + self.rng.randint(1, 400), 0.9)

    def lucky(self, wallet: int) -> None:
        """Does well in tokens that do well; the plan gives it only one of these."""
        self._buy(wallet, self._early(60, 900), 0.8, 2.0)
        span = (
            self.phases.good if self.scenario.token.kind == "pump" else self.phases.bad
        )
        self._sell(wallet, self._between(span), 1)

    def sniper(self, wallet: int) -> None:
        """Buys in the launch slot or the next one, sells within minutes."""
        delay_slots = self.rng.randint(0, 2)
        self._buy(
            wallet,
            self.phases.launch + delay_slots // 2,
            0.5,
            1.6,
            step=delay_slots % 2,
        )
        self._sell(wallet, self.phases.launch + self.rng.randint(50, 240), 0.6)
        self._sell(wallet, self.phases.launch + self.rng.randint(241, 500), 1)

    def ordinary(self, wallet: int) -> None:
        """Buys early, sometimes twice, and usually sells some of it later."""
        self._buy(wallet, self._early(20, 1790), 0.2, 1.5)
        if self.rng.random() < 0.3:
            self._buy(wallet, self._early(600, 5000), 0.2, 0.8)
        if self.rng.random() < 0.7:
            span = self.phases.good if self.rng.random() < 0.5 else self.phases.bad
            self._sell(wallet, self._between(span), self.rng.choice((0.3, 0.5, 1, 1)))

    def bag_holder(self, wallet: int) -> None:
        """Buys and never sells."""
        self._buy(wallet, self._early(30, 1700), 0.2, 1.2)
        if self.rng.random() < 0.4:
            self._buy(wallet, self._early(900, 7200), 0.2, 0.6)

    def transfer_in(self, wallet: int) -> None:
        """Receives units first and buys later: not an early buyer."""
        self._receive(wallet, 200, 700, 0.4)
        self._buy(wallet, self._early(900, 1600), 0.4, 1.2)
        self._sell(wallet, self._between(self.phases.good), 1)

    def receiver(self, wallet: int) -> None:
        """Only receives and sells."""
        self._receive(wallet, 200, 1500, 0.5)
        self._sell(wallet, self._between(self.phases.good), self.rng.choice((0.5, 1)))

    def transfer_out(self, wallet: int) -> None:
        """Sends its holdings to its second wallet, which sells them."""
        groups = self.scenario.actors.groups
        second_wallet = groups["second wallet"][
            groups["transfer-out loser"].index(wallet)
        ]
        self._buy(wallet, self._early(60, 1500), 0.6, 1.8)
        transfer_offset = self._between(self.phases.good)
        if self.rng.random() < 0.5:
            self._sell(wallet, transfer_offset - 60, 0.2)
        self._transfer(wallet, second_wallet, transfer_offset, 1)
        self._sell(
            second_wallet, max(transfer_offset + 300, self._between(self.phases.bad)), 1
        )

    def same_slot(self, wallet: int) -> None:
        """Buys twice in one slot."""
        offset = self._early(30, 900)
        self._buy(wallet, offset, 0.3, 0.9, step=1)
        self._buy(wallet, offset, 0.3, 0.9, step=1)
        self._sell(wallet, self._between(self.phases.good), 0.7)

    def returner(self, wallet: int) -> None:
        """Sells everything inside the early window and returns hours later."""
        self._buy(wallet, self._early(40, 400), 0.4, 1.5)
        self._sell(wallet, self._early(600, 1500), 1)
        return_offset = self.phases.launch + self.rng.randint(1 * HOUR, 2 * HOUR)
        self._buy(wallet, return_offset, 0.5, 1.5)
        exit_offset = max(return_offset + 600, self._between(self.phases.good))
        self._sell(wallet, exit_offset, self.rng.choice((0.5, 1)))

    def clip_seller(self, wallet: int) -> None:
        """Sells the same holdings in many clips."""
        self._buy(wallet, self._early(60, 1200), 0.6, 2.0)
        for _ in range(5):
            self._sell(wallet, self._between(self.phases.good), 0.35)

    def overseller(self, wallet: int) -> None:
        """Buys early, receives more, sells everything: more than it bought."""
        self._buy(wallet, self._early(60, 600), 0.3, 1.0)
        self._receive(wallet, 900, 1700, 0.6)
        self._sell(wallet, self._between(self.phases.good), 0.6)
        self._sell(wallet, self.phases.good[1] + 60, 1)

    def _early(self, min_seconds: int, max_seconds: int) -> int:
        """Return a random offset so many seconds after the launch."""
        return self.phases.launch + self.rng.randint(min_seconds, max_seconds)

    def _between(self, span: Span) -> int:
        return self.rng.randint(span[0], max(span[0], span[1]))

    def _buy(
        self,
        wallet: int,
        offset_seconds: int,
        min_sol: float,
        max_sol: float,
        *,
        step: int = 0,
    ) -> None:
        lamports = int(self.rng.uniform(min_sol, max_sol) * SOL)

        def action(when: Moment) -> None:
            self.scenario.buy(wallet, lamports, when)

        self.scenario.timeline.at(offset_seconds, action, step)

    def _sell(self, wallet: int, offset_seconds: int, share: float) -> None:
        def action(when: Moment) -> None:
            self.scenario.sell(wallet, share, when)

        self.scenario.timeline.at(offset_seconds, action)

    def _transfer(
        self, source: int, target: int, offset_seconds: int, share: float
    ) -> None:
        def action(when: Moment) -> None:
            self.scenario.transfer(source, target, share, when)

        self.scenario.timeline.at(offset_seconds, action)

    def _receive(
        self, wallet: int, min_seconds: int, max_seconds: int, share: float
    ) -> None:
        """A friend from the crowd buys, then sends part of it."""
        friend = next(self.friends)
        self._buy(friend, self._early(20, min_seconds - 20), 0.8, 2.0)
        self._transfer(friend, wallet, self._early(min_seconds, max_seconds), share)

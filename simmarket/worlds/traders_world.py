"""World `traders`: independent traders of ten habits, each with a record of weeks in
tokens that are dead now, and a token of the last hours in which a run finds it.

What each habit is worth to its traders and to those who follow them is computed in
`expected_followers`.
"""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from simmarket.chain import programs
from simmarket.chain.builder import Builder
from simmarket.chain.world import World
from simmarket.worlds.actors import SOL, Actors, create_wallet
from simmarket.worlds.expected_results import SKILLED
from simmarket.worlds.timeline import Timeline
from simmarket.worlds.traders_habits import TraderPlans, Trip
from simmarket.worlds.traders_tokens import Stages, create_stages

BAG_HOLDER = "bag holder"
PENNY_SCALPER = "penny scalper"
PAYOFF = "payoff trader"
INSIDER = "insider"
COPIER = "copier"
SPRAY_BOT = "spray bot"
WASHER = "washer"
MOVER = "mover"
LUCKY = "lucky"
SECOND_WALLET = "second wallet"

_OLDEST_OFFSET_SECONDS = -91 * 86_400
_CROWD, _CREATORS = 140, 20


class Record(NamedTuple):
    """How many tokens of the past each trader of a habit takes part in, and in how many
    of them it wins; every second one wins `more_wins` more.
    """

    wallets: int
    tokens: int
    wins: int = 0
    more_wins: int = 0


RECORDS = {
    SKILLED: Record(wallets=6, tokens=15, wins=11),
    PAYOFF: Record(wallets=6, tokens=18, wins=5, more_wins=1),
    BAG_HOLDER: Record(wallets=6, tokens=14, wins=5),
    PENNY_SCALPER: Record(wallets=6, tokens=26, wins=22),
    INSIDER: Record(wallets=6, tokens=14),
    COPIER: Record(wallets=6, tokens=15),
    SPRAY_BOT: Record(wallets=5, tokens=38),
    WASHER: Record(wallets=4, tokens=9),
    MOVER: Record(wallets=5, tokens=12, wins=4),
    LUCKY: Record(wallets=8, tokens=20, wins=1, more_wins=1),
}
HABITS = tuple(RECORDS)
"""The habits of this world, in the order in which their traders are planned."""


def build(seed: int) -> World:
    """Return the world of a seed."""
    builder = Builder("traders", seed, _OLDEST_OFFSET_SECONDS)
    for recipient in programs.FEE_RECIPIENTS:
        account = builder.accounts.add(recipient)
        builder.ledger.open_before(account, builder.ledger.native, 50 * SOL)
    actors = _create_actors(builder)
    timeline = Timeline(builder)
    sponsor = builder.new_wallet(500 * SOL)
    stages = create_stages(builder, timeline, actors, sponsor)
    _Planner(builder.random, actors, stages).plan()
    timeline.run()
    builder.world.index()
    return builder.world


def _create_actors(builder: Builder) -> Actors:
    sizes = {"crowd": _CROWD, "creator": _CREATORS}
    for habit, record in RECORDS.items():
        sizes[habit] = record.wallets
    sizes[SECOND_WALLET] = RECORDS[MOVER].wallets
    actors = Actors()
    for group, size in sizes.items():
        actors.groups[group] = [
            create_wallet(builder, actors, group, index) for index in range(size)
        ]
    return actors


class _Planner:
    """Plans every trader's tokens."""

    def __init__(self, rng: Random, actors: Actors, stages: Stages) -> None:
        self.rng = rng
        self.groups = actors.groups
        self.runners = [TraderPlans(stage) for stage in stages.runners]
        self.snapped = [TraderPlans(stage) for stage in stages.snapped]
        self.pumped = [TraderPlans(stage) for stage in stages.pumped]

    def plan(self) -> None:
        """Plan the past of all traders, then the tokens in which they are found."""
        self._plan_skilled_and_copiers()
        self._plan_wins_and_losses(PAYOFF, self._payoff_win, self._payoff_loss)
        self._plan_wins_and_losses(BAG_HOLDER, self._small_win, self._bag)
        self._plan_wins_and_losses(PENNY_SCALPER, self._scalp, self._scalper_loss)
        self._plan_wins_and_losses(MOVER, self._small_win, self._move_away)
        self._plan_wins_and_losses(LUCKY, self._lucky_win, self._at_random)
        self._plan_all(INSIDER, self.snapped, TraderPlans.snap)
        self._plan_all(WASHER, self.runners, TraderPlans.wash)
        self._plan_all(SPRAY_BOT, self.runners + self.snapped, TraderPlans.spray)
        for habit in HABITS:
            for index, wallet in enumerate(self.groups[habit]):
                self._plan_find(habit, wallet, index)

    def _plan_skilled_and_copiers(self) -> None:
        """Each copier has one skilled trader whom it follows into most tokens."""
        record, copier_record = RECORDS[SKILLED], RECORDS[COPIER]
        pairs = zip(self.groups[SKILLED], self.groups[COPIER], strict=True)
        for skilled, copier in pairs:
            trips: list[Trip] = []
            chosen = self.rng.sample(self.runners, record.tokens)
            for index, plans in enumerate(chosen):
                trip = self._skilled_trip(plans, skilled, wins=index < record.wins)
                plans.attract(trip)
                trips.append(trip)
            followed = self.rng.sample(range(record.tokens), copier_record.tokens)
            for index in sorted(followed):
                chosen[index].follow(copier, trips[index])

    def _plan_wins_and_losses(
        self,
        habit: str,
        win: Callable[[TraderPlans, int], None],
        lose: Callable[[TraderPlans, int], None],
    ) -> None:
        record = RECORDS[habit]
        for index, wallet in enumerate(self.groups[habit]):
            wins = record.wins + record.more_wins * (index % 2)
            chosen = self.rng.sample(self.runners, record.tokens)
            for plans in chosen[:wins]:
                win(plans, wallet)
            for plans in chosen[wins:]:
                lose(plans, wallet)

    def _plan_all(
        self,
        habit: str,
        tokens: list[TraderPlans],
        trade: Callable[[TraderPlans, int], None],
    ) -> None:
        for wallet in self.groups[habit]:
            for plans in self.rng.sample(tokens, RECORDS[habit].tokens):
                trade(plans, wallet)

    def _plan_find(self, habit: str, wallet: int, index: int) -> None:
        """Every second trader of a habit has two tokens of the run, the others one."""
        for plans in self.rng.sample(self.pumped, 1 + index % 2):
            if habit == INSIDER:
                plans.be_found_first(wallet)
            else:
                plans.be_found(wallet)

    @staticmethod
    def _skilled_trip(plans: TraderPlans, wallet: int, *, wins: bool) -> Trip:
        if wins:
            return plans.ride(wallet, 0.55, 0.82)
        return plans.stumble(wallet, 0.08, 0.2)

    @staticmethod
    def _payoff_win(plans: TraderPlans, wallet: int) -> None:
        plans.ride(wallet, 0.15, 0.35)

    @staticmethod
    def _payoff_loss(plans: TraderPlans, wallet: int) -> None:
        plans.stumble(wallet, 0.15, 0.5)

    @staticmethod
    def _lucky_win(plans: TraderPlans, wallet: int) -> None:
        plans.ride(wallet, 0.25, 0.45)

    @staticmethod
    def _small_win(plans: TraderPlans, wallet: int) -> None:
        plans.ride(wallet, 0.5, 0.72)

    @staticmethod
    def _bag(plans: TraderPlans, wallet: int) -> None:
        plans.hold(wallet)

    @staticmethod
    def _scalp(plans: TraderPlans, wallet: int) -> None:
        plans.scalp(wallet)

    @staticmethod
    def _scalper_loss(plans: TraderPlans, wallet: int) -> None:
        plans.stumble(wallet, 0.14, 0.28)

    def _move_away(self, plans: TraderPlans, wallet: int) -> None:
        index = self.groups[MOVER].index(wallet)
        plans.move_away(wallet, self.groups[SECOND_WALLET][index])

    def _at_random(self, plans: TraderPlans, wallet: int) -> None:
        """What chance makes of a buy: mostly a loss, sometimes a little gain."""
        if self.rng.random() < 0.12:
            plans.ride(wallet, 0.75, 0.95)
        else:
            plans.stumble(wallet, 0.25, 0.85)

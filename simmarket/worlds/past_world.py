"""The past of world `small`: tokens that ran and died weeks ago, where wallets earned or lost a record.

Everything here is over before the present begins, and has its own chance: the present is the same with or without it.
"""

from dataclasses import dataclass
from random import Random

from simmarket.chain.builder import Builder, Moment
from simmarket.worlds.actors import SOL, Cast, join
from simmarket.worlds.behaviours import HOUR, Habits, Times
from simmarket.worlds.expected_results import LUCKY_ONCE, SKILLED
from simmarket.worlds.scenario import Agenda, Stage
from simmarket.worlds.scripts import PAST, Plot, open_stage, plan_creation

MINUTE = 60
_FALL = 20 * MINUTE
_CREATORS = 6
_OTHERS = {
    "sniper": 1,
    "bot user": 1,
    "crowd": 2,
    "bag holder": 2,
    "transfer-out loser": 1,
    "clip seller": 1,
}
# (tokens, losses) of each skilled wallet, and (tokens, quick flips) of each lucky one, whose other tokens are losses
_SKILLED_RECORDS = (
    (13, 3), (12, 2), (12, 3), (11, 2), (11, 3), (11, 2), (9, 2), (9, 2), (8, 2), (7, 1), (7, 1), (6, 1), (6, 1),
    (6, 1),
)  # fmt: skip
_LUCKY_RECORDS = ((7, 0), (7, 1), (7, 1), (8, 1), (7, 0), (7, 1), (7, 0), (7, 1), (7, 0), (7, 0), (8, 1), (7, 0))


@dataclass(slots=True, frozen=True)
class Story:
    """A short life: minutes up, minutes at the top, twenty minutes down, then hours of nothing much."""

    symbol: str
    days: float  # launch, before the world's end
    rise: int  # minutes from the launch to the top
    top: float  # SOL in the curve there; one that migrates goes on in its pool
    hold: int  # minutes at the top
    rest: float  # SOL that stay for good
    hours: float  # from the launch to the last trade
    modern: bool = False
    usdc: bool = False
    migrates: bool = False


# fmt: off
STORIES = (
    Story("DUSTY", 38.6, 18, 34, 60, 3, 26),
    Story("OLDHAT", 36.9, 22, 52, 90, 4, 30, modern=True),
    Story("BYGONE", 35.1, 16, 27, 45, 2.5, 22),
    Story("YORE", 33.4, 24, 60, 120, 5, 40),
    Story("FOSSIL", 31.5, 20, 86, 100, 21, 44, migrates=True),
    Story("RELIC", 29.8, 18, 30, 50, 3, 24, modern=True),
    Story("ERSTWHILE", 28.2, 21, 44, 80, 3.5, 28),
    Story("LASTYEAR", 26.3, 17, 38, 70, 3, 26, usdc=True),
    Story("MAMMOTH", 24.7, 25, 64, 140, 5, 46, modern=True),
    Story("DODO", 22.9, 16, 25, 40, 2.5, 20),
    Story("PASSE", 21.2, 20, 48, 90, 4, 36),
    Story("QUAGGA", 19.4, 22, 86, 110, 22, 40, modern=True, migrates=True),
    Story("RETRO", 17.7, 19, 36, 60, 3, 24),
    Story("STALE", 15.9, 18, 29, 55, 3, 22),
    Story("AUROCHS", 14.3, 23, 56, 110, 4.5, 38, modern=True),
    Story("FADED", 12.6, 17, 33, 65, 3, 24),
    Story("THYLACINE", 10.9, 21, 46, 85, 4, 28),
    Story("LASTWEEK", 9.4, 19, 40, 70, 3.5, 20, modern=True),
)
# fmt: on


def play(builder: Builder, cast: Cast) -> None:
    """Put the whole past on the chain; to be called when the present is planned and has not begun."""
    present, builder.random = builder.random, Random(f"{builder.world.name}/{builder.world.seed}/past")
    agenda = Agenda(builder)
    sponsor = builder.new_wallet(100 * SOL)
    creators = [join(builder, cast, "creator", nth) for nth in range(_CREATORS)]
    parts: dict[str, PastHabits] = {}
    for nth, story in enumerate(STORIES):
        plot = _plot(story)
        stage = open_stage(builder, agenda, cast, plot, creators[nth % _CREATORS])
        plan_creation(stage, plot, sponsor)
        habits = PastHabits(stage, _times(story))
        habits.plan(_OTHERS)
        parts[story.symbol] = habits
        _plan_crowd(stage, story)
    _plan_skilled(builder.random, cast, parts)
    _plan_lucky(builder.random, cast, parts)
    agenda.run()
    builder.random = present


class PastHabits(Habits):
    """What wallets with a record do in a token of the past."""

    def win(self, wallet: int) -> None:
        """In within minutes, out in one to three clips while it is good."""
        self._buy(wallet, self._early(40, self._rise * 6 // 10), 0.4, 1.6)
        first, last = self.times.good
        moments = sorted(self.rng.randint(first, last) for _ in range(self.rng.randint(1, 3)))
        for moment in moments[:-1]:
            self._sell(wallet, moment, self.rng.uniform(0.3, 0.6))
        self._sell(wallet, moments[-1], 1)

    def lose(self, wallet: int) -> None:
        """In when the best is over or nearly so, out at the end of the fall or after it."""
        self._buy_late(wallet)
        falling = self.times.bad[0] - 5 * MINUTE, self.times.bad[0]
        quick = self.rng.random() < 0.4 and not self.stage.migrates
        self._sell(wallet, self._between(falling if quick else self.times.bad), 1)

    def hold_on(self, wallet: int) -> None:
        """Bought near the top and never sold."""
        self._buy_late(wallet)

    def flip(self, wallet: int) -> None:
        """In on the way up and out two minutes later, for a little more or a little less."""
        moment = self._early(self._rise * 5 // 10, self._rise * 7 // 10)
        self._buy(wallet, moment, 0.3, 0.8)
        self._sell(wallet, moment + self.rng.randint(90, 150), 1)

    def _buy_late(self, wallet: int) -> None:
        # nobody can buy between the end of a curve and its migration
        last = self._rise * 85 // 100 if self.stage.migrates else self._rise + 10 * MINUTE
        self._buy(wallet, self._early(self._rise * 7 // 10, last), 0.3, 1.2)

    @property
    def _rise(self) -> int:
        return self.times.good[0] - self.times.launch


def _plan_skilled(rng: Random, cast: Cast, parts: dict[str, PastHabits]) -> None:
    for wallet, (tokens, losses) in zip(cast.groups[SKILLED], _SKILLED_RECORDS, strict=True):
        for nth, symbol in enumerate(rng.sample(sorted(parts), tokens)):
            habits = parts[symbol]
            (habits.lose if nth < losses else habits.win)(wallet)


def _plan_lucky(rng: Random, cast: Cast, parts: dict[str, PastHabits]) -> None:
    for wallet, (tokens, flips) in zip(cast.groups[LUCKY_ONCE], _LUCKY_RECORDS, strict=True):
        for nth, symbol in enumerate(rng.sample(sorted(parts), tokens)):
            habits = parts[symbol]
            loss = habits.hold_on if rng.random() < 0.12 else habits.lose
            (habits.flip if nth < flips else loss)(wallet)


def _plot(story: Story) -> Plot:
    launch = -story.days * 24
    top = launch + story.rise / 60
    down = top + (story.hold + _FALL / MINUTE) / 60
    end = launch + story.hours
    up = [(launch, 0.0), (top, story.top)]
    fall = [(down, story.rest * 1.5), (end, story.rest)]
    fade = top + story.hold / 60
    if story.migrates:
        curve, pool = up, [(top, 85.0), (fade, 105.0), *fall]
    else:
        curve, pool = [*up, (fade, story.top * 0.9), *fall], []
    size = (story.top * 0.05, story.top * 0.12)
    return Plot(story.symbol, PAST, -launch, curve, pool, size=size, modern=story.modern, usdc=story.usdc)


def _times(story: Story) -> Times:
    launch = -round(story.days * 24 * HOUR)
    top = launch + story.rise * MINUTE
    fade = top + story.hold * MINUTE
    return Times(launch, (top + 2 * MINUTE, fade - MINUTE), (fade + _FALL, launch + round(story.hours * HOUR)))


def _plan_crowd(stage: Stage, story: Story) -> None:
    """The creator's sale and the trades that pull the reserve along its path."""
    rng, agenda, times = stage.builder.random, stage.agenda, _times(story)
    creator = stage.token.creator
    agenda.at(rng.randint(*times.good), lambda when: stage.sell(creator, 1, when))
    spans = (
        (times.launch + MINUTE, times.good[0] - 2 * MINUTE, 8),
        (*times.good, 9),
        (times.good[1], times.bad[0], 5),
        (*times.bad, 2),
    )
    for first, last, count in spans:
        for nth in range(count):
            agenda.at(first + (last - first) * nth // count + rng.randint(0, 40), stage.steer)
    fall = range(times.bad[0] - 5 * MINUTE, times.bad[0], MINUTE)
    end = range(times.bad[1] - 8 * MINUTE, times.bad[1], MINUTE)
    for moment in (times.good[0], *fall, *end):
        agenda.at(moment, stage.settle)
    if story.migrates:
        whale = rng.choice(stage.cast.groups["crowd"])

        def complete(when: Moment) -> None:
            if stage.pool is stage.curve:
                stage.buy(whale, 110 * SOL, when)

        agenda.at(times.launch + story.rise * MINUTE, complete)

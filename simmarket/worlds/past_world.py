"""The past of world `small`: tokens that rose and died weeks ago, in which wallets
earned a good or bad record.

All of it ends before the present begins, and it has its own random numbers: the present
is the same without it.
"""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from simmarket.chain.builder import Builder, Moment
from simmarket.worlds.actors import SOL, Actors, create_wallet
from simmarket.worlds.behaviours import HOUR, Behaviours, Phases
from simmarket.worlds.expected_results import LUCKY_ONCE, SKILLED
from simmarket.worlds.past_tokens import PAST_TOKENS, PastToken
from simmarket.worlds.scenario import Scenario
from simmarket.worlds.scripts import PAST, Path, Script, create_scenario, plan_creation
from simmarket.worlds.timeline import Timeline

MINUTE = 60
_FALL_SECONDS = 20 * MINUTE
_CREATORS = 6
_MIGRATION_BUY_LAMPORTS = 110 * SOL  # completes any curve
_OTHERS = {
    "sniper": 1,
    "bot user": 1,
    "crowd": 2,
    "bag holder": 2,
    "transfer-out loser": 1,
    "clip seller": 1,
}


class SkilledRecord(NamedTuple):
    """A skilled wallet's past: how many tokens it traded and how many of them are
    losses.
    """

    tokens: int
    losses: int


class LuckyRecord(NamedTuple):
    """A lucky wallet's past: how many tokens it traded and how many of them are quick
    flips; the rest are losses.
    """

    tokens: int
    flips: int


_SKILLED_RECORDS = (
    SkilledRecord(13, 3),
    SkilledRecord(12, 2),
    SkilledRecord(12, 3),
    SkilledRecord(11, 2),
    SkilledRecord(11, 3),
    SkilledRecord(11, 2),
    SkilledRecord(9, 2),
    SkilledRecord(9, 2),
    SkilledRecord(8, 2),
    SkilledRecord(7, 1),
    SkilledRecord(7, 1),
    SkilledRecord(6, 1),
    SkilledRecord(6, 1),
    SkilledRecord(6, 1),
)
_LUCKY_RECORDS = (
    LuckyRecord(7, 0),
    LuckyRecord(7, 1),
    LuckyRecord(7, 1),
    LuckyRecord(8, 1),
    LuckyRecord(7, 0),
    LuckyRecord(7, 1),
    LuckyRecord(7, 0),
    LuckyRecord(7, 1),
    LuckyRecord(7, 0),
    LuckyRecord(7, 0),
    LuckyRecord(8, 1),
    LuckyRecord(7, 0),
)


def add_past(builder: Builder, actors: Actors) -> None:
    """Add the whole past to the chain; called when the present is planned and has not
    begun.
    """
    present_random = builder.random
    builder.random = Random(f"{builder.world.name}/{builder.world.seed}/past")
    timeline = Timeline(builder)
    sponsor = builder.new_wallet(100 * SOL)
    creators = [
        create_wallet(builder, actors, "creator", index) for index in range(_CREATORS)
    ]
    behaviours_by_symbol: dict[str, PastBehaviours] = {}
    for index, past_token in enumerate(PAST_TOKENS):
        script = _script(past_token)
        phases = _phases(past_token)
        scenario = create_scenario(
            builder, timeline, actors, script, creators[index % _CREATORS]
        )
        plan_creation(scenario, script, sponsor)
        behaviours = PastBehaviours(scenario, phases)
        behaviours.plan(_OTHERS)
        behaviours_by_symbol[past_token.symbol] = behaviours
        _plan_crowd(scenario, phases)
        if past_token.migrates:
            _plan_completion(scenario, phases)
    _plan_skilled(builder.random, actors, behaviours_by_symbol)
    _plan_lucky(builder.random, actors, behaviours_by_symbol)
    timeline.run()
    builder.random = present_random


class PastBehaviours(Behaviours):
    """The trades of wallets with a record in a token of the past."""

    def win(self, wallet: int) -> None:
        """Buys within minutes, sells in one to three clips in the good period."""
        self._buy(wallet, self._early(40, self._rise_seconds * 6 // 10), 0.4, 1.6)
        first, last = self.phases.good
        clip_count = self.rng.randint(1, 3)
        offsets = sorted(self.rng.randint(first, last) for _ in range(clip_count))
        for offset_seconds in offsets[:-1]:
            self._sell(wallet, offset_seconds, self.rng.uniform(0.3, 0.6))
        self._sell(wallet, offsets[-1], 1)

    def lose(self, wallet: int) -> None:
        """Buys near the top or after it, sells at the end of the fall or later."""
        self._buy_late(wallet)
        span = self.phases.bad
        sells_in_the_fall = self.rng.random() < 0.4 and not self.scenario.migrates
        if sells_in_the_fall:
            span = self.phases.bad[0] - 5 * MINUTE, self.phases.bad[0]
        self._sell(wallet, self._between(span), 1)

    def hold_on(self, wallet: int) -> None:
        """Buys near the top and never sells."""
        self._buy_late(wallet)

    def flip(self, wallet: int) -> None:
        """Buys on the way up and sells two minutes later, with a small gain or loss."""
        offset_seconds = self._early(
            self._rise_seconds * 5 // 10, self._rise_seconds * 7 // 10
        )
        self._buy(wallet, offset_seconds, 0.3, 0.8)
        self._sell(wallet, offset_seconds + self.rng.randint(90, 150), 1)

    def _buy_late(self, wallet: int) -> None:
        max_seconds = self._rise_seconds + 10 * MINUTE
        if self.scenario.migrates:
            # nobody can buy between the end of a curve and its migration
            max_seconds = self._rise_seconds * 85 // 100
        self._buy(
            wallet, self._early(self._rise_seconds * 7 // 10, max_seconds), 0.3, 1.2
        )

    @property
    def _rise_seconds(self) -> int:
        return self.phases.good[0] - self.phases.launch


def _plan_skilled(
    rng: Random, actors: Actors, behaviours_by_symbol: dict[str, PastBehaviours]
) -> None:
    for wallet, record in zip(actors.groups[SKILLED], _SKILLED_RECORDS, strict=True):
        symbols = rng.sample(sorted(behaviours_by_symbol), record.tokens)
        for index, symbol in enumerate(symbols):
            behaviours = behaviours_by_symbol[symbol]
            if index < record.losses:
                behaviours.lose(wallet)
            else:
                behaviours.win(wallet)


def _plan_lucky(
    rng: Random, actors: Actors, behaviours_by_symbol: dict[str, PastBehaviours]
) -> None:
    for wallet, record in zip(actors.groups[LUCKY_ONCE], _LUCKY_RECORDS, strict=True):
        symbols = rng.sample(sorted(behaviours_by_symbol), record.tokens)
        for index, symbol in enumerate(symbols):
            behaviours = behaviours_by_symbol[symbol]
            plan: Callable[[int], None] = behaviours.lose
            # drawn for flips, too: every token takes one random number
            if rng.random() < 0.12:
                plan = behaviours.hold_on
            if index < record.flips:
                plan = behaviours.flip
            plan(wallet)


def _script(past_token: PastToken) -> Script:
    launch = -past_token.launch_days * 24
    top = launch + past_token.rise_minutes / 60
    fade = top + past_token.hold_minutes / 60
    down = top + (past_token.hold_minutes + _FALL_SECONDS / MINUTE) / 60
    end = launch + past_token.total_hours
    curve_path: Path = [(launch, 0.0), (top, past_token.top_sol)]
    pool_path: Path = []
    fall: Path = [(down, past_token.rest_sol * 1.5), (end, past_token.rest_sol)]
    if past_token.migrates:
        pool_path = [(top, 85.0), (fade, 105.0), *fall]
    else:
        curve_path += [(fade, past_token.top_sol * 0.9), *fall]
    return Script(
        symbol=past_token.symbol,
        kind=PAST,
        launch_hours=-launch,
        curve_path=curve_path,
        pool_path=pool_path,
        trade_size_sol=(past_token.top_sol * 0.05, past_token.top_sol * 0.12),
        is_token_2022=past_token.is_token_2022,
        has_usdc_quote=past_token.has_usdc_quote,
    )


def _phases(past_token: PastToken) -> Phases:
    launch = -round(past_token.launch_days * 24 * HOUR)
    top = launch + past_token.rise_minutes * MINUTE
    fade = top + past_token.hold_minutes * MINUTE
    end = launch + round(past_token.total_hours * HOUR)
    return Phases(
        launch, (top + 2 * MINUTE, fade - MINUTE), (fade + _FALL_SECONDS, end)
    )


def _plan_crowd(scenario: Scenario, phases: Phases) -> None:
    """Plan the creator's sale and the trades that pull the reserve along its path."""
    rng, timeline = scenario.builder.random, scenario.timeline
    creator = scenario.token.creator
    timeline.at(rng.randint(*phases.good), lambda when: scenario.sell(creator, 1, when))
    rise_end = phases.good[0] - 2 * MINUTE
    spans = (
        (phases.launch + MINUTE, rise_end, 8),
        (*phases.good, 9),
        (phases.good[1], phases.bad[0], 5),
        (*phases.bad, 2),
    )
    for first, last, count in spans:
        for index in range(count):
            offset_seconds = first + (last - first) * index // count
            timeline.at(offset_seconds + rng.randint(0, 40), scenario.steer)
    fall = range(phases.bad[0] - 5 * MINUTE, phases.bad[0], MINUTE)
    end = range(phases.bad[1] - 8 * MINUTE, phases.bad[1], MINUTE)
    for offset_seconds in (phases.good[0], *fall, *end):
        timeline.at(offset_seconds, scenario.settle)


def _plan_completion(scenario: Scenario, phases: Phases) -> None:
    """Plan the buy that completes the curve at the top, if nobody completed it before."""
    whale = scenario.builder.random.choice(scenario.actors.groups["crowd"])
    top = phases.good[0] - 2 * MINUTE

    def complete(when: Moment) -> None:
        if scenario.pool is scenario.curve:
            scenario.buy(whale, _MIGRATION_BUY_LAMPORTS, when)

    scenario.timeline.at(top, complete)

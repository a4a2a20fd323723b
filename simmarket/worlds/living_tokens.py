"""The tokens of world `living`: runners, as in world `traders`, and pumped tokens, of
which a run finds some at any time.

A pumped token rises for an hour and a half, stays high for the better part of a day, and
falls within half an hour.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random

from simmarket.chain.builder import Builder, Moment
from simmarket.worlds.actors import SOL, Actors
from simmarket.worlds.behaviours import HOUR
from simmarket.worlds.scenario import Scenario
from simmarket.worlds.scripts import Script, create_scenario, plan_creation
from simmarket.worlds.timeline import Timeline
from simmarket.worlds.traders_tokens import (
    MINUTE,
    Life,
    Stage,
    describe_runner,
    plan_completion,
    plan_pulls,
    plan_runner,
    pull,
    short_life,
)

DAY = 86_400
PUMP = "pump"
EARLY_SECONDS = 30 * MINUTE  # the default early window of a run
TAKE_PROFIT_SECONDS = 4 * HOUR  # after the launch: early buyers who gain have sold
_SECONDS_BETWEEN_PUMPS = 7 * HOUR
_FIRST_PUMP_DAYS = -2.0
_RUNNERS_PER_DAY = 2.0
_PAST_RUNNERS_PER_DAY = 0.8
_RECENT_DAYS = 4  # before the present: from then on as many runners as in the future
_MIGRATING = 4  # every fourth pumped token leaves its curve
_EARLY_SWING_SOL = 1.5
_RAMP_MINUTES = (2, 4, 6, 8)
_TRADE_SIZE_SOL = (5.0, 9.0)
_POOL_TRADE_SIZE_SOL = (9.0, 15.0)  # all the volume of a day has to be in the pool

Describe = Callable[[Random, int, int], tuple[Script, Life]]


@dataclass(slots=True, frozen=True)
class Calendar:
    """The days of a world: how many come before its present, and how many after it."""

    past_days: int = 95
    future_days: int = 30
    spare_hours: int = 6

    @property
    def first_offset_seconds(self) -> int:
        """The beginning of the world."""
        return -self.past_days * DAY

    @property
    def last_offset_seconds(self) -> int:
        """The end of the world."""
        return self.future_days * DAY + self.spare_hours * HOUR


@dataclass(slots=True)
class LivingStages:
    """All tokens, each kind in the order of its launches."""

    runners: list[Stage]
    pumped: list[Stage]


class StageMaker:
    """Creates tokens and plans their crowds."""

    def __init__(
        self, builder: Builder, timeline: Timeline, actors: Actors, sponsor: int
    ) -> None:
        self._builder = builder
        self._timeline = timeline
        self._actors = actors
        self._sponsor = sponsor

    def create(self, calendar: Calendar) -> LivingStages:
        """Create every token of a world."""
        rng = self._builder.random
        runners = self._stages(
            _runner_launches(rng, calendar), describe_runner, plan_runner
        )
        pumped = self._stages(
            _pump_launches(rng, calendar), _describe_pumped, _plan_pumped
        )
        return LivingStages(runners, pumped)

    def _stages(
        self,
        launches: Iterable[int],
        describe: Describe,
        plan_crowd: Callable[[Stage], None],
    ) -> list[Stage]:
        stages: list[Stage] = []
        for number, launch in enumerate(launches):
            script, life = describe(self._builder.random, number, launch)
            (creator,) = self._actors.next("creator", 1)
            scenario = create_scenario(
                self._builder, self._timeline, self._actors, script, creator
            )
            plan_creation(scenario, script, self._sponsor)
            stage = Stage(scenario, script, life)
            plan_crowd(stage)
            stages.append(stage)
        return stages


def _runner_launches(rng: Random, calendar: Calendar) -> list[int]:
    """Return the launches of runners: few in the past, more from shortly before the
    present on.
    """
    recent = -min(_RECENT_DAYS, calendar.past_days) * DAY
    past = _spread(
        rng, calendar.first_offset_seconds + DAY, recent, _PAST_RUNNERS_PER_DAY
    )
    return past + _spread(rng, recent, calendar.last_offset_seconds, _RUNNERS_PER_DAY)


def _spread(rng: Random, first: int, last: int, per_day: float) -> list[int]:
    """Return one moment in each of equally long parts of a period; none in its last
    hour.
    """
    step = round(DAY / per_day)
    moments = [
        start + rng.randrange(step - 2 * HOUR) for start in range(first, last, step)
    ]
    return [moment for moment in moments if moment < last - HOUR]


def _pump_launches(rng: Random, calendar: Calendar) -> list[int]:
    first = round(_FIRST_PUMP_DAYS * DAY)
    last = calendar.last_offset_seconds - HOUR
    starts = range(first, last - HOUR, _SECONDS_BETWEEN_PUMPS)
    return [start + rng.randint(0, HOUR) for start in starts]


def _describe_pumped(rng: Random, number: int, launch: int) -> tuple[Script, Life]:
    top = launch + 90 * MINUTE
    fade = launch + 22 * HOUR
    down = fade + 30 * MINUTE
    life = Life(launch, top, fade, down, down + rng.randint(2, 4) * HOUR)
    top_sol = rng.uniform(62, 67)
    path = [(launch, 0.0), (launch + 8 * MINUTE, 28.0), (launch + EARLY_SECONDS, 32.0)]
    fall = [(down, 4.0), (life.end, 0.6)]
    pool_fall = [(down, 22.0), (life.end, 18.0)]
    pool_path: list[tuple[int, float]] = []
    if number % _MIGRATING == _MIGRATING - 1:
        path.append((top, 86.0))
        pool_path = [(top, 85.0), (top + HOUR, 155.0), (fade, 160.0), *pool_fall]
    else:
        path += [(top, top_sol), (fade, top_sol), *fall]
    return short_life(f"PUMP{number + 1:02}", PUMP, launch, path, pool_path), life


def _plan_pumped(stage: Stage) -> None:
    scenario, life = stage.scenario, stage.life
    rng, timeline = scenario.builder.random, scenario.timeline
    launch, creator = life.launch, scenario.token.creator
    scenario.trade_size_sol = _TRADE_SIZE_SOL
    if scenario.migrates:
        scenario.trade_size_sol = _POOL_TRADE_SIZE_SOL
    plan_pulls(scenario, [launch + minutes * MINUTE for minutes in _RAMP_MINUTES])
    early = range(launch + 9 * MINUTE, launch + EARLY_SECONDS, 150)
    _plan_swings(scenario, [each + rng.randint(0, 60) for each in early])
    plan_pulls(scenario, list(range(launch + 35 * MINUTE, life.top, 5 * MINUTE)))
    if scenario.migrates:
        plan_completion(scenario, life.top)
    busy_end = launch + TAKE_PROFIT_SECONDS
    for first, last, count in (
        (launch + EARLY_SECONDS, life.top, 14),
        (life.top, busy_end, 32),
        (busy_end, life.fade, 20),
    ):
        for _ in range(count):
            timeline.at(rng.randint(first, last - 60), scenario.steer)
    plan_pulls(scenario, list(range(busy_end, life.fade, 4 * HOUR)))
    timeline.at(life.fade - 30, lambda when: scenario.sell(creator, 1, when))
    plan_pulls(scenario, [*range(life.fade + MINUTE, life.down, 5 * MINUTE)])
    plan_pulls(scenario, [life.down, (life.down + life.end) // 2, life.end])


def _plan_swings(scenario: Scenario, offsets: list[int]) -> None:
    """Plan small swings around the path: who sells at once gains or loses little."""
    rng = scenario.builder.random

    def action(when: Moment) -> None:
        swing = round(rng.uniform(-_EARLY_SWING_SOL, _EARLY_SWING_SOL) * SOL)
        pull(scenario, scenario.target(when.offset_seconds) + swing, when)

    for offset_seconds in offsets:
        scenario.timeline.at(offset_seconds, action)

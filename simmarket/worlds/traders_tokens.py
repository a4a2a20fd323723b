"""The tokens of world `traders`: how long each lives, how its price moves, and the
crowd that moves it.

A runner rises over minutes, stays high for the better part of an hour, and falls. A
snapped one has its whole rise in the first fifteen seconds. A pumped one is of the last
hours, still rising when the world ends: a run finds it.
"""

from dataclasses import dataclass
from math import isqrt
from random import Random

from simmarket.chain import swaps
from simmarket.chain.builder import Builder, Moment
from simmarket.worlds.actors import SOL, Actors
from simmarket.worlds.behaviours import HOUR, Phases
from simmarket.worlds.scenario import Scenario
from simmarket.worlds.scripts import PAST, Path, Script, create_scenario, plan_creation
from simmarket.worlds.timeline import Timeline

MINUTE = 60
RUNNERS, SNAPPED, PUMPED = 64, 26, 6
_FIRST_DAYS, _LAST_DAYS = 89.0, 31.0  # before the world's end
_MIGRATING = 8  # every eighth runner leaves its curve
_CLOSE_LAMPORTS = SOL // 5  # a reserve this near its target is there
_MIGRATION_BUY_LAMPORTS = 110 * SOL  # completes any curve
_CURVE_COST, _POOL_COST = 10_125, 10_010  # paid for 10,000 that reach the reserve
_PUMPED_HOURS = (5.0, 8.0, 11.0, 14.0, 18.0, 22.0)


@dataclass(slots=True, frozen=True)
class Life:
    """The phases of a token in offset seconds: it rises from `launch` to `top`, is high
    until `fade`, falls until `down`; the last trade comes at `end`.
    """

    launch: int
    top: int
    fade: int
    down: int
    end: int

    @property
    def phases(self) -> Phases:
        """The same for the early buyers: when they sell well and badly."""
        good = (self.top + MINUTE, self.fade - 2 * MINUTE)
        return Phases(self.launch, good, (self.down, self.end))


@dataclass(slots=True, frozen=True)
class Stage:
    """A token with its life, before anything happens in it."""

    scenario: Scenario
    script: Script
    life: Life


@dataclass(slots=True)
class Stages:
    """All tokens of the world, each kind in the order of its launches."""

    runners: list[Stage]
    snapped: list[Stage]
    pumped: list[Stage]


def create_stages(
    builder: Builder, timeline: Timeline, actors: Actors, sponsor: int
) -> Stages:
    """Create every token and plan its crowd."""
    makers = (
        (RUNNERS, _runner, plan_runner),
        (SNAPPED, _snapped, _plan_snapped),
        (PUMPED, _pumped, _plan_pumped),
    )
    kinds: list[list[Stage]] = []
    for count, describe, plan_crowd in makers:
        stages: list[Stage] = []
        for number in range(count):
            script, life = describe(builder.random, number)
            (creator,) = actors.next("creator", 1)
            scenario = create_scenario(builder, timeline, actors, script, creator)
            plan_creation(scenario, script, sponsor)
            stage = Stage(scenario, script, life)
            plan_crowd(stage)
            stages.append(stage)
        kinds.append(stages)
    return Stages(*kinds)


def pull(scenario: Scenario, target: int, when: Moment) -> None:
    """Let the crowd trade until the reserve is near `target` lamports."""
    missing = target - scenario.reserve()
    if scenario.trading_pool() is None or abs(missing) < _CLOSE_LAMPORTS:
        return
    if missing > 0:
        cost = _CURVE_COST if scenario.pool.is_curve else _POOL_COST
        buyer = scenario.builder.random.choice(scenario.actors.groups["crowd"])
        scenario.buy(buyer, missing * cost // 10_000, when)
        return
    _sell_down(scenario, target, when)


def lift_for(
    scenario: Scenario, wallet: int, proceeds_lamports: int, when: Moment
) -> None:
    """Let the crowd buy or sell until all that a wallet holds would bring so much, fees
    of the pool included.

    With k = quote · base, units u bring P = q·u / (k/q + u): q is the positive root of
    u·q² - P·u·q - P·k = 0.
    """
    pool = scenario.trading_pool()
    units = scenario.units_of(wallet)
    if pool is None or not units:
        return
    quote, base = swaps.reserves(scenario.builder, pool)
    wanted = proceeds_lamports * _CURVE_COST // 10_000
    product = wanted * units
    root = isqrt(product * product + 4 * units * wanted * quote * base)
    needed_quote = (product + root) // (2 * units)
    pull(scenario, scenario.reserve() + needed_quote - quote, when)


def plan_pulls(scenario: Scenario, offsets: list[int]) -> None:
    """Plan a pull to the path at each of these moments."""

    def action(when: Moment) -> None:
        pull(scenario, scenario.target(when.offset_seconds), when)

    for offset_seconds in offsets:
        scenario.timeline.at(offset_seconds, action)


def _sell_down(scenario: Scenario, target: int, when: Moment) -> None:
    """Let the crowd sell, the largest holder first, until the reserve is at `target`."""
    holders = [wallet for wallet in scenario.holders if wallet in scenario.crowd]
    holders.sort(key=lambda wallet: (scenario.units_of(wallet), wallet), reverse=True)
    for wallet in holders:
        pool = scenario.trading_pool()
        excess = scenario.reserve() - target
        holding = scenario.units_of(wallet)
        if pool is None or excess < _CLOSE_LAMPORTS or not holding:
            return
        quote, base = swaps.reserves(scenario.builder, pool)
        units = base * excess // max(quote - excess, 1)
        scenario.sell(wallet, min(1.0, units / holding), when)


def short_life(
    symbol: str,
    kind: str,
    launch: int,
    path: list[tuple[int, float]],
    pool_path: list[tuple[int, float]],
) -> Script:
    """Return the script of a token whose paths are given as (offset seconds, SOL)."""
    return Script(
        symbol=symbol,
        kind=kind,
        launch_hours=-launch / HOUR,
        curve_path=_in_hours(path),
        pool_path=_in_hours(pool_path),
        trade_size_sol=(3, 7),
    )


def _in_hours(path: list[tuple[int, float]]) -> Path:
    return [(offset_seconds / HOUR, sol) for offset_seconds, sol in path]


def _launch(rng: Random, number: int, count: int) -> int:
    """Return the offset of the `number`-th of `count` launches of the past."""
    span_days = _FIRST_DAYS - _LAST_DAYS
    days = _FIRST_DAYS - span_days * (number + rng.random()) / count
    return -round(days * 24 * HOUR)


def _runner(rng: Random, number: int) -> tuple[Script, Life]:
    return describe_runner(rng, number, _launch(rng, number, RUNNERS))


def describe_runner(rng: Random, number: int, launch: int) -> tuple[Script, Life]:
    """Return the script of the `number`-th runner and its life from `launch` on."""
    top = launch + rng.randint(12, 19) * MINUTE
    fade = top + rng.randint(32, 55) * MINUTE
    down = fade + rng.randint(14, 20) * MINUTE
    life = Life(launch, top, fade, down, down + rng.randint(2, 5) * HOUR)
    top_sol = rng.uniform(56, 68)
    path = [(launch, 0.0), (launch + MINUTE, 1.5), (top, top_sol)]
    fall = [(down, 2.0), (life.end, 0.6)]
    pool_path: list[tuple[int, float]] = []
    if number % _MIGRATING == _MIGRATING - 1:
        path[-1] = (top, 86.0)
        pool_path = [(top, 85.0), (fade, 104.0), (down, 22.0), (life.end, 18.0)]
    else:
        path += [(fade, top_sol * 0.96), *fall]
    return short_life(f"RUN{number + 1:02}", PAST, launch, path, pool_path), life


def plan_runner(stage: Stage) -> None:
    """Plan the trades of a runner's creator and crowd."""
    scenario, life = stage.scenario, stage.life
    rng, timeline = scenario.builder.random, scenario.timeline
    creator = scenario.token.creator
    _plan_noise(scenario, life.launch)
    times = [
        *range(life.launch + MINUTE, life.top, 55),
        *range(life.top, life.fade, 4 * MINUTE),
        *range(life.fade, life.down, 80),
        life.down,
        (life.down + life.end) // 2,
        life.end,
    ]
    plan_pulls(scenario, [each + rng.randint(0, 12) for each in times])
    timeline.at(life.fade - 30, lambda when: scenario.sell(creator, 1, when))
    if scenario.migrates:
        plan_completion(scenario, life.top)


def _plan_noise(scenario: Scenario, launch: int) -> None:
    """Plan somebody who buys in the third second and leaves after half a minute: until
    then a launch looks better than it is.
    """
    visitor = scenario.builder.random.choice(scenario.actors.groups["crowd"])
    timeline = scenario.timeline
    timeline.at(launch + 2, lambda when: scenario.buy(visitor, SOL * 3 // 2, when))
    timeline.at(launch + 23, lambda when: scenario.sell(visitor, 1, when))


def plan_completion(scenario: Scenario, top: int) -> None:
    """Plan the buy that completes the curve at the top, if nobody did it before."""
    whale = scenario.builder.random.choice(scenario.actors.groups["crowd"])

    def complete(when: Moment) -> None:
        if scenario.pool is scenario.curve:
            scenario.buy(whale, _MIGRATION_BUY_LAMPORTS, when)

    scenario.timeline.at(top, complete)


def _snapped(rng: Random, number: int) -> tuple[Script, Life]:
    launch = _launch(rng, number, SNAPPED)
    top, fade, down = launch + 14, launch + 27, launch + 48
    life = Life(launch, top, fade, down, launch + rng.randint(2, 4) * HOUR)
    top_sol = rng.uniform(24, 36)
    path = [(launch, 3.0), (top, top_sol), (fade, top_sol * 1.06)]
    path += [(down, top_sol * 0.35), (down + 5 * MINUTE, 4.0), (life.end, 0.6)]
    return short_life(f"SNAP{number + 1:02}", PAST, launch, path, []), life


def _plan_snapped(stage: Stage) -> None:
    scenario, life = stage.scenario, stage.life
    creator = scenario.token.creator
    late = [life.down + minutes * MINUTE for minutes in (1, 3, 5, 20)]
    times = [
        *range(life.launch + 1, life.top + 1),
        *range(life.top + 3, life.fade, 3),
        *range(life.fade + 1, life.down, 3),
        *late,
        life.end,
    ]
    plan_pulls(scenario, times)
    scenario.timeline.at(life.down + 30, lambda when: scenario.sell(creator, 1, when))


def _pumped(rng: Random, number: int) -> tuple[Script, Life]:
    launch = -round(_PUMPED_HOURS[number] * HOUR) - rng.randint(0, 900)
    path = [(launch, 0.0), (launch + HOUR // 2, 18.0), (0, rng.uniform(62, 70))]
    life = Life(launch, launch // 2, -20 * MINUTE, 0, 0)
    return short_life(f"PUMP{number + 1}", "pump", launch, path, []), life


def _plan_pumped(stage: Stage) -> None:
    scenario, launch = stage.scenario, stage.life.launch
    rng, timeline = scenario.builder.random, scenario.timeline
    for index in range(28):
        timeline.at(launch + 60 + index * 62 + rng.randint(0, 40), scenario.steer)
    for _ in range(130):
        timeline.at(rng.randint(launch + HOUR // 2, -60), scenario.steer)
    plan_pulls(scenario, [-50, -40, -30])

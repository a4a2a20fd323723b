"""World `living`: it continues for thirty days after its present. Traders of known skill
have a record of three months and keep trading; some of them lose their skill, some stop.

What a wallet and those who follow it gain in any period is computed in
`expected_outcomes`.
"""

from dataclasses import dataclass, field

from simmarket.chain import programs
from simmarket.chain.builder import Builder
from simmarket.chain.world import World
from simmarket.worlds.actors import SOL, Actors, create_wallet
from simmarket.worlds.expected_results import SKILLED
from simmarket.worlds.living_tokens import Calendar, StageMaker
from simmarket.worlds.living_traders import (
    ACTIVE_BOT,
    EARLY_LOSER,
    QUIET,
    STOPPER,
    LivingPlanner,
)
from simmarket.worlds.timeline import Timeline
from simmarket.worlds.traders_world import BAG_HOLDER, LUCKY, PAYOFF

_GROUP_SIZES = {
    "crowd": 160,
    "creator": 24,
    SKILLED: 12,
    PAYOFF: 6,
    BAG_HOLDER: 6,
    LUCKY: 8,
    EARLY_LOSER: 40,
    STOPPER: 3,
    QUIET: 2,
    ACTIVE_BOT: 1,
}


@dataclass(slots=True, frozen=True)
class LivingSettings:
    """The size of the world. bot_transactions: about how many the active bot sends."""

    calendar: Calendar = field(default_factory=Calendar)
    bot_transactions: int = 1_300


def build(
    seed: int,
    settings: LivingSettings | None = None,
    until_offset_seconds: int | None = None,
) -> World:
    """Return the world of a seed; with `until_offset_seconds` only what happens up to
    that moment: later tokens are in it, but not on its chain.
    """
    settings = settings or LivingSettings()
    calendar = settings.calendar
    builder = Builder("living", seed, calendar.first_offset_seconds)
    for recipient in programs.FEE_RECIPIENTS:
        account = builder.accounts.add(recipient)
        builder.ledger.open_before(account, builder.ledger.native, 50 * SOL)
    actors = _create_actors(builder)
    end = calendar.last_offset_seconds
    # what a token's plan has left after the end never happens
    timeline = Timeline(builder, last_offset_seconds=2 * end)
    sponsor = builder.new_wallet(500 * SOL)
    stages = StageMaker(builder, timeline, actors, sponsor).create(calendar)
    planner = LivingPlanner(builder.world, actors, stages, calendar)
    planner.plan(settings.bot_transactions)
    if until_offset_seconds is not None:
        end = min(end, until_offset_seconds)
    timeline.run(end)
    world = builder.world
    by_launch = sorted(
        world.tokens.items(), key=lambda item: item[1].launched_offset_seconds
    )
    world.tokens = dict(by_launch)
    world.index()
    return world


def _create_actors(builder: Builder) -> Actors:
    actors = Actors()
    for group, size in _GROUP_SIZES.items():
        actors.groups[group] = [
            create_wallet(builder, actors, group, index) for index in range(size)
        ]
    return actors

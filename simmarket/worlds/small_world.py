"""World `small`: two dozen tokens with known outcomes, three hundred wallets with known
behaviours, and their past.
"""

from functools import partial
from itertools import chain

from simmarket.chain import programs, pumpswap, swaps
from simmarket.chain.builder import PLAIN, Builder, Moment
from simmarket.chain.world import World
from simmarket.worlds import past_world
from simmarket.worlds.actors import SOL, Actors, create_actors
from simmarket.worlds.behaviours import HOUR, Behaviours, Phases
from simmarket.worlds.expected_results import LUCKY_ONCE, SKILLED
from simmarket.worlds.scenario import Scenario
from simmarket.worlds.scripts import Script, create_scenario, plan_creation
from simmarket.worlds.small_world_scripts import SCRIPTS
from simmarket.worlds.timeline import Timeline

_OLDEST_OFFSET_SECONDS = -201 * HOUR
_SOL_TRANSFERS = 320
_WINDOW_END_SECONDS = (
    1900  # after the launch; a little later than the end of the early window
)
_MIGRATION_BUY_LAMPORTS = 110 * SOL  # completes any curve
_MANY_WALLETS = {
    SKILLED: 4,
    "sniper": 3,
    "bot user": 4,
    "tipper": 3,
    "crowd": 14,
    "bag holder": 5,
    "transfer in": 2,
    "receiver": 2,
    "transfer-out loser": 2,
    "same slot twice": 1,
    "returner": 2,
    "clip seller": 3,
    "overseller": 2,
}
_FEW_WALLETS = {
    SKILLED: 1,
    LUCKY_ONCE: 2,
    "sniper": 1,
    "crowd": 6,
    "bag holder": 3,
    "returner": 1,
    "bot user": 1,
}


def build(seed: int) -> World:
    """Return the world of a seed."""
    builder = Builder("small", seed, _OLDEST_OFFSET_SECONDS)
    actors = create_actors(builder)
    for recipient in programs.FEE_RECIPIENTS:
        account = builder.accounts.add(recipient)
        builder.ledger.open_before(account, builder.ledger.native, 50 * SOL)
        builder.ledger.open_before(account, builder.usdc, 10**9)
    timeline = Timeline(builder)
    sponsor = builder.new_wallet(500 * SOL)
    creators = iter(actors.groups["creator"])
    lucky_wallets = iter(actors.groups[LUCKY_ONCE])
    for script in SCRIPTS:
        scenario = create_scenario(builder, timeline, actors, script, next(creators))
        plan_creation(scenario, script, sponsor)
        _plan_creators_sale(scenario, script)
        behaviours = Behaviours(scenario, _phases(script))
        behaviours.plan(
            _FEW_WALLETS if script.kind in {"dull", "small"} else _MANY_WALLETS
        )
        if script.kind == "pump":
            behaviours.lucky(next(lucky_wallets))
        elif script.kind in {"rug", "thin"}:
            for wallet in actors.next(LUCKY_ONCE, 4):
                behaviours.lucky(wallet)
        _plan_crowd(scenario, script)
        if script.has_second_pool:
            _plan_second_pool(scenario, script)
    _plan_sol_transfers(builder, timeline, actors)
    past_world.add_past(builder, actors)
    timeline.run()
    builder.world.index()
    return builder.world


def _offset(hours: float) -> int:
    """Return the offset in seconds of a moment so many hours before the end."""
    return -round(hours * HOUR)


def _phases(script: Script) -> Phases:
    launch = _offset(script.launch_hours)
    if script.rug_hours:
        rug = _offset(script.rug_hours)
        return Phases(
            launch, (launch + (rug - launch) // 2, rug - 600), (rug + 600, -1200)
        )
    if script.busy_hours:
        return Phases(
            launch,
            (_offset(script.busy_hours / 2), -1200),
            (launch + HOUR, launch + 6 * HOUR),
        )
    return Phases(launch, (launch * 45 // 100, -900), (launch + 2400, launch + 5400))


def _plan_creators_sale(scenario: Scenario, script: Script) -> None:
    if script.kind == "rug":
        return
    creator = scenario.token.creator
    offset_seconds = -round(script.launch_hours * HOUR * 0.3)
    scenario.timeline.at(offset_seconds, lambda when: scenario.sell(creator, 0.5, when))


def _plan_crowd(scenario: Scenario, script: Script) -> None:
    """Plan the crowd's trades, the completion of the curve, the rug pull, and the last
    trades that settle the price.
    """
    rng, timeline = scenario.builder.random, scenario.timeline
    launch = scenario.token.launched_offset_seconds
    early_trades = 6 if script.kind == "dull" else 30
    for index in range(early_trades):
        timeline.at(launch + 60 + index * 58 + rng.randint(0, 40), scenario.steer)
    window_end = launch + _WINDOW_END_SECONDS
    busy_from = window_end
    if script.busy_hours:
        busy_from = max(window_end, _offset(script.busy_hours))
    for index in range(script.late_trades):
        first = busy_from if index % 8 else window_end
        timeline.at(rng.randint(first, -60), scenario.steer)
    if script.pool_path:
        _plan_completion(scenario)
    if script.rug_hours:
        timeline.at(_offset(script.rug_hours), scenario.rug_pull)
    for index in range(8):
        timeline.at(-55 + index * 6, scenario.settle)


def _plan_completion(scenario: Scenario) -> None:
    """Plan the buy that completes the curve at the end of its path."""
    whale = scenario.builder.random.choice(scenario.actors.groups["crowd"])
    offset_seconds, _ = scenario.curve_path[-1]
    scenario.timeline.at(
        offset_seconds, lambda when: scenario.buy(whale, _MIGRATION_BUY_LAMPORTS, when)
    )


def _plan_second_pool(scenario: Scenario, script: Script) -> None:
    """Plan a second pool by a liquidity provider, in which some early buyers sell."""
    builder, actors, timeline = scenario.builder, scenario.actors, scenario.timeline
    funder = actors.groups["liquidity provider"][0]
    sellers = actors.next("second pool seller", 5)
    for wallet in sellers:
        offset_seconds = (
            scenario.token.launched_offset_seconds + builder.random.randint(60, 1700)
        )
        timeline.at(offset_seconds, partial(scenario.buy, wallet, SOL))
    opening = -round(script.launch_hours * HOUR * 0.6)
    timeline.at(opening - 60, lambda when: scenario.buy(funder, 30 * SOL, when))

    def open_pool(when: Moment) -> None:
        units = scenario.units_of(funder)
        quote, base = pumpswap.reserves(builder, scenario.pool)
        pool = pumpswap.create_second_pool(
            builder,
            scenario.token.mint,
            scenario.token.creator,
            funder=funder,
            when=when,
            units=units,
            lamports=units * quote // base,
        )
        scenario.token.pools.append(pool)
        for index, wallet in enumerate(sellers):
            share = 1 if index % 2 else 0.6
            sale = partial(scenario.sell, wallet, share, pool=pool)
            timeline.at(opening + 900 + index * 1700, sale)

    timeline.at(opening, open_pool)


def _plan_sol_transfers(builder: Builder, timeline: Timeline, actors: Actors) -> None:
    """Plan SOL transfers between wallets, which are not trades."""
    rng = builder.random
    wallets = list(chain.from_iterable(actors.groups.values()))
    for _ in range(_SOL_TRANSFERS):
        source, target = rng.sample(wallets, 2)
        lamports = rng.randint(SOL // 100, SOL)

        def action(
            when: Moment,
            source: int = source,
            target: int = target,
            lamports: int = lamports,
        ) -> None:
            if builder.ledger.lamports[source] > 2 * SOL:
                style = actors.styles.get(source, PLAIN)
                swaps.transfer_sol(
                    builder, source, target, lamports, when=when, style=style
                )

        timeline.at(-rng.randint(60, 90 * HOUR), action)

"""World `small`: two dozen tokens with known fates, three hundred wallets with known habits, and their past."""

from functools import partial

from simmarket.chain import programs, pumpswap, swaps
from simmarket.chain.builder import PLAIN, Builder, Moment
from simmarket.chain.world import World
from simmarket.worlds import past_world
from simmarket.worlds.actors import SOL, Cast, gather
from simmarket.worlds.behaviours import HOUR, Habits, Times
from simmarket.worlds.expected_results import LUCKY_ONCE, SKILLED
from simmarket.worlds.scenario import Agenda, Stage
from simmarket.worlds.scripts import Plot, open_stage, plan_creation

_OLDEST = -201 * HOUR
_NOISE = 320
_FULL = {
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
_QUIET = {SKILLED: 1, LUCKY_ONCE: 2, "sniper": 1, "crowd": 6, "bag holder": 3, "returner": 1, "bot user": 1}

# fmt: off
PLOTS = (
    Plot("MOONCAT", "pump", 3.2, [(-3.2, 0), (-2.7, 22), (-1.2, 48), (0, 66)], size=(1.5, 5)),
    Plot("FROGGO", "pump", 20, [(-20, 0), (-19.5, 18), (-12, 40), (0, 70)], size=(1.5, 5), modern=True),
    Plot("RUSHED", "pump", 6, [(-6, 0), (-5.8, 86)], [(-5.8, 85), (-3, 150), (0, 178)], size=(3, 10)),
    Plot("TWINS", "pump", 18, [(-18, 0), (-17.6, 40), (-17.55, 86)], [(-17.5, 85), (-8, 150), (0, 185)],
         size=(3, 10), modern=True, second_pool=True),
    Plot("LATEGEM", "pump", 22, [(-22, 0), (-21.5, 20), (-19, 86)], [(-19, 85), (-6, 140), (0, 170)], size=(3, 10)),
    Plot("SLEEPER", "pump", 41, [(-41, 0), (-40.5, 24), (-38, 86)],
         [(-38, 85), (-20, 88), (-9, 150), (0, 172)], size=(3, 11), busy=19),
    Plot("PHOENIX", "pump", 66, [(-66, 0), (-65.5, 20), (-60, 86)],
         [(-60, 85), (-11, 86), (-4, 160), (0, 176)], size=(3, 11), busy=10),
    Plot("DOLLAR", "pump", 9, [(-9, 0), (-8.5, 20), (-4, 45), (0, 68)], size=(1.5, 5), usdc=True),
    Plot("NUVOLA", "pump", 30, [(-30, 0), (-29.5, 26), (-28, 86)],
         [(-28, 85), (-13, 86), (-5, 150), (0, 182)], size=(3, 11), busy=12, modern=True),
    Plot("HIDDEN", "pump", 5, [(-5, 0), (-4.5, 20), (-2, 44), (0, 64)], size=(1.5, 5), listed=False),
    Plot("RUGONE", "rug", 30, [(-30, 0), (-29.5, 26), (-26, 70), (-22, 72), (-21.9, 6), (0, 5)],
         later=120, size=(1, 4), rug=21.9),
    Plot("RUGTWO", "rug", 50, [(-50, 0), (-49.5, 30), (-47, 86)],
         [(-47, 85), (-21, 130), (-20, 130), (-19.9, 30), (0, 26)], later=150, size=(2, 7), modern=True, rug=19.9),
    Plot("RUGTRI", "rug", 12, [(-12, 0), (-11.5, 22), (-8, 45), (-7.9, 2), (0, 2)], later=120, size=(1, 3), rug=7.9),
    Plot("DULLA", "dull", 4, [(-4, 0), (-3.5, 3), (0, 3.5)], later=20, size=(0.05, 0.4)),
    Plot("DULLB", "dull", 15, [(-15, 0), (-14.5, 3), (0, 2.5)], later=20, size=(0.05, 0.4), modern=True),
    Plot("DULLC", "dull", 28, [(-28, 0), (-27.5, 4), (0, 3)], later=24, size=(0.05, 0.4)),
    Plot("DULLD", "dull", 45, [(-45, 0), (-44.5, 4), (0, 3)], later=24, size=(0.05, 0.4)),
    Plot("DULLE", "dull", 70, [(-70, 0), (-69.5, 3), (0, 3)], later=24, size=(0.05, 0.4)),
    Plot("ELDER", "old", 80, [(-80, 0), (-79.5, 20), (-70, 86)],
         [(-70, 85), (-16, 86), (-6, 150), (0, 170)], later=150, size=(3, 11), busy=15),
    Plot("REBORN", "old", 101, [(-101, 0), (-100.5, 18), (-30, 30), (-14, 30), (-10, 86)],
         [(-10, 85), (-5, 140), (0, 175)], later=150, size=(3, 11), busy=13, modern=True),
    Plot("ANCIENT", "old", 200, [(-200, 0), (-199.5, 16), (-190, 86)],
         [(-190, 85), (-13, 87), (-4, 150), (0, 168)], later=150, size=(3, 11), busy=12),
    Plot("THINLY", "thin", 8, [(-8, 0), (-7.5, 9), (0, 15)], later=340, size=(2, 5)),
    Plot("CHURNED", "churn", 26, [(-26, 0), (-25.5, 24), (-25, 42), (0, 38)], later=190, size=(1.5, 5)),
    Plot("WHISPER", "small", 10, [(-10, 0), (-9.5, 8), (0, 18)], later=24, size=(0.2, 1.2), modern=True),
)
# fmt: on


def build(seed: int) -> World:
    """The world of a seed."""
    builder = Builder("small", seed, _OLDEST)
    cast = gather(builder)
    for recipient in programs.FEE_RECIPIENTS:
        account = builder.accounts.add(recipient)
        builder.ledger.open_before(account, builder.ledger.native, 50 * SOL)
        builder.ledger.open_before(account, builder.usdc, 10**9)
    agenda = Agenda(builder)
    sponsor = builder.new_wallet(500 * SOL)
    creators = iter(cast.groups["creator"])
    lucky = iter(cast.groups[LUCKY_ONCE])
    for plot in PLOTS:
        stage = open_stage(builder, agenda, cast, plot, next(creators))
        plan_creation(stage, plot, sponsor)
        _plan_creators_sale(stage, plot)
        times = _times(plot)
        habits = Habits(stage, times)
        habits.plan(_QUIET if plot.kind in {"dull", "small"} else _FULL)
        if plot.kind == "pump":
            habits.lucky(next(lucky))
        elif plot.kind in {"rug", "thin"}:
            for wallet in cast.next(LUCKY_ONCE, 4):
                habits.lucky(wallet)
        _crowd(stage, plot)
        if plot.second_pool:
            _second_pool(stage, plot)
    _noise(builder, agenda, cast)
    past_world.play(builder, cast)
    agenda.run()
    builder.world.index()
    return builder.world


def _times(plot: Plot) -> Times:
    launch = -round(plot.launch * HOUR)
    if plot.rug:
        rug = -round(plot.rug * HOUR)
        return Times(launch, (launch + (rug - launch) // 2, rug - 600), (rug + 600, -1200))
    if plot.busy:
        half = -round(plot.busy * HOUR / 2)
        return Times(launch, (half, -1200), (launch + HOUR, launch + 6 * HOUR))
    return Times(launch, (launch * 45 // 100, -900), (launch + 2400, launch + 5400))


def _plan_creators_sale(stage: Stage, plot: Plot) -> None:
    if plot.kind != "rug":
        creator = stage.token.creator
        stage.agenda.at(-round(plot.launch * HOUR * 0.3), lambda when: stage.sell(creator, 0.5, when))


def _crowd(stage: Stage, plot: Plot) -> None:
    """The crowd after the window, the completion of the curve, the rug, and the last trades that settle the price."""
    rng, launch = stage.builder.random, stage.token.launched_offset_seconds
    agenda = stage.agenda
    for nth in range(30 if plot.kind != "dull" else 6):
        agenda.at(launch + 60 + nth * 58 + rng.randint(0, 40), stage.steer)
    busy = max(launch + 1900, -round(plot.busy * HOUR)) if plot.busy else launch + 1900
    for nth in range(plot.later):
        first = busy if nth % 8 else launch + 1900
        agenda.at(rng.randint(first, -60), stage.steer)
    if plot.pool:
        whale = rng.choice(stage.cast.groups["crowd"])
        agenda.at(stage.path[-1][0], lambda when: stage.buy(whale, 110 * SOL, when))
    if plot.rug:
        agenda.at(-round(plot.rug * HOUR), stage.dump)
    for nth in range(8):
        agenda.at(-55 + nth * 6, stage.settle)


def _second_pool(stage: Stage, plot: Plot) -> None:
    """A stranger opens a second pool; some early buyers sell there."""
    builder, cast = stage.builder, stage.cast
    funder = cast.groups["liquidity provider"][0]
    sellers = cast.next("second pool seller", 5)
    for wallet in sellers:
        early = stage.token.launched_offset_seconds + builder.random.randint(60, 1700)
        stage.agenda.at(early, partial(stage.buy, wallet, SOL))
    opening = -round(plot.launch * HOUR * 0.6)
    stage.agenda.at(opening - 60, lambda when: stage.buy(funder, 30 * SOL, when))

    def open_pool(when: Moment) -> None:
        main = stage.pool
        assert main is not None
        units = stage.held(funder)
        ledger = builder.ledger
        lamports = units * ledger.units(main.quote_vault) // ledger.units(main.base_vault)
        pool = pumpswap.create_second_pool(
            builder, stage.token.mint, stage.token.creator, funder, when, units=units, lamports=lamports
        )
        stage.token.pools.append(pool)
        for nth, wallet in enumerate(sellers):
            share = 1 if nth % 2 else 0.6
            stage.agenda.at(
                opening + 900 + nth * 1700,
                partial(stage.sell, wallet, share, pool=pool),
            )

    stage.agenda.at(opening, open_pool)


def _noise(builder: Builder, agenda: Agenda, cast: Cast) -> None:
    """SOL moving between wallets, which is nobody's trade."""
    rng = builder.random
    everybody = [wallet for wallets in cast.groups.values() for wallet in wallets]
    for _ in range(_NOISE):
        source, target = rng.sample(everybody, 2)
        lamports = rng.randint(SOL // 100, SOL)

        def action(when: Moment, source: int = source, target: int = target, lamports: int = lamports) -> None:
            if builder.ledger.lamports[source] > 2 * SOL:
                swaps.pass_sol(builder, source, target, when, lamports, cast.styles.get(source, PLAIN))

        agenda.at(-rng.randint(60, 90 * HOUR), action)

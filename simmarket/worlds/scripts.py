"""A token's script as a table row, and the scenario that follows it."""

from dataclasses import dataclass, field

from simmarket.chain import programs, pumpfun, swaps
from simmarket.chain.builder import Builder, Moment
from simmarket.chain.instructions import signer
from simmarket.chain.swaps import Order
from simmarket.chain.world import Pool, Token
from simmarket.worlds.actors import SOL, Actors
from simmarket.worlds.behaviours import HOUR
from simmarket.worlds.scenario import Scenario
from simmarket.worlds.timeline import Timeline

PAST = "past"
Path = list[
    tuple[float, float]
]  # (hours before the world's end as a negative number, SOL in the pool)


@dataclass(slots=True, frozen=True)
class Script:
    """One token's script. Paths start at the launch (curve) and at the migration
    (pool).

    Hours count backwards from the world's end. Most of the late trades happen after
    `busy_hours` (0: after the launch).
    """

    symbol: str
    kind: str
    launch_hours: float
    curve_path: Path
    pool_path: Path = field(default_factory=list)
    late_trades: int = 190  # trades of the crowd after the early window
    busy_hours: float = 0.0
    trade_size_sol: tuple[float, float] = (1.5, 6.0)
    is_token_2022: bool = False
    has_usdc_quote: bool = False
    is_listed: bool = True
    has_second_pool: bool = False
    rug_hours: float = 0.0  # 0: no rug pull


def create_scenario(
    builder: Builder, timeline: Timeline, actors: Actors, script: Script, creator: int
) -> Scenario:
    """Create a script's token with its curve; nothing is on the chain yet."""
    token = _create_token(builder, script, creator)
    scenario = Scenario(
        builder=builder,
        timeline=timeline,
        actors=actors,
        token=token,
        curve=token.pools[0],
        curve_path=_in_seconds(script.curve_path),
        pool_path=_in_seconds(script.pool_path),
        trade_size_sol=script.trade_size_sol,
    )
    scenario.holders.append(creator)
    return scenario


def _create_token(builder: Builder, script: Script, creator: int) -> Token:
    address = builder.new_mint_address()
    curve = _create_curve(builder, script, creator, address)
    boost_count, has_profile = _promotion(builder, script)
    token = Token(
        mint=curve.mint,
        symbol=script.symbol,
        name=f"{script.symbol.capitalize()} Coin",
        uri=f"https://ipfs.invalid/{script.symbol.lower()}",
        kind=script.kind,
        launched_offset_seconds=curve.created_offset_seconds,
        creator=creator,
        pools=[curve],
        boost_count=boost_count,
        has_profile=has_profile,
    )
    builder.world.tokens[address] = token
    return token


def _create_curve(builder: Builder, script: Script, creator: int, address: str) -> Pool:
    launch = -round(script.launch_hours * HOUR)
    program = programs.TOKEN_2022 if script.is_token_2022 else programs.TOKEN
    mint = builder.ledger.add_mint(address, program, 6)
    quote = builder.usdc if script.has_usdc_quote else builder.ledger.native
    curve = pumpfun.open_curve(builder, mint, quote, creator, launch)
    curve.is_listed = script.is_listed
    return curve


def _promotion(builder: Builder, script: Script) -> tuple[int, bool]:
    """Return (boost count, has a profile). Nobody promotes a token of the past."""
    if script.kind == PAST:
        return 0, False
    boost_count = builder.random.choice((0, 0, 10, 50))
    return boost_count, builder.random.random() < 0.6


def plan_creation(scenario: Scenario, script: Script, sponsor: int) -> None:
    """Plan the creation and the creator's own buy, in one transaction."""
    builder, token = scenario.builder, scenario.token
    creator = token.creator
    launch = token.launched_offset_seconds
    budget = SOL // 2
    if script.kind != "dull":
        budget = int(builder.random.uniform(0.8, 2.4) * SOL)
    if script.has_usdc_quote:
        budget = budget * 170 // 1000

    def create(when: Moment) -> None:
        order = Order(creator, scenario.curve, when, scenario.actors.styles[creator])
        draft = builder.begin(creator, order.style)
        signer(draft, token.mint.account, writable=True)
        signer(draft, sponsor, writable=True)
        pumpfun.add_creation(
            builder,
            draft,
            scenario.curve,
            sponsor=sponsor,
            metadata=(token.name, token.symbol, token.uri),
            unix_seconds=launch,
        )
        fill = swaps.add_buy(builder, draft, order, budget)
        position = builder.end(draft, when, order.style, signers=3)
        swaps.log_trade(builder, order, fill, position, signers=3)

    scenario.timeline.at(launch, create)


def _in_seconds(path: Path) -> list[tuple[int, float]]:
    return [(round(hours * HOUR), sol) for hours, sol in path]

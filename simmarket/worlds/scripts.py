"""A token's story as a table row, and the stage it is played on."""

from dataclasses import dataclass, field

from simmarket.chain import programs, pumpfun, swaps
from simmarket.chain.builder import Builder, Moment
from simmarket.chain.instructions import signer
from simmarket.chain.world import Token
from simmarket.worlds.actors import SOL, Cast
from simmarket.worlds.behaviours import HOUR
from simmarket.worlds.scenario import Agenda, Stage

PAST = "past"
Path = list[tuple[float, float]]  # (hours before the world's end as a negative number, SOL in the pool)


@dataclass(slots=True, frozen=True)
class Plot:
    """One token's story. Paths start at the launch (curve) and at the migration (pool)."""

    symbol: str
    kind: str
    launch: float  # hours before the end
    curve: Path
    pool: Path = field(default_factory=list)
    later: int = 190  # trades of the crowd after the window
    busy: float = 0.0  # hours before the end from which most of them happen (0: from the launch)
    size: tuple[float, float] = (1.5, 6.0)
    modern: bool = False  # Token-2022
    usdc: bool = False
    listed: bool = True
    second_pool: bool = False
    rug: float = 0.0  # hours before the end


def open_stage(builder: Builder, agenda: Agenda, cast: Cast, plot: Plot, creator: int) -> Stage:
    """The token of a plot with its curve, nothing on the chain yet. A token of the past is advertised nowhere."""
    launch = -round(plot.launch * HOUR)
    program = programs.TOKEN_2022 if plot.modern else programs.TOKEN
    address = builder.new_mint_address()
    mint = builder.ledger.add_mint(address, program, 6)
    quote = builder.usdc if plot.usdc else builder.ledger.native
    curve = pumpfun.open_curve(builder, mint, quote, creator, launch)
    name = plot.symbol.capitalize()
    token = Token(
        mint=mint,
        symbol=plot.symbol,
        name=f"{name} Coin",
        uri=f"https://ipfs.invalid/{plot.symbol.lower()}",
        kind=plot.kind,
        launched_offset_seconds=launch,
        creator=creator,
        pools=[curve],
        boosted=0 if plot.kind == PAST else builder.random.choice((0, 0, 10, 50)),
        profiled=plot.kind != PAST and builder.random.random() < 0.6,
    )
    curve.listed = plot.listed
    builder.world.tokens[address] = token
    stage = Stage(builder, agenda, cast, token, curve, _seconds(plot.curve), _seconds(plot.pool), plot.size)
    stage.holders.append(creator)
    return stage


def plan_creation(stage: Stage, plot: Plot, sponsor: int) -> None:
    """Creation and the creator's own buy, in one transaction."""
    builder, token = stage.builder, stage.token
    launch = token.launched_offset_seconds
    spend = int(builder.random.uniform(0.8, 2.4) * SOL) if plot.kind != "dull" else SOL // 2

    def create(when: Moment) -> None:
        style = stage.cast.styles[token.creator]
        draft = builder.begin(token.creator, style)
        signer(draft, token.mint.account, writable=True)
        signer(draft, sponsor, writable=True)
        pumpfun.add_creation(builder, draft, stage.curve, sponsor, (token.name, token.symbol, token.uri), launch)
        budget = spend if not plot.usdc else spend * 170 // 1000
        units, paid, platform = swaps.add_buy(builder, draft, token.creator, stage.curve, budget, style)
        place = builder.end(draft, when, style, signers=3)
        swaps.note(
            builder, stage.curve, token.creator, when, place, units, paid, style, platform, is_buy=True, signers=3
        )

    stage.agenda.at(launch, create)


def _seconds(path: Path) -> list[tuple[int, float]]:
    return [(round(hours * HOUR), sol) for hours, sol in path]

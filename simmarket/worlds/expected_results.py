"""The results that a correct analysis of a world finds, computed from the log of
movements (never from payloads).
"""

from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from simmarket.chain import programs
from simmarket.chain import world as world_log
from simmarket.chain.curve25519 import is_on_curve
from simmarket.chain.figures import SERVER_START_OFFSET_SECONDS, main_pool
from simmarket.chain.world import BUY, TRANSFER_IN, Movement, Token, World
from simmarket.worlds.lots import Lots, TrueCycle

SKILLED, LUCKY_ONCE = "skilled", "lucky once"


@dataclass(frozen=True)
class ExpectedWallet:
    """One early buyer of one token with the result of its first cycle; lamports rounded
    half-even, percentages to two decimals, None if the result is unknown.
    """

    address: str
    mint: str
    first_buy_offset_seconds: int
    entry_rank: int
    cost_lamports: int
    realised_lamports: int | None
    profit_pct: Decimal | None
    knowledge: str
    qualified: bool
    history_incomplete: bool
    behaviours: tuple[str, ...]


@dataclass(frozen=True)
class ExpectedToken:
    """One token with its early buyers by address, in entry order."""

    mint: str
    symbol: str
    kind: str
    launched_offset_seconds: int
    early_buyers: dict[str, ExpectedWallet]


@dataclass(frozen=True)
class ExpectedCycle:
    """One wallet's time with one token, from flat to flat; lamports rounded half-even,
    each on its own.

    `is_closed`: at most 1 % of the cycle's largest holding is left, after sales or
    transfers. `has_sent_units`: the wallet sent units of it away. Units that are not
    sold add nothing to `net_lamports`.
    """

    mint: str
    opened_offset_seconds: int
    closed_offset_seconds: int | None
    last_trade_offset_seconds: int
    put_in_lamports: int
    matched_lamports: int
    net_lamports: int
    is_closed: bool
    has_sent_units: bool
    knowledge: str


def tokens(
    world: World,
    *,
    early_window_minutes: int = 30,
    min_profit_pct: Decimal = Decimal(50),
    min_cost_sol: Decimal = Decimal("0.05"),
) -> dict[str, ExpectedToken]:
    """Return every token of the world by mint."""
    movements_by_mint: dict[int, list[Movement]] = defaultdict(list)
    for movement in world.movements:
        movements_by_mint[movement.mint].append(movement)
    expected: dict[str, ExpectedToken] = {}
    for mint, token in world.tokens.items():
        expected[mint] = ExpectedToken(
            mint=mint,
            symbol=token.symbol,
            kind=token.kind,
            launched_offset_seconds=token.launched_offset_seconds,
            early_buyers=_early_buyers(
                world,
                token,
                movements_by_mint[token.mint.account],
                early_window_minutes=early_window_minutes,
                min_profit_pct=min_profit_pct,
                min_cost_sol=min_cost_sol,
            ),
        )
    return expected


def pumped(
    world: World,
    *,
    min_price_change_pct: Decimal = Decimal(100),
    min_volume_usd: Decimal = Decimal(50000),
    min_liquidity_usd: Decimal = Decimal(10000),
    max_token_age_hours: int = 72,
    now: int = SERVER_START_OFFSET_SECONDS,
) -> set[str]:
    """Return the mints whose main pool passes the filters when a server starts, or at
    another moment `now` up to which the world has happened; the age counts from the
    launch.
    """
    mints: set[str] = set()
    for mint, token in world.tokens.items():
        age_seconds = now - token.launched_offset_seconds
        if age_seconds > max_token_age_hours * 3600:
            continue
        _, figures = main_pool(world, token, now)
        day = figures.windows["h24"]
        checks = (
            day.change_pct >= Fraction(min_price_change_pct),
            day.volume_usd >= Fraction(min_volume_usd),
            figures.liquidity_usd >= Fraction(min_liquidity_usd),
        )
        if all(checks):
            mints.add(mint)
    return mints


def skilled(world: World) -> set[str]:
    """Return the wallets that repeatedly buy early and sell well."""
    return {
        address
        for address, behaviours in world.behaviours.items()
        if SKILLED in behaviours
    }


def lucky_once(world: World) -> set[str]:
    """Return the wallets with one good token and no other good one."""
    return {
        address
        for address, behaviours in world.behaviours.items()
        if LUCKY_ONCE in behaviours
    }


def cycles(world: World) -> dict[str, list[ExpectedCycle]]:
    """Return every wallet's cycles in which it bought something, by address, in the
    order they opened.

    Weighted average cost. A cycle opens with the first units that a wallet buys or
    receives while flat, and closes when at most 1 % of its largest holding is left. The
    cost of that rest stays with the cycle that paid it, and so do the proceeds if the
    wallet sells it later: a sale of units of several cycles is shared in proportion to
    the units with a cost that each cycle still has.
    """
    by_wallet_and_mint: dict[tuple[int, int], list[Movement]] = defaultdict(list)
    for movement in world.movements:
        by_wallet_and_mint[movement.wallet, movement.mint].append(movement)
    cycles_by_address: dict[str, list[ExpectedCycle]] = defaultdict(list)
    for (wallet, mint), movements in by_wallet_and_mint.items():
        if _is_wallet(world, wallet):
            address = world.accounts.address(wallet)
            cycles_by_address[address] += _cycles_of(
                world, world.accounts.address(mint), movements
            )
    for rows in cycles_by_address.values():
        rows.sort(key=lambda row: (row.opened_offset_seconds, row.mint))
    return dict(cycles_by_address)


def market_lamports(world: World, movement: Movement) -> Fraction:
    """Return the market amount of a trade in lamports; a stable quote is converted at
    the last closed minute.
    """
    if movement.quote == world.ledger.native.account:
        return Fraction(movement.quote_units)
    offset_seconds = world.transactions[movement.position].offset_seconds
    price_usd = Fraction(world.price.cents_at(offset_seconds), 100)
    return Fraction(movement.quote_units * programs.LAMPORTS_PER_SOL, 10**6) / price_usd


def lots_of(world: World, movements: list[Movement], opening_units: int = 0) -> Lots:
    """Return the lots after a wallet's movements in one token, in chain order.

    opening_units: those that it held before the first of them.
    """
    lots = Lots()
    if opening_units:
        lots.receive(
            opening_units, world.transactions[movements[0].position].offset_seconds
        )
    for movement in movements:
        _apply(world, lots, movement)
    lots.finish()
    return lots


def _apply(world: World, lots: Lots, movement: Movement) -> None:
    at = world.transactions[movement.position].offset_seconds
    units, fees = movement.units, movement.fees_lamports
    match movement.kind:
        case world_log.BUY:
            lots.buy(units, market_lamports(world, movement), fees, at)
        case world_log.SELL:
            lots.sell(units, market_lamports(world, movement), fees, at)
        case world_log.TRANSFER_IN:
            lots.receive(units, at)
        case world_log.LOSE:
            lots.lose(units, at)
        case world_log.ORDER_OPEN:
            lots.open_order(units)
        case world_log.ORDER_CLOSE:
            lots.close_order(units)
        case world_log.ORDER_FILL:
            lamports = market_lamports(world, movement)
            lots.sell(units, lamports, fees, at, from_order=True)
        case _:
            lots.send(units, at)


def _opening_units(movements: list[Movement]) -> int:
    """Return the units that a wallet held before its first movement: the most that its
    outflows are ahead of its inflows.
    """
    balance = lowest = 0
    for movement in movements:
        if movement.kind in {world_log.ORDER_OPEN, world_log.ORDER_CLOSE}:
            continue  # they still belong to the wallet
        is_inflow = movement.kind in {BUY, TRANSFER_IN}
        balance += movement.units if is_inflow else -movement.units
        lowest = min(lowest, balance)
    return -lowest


def _cycles_of(
    world: World, mint: str, movements: list[Movement]
) -> list[ExpectedCycle]:
    lots = lots_of(world, movements, _opening_units(movements))
    return [_expected_cycle(mint, cycle) for cycle in lots.cycles if cycle.cost]


def _expected_cycle(mint: str, cycle: TrueCycle) -> ExpectedCycle:
    return ExpectedCycle(
        mint=mint,
        opened_offset_seconds=cycle.opened,
        closed_offset_seconds=cycle.closed,
        last_trade_offset_seconds=cycle.last_trade or cycle.opened,
        put_in_lamports=round(cycle.cost),
        matched_lamports=round(cycle.matched),
        net_lamports=round(cycle.matched - cycle.cost),
        is_closed=cycle.closed is not None,
        has_sent_units=cycle.has_sent_units,
        knowledge=cycle.knowledge,
    )


def _early_buyers(
    world: World,
    token: Token,
    movements: list[Movement],
    *,
    early_window_minutes: int,
    min_profit_pct: Decimal,
    min_cost_sol: Decimal,
) -> dict[str, ExpectedWallet]:
    """Return the early buyers by address in the order of their first buy."""
    window_end = token.launched_offset_seconds + early_window_minutes * 60
    by_wallet: dict[int, list[Movement]] = defaultdict(list)
    for movement in movements:
        by_wallet[movement.wallet].append(movement)
    first_buys: list[tuple[int, list[Movement]]] = []
    for own_movements in by_wallet.values():
        first = _first_early_buy(world, token, own_movements, window_end)
        if first is not None:
            first_buys.append((movements.index(first), own_movements))
    early_buyers: dict[str, ExpectedWallet] = {}
    for rank, (_, own_movements) in enumerate(sorted(first_buys, key=_place), start=1):
        buyer = _expected_wallet(
            world,
            token,
            own_movements,
            rank=rank,
            min_profit_pct=min_profit_pct,
            min_cost_sol=min_cost_sol,
        )
        early_buyers[buyer.address] = buyer
    return early_buyers


def _place(first_buy: tuple[int, list[Movement]]) -> int:
    place, _ = first_buy
    return place


def _first_early_buy(
    world: World, token: Token, movements: list[Movement], window_end: int
) -> Movement | None:
    """Return the first buy of a wallet if it is inside the early window and the units
    that the wallet had before are less than 1 % of it, else None.
    """
    if not _is_wallet(world, movements[0].wallet):
        return None
    units_before = _opening_units(movements)
    for movement in movements:
        if movement.kind == BUY:
            offset_seconds = world.transactions[movement.position].offset_seconds
            is_early = token.launched_offset_seconds <= offset_seconds <= window_end
            is_first = units_before * 100 < movement.units
            return movement if is_early and is_first else None
        if movement.kind == TRANSFER_IN:
            units_before += movement.units
    return None


def _expected_wallet(
    world: World,
    token: Token,
    movements: list[Movement],
    *,
    rank: int,
    min_profit_pct: Decimal,
    min_cost_sol: Decimal,
) -> ExpectedWallet:
    wallet = movements[0].wallet
    address = world.accounts.address(wallet)
    opening_units = _opening_units(movements)
    lots = lots_of(world, movements, opening_units)
    entry = next(cycle for cycle in lots.cycles if cycle.buys)
    profit_pct = entry.profit_pct
    is_profitable = profit_pct is not None and profit_pct >= Fraction(min_profit_pct)
    is_large = entry.cost >= Fraction(min_cost_sol) * programs.LAMPORTS_PER_SOL
    first_buy = next(movement for movement in movements if movement.kind == BUY)
    return ExpectedWallet(
        address=address,
        mint=world.accounts.address(token.mint.account),
        first_buy_offset_seconds=world.transactions[first_buy.position].offset_seconds,
        entry_rank=rank,
        cost_lamports=round(entry.cost),
        realised_lamports=(
            None if profit_pct is None else round(entry.matched - entry.sold_cost)
        ),
        profit_pct=None if profit_pct is None else two_decimals(profit_pct),
        knowledge=entry.knowledge,
        qualified=is_profitable and is_large and wallet != token.creator,
        history_incomplete=bool(opening_units),
        behaviours=tuple(world.behaviours.get(address, ())),
    )


def two_decimals(value: Fraction) -> Decimal:
    """Return an exact ratio rounded half-even to hundredths."""
    hundredths = Decimal(round(value * 100)).scaleb(-2)
    return hundredths.quantize(
        Decimal("0.01"), rounding=ROUND_HALF_EVEN, context=Context(prec=60)
    )


def _is_wallet(world: World, account: int) -> bool:
    if world.accounts.address(account) in programs.INFRASTRUCTURE:
        return False
    if world.file_end_seconds is None:
        return account in world.wallets
    return is_on_curve(world.accounts.raw(account))

"""The right answers of a world, computed from what its wallets did (never from rendered payloads)."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from simmarket.chain import programs
from simmarket.chain.curve25519 import is_on_curve
from simmarket.chain.figures import pumped_mints
from simmarket.chain.world import BUY, SELL, TRANSFER_IN, Movement, World
from simmarket.worlds.cost_basis import ZERO, Position

SKILLED, LUCKY_ONCE = "skilled", "lucky once"


@dataclass(frozen=True)
class WalletTruth:
    """One early buyer of one token; lamports rounded half-even, percentages to two decimals."""

    address: str
    mint: str
    first_buy_offset_seconds: int
    entry_rank: int
    cost_lamports: int
    realised_lamports: int
    profit_pct: Decimal | None
    qualified: bool
    history_incomplete: bool
    habits: tuple[str, ...]


@dataclass(frozen=True)
class TokenTruth:
    """One token with its early buyers by address, in entry order."""

    mint: str
    symbol: str
    kind: str
    launched_offset_seconds: int
    early_buyers: dict[str, WalletTruth]


@dataclass(frozen=True)
class CycleTruth:
    """One wallet's time with one token, from flat to flat; lamports rounded half-even, each on its own.

    `closed` says that no more than 1 % of the cycle's largest holding was left, by sales or by transfers;
    `left_wallet` that units of it were sent away. What is not sold counts for nothing in `net_lamports`.
    """

    mint: str
    opened_offset_seconds: int
    closed_offset_seconds: int | None
    last_trade_offset_seconds: int
    put_in_lamports: int
    matched_lamports: int
    net_lamports: int
    closed: bool
    left_wallet: bool


def tokens(
    world: World, *, early_window_minutes: int = 30, min_profit_pct: Decimal = Decimal(50)
) -> dict[str, TokenTruth]:
    """Every token of the world by mint."""
    by_wallet: dict[int, dict[int, list[Movement]]] = defaultdict(lambda: defaultdict(list))
    for movement in world.movements:
        by_wallet[movement.mint][movement.wallet].append(movement)
    found: dict[str, TokenTruth] = {}
    for mint, token in world.tokens.items():
        launch = token.launched_offset_seconds
        last = launch + early_window_minutes * 60
        buyers: dict[str, WalletTruth] = {}
        # wallets stand in the order of their first movement, which for an early buyer is its first buy
        for wallet, movements in by_wallet[token.mint.account].items():
            first = world.transactions[movements[0].transaction].offset_seconds
            if movements[0].kind != BUY or not launch <= first <= last or not _is_wallet(world, wallet):
                continue
            address = world.accounts.address(wallet)
            buyers[address] = _wallet_truth(world, mint, address, movements, len(buyers) + 1, min_profit_pct)
        found[mint] = TokenTruth(mint, token.symbol, token.kind, launch, buyers)
    return found


def pumped(
    world: World,
    *,
    min_price_change_pct: Decimal = Decimal(100),
    min_volume_usd: Decimal = Decimal(50000),
    min_liquidity_usd: Decimal = Decimal(10000),
    max_token_age_hours: int = 72,
) -> set[str]:
    """Mints that pass the filters on the figures the wire shows when a server starts."""
    return pumped_mints(
        world,
        min_price_change_pct=min_price_change_pct,
        min_volume_usd=min_volume_usd,
        min_liquidity_usd=min_liquidity_usd,
        max_token_age_hours=max_token_age_hours,
    )


def skilled(world: World) -> set[str]:
    """Wallets that buy early and sell well again and again."""
    return {address for address, habits in world.habits.items() if SKILLED in habits}


def lucky_once(world: World) -> set[str]:
    """Wallets with one good token and no other good one."""
    return {address for address, habits in world.habits.items() if LUCKY_ONCE in habits}


def cycles(world: World) -> dict[str, list[CycleTruth]]:
    """Every wallet's cycles in which it bought something, by address, in the order they opened.

    Weighted average cost. A cycle opens with the first units bought or received while flat and ends where at most 1 %
    of its largest holding is left. That rest stays a cost of the cycle that paid for it, and so are the proceeds if it
    is sold one day: a sale that takes units of several cycles is shared by the units with a cost that each still has.
    """
    by_pair: dict[tuple[int, int], list[Movement]] = defaultdict(list)
    for movement in world.movements:
        by_pair[movement.wallet, movement.mint].append(movement)
    found: dict[str, list[CycleTruth]] = defaultdict(list)
    for (wallet, mint), movements in by_pair.items():
        if _is_wallet(world, wallet):
            found[world.accounts.address(wallet)] += _cycles_of(world, world.accounts.address(mint), movements)
    return {
        address: sorted(rows, key=lambda row: (row.opened_offset_seconds, row.mint)) for address, rows in found.items()
    }


def market_lamports(world: World, movement: Movement) -> Fraction:
    """The market amount of a trade in lamports; a stable quote is converted at the last closed minute."""
    if movement.quote == world.ledger.native.account:
        return Fraction(movement.quote_units)
    offset = world.transactions[movement.transaction].offset_seconds
    price = Fraction(world.price.cents_at(offset), 100)
    return Fraction(movement.quote_units * programs.LAMPORTS_PER_SOL, 10**6) / price


def position_of(world: World, movements: list[Movement]) -> Position:
    """The position after a wallet's movements in one token, in chain order."""
    position = Position()
    for movement in movements:
        _apply(world, position, movement)
    return position


def _apply(world: World, position: Position, movement: Movement) -> None:
    if movement.kind == BUY:
        position.buy(movement.units, market_lamports(world, movement), movement.extras_lamports)
    elif movement.kind == SELL:
        position.sell(movement.units, market_lamports(world, movement), movement.extras_lamports)
    elif movement.kind == TRANSFER_IN:
        position.receive(movement.units)
    else:
        position.give(movement.units)


@dataclass(slots=True)
class _Cycle:
    """A cycle while its movements are added up."""

    opened: int
    closed: int | None = None
    last_trade: int = 0
    peak: Fraction = ZERO
    put_in: Fraction = ZERO
    matched: Fraction = ZERO
    units: Fraction = ZERO  # of its own units with a cost, those still in the wallet
    left_wallet: bool = False


def _cycles_of(world: World, mint: str, movements: list[Movement]) -> list[CycleTruth]:
    position = Position()
    found: list[_Cycle] = []
    for movement in movements:
        offset = world.transactions[movement.transaction].offset_seconds
        gains = movement.kind in {BUY, TRANSFER_IN}
        if gains and (not found or found[-1].closed is not None):
            found.append(_Cycle(offset))
        put_in, matched, units = position.put_in, position.matched_proceeds, position.with_basis
        _apply(world, position, movement)
        if not found:
            continue
        cycle = found[-1]
        if movement.kind == BUY:
            cycle.put_in += position.put_in - put_in
            cycle.units += movement.units
        elif not gains and units:
            for owner in found:
                owner.matched += (position.matched_proceeds - matched) * owner.units / units
                owner.units *= position.with_basis / units
        cycle.peak = max(cycle.peak, position.held)
        if movement.kind in {BUY, SELL}:
            cycle.last_trade = offset
        elif not gains:
            cycle.left_wallet = True
        if cycle.closed is None and position.held * 100 <= cycle.peak:
            cycle.closed = offset
    return [
        CycleTruth(
            mint=mint,
            opened_offset_seconds=cycle.opened,
            closed_offset_seconds=cycle.closed,
            last_trade_offset_seconds=cycle.last_trade,
            put_in_lamports=round(cycle.put_in),
            matched_lamports=round(cycle.matched),
            net_lamports=round(cycle.matched - cycle.put_in),
            closed=cycle.closed is not None,
            left_wallet=cycle.left_wallet,
        )
        for cycle in found
        if cycle.put_in
    ]


def _wallet_truth(
    world: World, mint: str, address: str, movements: list[Movement], rank: int, min_profit_pct: Decimal
) -> WalletTruth:
    position = position_of(world, movements)
    exact = None
    if position.put_in:
        exact = (position.matched_proceeds - position.put_in) / position.put_in * 100
    return WalletTruth(
        address=address,
        mint=mint,
        first_buy_offset_seconds=world.transactions[movements[0].transaction].offset_seconds,
        entry_rank=rank,
        cost_lamports=round(position.put_in),
        realised_lamports=round(position.realised),
        profit_pct=None if exact is None else two_decimals(exact),
        qualified=exact is not None
        and exact >= Fraction(min_profit_pct)
        and world.accounts.address(world.tokens[mint].creator) != address,
        history_incomplete=position.history_incomplete,
        habits=tuple(world.habits.get(address, ())),
    )


def two_decimals(value: Fraction) -> Decimal:
    """An exact ratio rounded half-even to hundredths."""
    return (
        Decimal(round(value * 100))
        .scaleb(-2)
        .quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN, context=Context(prec=60))
    )


def _is_wallet(world: World, account: int) -> bool:
    if world.accounts.address(account) in programs.PLUMBING:
        return False
    return account in world.wallets if world.file_end_seconds is None else is_on_curve(world.accounts.raw(account))

"""The right answers of a world, computed from what its wallets did (never from rendered payloads)."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from simmarket import programs
from simmarket.curve25519 import is_on_curve
from simmarket.figures import pumped_mints
from simmarket.positions import Position
from simmarket.world import BUY, SELL, TRANSFER_IN, Movement, World

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
        if movement.kind == BUY:
            position.buy(movement.units, market_lamports(world, movement), movement.extras_lamports)
        elif movement.kind == SELL:
            position.sell(movement.units, market_lamports(world, movement), movement.extras_lamports)
        elif movement.kind == TRANSFER_IN:
            position.receive(movement.units)
        else:
            position.give(movement.units)
    return position


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
        qualified=exact is not None and exact >= Fraction(min_profit_pct),
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

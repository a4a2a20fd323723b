"""The results that a correct analysis of a world finds, computed from the log of
movements (never from payloads).
"""

from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from simmarket.chain import programs
from simmarket.chain.curve25519 import is_on_curve
from simmarket.chain.figures import SERVER_START_OFFSET_SECONDS, main_pool
from simmarket.chain.world import (
    BUY,
    SELL,
    TRANSFER_IN,
    TRANSFER_OUT,
    Movement,
    Token,
    World,
)
from simmarket.worlds.cost_basis import ZERO, CostBasis

SKILLED, LUCKY_ONCE = "skilled", "lucky once"


@dataclass(frozen=True)
class ExpectedWallet:
    """One early buyer of one token; lamports rounded half-even, percentages to two
    decimals.
    """

    address: str
    mint: str
    first_buy_offset_seconds: int
    entry_rank: int
    cost_lamports: int
    realised_lamports: int
    profit_pct: Decimal | None
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


def tokens(
    world: World,
    *,
    early_window_minutes: int = 30,
    min_profit_pct: Decimal = Decimal(50),
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
) -> set[str]:
    """Return the mints whose main pool passes the filters when a server starts; the age
    counts from the launch.
    """
    mints: set[str] = set()
    for mint, token in world.tokens.items():
        _, figures = main_pool(world, token, SERVER_START_OFFSET_SECONDS)
        day = figures.windows["h24"]
        age_seconds = SERVER_START_OFFSET_SECONDS - token.launched_offset_seconds
        checks = (
            day.change_pct >= Fraction(min_price_change_pct),
            day.volume_usd >= Fraction(min_volume_usd),
            figures.liquidity_usd >= Fraction(min_liquidity_usd),
            age_seconds <= max_token_age_hours * 3600,
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


def cost_basis_of(world: World, movements: list[Movement]) -> CostBasis:
    """Return the cost basis after a wallet's movements in one token, in chain order."""
    basis = CostBasis()
    for movement in movements:
        _apply(world, basis, movement)
    return basis


def _apply(world: World, basis: CostBasis, movement: Movement) -> None:
    if movement.kind == BUY:
        basis.buy(
            movement.units, market_lamports(world, movement), movement.fees_lamports
        )
    elif movement.kind == SELL:
        basis.sell(
            movement.units, market_lamports(world, movement), movement.fees_lamports
        )
    elif movement.kind == TRANSFER_IN:
        basis.receive(movement.units)
    else:
        basis.send(movement.units)


@dataclass(slots=True)
class _Cycle:
    """A cycle while its movements are added up."""

    opened: int
    closed: int | None = None
    last_trade: int = 0
    peak_units: Fraction = ZERO
    cost: Fraction = ZERO
    matched_proceeds: Fraction = ZERO
    units_with_basis: Fraction = (
        ZERO  # of its own units with a cost, those that are still in the wallet
    )
    has_sent_units: bool = False

    def expected(self, mint: str) -> ExpectedCycle:
        """Return the rounded result."""
        return ExpectedCycle(
            mint=mint,
            opened_offset_seconds=self.opened,
            closed_offset_seconds=self.closed,
            last_trade_offset_seconds=self.last_trade,
            put_in_lamports=round(self.cost),
            matched_lamports=round(self.matched_proceeds),
            net_lamports=round(self.matched_proceeds - self.cost),
            is_closed=self.closed is not None,
            has_sent_units=self.has_sent_units,
        )


class _CycleLog:
    """Splits one wallet's movements in one token into cycles."""

    def __init__(self, world: World) -> None:
        self.cycles: list[_Cycle] = []
        self._world = world
        self._basis = CostBasis()

    def add(self, movement: Movement) -> None:
        """Add the next movement."""
        offset_seconds = self._world.transactions[movement.position].offset_seconds
        is_inflow = movement.kind in {BUY, TRANSFER_IN}
        is_flat = not self.cycles or self.cycles[-1].closed is not None
        if is_inflow and is_flat:
            self.cycles.append(_Cycle(offset_seconds))
        cost_before = self._basis.cost
        proceeds_before = self._basis.matched_proceeds
        units_before = self._basis.units_with_basis
        _apply(self._world, self._basis, movement)
        if not self.cycles:
            return
        cycle = self.cycles[-1]
        if movement.kind == BUY:
            cycle.cost += self._basis.cost - cost_before
            cycle.units_with_basis += movement.units
        if not is_inflow and units_before:
            self._share(self._basis.matched_proceeds - proceeds_before, units_before)
        self._update(cycle, movement, offset_seconds)

    def _share(self, proceeds: Fraction, units_before: Fraction) -> None:
        """Share proceeds and remaining units among the cycles in proportion to their
        units with a basis.
        """
        remaining_share = self._basis.units_with_basis / units_before
        for cycle in self.cycles:
            cycle.matched_proceeds += proceeds * cycle.units_with_basis / units_before
            cycle.units_with_basis *= remaining_share

    def _update(self, cycle: _Cycle, movement: Movement, offset_seconds: int) -> None:
        cycle.peak_units = max(cycle.peak_units, self._basis.units)
        if movement.kind in {BUY, SELL}:
            cycle.last_trade = offset_seconds
        if movement.kind == TRANSFER_OUT:
            cycle.has_sent_units = True
        if cycle.closed is None and self._basis.units * 100 <= cycle.peak_units:
            cycle.closed = offset_seconds


def _cycles_of(
    world: World, mint: str, movements: list[Movement]
) -> list[ExpectedCycle]:
    log = _CycleLog(world)
    for movement in movements:
        log.add(movement)
    return [cycle.expected(mint) for cycle in log.cycles if cycle.cost]


def _early_buyers(
    world: World,
    token: Token,
    movements: list[Movement],
    *,
    early_window_minutes: int,
    min_profit_pct: Decimal,
) -> dict[str, ExpectedWallet]:
    """Return the early buyers by address in the order of their first buy."""
    window_end = token.launched_offset_seconds + early_window_minutes * 60
    by_wallet: dict[int, list[Movement]] = defaultdict(list)
    for movement in movements:
        by_wallet[movement.wallet].append(movement)
    early_buyers: dict[str, ExpectedWallet] = {}
    # wallets are in the order of their first movement, which for an early buyer is its
    # first buy
    for own_movements in by_wallet.values():
        if _is_early_buyer(world, token, own_movements[0], window_end):
            rank = len(early_buyers) + 1
            buyer = _expected_wallet(
                world, token, own_movements, rank=rank, min_profit_pct=min_profit_pct
            )
            early_buyers[buyer.address] = buyer
    return early_buyers


def _is_early_buyer(
    world: World, token: Token, first: Movement, window_end: int
) -> bool:
    """Return True if a wallet's first movement is a buy inside the early window."""
    offset_seconds = world.transactions[first.position].offset_seconds
    is_early = token.launched_offset_seconds <= offset_seconds <= window_end
    return first.kind == BUY and is_early and _is_wallet(world, first.wallet)


def _expected_wallet(
    world: World,
    token: Token,
    movements: list[Movement],
    *,
    rank: int,
    min_profit_pct: Decimal,
) -> ExpectedWallet:
    first = movements[0]
    address = world.accounts.address(first.wallet)
    basis = cost_basis_of(world, movements)
    profit_pct = _profit_pct(basis)
    is_profitable = profit_pct is not None and profit_pct >= Fraction(min_profit_pct)
    return ExpectedWallet(
        address=address,
        mint=world.accounts.address(token.mint.account),
        first_buy_offset_seconds=world.transactions[first.position].offset_seconds,
        entry_rank=rank,
        cost_lamports=round(basis.cost),
        realised_lamports=round(basis.realised),
        profit_pct=None if profit_pct is None else two_decimals(profit_pct),
        qualified=is_profitable and first.wallet != token.creator,
        history_incomplete=basis.history_incomplete,
        behaviours=tuple(world.behaviours.get(address, ())),
    )


def _profit_pct(basis: CostBasis) -> Fraction | None:
    """Return the exact profit in percent of the cost, or None without a cost."""
    if not basis.cost:
        return None
    return (basis.matched_proceeds - basis.cost) / basis.cost * 100


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

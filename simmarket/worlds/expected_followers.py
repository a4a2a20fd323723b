"""What each wallet of a world gained in each token, and what someone would have gained
who followed it: from the log of movements and the pools' own record of reserves.

The reserves of a pool hold from one trade in it to the next. A follower buys and sells
against those right behind the wallet's own trade, or against those some seconds later.
Its own trades move the price for itself only: they never happened.
"""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from math import log

from simmarket.chain.world import (
    BUY,
    SELL,
    TRANSFER_IN,
    Movement,
    Pool,
    PoolTrade,
    Token,
    World,
)
from simmarket.worlds.purses import FollowerPurse, LeaderPurse, Reserves, Result

YOUNG_SECONDS = 7 * 86_400
HALF_LIFE_SECONDS = 60 * 86_400
_PURSE_PART, _MAX_GAIN = 0.1, 20.0


@dataclass(frozen=True, slots=True)
class TokenTruth:
    """One wallet in one token: its own result, that of a follower right behind it, and
    that of one who is some seconds late. has_sold: the wallet itself sold some of it.
    """

    address: str
    mint: str
    first_buy_offset_seconds: int
    has_sold: bool
    leader: Result
    behind: Result
    late: Result


@dataclass(frozen=True, slots=True)
class Record:
    """Tokens of one wallet, or of several, that are old enough to count."""

    tokens: list[TokenTruth]

    @property
    def won_share(self) -> float:
        """The share of the tokens in which the wallet itself gained."""
        return sum(token.leader.gain > 0 for token in self.tokens) / len(self.tokens)

    @property
    def leader_growth(self) -> float:
        """The weighted mean growth of the wallet itself."""
        return self._mean([growth(token.leader.gain) for token in self.tokens])

    @property
    def behind_growth(self) -> float:
        """The weighted mean growth right behind it."""
        return self._mean([growth(token.behind.gain) for token in self.tokens])

    @property
    def late_growth(self) -> float:
        """The weighted mean growth some seconds behind it."""
        return self._mean([growth(token.late.gain) for token in self.tokens])

    @property
    def gains_for_leader(self) -> bool:
        """Return True if the wallet's own purse grows."""
        return self.leader_growth > 0

    @property
    def gains_for_follower(self) -> bool:
        """Return True if the purse of someone grows who follows some seconds behind."""
        return self.late_growth > 0

    def _mean(self, values: list[float]) -> float:
        """Return the mean of one value for each token; a newer token weighs more."""
        weights = [weight(token) for token in self.tokens]
        weighted = [part * value for part, value in zip(weights, values, strict=True)]
        return sum(weighted) / sum(weights)


def growth(gain: float) -> float:
    """Return what a tenth of a purse gains, in tenths: a loss of everything weighs more
    than a doubling.
    """
    bounded = min(max(gain, -1.0), _MAX_GAIN)
    return log(1 + _PURSE_PART * bounded) / _PURSE_PART


def weight(truth: TokenTruth) -> float:
    """Return how much a token counts: half as much for each 60 days before the end."""
    return float(2 ** (truth.first_buy_offset_seconds / HALF_LIFE_SECONDS))


def results(world: World, seconds: int = 15) -> list[TokenTruth]:
    """Return the truth of every wallet in every token that it bought, in the order of
    the log. Tokens of the last week are among them.

    seconds: how far the late follower is behind. Raises ValueError if a pool trades
    against anything but SOL.
    """
    fills = Fills(world)
    histories = movements_by_wallet_and_mint(world).values()
    return [token_truth(fills, movements, seconds) for movements in histories]


def movements_by_wallet_and_mint(
    world: World,
) -> dict[tuple[int, int], list[Movement]]:
    """Return the movements of each wallet in each token that it bought, in the order of
    the log.
    """
    histories: dict[tuple[int, int], list[Movement]] = defaultdict(list)
    for movement in world.movements:
        if movement.wallet in world.wallets:
            histories[movement.wallet, movement.mint].append(movement)
    return {
        key: movements
        for key, movements in histories.items()
        if any(movement.kind == BUY for movement in movements)
    }


def records(world: World, seconds: int = 15) -> dict[str, Record]:
    """Return the record of every wallet by address, without tokens of the last week."""
    by_address: dict[str, list[TokenTruth]] = defaultdict(list)
    for truth in results(world, seconds):
        if truth.first_buy_offset_seconds <= -YOUNG_SECONDS:
            by_address[truth.address].append(truth)
    return {address: Record(tokens) for address, tokens in by_address.items()}


def wallets_by_habit(world: World) -> dict[str, list[str]]:
    """Return the addresses of the wallets of each habit."""
    wallets: dict[str, list[str]] = defaultdict(list)
    for address, habits in world.behaviours.items():
        for habit in habits:
            wallets[habit].append(address)
    return dict(wallets)


def habit_records(world: World, seconds: int = 15) -> dict[str, Record]:
    """Return the records of all wallets of each habit together; a habit whose wallets
    bought nothing that counts has none.
    """
    by_address = records(world, seconds)
    by_habit: dict[str, Record] = {}
    for habit, addresses in wallets_by_habit(world).items():
        tokens: list[TokenTruth] = []
        for address in addresses:
            if address in by_address:
                tokens += by_address[address].tokens
        if tokens:
            by_habit[habit] = Record(tokens)
    return by_habit


def gains_for_follower(world: World, habit: str, seconds: int = 15) -> bool:
    """Return True if someone gains who follows the wallets of a habit so many seconds
    behind.
    """
    return habit_records(world, seconds)[habit].gains_for_follower


class Fills:
    """The trade in a pool that belongs to a movement. Raises ValueError if a pool trades
    against anything but SOL.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self._trades: dict[tuple[int, int, bool, int], tuple[Pool, int]] = {}
        for token in world.tokens.values():
            for pool in token.pools:
                if pool.quote is not world.ledger.native:
                    raise ValueError(f"{token.symbol} has a pool without SOL")
                for index, trade in enumerate(pool.trades):
                    self._trades[_trade_key(trade)] = pool, index

    def of(self, movement: Movement) -> tuple[Pool, int]:
        """Return (pool, index of the trade in it)."""
        is_buy = movement.kind == BUY
        return self._trades[movement.position, movement.wallet, is_buy, movement.units]


def _trade_key(trade: PoolTrade) -> tuple[int, int, bool, int]:
    return (trade.position, trade.wallet, trade.is_buy, trade.units)


def _reserves_behind(pool: Pool, index: int) -> Reserves:
    trade = pool.trades[index]
    return Reserves(trade.quote_reserve, trade.base_reserve)


def _reserves_later(
    pool: Pool, index: int, seconds: int, until: int | None
) -> Reserves:
    """Return the reserves after the last trade in those seconds, none after `until`."""
    moment = pool.trades[index].offset_seconds + seconds
    if until is not None:
        moment = min(moment, until)
    count = bisect_right(pool.trades, moment, key=lambda trade: trade.offset_seconds)
    return _reserves_behind(pool, max(count - 1, index))


def _reserves_at_the_end(token: Token, until: int | None) -> Reserves:
    """Return the reserves of the token's newest pool in which anybody had traded."""
    for pool in reversed(token.pools):
        count = len(pool.trades)
        if until is not None:
            count = bisect_right(
                pool.trades, until, key=lambda trade: trade.offset_seconds
            )
        if count:
            return _reserves_behind(pool, count - 1)
    raise ValueError(f"nobody has traded {token.symbol} by then")


class _Parties:
    """A wallet in one token, and the two who follow it."""

    def __init__(self, fills: Fills, seconds: int, until: int | None) -> None:
        self.leader = LeaderPurse()
        self.behind, self.late = FollowerPurse(), FollowerPurse()
        self.has_sold = False
        self._fills = fills
        self._seconds = seconds
        self._until = until

    def take(self, movement: Movement) -> None:
        """Let all of them do the wallet's next movement. Units that leave in any other
        way than by a sale bring nothing; those that were not seen coming are nobody's.
        """
        if movement.kind == BUY:
            self._buy(movement)
        elif movement.kind == TRANSFER_IN:
            self.leader.receive(movement)
        elif self.leader.held:
            self._leave(movement)

    def _buy(self, movement: Movement) -> None:
        behind, later = self._reserves(movement)
        value, is_flat = movement.quote_units, not self.leader.held
        self.behind.buy(value, behind, leader_was_flat=is_flat)
        self.late.buy(value, later, leader_was_flat=is_flat)
        self.leader.buy(movement)

    def _leave(self, movement: Movement) -> None:
        part = self.leader.part_of(movement)
        if movement.kind != SELL:
            self.behind.lose(part)
            self.late.lose(part)
            self.leader.leave(movement)
            return
        self.has_sold = True
        behind, later = self._reserves(movement)
        self.behind.sell(part, behind)
        self.late.sell(part, later)
        self.leader.sell(movement)

    def _reserves(self, movement: Movement) -> tuple[Reserves, Reserves]:
        """Return the reserves right behind a trade and some seconds later."""
        pool, index = self._fills.of(movement)
        later = _reserves_later(pool, index, self._seconds, self._until)
        return _reserves_behind(pool, index), later


def token_truth(
    fills: Fills, movements: list[Movement], seconds: int, until: int | None = None
) -> TokenTruth:
    """Return the truth of one wallet in one token from its movements in it.

    until: the offset at which units that are left are valued, at or after the last
    movement; the world's end without it.
    """
    world = fills.world
    mint = world.accounts.address(movements[0].mint)
    parties = _Parties(fills, seconds, until)
    for movement in movements:
        parties.take(movement)
    held_lamports, lamports_per_unit = 0.0, 0.0
    held_units = parties.leader.held
    if held_units:
        reserves = _reserves_at_the_end(world.tokens[mint], until)
        held_lamports = reserves.sold(held_units)
        lamports_per_unit = held_lamports / held_units
    first_buy = next(movement for movement in movements if movement.kind == BUY)
    return TokenTruth(
        address=world.accounts.address(first_buy.wallet),
        mint=mint,
        first_buy_offset_seconds=world.transactions[first_buy.position].offset_seconds,
        has_sold=parties.has_sold,
        leader=parties.leader.result(held_lamports),
        behind=parties.behind.result(lamports_per_unit),
        late=parties.late.result(lamports_per_unit),
    )

"""One token's life in a generated world: its trades, and the steering of its reserve
along a planned path.
"""

from dataclasses import dataclass, field

from simmarket.chain import pumpswap, swaps
from simmarket.chain.builder import Builder, Moment
from simmarket.chain.swaps import Order
from simmarket.chain.world import Pool, Token
from simmarket.worlds.actors import SOL, Actors
from simmarket.worlds.timeline import Action, Timeline

_FAILED_TRADE_SHARE = 0.24  # share of trades that a failed one precedes
_MIN_BALANCE_LAMPORTS = SOL // 20
_MIN_TRADE_LAMPORTS = SOL // 200
_MIN_TRADE_UNITS = 10**6
_MAX_CURVE_LAMPORTS = 78 * SOL  # a curve that must not migrate stays below this
_USDC_PER_SOL = 170
_MAX_RUG_SELLERS = 70


@dataclass(slots=True)
class Scenario:
    """A token with the pool that trades now and the path that its reserve follows."""

    builder: Builder
    timeline: Timeline
    actors: Actors
    token: Token
    curve: Pool
    curve_path: list[tuple[int, float]]  # (offset seconds, SOL in the curve)
    pool_path: list[tuple[int, float]] = field(
        default_factory=list
    )  # the same for the pool after the migration
    trade_size_sol: tuple[float, float] = (0.4, 2.0)  # of the crowd
    holders: list[int] = field(default_factory=list)
    pool: Pool = field(init=False)
    crowd: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        self.pool = self.curve
        self.crowd = frozenset(self.actors.groups["crowd"])

    @property
    def migrates(self) -> bool:
        """True if this token leaves its curve."""
        return bool(self.pool_path)

    def trading_pool(self) -> Pool | None:
        """Return the pool that takes trades now, or None between completion and
        migration.
        """
        return None if self.pool.is_complete else self.pool

    def reserve(self) -> int:
        """Return the quote in the trading pool, in lamports or their value."""
        pool = self.pool
        if pool.is_curve:
            return self._to_lamports(pool.virtual_quote - pool.opening_quote)
        return self.builder.ledger.units(pool.quote_vault)

    def target(self, moment: int) -> int:
        """Return the planned reserve at a moment, in lamports."""
        path = self.curve_path if self.pool.is_curve else self.pool_path
        before = path[0]
        for after in path:
            if after[0] >= moment:
                return int(_interpolated(before, after, moment) * SOL)
            before = after
        return int(before[1] * SOL)

    def units_of(self, wallet: int) -> int:
        """Return the units that a wallet holds."""
        mint = self.token.mint
        account = self.builder.accounts.associated(wallet, mint.account, mint.program)
        return self.builder.ledger.units(account)

    def buy(self, wallet: int, lamports: int, when: Moment) -> None:
        """Buy for so many lamports (or their value) if the wallet and the curve allow
        it.
        """
        pool = self.trading_pool()
        if pool is None:
            return
        if pool.is_curve and not self.migrates:
            lamports = min(lamports, _MAX_CURVE_LAMPORTS - self.reserve())
        if lamports < _MIN_TRADE_LAMPORTS or not self._can_afford(
            wallet, pool, lamports
        ):
            return
        self._maybe_fail(wallet, pool, when, is_buy=True)
        order = Order(wallet, pool, when, self.actors.styles[wallet])
        swaps.buy(self.builder, order, self._to_quote(pool, lamports))
        if wallet not in self.holders:
            self.holders.append(wallet)
        self._plan_migration(when)

    def sell(
        self, wallet: int, share: float, when: Moment, pool: Pool | None = None
    ) -> None:
        """Sell a share of the wallet's holdings."""
        pool = pool or self.trading_pool()
        units = self.units_of(wallet)
        if share < 1:
            units = int(units * share)
        if (
            pool is None
            or units < _MIN_TRADE_UNITS
            or not self._can_afford(wallet, pool, 0)
        ):
            return
        self._maybe_fail(wallet, pool, when, is_buy=False)
        order = Order(wallet, pool, when, self.actors.styles[wallet])
        swaps.sell(self.builder, order, units)

    def transfer(self, source: int, target: int, share: float, when: Moment) -> None:
        """Send a share of the holdings to another wallet."""
        units = int(self.units_of(source) * share)
        if units <= _MIN_TRADE_UNITS:
            return
        order = Order(source, self.curve, when, self.actors.styles[source])
        swaps.transfer_tokens(self.builder, order, target, units)

    def steer(self, when: Moment) -> None:
        """Let the crowd make one trade that moves the reserve towards its path."""
        rng = self.builder.random
        missing = self.target(when.offset_seconds) - self.reserve()
        size = int(rng.uniform(*self.trade_size_sol) * SOL)
        if abs(missing) < size:
            missing = size if rng.random() < 0.5 else -size
        if missing > 0:
            self.buy(
                rng.choice(self.actors.groups["crowd"]), min(size, missing * 2), when
            )
        else:
            self._sell_worth(min(size, -missing * 2), when)

    def settle(self, when: Moment) -> None:
        """Let the crowd make one trade that is large enough to reach the path."""
        missing = self.target(when.offset_seconds) - self.reserve()
        if missing > SOL:
            buyer = self.builder.random.choice(self.actors.groups["crowd"])
            self.buy(buyer, missing * 102 // 100, when)
        elif missing < -SOL:
            self._sell_worth(-missing, when)

    def rug_pull(self, when: Moment) -> None:
        """Plan the rug pull: the creator sells everything, then the crowd, one after
        the other.
        """
        sellers = [
            self.token.creator,
            *(wallet for wallet in self.holders if wallet in self.crowd),
        ]
        for index, wallet in enumerate(sellers[:_MAX_RUG_SELLERS]):
            offset_seconds = when.offset_seconds + 1 + index // 2
            self.timeline.at(offset_seconds, self._exit_of(wallet), index % 2)

    def _exit_of(self, wallet: int) -> Action:
        """Return the action that sells everything while the reserve is above its path."""

        def action(when: Moment) -> None:
            if self.reserve() > self.target(when.offset_seconds):
                self.sell(wallet, 1, when)

        return action

    def _sell_worth(self, lamports: int, when: Moment) -> None:
        """Let the largest of six random holders sell units of this value."""
        pool = self.trading_pool()
        sellers = [wallet for wallet in self.holders if wallet in self.crowd]
        if pool is None or not sellers:
            return
        candidates = [self.builder.random.choice(sellers) for _ in range(6)]
        wallet = max(candidates, key=lambda each: (self.units_of(each), each))
        quote, base = swaps.reserves(self.builder, pool)
        value = min(self._to_quote(pool, lamports), quote * 9 // 10)
        units = base * value // (quote - value)
        holding = self.units_of(wallet)
        if holding:
            self.sell(wallet, min(1.0, units / holding), when)

    def _can_afford(self, wallet: int, pool: Pool, lamports: int) -> bool:
        ledger = self.builder.ledger
        balance = ledger.lamports.get(wallet, 0)
        if pool.quote is ledger.native:
            return balance >= lamports * 103 // 100 + _MIN_BALANCE_LAMPORTS
        if balance < _MIN_BALANCE_LAMPORTS:
            return False
        account = self.builder.accounts.associated(wallet, pool.quote.account)
        return ledger.units(account) >= self._to_quote(pool, lamports)

    def _to_quote(self, pool: Pool, lamports: int) -> int:
        """Convert lamports to raw quote units."""
        if pool.quote is self.builder.ledger.native:
            return lamports
        return lamports * _USDC_PER_SOL // 1000

    def _to_lamports(self, quote_units: int) -> int:
        if self.curve.quote is self.builder.ledger.native:
            return quote_units
        return quote_units * 1000 // _USDC_PER_SOL

    def _maybe_fail(
        self, wallet: int, pool: Pool, when: Moment, *, is_buy: bool
    ) -> None:
        """Let some trades fail first: mostly one of the same wallet, else one of the
        crowd.
        """
        rng = self.builder.random
        if rng.random() >= _FAILED_TRADE_SHARE:
            return
        sender = wallet
        if rng.random() >= 0.7:
            sender = rng.choice(self.actors.groups["crowd"])
        if self.builder.ledger.lamports[sender] > _MIN_BALANCE_LAMPORTS:
            order = Order(sender, pool, when, self.actors.styles[sender])
            swaps.fail(self.builder, order, is_buy=is_buy)

    def _plan_migration(self, when: Moment) -> None:
        """Plan the migration when the curve is complete."""
        if self.curve.is_complete and self.pool is self.curve:
            delay_seconds = self.builder.random.randint(4, 20)
            self.timeline.at(when.offset_seconds + delay_seconds, self._migrate)
            self.curve.real_base = 0

    def _migrate(self, when: Moment) -> None:
        if self.pool is not self.curve:
            return
        self.pool = pumpswap.migrate(self.builder, self.curve, when)
        self.token.pools.append(self.pool)
        self.token.graduated_offset_seconds = when.offset_seconds


def _interpolated(
    before: tuple[int, float], after: tuple[int, float], moment: int
) -> float:
    """Return the SOL on the line between two points of a path."""
    span = after[0] - before[0]
    share = (moment - before[0]) / span if span else 1.0
    return before[1] + (after[1] - before[1]) * share

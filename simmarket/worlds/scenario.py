"""One token's life in the small world: the agenda of what happens, and the hand that steers its reserves."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from simmarket.chain import pumpswap, swaps
from simmarket.chain.builder import Builder, Moment
from simmarket.chain.world import Pool, Token
from simmarket.worlds.actors import SOL, Cast

_FAILING = 0.24  # share of trades that are preceded by a refused one
_SPARE_LAMPORTS = SOL // 20
_USDC_PER_SOL = 170
Action = Callable[[Moment], None]


class Agenda:
    """Actions in chain order; an action may add later ones."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self._heap: list[tuple[int, int, int, Action]] = []
        self._count = 0

    def at(self, offset_seconds: int, action: Action, step: int = 0) -> None:
        """Plan an action; what would come after the world's end comes just before it."""
        self._count += 1
        heapq.heappush(self._heap, (min(offset_seconds, -5), step, self._count, action))

    def run(self) -> None:
        """Carry out everything."""
        while self._heap:
            offset, step, _, action = heapq.heappop(self._heap)
            action(self._builder.moment(offset, step))


@dataclass(slots=True)
class Stage:
    """A token with the pool that trades now and the reserve it is steered to."""

    builder: Builder
    agenda: Agenda
    cast: Cast
    token: Token
    curve: Pool
    path: list[tuple[int, float]]  # (offset seconds, SOL in the pool) of the curve, or of the pool once there is one
    pool_path: list[tuple[int, float]] = field(default_factory=list)
    size: tuple[float, float] = (0.4, 2.0)  # SOL a trade of the crowd is worth
    holders: list[int] = field(default_factory=list)
    pool: Pool | None = None
    crowd: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        self.pool = self.curve
        self.crowd = frozenset(self.cast.groups["crowd"])

    @property
    def migrates(self) -> bool:
        """Whether this token leaves its curve."""
        return bool(self.pool_path)

    def trading(self) -> Pool | None:
        """The pool that takes trades now; None between completion and migration."""
        assert self.pool is not None
        return None if self.pool.complete else self.pool

    def reserve(self) -> int:
        """Quote in the trading pool, in lamports or their worth."""
        pool = self.pool
        assert pool is not None
        if not pool.is_curve:
            return self.builder.ledger.units(pool.quote_vault)
        return self._sol(pool.virtual_quote - pool.opening_quote)

    def target(self, moment: int) -> int:
        """Where the reserve should be now, in lamports."""
        assert self.pool is not None
        path = self.path if self.pool.is_curve else self.pool_path
        before = path[0]
        for after in path:
            if after[0] >= moment:
                span = after[0] - before[0]
                share = (moment - before[0]) / span if span else 1.0
                return int((before[1] + (after[1] - before[1]) * share) * SOL)
            before = after
        return int(before[1] * SOL)

    def held(self, wallet: int) -> int:
        """Units a wallet holds."""
        account = self.builder.accounts.associated(wallet, self.token.mint.account, self.token.mint.program)
        return self.builder.ledger.units(account)

    def buy(self, wallet: int, lamports: int, when: Moment) -> None:
        """Buy for so many lamports (or their worth) if the wallet and the curve allow it."""
        pool = self.trading()
        if pool is None:
            return
        room = lamports
        if pool.is_curve and not self.migrates:
            room = min(lamports, 78 * SOL - self.reserve())
        if room < SOL // 200 or not self._affords(wallet, pool, room):
            return
        self._maybe_fail(wallet, pool, when, is_buy=True)
        swaps.buy(self.builder, wallet, pool, when, self._quote(pool, room), self.cast.styles[wallet])
        if wallet not in self.holders:
            self.holders.append(wallet)
        self._after(when)

    def sell(self, wallet: int, share: float, when: Moment, pool: Pool | None = None) -> None:
        """Sell a share of what the wallet holds."""
        pool = pool or self.trading()
        units = int(self.held(wallet) * share) if share < 1 else self.held(wallet)
        if pool is None or units < 10**6 or not self._affords(wallet, pool, 0):
            return
        self._maybe_fail(wallet, pool, when, is_buy=False)
        swaps.sell(self.builder, wallet, pool, when, units, self.cast.styles[wallet])

    def give(self, source: int, target: int, share: float, when: Moment) -> None:
        """Send a share of the holdings to another wallet."""
        units = int(self.held(source) * share)
        if units > 10**6:
            swaps.pass_tokens(self.builder, source, target, self.curve, when, units, self.cast.styles[source])

    def steer(self, when: Moment) -> None:
        """One trade of the crowd that pulls the reserve towards its path."""
        rng = self.builder.random
        missing = self.target(when.offset_seconds) - self.reserve()
        size = int(rng.uniform(*self.size) * SOL)
        if abs(missing) < size:
            missing = size if rng.random() < 0.5 else -size
        if missing > 0:
            self.buy(rng.choice(self.cast.groups["crowd"]), min(size, missing * 2), when)
            return
        self._sell_worth(min(size, -missing * 2), when)

    def settle(self, when: Moment) -> None:
        """Trades large enough to reach the path whatever it takes."""
        missing = self.target(when.offset_seconds) - self.reserve()
        if missing > SOL:
            self.buy(self.builder.random.choice(self.cast.groups["crowd"]), missing * 102 // 100, when)
        elif missing < -SOL:
            self._sell_worth(-missing, when)

    def dump(self, when: Moment) -> None:
        """The rug: the creator sells everything, then everybody of the crowd, one after the other."""
        leaving = [self.token.creator, *(wallet for wallet in self.holders if wallet in self.crowd)]
        for nth, wallet in enumerate(leaving[:70]):
            self.agenda.at(when.offset_seconds + 1 + nth // 2, self._leave(wallet), nth % 2)

    def _leave(self, wallet: int) -> Action:
        def action(when: Moment) -> None:
            if self.reserve() > self.target(when.offset_seconds):
                self.sell(wallet, 1, when)

        return action

    def _sell_worth(self, lamports: int, when: Moment) -> None:
        pool = self.trading()
        known = [wallet for wallet in self.holders if wallet in self.crowd]
        if pool is None or not known:
            return
        few = [self.builder.random.choice(known) for _ in range(6)]
        wallet = max(few, key=lambda each: (self.held(each), each))
        quote, base = pool.virtual_quote, pool.virtual_base
        if not pool.is_curve:
            quote, base = self.builder.ledger.units(pool.quote_vault), self.builder.ledger.units(pool.base_vault)
        worth = min(self._quote(pool, lamports), quote * 9 // 10)
        units = base * worth // (quote - worth)
        held = self.held(wallet)
        if held:
            self.sell(wallet, min(1.0, units / held), when)

    def _affords(self, wallet: int, pool: Pool, lamports: int) -> bool:
        native = pool.quote is self.builder.ledger.native
        wanted = (lamports * 103 // 100 if native else 0) + _SPARE_LAMPORTS
        if self.builder.ledger.lamports.get(wallet, 0) < wanted:
            return False
        if native:
            return True
        account = self.builder.accounts.associated(wallet, pool.quote.account)
        return self.builder.ledger.units(account) >= self._quote(pool, lamports)

    def _quote(self, pool: Pool, lamports: int) -> int:
        if pool.quote is self.builder.ledger.native:
            return lamports
        return lamports * _USDC_PER_SOL // 1000

    def _sol(self, quote: int) -> int:
        if self.curve.quote is self.builder.ledger.native:
            return quote
        return quote * 1000 // _USDC_PER_SOL

    def _maybe_fail(self, wallet: int, pool: Pool, when: Moment, *, is_buy: bool) -> None:
        rng = self.builder.random
        if rng.random() < _FAILING:
            other = wallet if rng.random() < 0.7 else rng.choice(self.cast.groups["crowd"])
            if self.builder.ledger.lamports[other] > _SPARE_LAMPORTS:
                swaps.fail(self.builder, other, pool, when, self.cast.styles[other], is_buy=is_buy)

    def _after(self, when: Moment) -> None:
        if self.curve.complete and self.pool is self.curve:
            self.agenda.at(when.offset_seconds + self.builder.random.randint(4, 20), self._migrate)
            self.curve.real_base = 0

    def _migrate(self, when: Moment) -> None:
        if self.pool is not self.curve:
            return
        self.pool = pumpswap.migrate(self.builder, self.curve, when)
        self.token.pools.append(self.pool)
        self.token.graduated_offset_seconds = when.offset_seconds

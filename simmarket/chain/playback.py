"""A world that happens while it is served: the part of it until a moment, which grows.

Everything that a provider shows is in the grown part: what comes later cannot be seen
in it, because it is not there yet.
"""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field, replace

from simmarket.chain.ledger import Ledger, TokenAccount, Transaction
from simmarket.chain.pumpfun import CURVE_BASE
from simmarket.chain.world import Pool, PoolTrade, Token, World


@dataclass(slots=True)
class _Events:
    """What a transaction does besides moving balances, by position."""

    launches: dict[int, Token] = field(default_factory=dict)
    openings: dict[int, tuple[Token, Pool]] = field(default_factory=dict)
    trades: dict[int, list[tuple[Pool, PoolTrade]]] = field(
        default_factory=lambda: defaultdict(list)
    )


class Playback:
    """Plays a finished world from its first transaction on; `world` is what happened.

    The finished world is not changed: several playbacks can share it.
    """

    def __init__(self, finished: World) -> None:
        self._finished = finished
        self._events = _events_of(finished)
        self.world = World(
            finished.name,
            finished.seed,
            finished.accounts,
            _opening_ledger(finished),
            finished.clock,
            finished.price,
            behaviours=finished.behaviours,
            wallets=finished.wallets,
            dropped_rows=finished.dropped_rows,
            file_end_seconds=finished.file_end_seconds,
        )

    def advance_to(self, offset_seconds: int) -> None:
        """Let everything happen up to the first slot of that second: the newest slot
        that a node knows then. An earlier moment changes nothing.
        """
        slot = self._finished.clock.slot_at(offset_seconds)
        transactions = self._finished.transactions
        start = len(self.world.transactions)
        end = bisect_right(transactions, slot, lo=start, key=lambda item: item.slot)
        for position in range(start, end):
            self._apply(position, transactions[position])

    def _apply(self, position: int, transaction: Transaction) -> None:
        self.world.append(transaction)
        self._move_balances(transaction)
        token = self._events.launches.get(position)
        if token is not None:
            self._launch(token)
        opening = self._events.openings.get(position)
        if opening is not None:
            self._open_pool(*opening)
        for pool, trade in self._events.trades.get(position, ()):
            self._trade(self.world.pools[pool.account], trade)

    def _move_balances(self, transaction: Transaction) -> None:
        ledger, holdings = self.world.ledger, self.world.holdings
        keys = transaction.all_keys
        ledger.lamports.update(zip(keys, transaction.post_lamports, strict=True))
        for row in transaction.tokens:
            account = keys[row.key]
            state = ledger.tokens.get(account)
            if row.post_units is None:
                if state is not None:
                    holdings.remove(account, state)
                    del ledger.tokens[account]
            elif state is None:
                state = TokenAccount(row.mint, row.owner, row.post_units)
                ledger.tokens[account] = state
                holdings.add(account, state)
            else:
                state.units = row.post_units

    def _launch(self, token: Token) -> None:
        mint = token.mint
        self.world.ledger.mints[mint.account] = mint
        pool = self._new_pool(token.pools[0])
        self.world.tokens[self.world.accounts.address(mint.account)] = replace(
            token, pools=[pool], graduated_offset_seconds=None
        )

    def _open_pool(self, token: Token, pool: Pool) -> None:
        """Add a further pool; if the token leaves its curve for it, empty the curve."""
        mint = self.world.accounts.address(token.mint.account)
        current = self.world.tokens[mint]
        current.pools.append(self._new_pool(pool))
        if token.graduated_offset_seconds == pool.created_offset_seconds:
            current.graduated_offset_seconds = token.graduated_offset_seconds
            curve = current.pools[0]
            curve.virtual_quote = curve.virtual_base = curve.real_base = 0

    def _new_pool(self, finished: Pool) -> Pool:
        """Return a pool as it is before its first trade."""
        pool = replace(finished, trades=[])
        if pool.is_curve:
            pool.virtual_quote, pool.virtual_base = (
                pool.opening_quote,
                pool.opening_base,
            )
            pool.real_base, pool.is_complete = CURVE_BASE, False
        self.world.pools[pool.account] = pool
        return pool

    @staticmethod
    def _trade(pool: Pool, trade: PoolTrade) -> None:
        pool.trades.append(trade)
        if pool.is_curve:
            pool.virtual_quote = trade.quote_reserve
            pool.virtual_base = trade.base_reserve
            pool.real_base = CURVE_BASE - (pool.opening_base - trade.base_reserve)
            pool.is_complete = pool.real_base == 0


def _events_of(world: World) -> _Events:
    events = _Events()
    for token in world.tokens.values():
        for index, pool in enumerate(token.pools):
            positions = world.positions_of(pool.account)
            if positions and index == 0:
                events.launches[positions[0]] = token
            elif positions:
                events.openings[positions[0]] = token, pool
            for trade in pool.trades:
                events.trades[trade.position].append((pool, trade))
    return events


def _opening_ledger(world: World) -> Ledger:
    """Return the ledger before the first transaction: the final one, with every account
    set back to its state before the first transaction that contains it.

    A mint is not in it before its launch. Its supply is created at its launch and never
    changes, so the mints themselves are shared.
    """
    ledger = Ledger(world.accounts)
    ledger.native = world.ledger.native
    launched = {token.mint.account for token in world.tokens.values()}
    ledger.mints = {
        account: mint
        for account, mint in world.ledger.mints.items()
        if account not in launched
    }
    ledger.lamports = dict(world.ledger.lamports)
    ledger.tokens = {
        account: replace(state) for account, state in world.ledger.tokens.items()
    }
    for transaction in reversed(world.transactions):
        keys = transaction.all_keys
        ledger.lamports.update(zip(keys, transaction.pre_lamports, strict=True))
        for row in transaction.tokens:
            account = keys[row.key]
            if row.pre_units is None:
                ledger.tokens.pop(account, None)
            else:
                ledger.tokens[account] = TokenAccount(
                    row.mint, row.owner, row.pre_units
                )
    return ledger

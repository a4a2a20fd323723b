"""The launch of a token and its first minutes: launch time, creators, markets and their
transactions, read forward until enough early buyers were seen.
"""

from collections.abc import Sequence
from contextlib import aclosing
from typing import Final, NamedTuple

import msgspec

from discovery.analysis.early_buyers import MAX_SHARE_BEFORE
from discovery.clients.transaction_history import OrderedTransaction, TransactionSource
from discovery.decode.creation import creators_of
from discovery.domain.addresses import is_wallet, pump_curve, pumpswap_pool
from discovery.domain.findings import Candidate, Launch, LaunchClock
from discovery.domain.known_wallets import SHARED_AUTHORITIES
from discovery.pipeline.balance_history import BalanceChange, TokenHistory
from discovery.pipeline.chain_position import ChainPosition
from discovery.pipeline.market_streams import Located, MarketStream, in_chain_order

MAX_WINDOW_TRANSACTIONS: Final = 20_000
CLOCK_TOLERANCE_SECONDS: Final = 300
"""The first transaction of a market may be this much later than the launch time of the
index.

A later one costs a second request.
"""


class LaunchWindow(msgspec.Struct, frozen=True):
    """The launch window of a token, `launched_at` to `end` in unix seconds, inclusive.
    `launch` None = not seen. read_until: market → last unix second of the window until
    which all its transactions were read.

    cut_at: the unix second in which reading stopped, None = the window was read to its
    end. left_out: wallets that were seen and are beyond the maximum of early buyers.
    transactions, trades: those that were read, and purchases and sales in the window.
    """

    launched_at: int
    end: int
    clock: LaunchClock
    markets: list[str]
    launch: Launch | None
    read_until: dict[str, int] = {}
    cut_at: int | None = None
    left_out: frozenset[str] = frozenset()
    transactions: int = 0
    trades: int = 0

    def is_read(self, market: str, until: int) -> bool:
        """Return True if all transactions of the market were read from the launch until
        that second.
        """
        return until <= self.read_until.get(market, self.launched_at - 1)

    @property
    def read_end(self) -> int:
        """The last unix second of the window that was read whole."""
        return self.end if self.cut_at is None else self.cut_at - 1

    @property
    def creator(self) -> str:
        """The first creator, "" if it is unknown."""
        if self.launch is None:
            return ""
        return next(iter(self.launch.creators), "")

    def has_buy(self, change: BalanceChange) -> bool:
        """Return True if the balance change is a buy in the window, both ends
        included.
        """
        if change.trade is None or change.trade.side != "buy":
            return False
        return self.launched_at <= change.block_time <= self.end


class _Start(NamedTuple):
    """The launch and the source of its time. `launch` None = not seen yet."""

    launched_at: int  # unix seconds
    clock: LaunchClock
    launch: Launch | None


async def load_launch_window(
    candidate: Candidate,
    source: TransactionSource,
    history: TokenHistory,
    *,
    window_seconds: int,
    max_early_buyers: int,
) -> LaunchWindow | None:
    """Find the launch of the token and add the transactions of the window to the
    history, all markets together in chain order, until there are more early buyers than
    the maximum.

    Launch time is the block time of the curve's first transaction, else the creation of
    the first pool. Returns None if neither is known. Raises ProviderError.
    """
    markets = _Markets(candidate, source, window_seconds)
    try:
        start = await markets.find_start()
        if start is None:
            return None
        end = start.launched_at + window_seconds
        reading = _WindowReading(history, start, end, max_early_buyers)
        streams = markets.streams(start, end)
        async with aclosing(in_chain_order(streams)) as ordered:
            async for located in ordered:
                if located.transaction.block_time > end or reading.add(located):
                    break
    finally:
        await markets.close()
    return reading.window(markets.addresses)


class _Markets:
    """The curve and the pools of a token, each read forward as far as it is needed."""

    def __init__(
        self, candidate: Candidate, source: TransactionSource, window_seconds: int
    ) -> None:
        self.curve = pump_curve(candidate.mint)
        self._pools = _pools(candidate, self.curve)
        self._candidate = candidate
        self._mint = candidate.mint
        self._source = source
        self._window_seconds = window_seconds
        self._streams: dict[str, MarketStream] = {}
        # Market -> last unix second of its stream, if that may be before the window's.
        self._stream_ends: dict[str, int] = {}

    @property
    def addresses(self) -> list[str]:
        """The curve, then the pools."""
        return [self.curve, *self._pools]

    def streams(self, start: _Start, end: int) -> list[MarketStream]:
        """Return the streams of all markets until unix second `end` at least."""
        for market in self.addresses:
            if market not in self._streams:
                self._open(market, start.launched_at, end)
            elif self._stream_ends.get(market, end) < end:
                since = self._stream_ends[market] + 1
                portions = self._source.read_forward(market, since, end)
                self._streams[market].continue_with(portions)
        return [self._streams[market] for market in self.addresses]

    async def find_start(self) -> _Start | None:
        """Return the launch, None if nothing tells it. Raises ProviderError."""
        creation = await self._creation_on_curve()
        if creation is not None:
            creators = creators_of(creation.record, self._mint)
            launch = Launch(creation.slot, creators)
            return _Start(creation.block_time, "curve", launch)
        stated, clock = self._candidate.launched_at, self._candidate.launch_clock
        if stated is None or clock == "mint":
            return await self._first_seen_in_pools(stated)
        if clock == "pair":
            return await self._confirmed(stated)
        return _Start(stated, clock, None)

    async def close(self) -> None:
        """Fetch nothing more."""
        for stream in self._streams.values():
            await stream.close()

    def _open(self, market: str, since: int | None, until: int | None) -> MarketStream:
        portions = self._source.read_forward(market, since, until)
        stream = self._streams[market] = MarketStream(portions)
        if until is not None:
            self._stream_ends[market] = until
        return stream

    async def _creation_on_curve(self) -> OrderedTransaction | None:
        """Return the transaction that created the token on the curve, None if there is
        none.

        The curve is read until the window should have ended, and further if the creation
        is not in there: the clock of the index may be before the launch.
        """
        stated = self._candidate.launched_at
        expected_end = None if stated is None else self._expected_end(stated)
        stream = self._open(self.curve, None, expected_end)
        creation = await stream.first_with_mint(self._mint)
        if creation is None and expected_end is not None:
            since = expected_end + 1
            stream.continue_with(self._source.read_forward(self.curve, since, None))
            del self._stream_ends[self.curve]
            creation = await stream.first_with_mint(self._mint)
        return creation

    async def _confirmed(self, stated: int) -> _Start:
        """Return the launch by the first transaction of the oldest pool that is listed,
        else as it is stated: a pool may be older than a list says.
        """
        pool = next(iter(_listed(self._candidate, self.curve)), None)
        if pool is None:
            return _Start(stated, "pair", None)
        stream = self._open(pool, None, self._expected_end(stated))
        first = await stream.first_with_mint(self._mint)
        if first is None:
            return _Start(stated, "pair", None)
        if first.block_time < stated or _opens_pool(first, pool, self._mint):
            return _Start(first.block_time, "pool", None)
        return _Start(stated, "pair", None)

    async def _first_seen_in_pools(self, since: int | None) -> _Start | None:
        """Return the launch by the first transaction in any known pool, None without
        one. since: unix seconds of the creation of the mint, None = unknown.
        """
        times: list[int] = []
        for pool in self._pools:
            first = await self._open(pool, since, None).first_with_mint(self._mint)
            if first is not None:
                times.append(first.block_time)
        return _Start(min(times), "pool", None) if times else None

    def _expected_end(self, stated: int) -> int:
        return stated + self._window_seconds + CLOCK_TOLERANCE_SECONDS


class _WindowReading:
    """Adds the transactions of the window to a history, and sees when it is enough."""

    def __init__(
        self, history: TokenHistory, start: _Start, end: int, max_early_buyers: int
    ) -> None:
        self._history = history
        self._start = start
        self._launch = start.launch
        self._end = end
        self._max_early_buyers = max_early_buyers
        self._buyers: dict[str, None] = {}
        # Lists in which the creation of the token cannot come any more.
        self._without_creation: set[int] = set()
        self._transactions = 0
        self._trades = 0
        self._cut_at: int | None = None

    def add(self, located: Located) -> bool:
        """Add the next transaction. Returns True if it is enough."""
        transaction, list_number = located
        self._transactions += 1
        self._find_creation(located)
        changes = self._history.add([transaction], list_number)
        in_window = transaction.block_time >= self._start.launched_at
        if in_window:
            self._trades += any(change.trade is not None for change in changes)
            for change in sorted(changes, key=lambda each: each.wallet):
                self._add_buyer(change)
        is_full = len(self._buyers) > self._max_early_buyers
        if is_full or self._transactions >= MAX_WINDOW_TRANSACTIONS:
            self._cut_at = transaction.block_time
        return self._cut_at is not None

    def _add_buyer(self, change: BalanceChange) -> None:
        """Count a wallet whose first units of the token are these that it bought."""
        trade = change.trade
        if trade is None or trade.side != "buy" or change.wallet in self._buyers:
            return
        is_first = change.before_units < change.units * MAX_SHARE_BEFORE
        if is_first and is_wallet(change.wallet):
            self._buyers[change.wallet] = None

    def _find_creation(self, located: Located) -> None:
        """See whether the transaction creates the token on a launchpad. After one that
        finds units of the token there is none.
        """
        transaction, list_number = located
        if self._launch is not None or list_number in self._without_creation:
            return
        mint = self._history.mint
        if _has_units_before(transaction, mint):
            self._without_creation.add(list_number)
            return
        creators = creators_of(transaction.record, mint)
        if creators:
            self._launch = Launch(transaction.slot, creators)

    def window(self, markets: list[str]) -> LaunchWindow:
        """Return what was read."""
        left_out = list(self._buyers)[self._max_early_buyers :]
        window = LaunchWindow(
            launched_at=self._start.launched_at,
            end=self._end,
            clock=self._start.clock,
            markets=markets,
            launch=self._launch,
            cut_at=self._cut_at,
            left_out=frozenset(left_out),
            transactions=self._transactions,
            trades=self._trades,
        )
        read_until = dict.fromkeys(markets, window.read_end)
        return msgspec.structs.replace(window, read_until=read_until)


def _has_units_before(transaction: OrderedTransaction, mint: str) -> bool:
    balances = transaction.record.pre_token_balances
    return any(balance.mint == mint for balance in balances)


def _opens_pool(transaction: OrderedTransaction, pool: str, mint: str) -> bool:
    """Return True if the pool holds units of the token after the transaction and has no
    account for them before. Vaults belong to the pool or to an authority that many pools
    share.
    """
    owners = {pool, *SHARED_AUTHORITIES}
    record = transaction.record
    before, after = (
        any(row.mint == mint and row.owner in owners for row in rows)
        for rows in (record.pre_token_balances, record.post_token_balances)
    )
    return after and not before


def first_buyers(history: TokenHistory, window: LaunchWindow) -> list[str]:
    """Return the wallets that bought in the window, in the order of their first buys,
    without those beyond the maximum.
    """
    first_buys: list[tuple[ChainPosition, str]] = []
    for wallet in history.wallets:
        buys = list(filter(window.has_buy, history.changes_of(wallet)))
        if buys and wallet not in window.left_out:
            first_buys.append((buys[0].position, wallet))
    return [wallet for _, wallet in sorted(first_buys)]


def _pools(candidate: Candidate, curve: str) -> list[str]:
    """Return the token's pools without the curve: the canonical one of PumpSwap first,
    which the index may not know, then those of the index.
    """
    canonical = pumpswap_pool(candidate.mint)
    return list(dict.fromkeys([canonical, *_listed(candidate, curve)]))


def _listed(candidate: Candidate, curve: str) -> Sequence[str]:
    """Return the pools that are listed, the oldest first. The mint is none."""
    no_pools = {curve, candidate.mint}
    return [pool for pool in candidate.pools if pool not in no_pools]

"""Selection of pumped tokens: the figures of their markets combined, then the filters,
with a reason for each token.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple, TypeVar

import msgspec

from discovery.domain.findings import Candidate, LaunchClock
from discovery.domain.programs import QUOTES
from discovery.domain.run_params import Params

ZERO: Final = Decimal(0)
CLOCK_SKEW_SECONDS: Final = 60
"""Two sources that differ by less mean the same pool."""
_SECONDS_PER_HOUR: Final = 3600
_Figure = TypeVar("_Figure")


class Market(msgspec.Struct, frozen=True):
    """Figures of one market of a token. Money in USD, change in percent, time in unix
    seconds; None = not reported.
    """

    mint: str
    pool: str
    symbol: str = ""
    name: str = ""
    price_usd: Decimal | None = None
    price_change_24h_pct: Decimal | None = None
    volume_24h_usd: Decimal | None = None
    liquidity_usd: Decimal | None = None
    market_cap_usd: Decimal | None = None
    transactions_24h: int | None = None
    pool_created_at: int | None = None


class TokenIndexEntry(msgspec.Struct, frozen=True):
    """Figures of a token as a whole, from a token index; None = not reported."""

    mint: str
    symbol: str = ""
    name: str = ""
    created_at: int | None = None
    first_pool_at: int | None = None
    pools: tuple[str, ...] = ()
    price_usd: Decimal | None = None
    price_change_24h_pct: Decimal | None = None
    volume_24h_usd: Decimal | None = None
    liquidity_usd: Decimal | None = None
    market_cap_usd: Decimal | None = None


class _LaunchTime(NamedTuple):
    launched_at: int | None  # unix seconds
    clock: LaunchClock


def build_candidate(
    mint: str,
    sources: Iterable[str],
    markets: Sequence[Market],
    index: TokenIndexEntry | None,
) -> Candidate:
    """Return one token combined from its markets: price and change of the deepest one,
    volume of all of them. A figure that nobody reports is None.

    The index fills in what no market reports; an aggregator lists a bonding curve
    without liquidity. The launch time is the creation of the first pool, never that of
    the mint while a pool is known: a mint may be days older. `pools`: the oldest first,
    those of an unknown age last; the mint itself is no pool.
    """
    entry = TokenIndexEntry(mint) if index is None else index
    deepest = max(markets, key=_depth, default=Market(mint, ""))
    launch = _launch_time(entry, markets)
    pools = [market.pool for market in sorted(markets, key=_created_first)]
    pools = [pool for pool in (*pools, *entry.pools) if pool != mint]
    return Candidate(
        mint=mint,
        symbol=deepest.symbol or entry.symbol,
        name=deepest.name or entry.name,
        sources=tuple(dict.fromkeys(sources)),
        pools=tuple(dict.fromkeys(pools)),
        price_usd=_first_known(deepest.price_usd, entry.price_usd),
        price_change_24h_pct=_first_known(
            deepest.price_change_24h_pct, entry.price_change_24h_pct
        ),
        volume_24h_usd=_first_known(_volume_usd(markets), entry.volume_24h_usd),
        liquidity_usd=_first_known(deepest.liquidity_usd, entry.liquidity_usd),
        market_cap_usd=_first_known(deepest.market_cap_usd, entry.market_cap_usd),
        transactions_24h=_transaction_count(markets),
        launched_at=launch.launched_at,
        launch_clock=launch.clock,
    )


def _created_first(market: Market) -> float:
    """Return the sort key that puts the oldest market first."""
    return math.inf if market.pool_created_at is None else market.pool_created_at


def _depth(market: Market) -> tuple[Decimal, Decimal]:
    """Return the liquidity; volume decides between markets of the same."""
    return market.liquidity_usd or ZERO, market.volume_24h_usd or ZERO


def _first_known(own: Decimal | None, other: Decimal | None) -> Decimal | None:
    if own is None:
        return other
    return own


def _volume_usd(markets: Iterable[Market]) -> Decimal | None:
    """Return the volume of all markets that report one, None if none does."""
    volumes = _reported(market.volume_24h_usd for market in markets)
    return sum(volumes, ZERO) if volumes else None


def _transaction_count(markets: Iterable[Market]) -> int | None:
    """Return the transactions in all markets that report them, None if none does."""
    counts = _reported(market.transactions_24h for market in markets)
    return sum(counts) if counts else None


def _launch_time(entry: TokenIndexEntry, markets: Iterable[Market]) -> _LaunchTime:
    """Return the creation of the oldest pool that is known, else that of the mint."""
    listed = min(_reported(market.pool_created_at for market in markets), default=None)
    first = entry.first_pool_at
    if first is not None and (listed is None or first <= listed + CLOCK_SKEW_SECONDS):
        return _LaunchTime(min(_reported([first, listed])), "jupiter")
    if listed is not None:
        return _LaunchTime(listed, "pair")
    if entry.created_at is not None:
        return _LaunchTime(entry.created_at, "mint")
    return _LaunchTime(None, "")


def _reported(figures: Iterable[_Figure | None]) -> list[_Figure]:
    """Return the figures that are not None."""
    return [figure for figure in figures if figure is not None]


def rejection_reason(token: Candidate, params: Params, now: int) -> str:
    """Return the reason why the token is not pumped, "" if it is. `now` in unix
    seconds.

    Reasons, the first that applies: `no_market_data`, `no_launch_time`, `too_old`, and
    `price_change`, `volume` or `liquidity` below its minimum.
    """
    market_data = (
        token.price_usd,
        token.price_change_24h_pct,
        token.volume_24h_usd,
        token.liquidity_usd,
    )
    if not _reported(market_data):
        return "no_market_data"
    if token.launched_at is None:
        return "no_launch_time"
    age_seconds = now - token.launched_at
    if age_seconds > params.max_token_age_hours * _SECONDS_PER_HOUR:
        return "too_old"
    # Aggregators leave out the figures of quiet windows (DexScreener) and zeros
    # (Jupiter). What they do not report of a listed token counts as zero, which only
    # passes a minimum of 0.
    figures = (
        ("price_change", token.price_change_24h_pct, params.min_price_change_pct),
        ("volume", token.volume_24h_usd, params.min_volume_usd),
        ("liquidity", token.liquidity_usd, params.min_liquidity_usd),
    )
    for reason, figure, min_figure in figures:
        if (figure or ZERO) < min_figure:
            return reason
    return ""


def rank_pumped(
    candidates: Iterable[Candidate], params: Params, now: int
) -> tuple[list[Candidate], dict[str, int]]:
    """Return all pumped tokens, most promising first, and the number of rejected ones by
    the reason of `rejection_reason`.

    now: unix seconds. Quotes are neither. Promise is price change × volume. Ties are in
    the order of mints, so that the result is always the same.
    """
    tokens_by_reason: dict[str, list[Candidate]] = defaultdict(list)
    for token in candidates:
        if token.mint not in QUOTES:
            reason = rejection_reason(token, params, now)
            tokens_by_reason[reason].append(token)
    pumped = sorted(tokens_by_reason.pop("", []), key=_by_promise)
    rejected = {reason: len(tokens) for reason, tokens in tokens_by_reason.items()}
    return pumped, rejected


def _by_promise(token: Candidate) -> tuple[Decimal, str]:
    """Return the sort key that puts the most promising tokens first."""
    change_pct = token.price_change_24h_pct or ZERO
    volume_usd = token.volume_24h_usd or ZERO
    return -(change_pct * volume_usd), token.mint

"""Selection of pumped tokens: the figures of their markets combined, then the filters,
with a reason for each token.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from discovery.domain.findings import Candidate, LaunchClock
from discovery.domain.programs import QUOTES
from discovery.domain.run_params import Params

ZERO: Final = Decimal(0)


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
    volume of all of them.

    The index fills in what no market reports; an aggregator lists a bonding curve
    without liquidity. The launch time is that of the index (first pool or creation),
    else the creation of the earliest market, which is weak.
    """
    entry = TokenIndexEntry(mint) if index is None else index
    deepest = max(markets, key=_depth, default=Market(mint, ""))
    launch = _launch_time(entry, markets)
    pools = [market.pool for market in markets]
    return Candidate(
        mint=mint,
        symbol=deepest.symbol or entry.symbol,
        name=deepest.name or entry.name,
        sources=tuple(dict.fromkeys(sources)),
        pools=tuple(dict.fromkeys([*pools, *entry.pools])),
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


def _depth(market: Market) -> tuple[Decimal, Decimal]:
    return market.liquidity_usd or ZERO, market.volume_24h_usd or ZERO


def _first_known(own: Decimal | None, other: Decimal | None) -> Decimal | None:
    return other if own is None else own


def _volume_usd(markets: Iterable[Market]) -> Decimal | None:
    volumes = [
        market.volume_24h_usd for market in markets if market.volume_24h_usd is not None
    ]
    return sum(volumes, ZERO) if volumes else None


def _transaction_count(markets: Iterable[Market]) -> int | None:
    counts = [
        market.transactions_24h
        for market in markets
        if market.transactions_24h is not None
    ]
    return sum(counts) if counts else None


def _launch_time(entry: TokenIndexEntry, markets: Iterable[Market]) -> _LaunchTime:
    indexed = _earliest([entry.created_at, entry.first_pool_at])
    if indexed is not None:
        return _LaunchTime(indexed, "jupiter")
    created = _earliest([market.pool_created_at for market in markets])
    return _LaunchTime(created, "" if created is None else "pair")


def _earliest(times: Iterable[int | None]) -> int | None:
    return min((time for time in times if time is not None), default=None)


def rejection_reason(token: Candidate, params: Params, now: int) -> str:
    """Return the reason why the token is not pumped, "" if it is. `now` in unix
    seconds.
    """
    if not _has_market_data(token):
        return "no_market_data"
    if token.launched_at is None:
        return "no_launch_time"
    if now - token.launched_at > params.max_token_age_hours * 3600:
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


def _has_market_data(token: Candidate) -> bool:
    figures = (
        token.price_usd,
        token.price_change_24h_pct,
        token.volume_24h_usd,
        token.liquidity_usd,
    )
    return any(figure is not None for figure in figures)


def select_pumped(
    candidates: Iterable[Candidate], params: Params, now: int
) -> tuple[list[Candidate], dict[str, int]]:
    """Return the pumped tokens, `max_tokens` at most and most promising first, and the
    rejected ones by reason.

    Promise is price change × volume. Ties are in the order of mints, so that the result
    is always the same.
    """
    pumped: list[Candidate] = []
    rejected: dict[str, int] = {}
    for token in candidates:
        if token.mint in QUOTES:
            continue
        reason = rejection_reason(token, params, now)
        if reason:
            rejected[reason] = rejected.get(reason, 0) + 1
        else:
            pumped.append(token)
    pumped.sort(key=lambda token: (-_promise(token), token.mint))
    surplus = len(pumped) - params.max_tokens
    if surplus > 0:
        rejected["over_max_tokens"] = surplus
    return pumped[: params.max_tokens], rejected


def _promise(token: Candidate) -> Decimal:
    return (token.price_change_24h_pct or ZERO) * (token.volume_24h_usd or ZERO)

"""Which candidates pumped: figures of their markets put together, then the filters, each fall with its reason."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from discovery.domain.findings import Candidate, LaunchClock
from discovery.domain.programs import QUOTES
from discovery.domain.run_params import Params

ZERO: Final = Decimal(0)


class Market(msgspec.Struct, frozen=True):
    """One market's figures of a token. Money in USD, change in percent, time in unix seconds; None = not said."""

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
    """What a token index knows of a token as a whole; None = not said."""

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


def build_candidate(
    mint: str, sources: Iterable[str], markets: Sequence[Market], index: TokenIndexEntry | None
) -> Candidate:
    """One token out of its markets: the deepest market's price and change, the volume of all of them.

    Where the markets say nothing (a curve has no liquidity on the aggregator) the index fills in.
    Launch: the index's first pool or creation; else the earliest market, which is weak.
    """
    deepest = max(markets, key=_depth, default=None)
    volumes = [market.volume_24h_usd for market in markets if market.volume_24h_usd is not None]
    created = [market.pool_created_at for market in markets if market.pool_created_at is not None]
    launched_at, clock = _launch(index, created)
    known = TokenIndexEntry(mint) if index is None else index

    def figure(name: str) -> Decimal | None:
        own: Decimal | None = getattr(deepest, name, None)
        other: Decimal | None = getattr(known, name)
        return own if own is not None else other

    counts = [market.transactions_24h for market in markets if market.transactions_24h is not None]
    return Candidate(
        mint=mint,
        symbol=(deepest.symbol if deepest else "") or known.symbol,
        name=(deepest.name if deepest else "") or known.name,
        sources=tuple(dict.fromkeys(sources)),
        pools=tuple(dict.fromkeys([*(market.pool for market in markets), *known.pools])),
        price_usd=figure("price_usd"),
        price_change_24h_pct=figure("price_change_24h_pct"),
        volume_24h_usd=sum(volumes, ZERO) if volumes else known.volume_24h_usd,
        liquidity_usd=figure("liquidity_usd"),
        market_cap_usd=figure("market_cap_usd"),
        transactions_24h=sum(counts) if counts else None,
        launched_at=launched_at,
        launch_clock=clock,
    )


def _depth(market: Market) -> tuple[Decimal, Decimal]:
    return market.liquidity_usd or ZERO, market.volume_24h_usd or ZERO


def _launch(index: TokenIndexEntry | None, created: list[int]) -> tuple[int | None, LaunchClock]:
    if index is not None:
        known = [time for time in (index.created_at, index.first_pool_at) if time is not None]
        if known:
            return min(known), "jupiter"
    return (min(created), "pair") if created else (None, "")


def rejection_reason(token: Candidate, params: Params, now: int) -> str:
    """Why the token is not pumped, "" where it is. `now` in unix seconds."""
    figures = (token.price_usd, token.price_change_24h_pct, token.volume_24h_usd, token.liquidity_usd)
    if all(figure is None for figure in figures):
        return "no_market_data"
    if token.launched_at is None:
        return "no_launch_time"
    if now - token.launched_at > params.max_token_age_hours * 3600:
        return "too_old"
    # Aggregators leave out the figures of quiet windows (DexScreener) and zeros (Jupiter): what they do not say of a
    # token they list is taken for zero, which passes a floor of 0 and none above it.
    if (token.price_change_24h_pct or ZERO) < params.min_price_change_pct:
        return "price_change"
    if (token.volume_24h_usd or ZERO) < params.min_volume_usd:
        return "volume"
    if (token.liquidity_usd or ZERO) < params.min_liquidity_usd:
        return "liquidity"
    return ""


def select_pumped(candidates: Iterable[Candidate], params: Params, now: int) -> tuple[list[Candidate], dict[str, int]]:
    """The pumped tokens, most promising first, `max_tokens` at most, and how many fell by reason.

    Promising = price change × volume: both have to be there; ties by mint, so that the order is the same every time.
    """
    kept: list[Candidate] = []
    fell: dict[str, int] = {}
    for token in candidates:
        if token.mint in QUOTES:
            continue
        reason = rejection_reason(token, params, now)
        if reason:
            fell[reason] = fell.get(reason, 0) + 1
        else:
            kept.append(token)
    kept.sort(key=lambda token: (-_promise(token), token.mint))
    over = len(kept) - params.max_tokens
    if over > 0:
        fell["over_max_tokens"] = over
    return kept[: params.max_tokens], fell


def _promise(token: Candidate) -> Decimal:
    return (token.price_change_24h_pct or ZERO) * (token.volume_24h_usd or ZERO)

"""Tokens that pumped: the union of all feeds, enriched in batches, filtered with a reason for each that falls.

A feed that does not answer costs its own candidates only; its cause is told. Figures come from the market where it is
deepest; what no market says, the token index fills in.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

import msgspec

from discovery.analysis.pumps import Market, TokenIndexEntry, build_candidate, select_pumped
from discovery.clients.provider_clients import Providers
from discovery.domain.addresses import is_address
from discovery.domain.findings import Candidate
from discovery.domain.run_params import Params
from discovery.providers import dexscreener, geckoterminal, jupiter
from discovery.providers.errors import ProviderError
from discovery.providers.records import PairRecord, Rows, Sighting, TokenRecord

Complaint = Callable[[str, str, str], None]
"""Told of what was lost: (step, code, message)."""


class NothingAnswered(Exception):
    """No source of tokens answered: a run over nothing would look like a quiet market."""


class TokenSearchResult(msgspec.Struct, frozen=True):
    """The tokens to analyse, most promising first, and how the others fell by reason."""

    tokens: list[Candidate]
    funnel: dict[str, int]


class TokenAggregator:
    """What the sources said, by mint."""

    def __init__(self) -> None:
        self.sources: dict[str, list[str]] = {}
        self.pairs: dict[str, dict[str, PairRecord]] = {}
        self.known: dict[str, TokenRecord] = {}

    def sighting(self, mint: str, source: str) -> None:
        if is_address(mint):
            self.sources.setdefault(mint, []).append(source)

    def pair(self, pair: PairRecord, *, better: bool) -> None:
        pools = self.pairs.setdefault(pair.mint, {})
        if better or pair.pool not in pools:
            pools[pair.pool] = pair

    def candidate(self, mint: str) -> Candidate:
        markets = [_market(pair) for pair in self.pairs.get(mint, {}).values()]
        record = self.known.get(mint)
        return build_candidate(mint, self.sources.get(mint, []), markets, _index(record) if record else None)


async def search(providers: Providers, params: Params, now: int, complain: Complaint) -> TokenSearchResult:
    """Pumped tokens by the filters of `params`; `now` in unix seconds. Raises NothingAnswered, BudgetSpent."""
    pile = TokenAggregator()
    answered = await _feeds(providers, pile, complain)
    if not answered:
        raise NothingAnswered("no source of tokens answered; see the errors for each one's cause")
    await _enrich(providers, pile, pile.sources, complain)
    candidates = [pile.candidate(mint) for mint in pile.sources]
    tokens, fell = select_pumped(candidates, params, now)
    funnel = {"candidates": len(candidates), **{f"token_{name}": count for name, count in sorted(fell.items())}}
    return TokenSearchResult(tokens, {**funnel, "tokens": len(tokens)})


async def look_up(providers: Providers, mints: list[str], complain: Complaint) -> TokenSearchResult:
    """Named tokens, past every filter: what the market says of them, launch times above all."""
    pile = TokenAggregator()
    for mint in mints:
        pile.sighting(mint, "given")
    await _enrich(providers, pile, mints, complain)
    return TokenSearchResult(
        [pile.candidate(mint) for mint in dict.fromkeys(mints)], {"given": len(mints), "tokens": len(mints)}
    )


async def _feeds(providers: Providers, pile: TokenAggregator, complain: Complaint) -> int:
    """Ask every feed; how many answered."""

    def of_gecko(source: str) -> Callable[[Rows[PairRecord]], None]:
        def take(rows: Rows[PairRecord]) -> None:
            for pair in rows:
                pile.sighting(pair.mint, source)
                pile.pair(pair, better=False)

        return take

    def of_jupiter(source: str) -> Callable[[Rows[TokenRecord]], None]:
        def take(rows: Rows[TokenRecord]) -> None:
            for token in rows:
                pile.sighting(token.mint, source)
                pile.known.setdefault(token.mint, token)

        return take

    def of_dexscreener(rows: Rows[Sighting]) -> None:
        for row in rows:
            pile.sighting(row.mint, row.source)

    questions: list[Coroutine[Any, Any, bool]] = []
    for duration in geckoterminal.DURATIONS:
        name = f"geckoterminal/trending/{duration}"
        questions.append(_ask(name, providers.geckoterminal.trending(duration), of_gecko(name), complain))
    for dex in geckoterminal.LAUNCHPAD_DEXES:
        name = f"geckoterminal/{dex}"
        questions.append(_ask(name, providers.geckoterminal.dex_pools(dex), of_gecko(name), complain))
    for interval in jupiter.INTERVALS:
        name = f"jupiter/toptrending/{interval}"
        questions.append(_ask(name, providers.jupiter.trending(interval), of_jupiter(name), complain))
    questions += [
        _ask(f"dexscreener{path}", providers.dexscreener_feeds.feed(path), of_dexscreener, complain)
        for path in dexscreener.FEEDS
    ]
    return sum(await asyncio.gather(*questions))


async def _enrich(providers: Providers, pile: TokenAggregator, mints: Iterable[str], complain: Complaint) -> None:
    """Markets and index entries of the mints, in batches."""
    wanted = list(mints)

    def markets(rows: Rows[PairRecord]) -> None:
        for pair in rows:
            pile.pair(pair, better=True)

    def entries(rows: Rows[TokenRecord]) -> None:
        for token in rows:
            pile.known[token.mint] = token

    await asyncio.gather(
        _ask("dexscreener/tokens", providers.dexscreener.pairs(wanted), markets, complain),
        _ask(
            "jupiter/search",
            providers.jupiter.tokens(mint for mint in wanted if mint not in pile.known),
            entries,
            complain,
        ),
    )


async def _ask(
    name: str, question: Awaitable[Rows[Any]], take: Callable[[Rows[Any]], None], complain: Complaint
) -> bool:
    """One question; whether it was answered. What it cost is told, the search goes on."""
    try:
        rows = await question
    except ProviderError as error:
        complain("find_tokens", error.code, f"{name}: {error.cause}")
        return False
    if rows.rejected:
        complain("find_tokens", "bad_payload", f"{name}: {rows.rejected} rows skipped ({rows.cause})")
    take(rows)
    return True


def _market(pair: PairRecord) -> Market:
    return Market(
        mint=pair.mint,
        pool=pair.pool,
        symbol=pair.symbol,
        name=pair.name,
        price_usd=pair.price_usd,
        price_change_24h_pct=pair.price_change_24h_pct,
        volume_24h_usd=pair.volume_24h_usd,
        liquidity_usd=pair.liquidity_usd,
        market_cap_usd=pair.market_cap_usd,
        transactions_24h=pair.transactions_24h,
        pool_created_at=pair.pool_created_at,
    )


def _index(token: TokenRecord) -> TokenIndexEntry:
    return TokenIndexEntry(
        mint=token.mint,
        symbol=token.symbol,
        name=token.name,
        created_at=token.created_at,
        first_pool_at=token.first_pool_at,
        pools=tuple(pool for pool in (token.first_pool, token.graduated_pool) if pool and is_address(pool)),
        price_usd=token.price_usd,
        price_change_24h_pct=token.price_change_24h_pct,
        volume_24h_usd=token.volume_24h_usd,
        liquidity_usd=token.liquidity_usd,
        market_cap_usd=token.market_cap_usd,
    )

"""Find tokens that pumped: all feeds together, enriched in batches, filtered with a
reason for each excluded token.

A feed that does not respond costs its own candidates only, and a warning. Figures come
from the deepest market; the token index fills in what no market reports. All pools of
a token are asked for once it is chosen.
"""

from collections import Counter
from collections.abc import Awaitable, Iterable, Sequence
from typing import Final, TypeVar

import msgspec

from discovery.analysis.pumps import (
    Market,
    TokenIndexEntry,
    build_candidate,
    rank_pumped,
)
from discovery.clients.provider_clients import Providers
from discovery.domain.addresses import is_address
from discovery.domain.display import counted
from discovery.domain.findings import Candidate
from discovery.domain.run_errors import ErrorCode, WarningSink
from discovery.domain.run_params import Params
from discovery.providers import dexscreener, geckoterminal, jupiter
from discovery.providers.concurrency import gather_bounded, gather_or_cancel
from discovery.providers.errors import ProviderError
from discovery.providers.records import PairRecord, Rows, TokenRecord

Row = TypeVar("Row")
MAX_CONCURRENT: Final = 8


class NothingAnswered(Exception):
    """No source of tokens responded: a run over nothing would look like a quiet market."""


class TokenSearchResult(msgspec.Struct, frozen=True):
    """The tokens to analyse, most promising first, and the numbers of excluded tokens
    by reason.
    """

    tokens: list[Candidate]
    funnel: dict[str, int]


async def search(
    providers: Providers, params: Params, now: int, warnings: WarningSink
) -> TokenSearchResult:
    """Return the tokens that pumped by the filters of `params`; `now` in unix seconds.

    A source that does not respond is a warning. Raises NothingAnswered if none does,
    BudgetExhausted.
    """
    requests = _TokenRequests(providers, warnings)
    if not await requests.load_feeds():
        raise NothingAnswered(
            "no source of tokens answered; see the errors for each one's cause"
        )
    tokens = requests.tokens
    await requests.load_details(tokens.mints)
    candidates = [tokens.candidate(mint) for mint in tokens.mints]
    selected, excluded = await _select(requests, candidates, params, now)
    funnel = {"candidates": len(candidates)}
    for reason, count in sorted(excluded.items()):
        funnel[f"token_{reason}"] = count
    funnel["tokens"] = len(selected)
    return TokenSearchResult(selected, funnel)


async def _select(
    requests: "_TokenRequests", candidates: list[Candidate], params: Params, now: int
) -> tuple[list[Candidate], Counter[str]]:
    """Return the pumped tokens with all their pools, and the rejected ones by reason.

    The pools of a token are asked for once it is chosen. They may show that it is older
    than it seemed: then the next one takes its place.
    """
    waiting, rejected = rank_pumped(candidates, params, now)
    excluded = Counter(rejected)
    selected: list[Candidate] = []
    while waiting and len(selected) < params.max_tokens:
        room = params.max_tokens - len(selected)
        chosen, waiting = waiting[:room], waiting[room:]
        mints = [token.mint for token in chosen]
        await requests.load_all_pairs(mints)
        whole = [requests.tokens.candidate(mint) for mint in mints]
        passing, rejected = rank_pumped(whole, params, now)
        selected += passing
        excluded.update(rejected)
    if waiting:
        excluded["over_max_tokens"] += len(waiting)
    ranked, _ = rank_pumped(selected, params, now)
    return ranked, excluded


async def look_up(
    providers: Providers, mints: Sequence[str], warnings: WarningSink
) -> TokenSearchResult:
    """Return the given tokens without any filter, with the figures of the market, above
    all launch times.

    A source that does not respond is a warning. Raises BudgetExhausted.
    """
    requests = _TokenRequests(providers, warnings)
    for mint in mints:
        requests.tokens.add_source(mint, "given")
    await requests.load_details(mints)
    await requests.load_all_pairs(mints)
    candidates = [requests.tokens.candidate(mint) for mint in dict.fromkeys(mints)]
    return TokenSearchResult(candidates, {"given": len(mints), "tokens": len(mints)})


class TokenAggregator:
    """The records of all sources by mint."""

    def __init__(self) -> None:
        self._sources: dict[str, list[str]] = {}
        self._pairs: dict[str, dict[str, PairRecord]] = {}  # mint -> pool -> pair
        self._records: dict[str, TokenRecord] = {}

    @property
    def mints(self) -> list[str]:
        """The mints in the order in which sources named them."""
        return list(self._sources)

    def add_source(self, mint: str, source: str) -> None:
        """Record that the source named the mint. Invalid addresses are ignored."""
        if is_address(mint):
            self._sources.setdefault(mint, []).append(source)

    def add_pair(self, pair: PairRecord) -> None:
        """Add a pair of a pool that is not known yet."""
        self._pairs.setdefault(pair.mint, {}).setdefault(pair.pool, pair)

    def replace_pair(self, pair: PairRecord) -> None:
        """Set the pair of a pool."""
        self._pairs.setdefault(pair.mint, {})[pair.pool] = pair

    def add_record(self, record: TokenRecord) -> None:
        """Add the record of a mint that has none yet."""
        self._records.setdefault(record.mint, record)

    def replace_record(self, record: TokenRecord) -> None:
        """Set the record of a mint."""
        self._records[record.mint] = record

    def has_record(self, mint: str) -> bool:
        """Return True if the token index has sent a record of the mint."""
        return mint in self._records

    def candidate(self, mint: str) -> Candidate:
        """Return everything that is known of the mint; figures that no source reports
        are None.
        """
        markets = [_market(pair) for pair in self._pairs.get(mint, {}).values()]
        record = self._records.get(mint)
        index_entry = None if record is None else _index_entry(record)
        return build_candidate(mint, self._sources.get(mint, []), markets, index_entry)


class _TokenRequests:
    """Requests to the sources of tokens. One that fails is a warning."""

    def __init__(self, providers: Providers, warnings: WarningSink) -> None:
        self.tokens = TokenAggregator()
        self._providers = providers
        self._warnings = warnings

    async def load_feeds(self) -> int:
        """Load all feeds. Returns how many responded."""
        requests = [
            *map(self._load_trending_pools, geckoterminal.DURATIONS),
            *map(self._load_dex_pools, geckoterminal.LAUNCHPAD_DEXES),
            *map(self._load_trending_tokens, jupiter.INTERVALS),
            *map(self._load_feed, dexscreener.FEEDS),
        ]
        return sum(await gather_or_cancel(requests))

    async def load_details(self, mints: Iterable[str]) -> None:
        """Load markets and index records of the mints, in batches."""
        mint_list = list(mints)
        without_record = [
            mint for mint in mint_list if not self.tokens.has_record(mint)
        ]
        await gather_or_cancel(
            [
                self._load_pairs(self._providers.dexscreener.pairs(mint_list)),
                self._load_records(self._providers.jupiter.tokens(without_record)),
            ]
        )

    async def load_all_pairs(self, mints: Iterable[str]) -> None:
        """Load every pool of the mints: the batch of `load_details` has one of each."""
        causes = await gather_bounded(mints, self._load_pools_of, MAX_CONCURRENT)
        failures = [cause for cause in causes if cause is not None]
        if failures:
            tokens = counted(len(failures), "token")
            self._warnings.add(
                f"dexscreener/token-pairs: {failures[0].cause}: further pools of {tokens} are not known",
                code=failures[0].code,
            )

    async def _load_pools_of(self, mint: str) -> ProviderError | None:
        """Return the error if there is no response."""
        try:
            pairs = await self._providers.dexscreener.all_pairs(mint)
        except ProviderError as error:
            return error
        self._warn_of_rejected("dexscreener/token-pairs", pairs)
        for pair in pairs:
            self.tokens.replace_pair(pair)
        return None

    async def _load_trending_pools(self, duration: str) -> bool:
        request = self._providers.geckoterminal.trending(duration)
        return await self._load_pools(f"geckoterminal/trending/{duration}", request)

    async def _load_dex_pools(self, dex: str) -> bool:
        return await self._load_pools(
            f"geckoterminal/{dex}", self._providers.geckoterminal.dex_pools(dex)
        )

    async def _load_pools(
        self, source: str, request: Awaitable[Rows[PairRecord]]
    ) -> bool:
        pairs, has_responded = await self._rows(source, request)
        for pair in pairs:
            self.tokens.add_source(pair.mint, source)
            self.tokens.add_pair(pair)
        return has_responded

    async def _load_trending_tokens(self, interval: str) -> bool:
        source = f"jupiter/toptrending/{interval}"
        request = self._providers.jupiter.trending(interval)
        records, has_responded = await self._rows(source, request)
        for record in records:
            self.tokens.add_source(record.mint, source)
            self.tokens.add_record(record)
        return has_responded

    async def _load_feed(self, path: str) -> bool:
        request = self._providers.dexscreener_feeds.feed(path)
        tokens, has_responded = await self._rows(f"dexscreener{path}", request)
        for token in tokens:
            self.tokens.add_source(token.mint, token.source)
        return has_responded

    async def _load_pairs(self, request: Awaitable[Rows[PairRecord]]) -> None:
        pairs, _ = await self._rows("dexscreener/tokens", request)
        for pair in pairs:
            self.tokens.replace_pair(pair)

    async def _load_records(self, request: Awaitable[Rows[TokenRecord]]) -> None:
        records, _ = await self._rows("jupiter/search", request)
        for record in records:
            self.tokens.replace_record(record)

    async def _rows(
        self, source: str, request: Awaitable[Rows[Row]]
    ) -> tuple[Rows[Row], bool]:
        """Return the rows, and whether the source responded; without that no rows."""
        try:
            rows = await request
        except ProviderError as error:
            self._warnings.add(f"{source}: {error.cause}", code=error.code)
            return Rows(), False
        self._warn_of_rejected(source, rows)
        return rows, True

    def _warn_of_rejected(self, source: str, rows: Rows[Row]) -> None:
        if rows.rejected:
            message = f"{source}: {rows.rejected} rows skipped ({rows.cause})"
            self._warnings.add(message, code=ErrorCode.BAD_PAYLOAD)


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


def _index_entry(token: TokenRecord) -> TokenIndexEntry:
    pools = [pool for pool in (token.first_pool, token.graduated_pool) if pool]
    return TokenIndexEntry(
        mint=token.mint,
        symbol=token.symbol,
        name=token.name,
        created_at=token.created_at,
        first_pool_at=token.first_pool_at,
        pools=tuple(pool for pool in pools if is_address(pool) and pool != token.mint),
        price_usd=token.price_usd,
        price_change_24h_pct=token.price_change_24h_pct,
        volume_24h_usd=token.volume_24h_usd,
        liquidity_usd=token.liquidity_usd,
        market_cap_usd=token.market_cap_usd,
    )

"""DexScreener: feeds of paid placements, and pairs of up to 30 tokens a call.

Limits (documentation of 2026): 60 calls a minute for feeds, 300 for pairs; no key. A
call for many tokens returns one pair of each (captured in October 2026), so all pools of
a token are a call of their own. A response holds about 30 pairs in all: a token without
a row in a full response is requested again by itself.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, Protocol

from msgspec import Raw, Struct

from discovery.domain.addresses import parse_address
from discovery.domain.chain_text import clean_text
from discovery.providers.batches import batches
from discovery.providers.http import ProviderClient
from discovery.providers.records import (
    Day,
    FeedToken,
    PairRecord,
    Rows,
    TradesOfDay,
    checked_unix_seconds,
    day_figure,
    day_trades,
    decode_body,
    decode_rows,
    finite,
)

NAME: Final = "dexscreener"
CHAIN: Final = "solana"
BATCH_SIZE: Final = 30
FULL_RESPONSE_ROWS: Final = BATCH_SIZE - 1
FEEDS: Final = (
    "/token-profiles/latest/v1",
    "/token-boosts/latest/v1",
    "/token-boosts/top/v1",
)


class _Token(Struct):
    address: str | None = None
    symbol: str | None = None
    name: str | None = None


class _Liquidity(Struct):
    usd: Decimal | None = None


class _Pair(Struct, rename="camel"):
    chain_id: str
    pair_address: str
    base_token: _Token
    dex_id: str = ""
    quote_token: _Token | None = None
    price_usd: Decimal | None = None
    price_change: Day | None = None
    volume: Day | None = None
    liquidity: _Liquidity | None = None
    market_cap: Decimal | None = None
    fdv: Decimal | None = None
    txns: TradesOfDay | None = None
    pair_created_at: int | None = None


class _FeedRow(Struct, rename="camel"):
    chain_id: str
    token_address: str


class _Batch(Struct, frozen=True):
    """Pairs of the requested mints, and the number of rows in the whole response."""

    pairs: Rows[PairRecord]
    row_count: int


class PairSource(Protocol):
    """Where the pairs of tokens come from."""

    async def pairs(self, mints: Iterable[str]) -> Rows[PairRecord]:
        """Return a pair of each mint in which it is the base token, that of its deepest
        pool. Raises ProviderError.
        """

    async def all_pairs(self, mint: str) -> Rows[PairRecord]:
        """Return the pair of every pool of a token. Raises ProviderError."""


class DexScreener:
    """Client of DexScreener."""

    def __init__(self, client: ProviderClient) -> None:
        self._client = client

    async def feed(self, path: str) -> Rows[FeedToken]:
        """Return the Solana tokens of one feed, a path of FEEDS. Feeds are paid
        placement, so each token carries its source.

        Raises ProviderError.
        """
        response = await self._client.request(path)
        source = f"dexscreener{path.removesuffix('/v1')}"

        def build(row: _FeedRow) -> FeedToken | None:
            if row.chain_id != CHAIN:
                return None
            return FeedToken(parse_address(row.token_address), source)

        raws = decode_body(NAME, response.body, list[Raw])
        return decode_rows(NAME, raws, _FeedRow, build)

    async def pairs(self, mints: Iterable[str]) -> Rows[PairRecord]:
        """Return a pair of each mint in which it is the base token, 30 mints a call: that
        of its deepest pool. A mint without a market has none.

        Raises ProviderError if one call fails.
        """
        unique_mints = list(dict.fromkeys(mints))
        pairs: Rows[PairRecord] = Rows()
        for mints_of_call in batches(unique_mints, BATCH_SIZE):
            batch = await self._batch(mints_of_call)
            pairs.merge(batch.pairs)
            if len(mints_of_call) > 1 and batch.row_count >= FULL_RESPONSE_ROWS:
                pairs.merge(await self._missing_pairs(mints_of_call, batch.pairs))
        return pairs

    async def all_pairs(self, mint: str) -> Rows[PairRecord]:
        """Return the pair of every pool of a token, up to 30. A bonding curve has no
        liquidity. One call.

        Raises ProviderError.
        """
        batch = await self._request(f"/token-pairs/v1/{CHAIN}/{mint}", [mint])
        return batch.pairs

    async def _missing_pairs(
        self, mints: Sequence[str], pairs: Rows[PairRecord]
    ) -> Rows[PairRecord]:
        """Request the mints without a pair one by one.

        In a full response a token may be absent because others took its place, also
        pairs with it as quote token.
        """
        mints_with_pair = {pair.mint for pair in pairs}
        missing_mints = [mint for mint in mints if mint not in mints_with_pair]
        missing_pairs: Rows[PairRecord] = Rows()
        for mint in missing_mints:
            batch = await self._batch([mint])
            missing_pairs.merge(batch.pairs)
        return missing_pairs

    async def _batch(self, mints: Sequence[str]) -> _Batch:
        """Return the pairs with one of the mints as base token. The response also has
        pairs in which a mint is the quote token.
        """
        return await self._request(f"/tokens/v1/{CHAIN}/{','.join(mints)}", mints)

    async def _request(self, path: str, mints: Sequence[str]) -> _Batch:
        response = await self._client.request(path)
        raws = decode_body(NAME, response.body, list[Raw])
        mint_set = set(mints)

        def build(pair: _Pair) -> PairRecord | None:
            mint = pair.base_token.address
            if mint not in mint_set or pair.chain_id != CHAIN:
                return None
            return _pair_record(mint, pair)

        return _Batch(decode_rows(NAME, raws, _Pair, build), len(raws))


def _pair_record(mint: str, pair: _Pair) -> PairRecord:
    """Return the pair as a record. Raises ValueError for an invalid address or time.

    Without a market cap, the fully diluted value stands for it.
    """
    quote_token = pair.quote_token or _Token()
    liquidity = pair.liquidity or _Liquidity()
    market_cap = pair.fdv if pair.market_cap is None else pair.market_cap
    return PairRecord(
        mint=mint,
        pool=parse_address(pair.pair_address),
        dex=pair.dex_id,
        quote_mint=quote_token.address,
        symbol=clean_text(pair.base_token.symbol, 64),
        name=clean_text(pair.base_token.name, 128),
        price_usd=finite(pair.price_usd),
        price_change_24h_pct=day_figure(pair.price_change),
        volume_24h_usd=day_figure(pair.volume),
        liquidity_usd=finite(liquidity.usd),
        market_cap_usd=finite(market_cap),
        transactions_24h=day_trades(pair.txns),
        pool_created_at=_created_at(pair.pair_created_at),
    )


def _created_at(milliseconds: int | None) -> int | None:
    """Return unix seconds, None for an absent time and for 0."""
    if not milliseconds:
        return None
    return checked_unix_seconds(milliseconds // 1000)

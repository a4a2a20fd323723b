"""DexScreener: feeds of paid placements, and pairs of up to 30 tokens a call.

Limits (docs, 2026): 60 calls a minute for feeds, 300 for pairs; no key. A batch answers about 30 pairs in all, so busy
tokens crowd out others: what is in no row is asked for again by itself.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from msgspec import Raw, Struct

from discovery.domain.addresses import parse_address
from discovery.domain.chain_text import clean_text
from discovery.providers.http import ProviderClient
from discovery.providers.records import PairRecord, Rows, Sighting, each, figure, plausible_seconds, whole

NAME: Final = "dexscreener"
BATCH: Final = 30
FEEDS: Final = ("/token-profiles/latest/v1", "/token-boosts/latest/v1", "/token-boosts/top/v1")


class _Token(Struct):
    address: str | None = None
    symbol: str | None = None
    name: str | None = None


class _Window(Struct):
    h24: Decimal | None = None


class _Counts(Struct):
    buys: int = 0
    sells: int = 0


class _Transactions(Struct):
    h24: _Counts | None = None


class _Liquidity(Struct):
    usd: Decimal | None = None


class _Pair(Struct, rename="camel"):
    chain_id: str
    pair_address: str
    base_token: _Token
    dex_id: str = ""
    quote_token: _Token | None = None
    price_usd: Decimal | None = None
    price_change: _Window | None = None
    volume: _Window | None = None
    liquidity: _Liquidity | None = None
    market_cap: Decimal | None = None
    fdv: Decimal | None = None
    txns: _Transactions | None = None
    pair_created_at: int | None = None


class _FeedRow(Struct, rename="camel"):
    chain_id: str
    token_address: str


class DexScreener:
    """Reads DexScreener through its door."""

    def __init__(self, door: ProviderClient) -> None:
        self._door = door

    async def feed(self, path: str) -> Rows[Sighting]:
        """Tokens of one feed, Solana only. Feeds are paid placement: the source stays with the candidate."""
        answer = await self._door.ask(path)
        source = f"dexscreener{path.removesuffix('/v1')}"
        return each(
            NAME,
            whole(NAME, answer.body, list[Raw]),
            _FeedRow,
            lambda row: Sighting(parse_address(row.token_address), source) if row.chain_id == "solana" else None,
        )

    async def pairs(self, mints: Iterable[str]) -> Rows[PairRecord]:
        """Every known pair of the tokens in which they are the base, 30 mints a call, misses asked for again."""
        wanted = list(dict.fromkeys(mints))
        rows: Rows[PairRecord] = Rows()
        for start in range(0, len(wanted), BATCH):
            batch = wanted[start : start + BATCH]
            found, answered = await self._batch(batch)
            if len(batch) > 1 and answered >= BATCH - 1:
                # The answer was full: silence about a token may only mean that others took its place, pairs that are
                # none of ours (a token on the quote side) among them.
                seen = {row.mint for row in found}
                for mint in batch:
                    if mint not in seen:
                        more, _ = await self._batch([mint])
                        _extend(found, more)
            _extend(rows, found)
        return rows

    async def _batch(self, mints: list[str]) -> tuple[Rows[PairRecord], int]:
        """Records, and how many rows the answer had in all."""
        answer = await self._door.ask(f"/tokens/v1/solana/{','.join(mints)}")
        wanted = set(mints)

        def build(pair: _Pair) -> PairRecord | None:
            if pair.chain_id != "solana" or pair.base_token.address not in wanted:
                return None
            counts = pair.txns.h24 if pair.txns else None
            return PairRecord(
                mint=pair.base_token.address,
                pool=parse_address(pair.pair_address),
                dex=pair.dex_id,
                quote_mint=pair.quote_token.address if pair.quote_token else None,
                symbol=clean_text(pair.base_token.symbol, 64),
                name=clean_text(pair.base_token.name, 128),
                price_usd=figure(pair.price_usd),
                price_change_24h_pct=figure(pair.price_change.h24) if pair.price_change else None,
                volume_24h_usd=figure(pair.volume.h24) if pair.volume else None,
                liquidity_usd=figure(pair.liquidity.usd) if pair.liquidity else None,
                market_cap_usd=figure(pair.market_cap if pair.market_cap is not None else pair.fdv),
                transactions_24h=counts.buys + counts.sells if counts else None,
                pool_created_at=plausible_seconds(pair.pair_created_at // 1000) if pair.pair_created_at else None,
            )

        raws = whole(NAME, answer.body, list[Raw])
        return each(NAME, raws, _Pair, build), len(raws)


def _extend(rows: Rows[PairRecord], more: Rows[PairRecord]) -> None:
    rows.extend(more)
    rows.rejected += more.rejected
    rows.cause = rows.cause or more.cause

"""The pairs that DexScreener lists for what wallets hold: read once for many wallets, and
not known where a row cannot be read.
"""

from collections.abc import Iterable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from asgiref.sync import async_to_sync

from discovery.domain.run_errors import WarningSink
from discovery.pipeline.bag_values import OpenHolding, bag_values
from discovery.pipeline.preloaded import PreloadedPairs
from discovery.providers.records import PairRecord, Rows
from tests.wallet_addresses import wallet_address as address

LISTED, ABSENT, THIRD = address(1), address(2), address(3)


def pair(mint: str, *, liquidity_usd: int = 50_000) -> PairRecord:
    return PairRecord(
        mint=mint,
        pool=address(9),
        dex="raydium",
        quote_mint=None,
        symbol="T",
        name="Token",
        price_usd=Decimal("0.01"),
        price_change_24h_pct=None,
        volume_24h_usd=None,
        liquidity_usd=Decimal(liquidity_usd),
        market_cap_usd=None,
        transactions_24h=None,
        pool_created_at=None,
    )


class Listing:
    """Lists the pairs it is given, and counts rows that could not be read."""

    def __init__(self, *pairs: PairRecord, rejected: int = 0) -> None:
        self.asked: list[list[str]] = []
        self._pairs = pairs
        self._rejected = rejected

    async def pairs(self, mints: Iterable[str]) -> Rows[PairRecord]:
        wanted = list(mints)
        self.asked.append(wanted)
        found: Rows[PairRecord] = Rows()
        found.extend(each for each in self._pairs if each.mint in wanted)
        for _ in range(self._rejected):
            found.reject("a row without a price")
        return found


class NoAccounts:
    async def accounts(self, addresses: list[str]) -> list[None]:
        return [None] * len(addresses)


def values_of(listing: Any, *mints: str) -> Any:
    holdings = [OpenHolding(mint, 10**9, 6) for mint in mints]
    prices = SimpleNamespace(at_hour=lambda _: Decimal(200))
    providers: Any = SimpleNamespace(prices=prices, dexscreener=listing)
    source: Any = NoAccounts()
    warnings = WarningSink("test")
    value = async_to_sync(bag_values)
    return value(holdings, providers, source, now=1_700_000_000, warnings=warnings)


def test_a_holding_without_a_pair_has_no_market_that_anybody_knows() -> None:
    values = values_of(Listing(pair(LISTED)), LISTED, ABSENT)
    assert values.known[LISTED].lamports > 0
    assert ABSENT not in values.known
    assert values.unread == frozenset()


def test_a_row_that_cannot_be_read_leaves_holdings_without_a_pair_unknown() -> None:
    values = values_of(Listing(pair(LISTED), rejected=1), LISTED, ABSENT)
    assert set(values.known) == {LISTED}
    assert values.unread == {ABSENT}


def test_pairs_that_were_read_at_once_are_not_asked_for_again() -> None:
    listing = Listing(pair(LISTED))
    pairs = PreloadedPairs(listing)
    async_to_sync(pairs.preload)([LISTED, ABSENT])
    values = values_of(pairs, LISTED, ABSENT)
    assert set(values.known) == {LISTED}
    assert len(listing.asked) == 1
    values_of(pairs, LISTED, THIRD)
    assert listing.asked[1:] == [[THIRD]]


def test_a_row_that_cannot_be_read_counts_for_every_later_answer() -> None:
    pairs = PreloadedPairs(Listing(pair(LISTED), rejected=1))
    async_to_sync(pairs.preload)([LISTED, ABSENT])
    assert values_of(pairs, ABSENT).unread == {ABSENT}

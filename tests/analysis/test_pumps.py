"""Selection of pumped tokens, and the reasons of rejected ones."""

from decimal import Decimal

import msgspec
import pytest

from discovery.analysis.pumps import (
    Market,
    TokenIndexEntry,
    build_candidate,
    rank_pumped,
    rejection_reason,
)
from discovery.domain.findings import Candidate
from discovery.domain.programs import USDC
from discovery.domain.run_params import Params

NOW = 1_790_000_000
MINT = "HRJLkc6vDysVHdrUpCsQ5EBx6fPM15TZRKAhfUBnpump"
PUMPED = Candidate(
    MINT,
    price_change_24h_pct=Decimal(250),
    volume_24h_usd=Decimal(80_000),
    liquidity_usd=Decimal(20_000),
    launched_at=NOW - 3600,
)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, ""),
        ({"launched_at": NOW - 72 * 3600}, ""),
        ({"launched_at": NOW - 72 * 3600 - 1}, "too_old"),
        ({"launched_at": None}, "no_launch_time"),
        ({"price_change_24h_pct": Decimal("99.99")}, "price_change"),
        ({"price_change_24h_pct": Decimal(100)}, ""),
        ({"price_change_24h_pct": None}, "price_change"),
        ({"volume_24h_usd": Decimal("49999.99")}, "volume"),
        ({"volume_24h_usd": None}, "volume"),
        ({"liquidity_usd": Decimal("9999.99")}, "liquidity"),
        ({"liquidity_usd": None}, "liquidity"),
        (
            {
                "price_change_24h_pct": None,
                "volume_24h_usd": None,
                "liquidity_usd": None,
            },
            "no_market_data",
        ),
    ],
)
def test_each_filter_has_its_bound_and_its_reason(change: dict, reason: str) -> None:
    assert (
        rejection_reason(msgspec.structs.replace(PUMPED, **change), Params(), NOW)
        == reason
    )


def test_an_unreported_figure_passes_a_minimum_of_zero() -> None:
    quiet = msgspec.structs.replace(
        PUMPED, price_change_24h_pct=None, volume_24h_usd=None
    )
    assert (
        rejection_reason(
            quiet,
            Params(min_price_change_pct=Decimal(0), min_volume_usd=Decimal(0)),
            NOW,
        )
        == ""
    )


def test_the_most_promising_tokens_come_first_and_a_quote_is_none() -> None:
    tokens = [
        msgspec.structs.replace(
            PUMPED, mint=f"mint{n}", volume_24h_usd=Decimal(60_000 + n)
        )
        for n in range(5)
    ]
    old = msgspec.structs.replace(PUMPED, mint="old", launched_at=NOW - 10**7)
    quote = msgspec.structs.replace(PUMPED, mint=USDC)
    pumped, rejected = rank_pumped([*tokens, old, quote], Params(), NOW)
    assert [token.mint for token in pumped] == [f"mint{n}" for n in (4, 3, 2, 1, 0)]
    assert rejected == {"too_old": 1}


def test_price_comes_from_the_deepest_market_and_volume_from_all() -> None:
    thin = Market(
        MINT,
        "thin",
        price_change_24h_pct=Decimal(9_999),
        volume_24h_usd=Decimal(10),
        liquidity_usd=Decimal(5),
    )
    deep = Market(
        MINT,
        "deep",
        price_change_24h_pct=Decimal(120),
        volume_24h_usd=Decimal(900),
        liquidity_usd=Decimal(50),
    )
    token = build_candidate(MINT, ["a", "b", "a"], [thin, deep], None)
    assert (token.price_change_24h_pct, token.volume_24h_usd, token.liquidity_usd) == (
        120,
        910,
        50,
    )
    assert token.pools == ("thin", "deep")
    assert token.sources == ("a", "b")


@pytest.mark.parametrize(
    ("pool_at", "first_pool_at", "created_at", "launch"),
    [
        # The mint is two days older than its first pool.
        (NOW - 60, NOW - 400, NOW - 400 - 2 * 86_400, (NOW - 400, "jupiter")),
        (None, NOW - 400, NOW - 86_400, (NOW - 400, "jupiter")),
        # Jupiter is down, or does not know a pool.
        (NOW - 60, None, None, (NOW - 60, "pair")),
        (NOW - 60, None, NOW - 86_400, (NOW - 60, "pair")),
        # A list knows an older pool; or the same one, by another clock.
        (NOW - 9_000, NOW - 400, NOW - 86_400, (NOW - 9_000, "pair")),
        (NOW - 402, NOW - 400, NOW - 86_400, (NOW - 402, "jupiter")),
        (None, None, NOW - 500, (NOW - 500, "mint")),
        (None, None, None, (None, "")),
    ],
)
def test_the_launch_is_the_creation_of_the_first_pool(
    pool_at: int | None,
    first_pool_at: int | None,
    created_at: int | None,
    launch: tuple[int | None, str],
) -> None:
    market = Market(MINT, "pool", pool_created_at=pool_at)
    index = TokenIndexEntry(MINT, created_at=created_at, first_pool_at=first_pool_at)
    token = build_candidate(MINT, [], [market], index)
    assert (token.launched_at, token.launch_clock) == launch


def test_a_second_pool_is_no_launch_and_the_oldest_pool_comes_first() -> None:
    markets = [
        Market(MINT, "second", pool_created_at=NOW - 60),
        Market(MINT, "undated"),
        Market(MINT, "first", pool_created_at=NOW - 9_000),
    ]
    token = build_candidate(MINT, [], markets, None)
    assert token.launched_at == NOW - 9_000
    assert token.pools == ("first", "second", "undated")


def test_the_mint_is_no_pool() -> None:
    index = TokenIndexEntry(MINT, pools=(MINT, "pool"))
    token = build_candidate(MINT, [], [Market(MINT, MINT)], index)
    assert token.pools == ("pool",)


def test_the_index_fills_in_what_no_market_reports() -> None:
    curve = Market(
        MINT, "curve", price_change_24h_pct=Decimal(300), volume_24h_usd=Decimal(5)
    )
    token = build_candidate(
        MINT, [], [curve], TokenIndexEntry(MINT, liquidity_usd=Decimal(42_000))
    )
    assert (token.price_change_24h_pct, token.liquidity_usd) == (300, 42_000)

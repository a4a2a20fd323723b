"""Selection of pumped tokens, and the reasons of rejected ones."""

from decimal import Decimal

import msgspec
import pytest

from discovery.analysis.pumps import (
    Market,
    TokenIndexEntry,
    build_candidate,
    rejection_reason,
    select_pumped,
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


def test_the_most_promising_tokens_come_first_and_the_rest_is_counted() -> None:
    tokens = [
        msgspec.structs.replace(
            PUMPED, mint=f"mint{n}", volume_24h_usd=Decimal(60_000 + n)
        )
        for n in range(5)
    ]
    pumped, rejected = select_pumped(
        [*tokens, msgspec.structs.replace(PUMPED, mint=USDC)], Params(max_tokens=2), NOW
    )
    assert [token.mint for token in pumped] == ["mint4", "mint3"]
    assert rejected == {"over_max_tokens": 3}


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


def test_the_launch_time_of_the_index_is_preferred_to_that_of_a_market() -> None:
    market = Market(MINT, "pool", pool_created_at=NOW - 60)
    by_index = build_candidate(
        MINT,
        [],
        [market],
        TokenIndexEntry(MINT, created_at=NOW - 500, first_pool_at=NOW - 400),
    )
    by_market = build_candidate(MINT, [], [market], TokenIndexEntry(MINT))
    assert (by_index.launched_at, by_index.launch_clock) == (NOW - 500, "jupiter")
    assert (by_market.launched_at, by_market.launch_clock) == (NOW - 60, "pair")


def test_the_index_fills_in_what_no_market_reports() -> None:
    curve = Market(
        MINT, "curve", price_change_24h_pct=Decimal(300), volume_24h_usd=Decimal(5)
    )
    token = build_candidate(
        MINT, [], [curve], TokenIndexEntry(MINT, liquidity_usd=Decimal(42_000))
    )
    assert (token.price_change_24h_pct, token.liquidity_usd) == (300, 42_000)

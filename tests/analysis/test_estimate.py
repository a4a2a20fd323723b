"""Estimates of provider calls and the choice of the fetch path."""

import pytest

from discovery.analysis.estimate import cheaper_path, estimate_run

PACE = {
    "dexscreener": 4.5,
    "geckoterminal": 0.4,
    "jupiter": 0.45,
    "solana_rpc": 1.0,
    "helius": 9.5,
    "prices": 10.0,
}


@pytest.mark.parametrize(
    ("source", "later", "buyers", "path"),
    [
        ("helius", 10_000, 100, "pool"),
        ("helius", 10_001, 100, "accounts"),
        ("solana_rpc", 400, 100, "pool"),
        ("solana_rpc", 401, 100, "accounts"),
        ("helius", None, 100, "accounts"),
    ],
)
def test_the_market_is_paged_if_that_costs_no_more_than_all_accounts(
    source: str, later: int | None, buyers: int, path: str
) -> None:
    assert cheaper_path(source, later, buyers) == path


def test_a_run_takes_hours_on_the_public_node_and_minutes_with_a_key() -> None:
    public = estimate_run(
        "solana_rpc",
        tokens=20,
        skips_search=False,
        has_batches=False,
        calls_per_second=PACE,
    )
    keyed = estimate_run(
        "helius", tokens=20, skips_search=False, has_batches=True, calls_per_second=PACE
    )
    assert public.seconds > 3 * 3600
    assert keyed.seconds < 600
    assert keyed.helius_credits > 0
    assert public.helius_credits == 0


def test_more_tokens_cost_more_and_named_ones_skip_the_search() -> None:
    few = estimate_run(
        "helius", tokens=1, skips_search=True, has_batches=True, calls_per_second=PACE
    )
    many = estimate_run(
        "helius", tokens=10, skips_search=True, has_batches=True, calls_per_second=PACE
    )
    searched = estimate_run(
        "helius", tokens=1, skips_search=False, has_batches=True, calls_per_second=PACE
    )
    assert few.total_calls < many.total_calls
    assert "geckoterminal" not in few.calls
    assert searched.calls["geckoterminal"] == 7

"""Estimates of provider calls and the choice of the fetch path."""

import msgspec
import pytest

from discovery.analysis.estimate import (
    Estimate,
    RunSize,
    Source,
    UnitCosts,
    UnitUse,
    assumed_costs,
    cheaper_path,
    estimate_run,
    largest_fit,
)

PACE = {
    "dexscreener": 4.5,
    "geckoterminal": 0.4,
    "jupiter": 0.45,
    "solana_rpc": 1.0,
    "helius": 9.5,
    "prices": 10.0,
}
MEASURED = UnitCosts(
    search=UnitUse({"jupiter": 3}, 10),
    named=UnitUse({"jupiter": 1}, 10),
    token=UnitUse({"helius": 10}, 100),
    wallet=UnitUse({"helius": 5}, 40),
    control=UnitUse({"helius": 2}, 10),
    buyers=100,
    wallets=10,
    control_share=0.5,
    runs=3,
)


def assumed(source: Source, size: RunSize, **values: int) -> Estimate:
    costs = assumed_costs(source, has_batches=False, max_buyers=150)
    return estimate_run(source, size, costs, PACE)


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
    source: Source, later: int | None, buyers: int, path: str
) -> None:
    assert cheaper_path(source, later, buyers) == path


def test_a_run_takes_hours_on_the_public_node_and_minutes_with_a_key() -> None:
    public = assumed("solana_rpc", RunSize(tokens=20))
    keyed = assumed("helius", RunSize(tokens=20))
    assert public.seconds > 3 * 3600
    assert keyed.seconds < 600
    assert keyed.helius_credits > 0
    assert public.helius_credits == 0


def test_a_key_without_transactions_by_time_pays_a_credit_for_each_transaction() -> (
    None
):
    estimate = assumed("helius_rpc", RunSize(tokens=1, has_profiles=False))
    assert "solana_rpc" not in estimate.calls
    assert estimate.helius_credits == pytest.approx(estimate.calls["helius"], abs=1)


def test_more_tokens_cost_more_and_named_ones_skip_the_search() -> None:
    few = assumed("helius", RunSize(tokens=1, is_named=True))
    many = assumed("helius", RunSize(tokens=10, is_named=True))
    searched = assumed("helius", RunSize(tokens=1))
    assert few.total_calls < many.total_calls
    assert "geckoterminal" not in few.calls
    assert searched.calls["geckoterminal"] == 7


def test_a_run_costs_its_search_tokens_wallets_and_control_wallets() -> None:
    estimate = estimate_run(
        "helius", RunSize(tokens=2, control_wallets=8, leftovers=1), MEASURED, PACE
    )
    # 20 wallets are found and one is left over; half of 8 control wallets are found.
    assert (estimate.wallets, estimate.control_wallets) == (21, 4)
    assert estimate.calls == {"jupiter": 3, "helius": 2 * 10 + 21 * 5 + 4 * 2}
    assert estimate.helius_credits == 10 + 2 * 100 + 21 * 40 + 4 * 10


def test_without_profiles_no_wallet_is_read() -> None:
    size = RunSize(tokens=2, control_wallets=8, has_profiles=False)
    estimate = estimate_run("helius", size, MEASURED, PACE)
    assert (estimate.wallets, estimate.control_wallets) == (0, 0)
    assert estimate.helius_credits == 10 + 2 * 100


def test_a_search_takes_no_more_tokens_than_searches_find() -> None:
    costs = msgspec.structs.replace(MEASURED, found_tokens=3.0)
    assert estimate_run("helius", RunSize(tokens=20), costs, PACE).tokens == 3
    named = RunSize(tokens=20, is_named=True)
    assert estimate_run("helius", named, costs, PACE).tokens == 20


def test_the_maximum_of_early_buyers_bounds_a_token_and_its_wallets() -> None:
    size = RunSize(tokens=1, max_early_buyers=50)
    estimate = estimate_run("helius", size, MEASURED, PACE)
    assert estimate.wallets == 5
    assert estimate.helius_credits == 10 + 50 + 5 * 40


def test_calls_that_took_longer_than_the_limit_say_how_long_a_run_takes() -> None:
    slow = msgspec.structs.replace(MEASURED, seconds_per_call=3.0)
    size = RunSize(tokens=1, has_profiles=False)
    assert estimate_run("helius", size, slow, PACE).seconds == 31


def test_a_smaller_run_has_as_much_smaller_a_control_group() -> None:
    size = RunSize(tokens=20, control_wallets=25).with_tokens(4)
    assert (size.tokens, size.control_wallets) == (4, 5)


def test_a_run_is_cut_to_what_fits_and_never_to_nothing() -> None:
    size = RunSize(tokens=20, control_wallets=25)
    assert largest_fit(size, lambda each: each.tokens <= 7).tokens == 7
    assert largest_fit(size, lambda _: False).tokens == 1
    assert largest_fit(size, lambda _: True) == size


def test_a_keyless_run_is_cut_to_what_ends_between_two_runs() -> None:
    costs = assumed_costs("solana_rpc", has_batches=False, max_buyers=150)

    def fits(size: RunSize) -> bool:
        return estimate_run("solana_rpc", size, costs, PACE).seconds <= 6 * 3600

    size = largest_fit(RunSize(tokens=20, control_wallets=25), fits)
    estimate = estimate_run("solana_rpc", size, costs, PACE)
    assert 1 < estimate.tokens < 20
    assert estimate.seconds <= 6 * 3600

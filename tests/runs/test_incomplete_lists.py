"""Lists that lack rows, repeat them or mix them up cost calls, and no result: the rows of
a run are those of an undisturbed one, or its errors name what was lost.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from django.core.management import CommandError

from discovery.models import Cycle, Run
from simmarket import worlds
from simmarket.worlds import expected_results as truth
from tests.runs.test_against_truth import figures, true_figures

WORLD = ("--world", "small", "--seed", "2")
ODD_NODE = (
    *WORLD,
    "--quirk=duplicate_rows",
    "--quirk=shuffled_rows",
    "--page-cap=20",
)
SIGNATURES, BY_TIME = "getSignaturesForAddress", "getTransactionsForAddress"


@cache
def expected() -> dict[str, truth.ExpectedToken]:
    return truth.tokens(worlds.build("small", 2))


def assert_same_rows(answer: dict[str, Any]) -> None:
    assert answer["status"] == "completed"
    assert answer["errors"] == []
    assert answer["tokens"]
    for token in answer["tokens"]:
        assert figures(answer, token["mint"]) == true_figures(expected()[token["mint"]])


@pytest.mark.parametrize("source", ["solana_rpc", "helius"])
def test_a_node_that_repeats_shuffles_and_caps_every_page_costs_calls_only(
    source: str, use_market: Callable, discover: Callable
) -> None:
    use_market(*ODD_NODE, source=source)
    assert_same_rows(discover("--all-buyers", "--max-tokens=1"))


@pytest.mark.parametrize(
    ("source", "match"), [("solana_rpc", SIGNATURES), ("helius", BY_TIME)]
)
def test_profiles_of_pages_with_rows_twice_are_those_of_pages_without(
    source: str, match: str, use_market: Callable, discover: Callable
) -> None:
    market = use_market(*WORLD, source=source)
    found = {}
    for kind in ("duplicate_rows", ""):
        if kind:
            provider = "rpc" if source == "solana_rpc" else source
            market.fault(provider, kind, match=match, count=100_000)
        answer = discover("--max-tokens=1", profiles=True)
        market.clear_faults()
        assert answer["errors"] == []
        found[kind] = sorted(
            Cycle.objects.values_list(
                "wallet_address", "mint", "number", "net_lamports", "result"
            )
        )
    assert found["duplicate_rows"]
    assert found["duplicate_rows"] == found[""]


@pytest.mark.parametrize(
    ("source", "match", "kind", "count"),
    [
        ("solana_rpc", SIGNATURES, "short_page", 30),
        ("solana_rpc", SIGNATURES, "empty_page", 1),
        ("solana_rpc", SIGNATURES, "duplicate_rows", 1000),
        ("solana_rpc", SIGNATURES, "shuffled_rows", 1000),
        ("solana_rpc", SIGNATURES, "-32016", 2),
        ("solana_rpc", SIGNATURES, "-32019", 2),
        ("solana_rpc", "getTransaction", "-32019", 2),
        ("solana_rpc", "getTransaction", "-32011", 2),
        ("solana_rpc", "getMultipleAccounts", "-32016", 2),
        ("helius", BY_TIME, "short_page", 30),
        ("helius", BY_TIME, "empty_page", 1),
        ("helius", BY_TIME, "duplicate_rows", 1000),
        ("helius", BY_TIME, "shuffled_rows", 1000),
    ],
)
def test_odd_answers_cost_calls_only(
    source: str,
    match: str,
    kind: str,
    count: int,
    use_market: Callable,
    discover: Callable,
) -> None:
    market = use_market(*WORLD, source=source)
    provider = "rpc" if source == "solana_rpc" else source
    market.fault(provider, kind, match=match, count=count)
    answer = discover("--all-buyers", "--max-tokens=1")
    assert market.stats()["faults"], "the fault was never met"
    assert_same_rows(answer)


@pytest.mark.parametrize("kind", ["-32004", "-32007", "-32009"])
@pytest.mark.parametrize("match", ["getBlockTime", "getBlock"])
def test_a_slot_that_is_said_to_be_missing_costs_calls_only(
    match: str,
    kind: str,
    use_market: Callable,
    discover: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    market = use_market(*WORLD, source="solana_rpc")
    monkeypatch.setattr("discovery.clients.signature_list.PAGE_SIZE", 70)
    market.fault("rpc", kind, match=match, count=2)
    answer = discover("--all-buyers", "--max-tokens=1")
    assert_same_rows(answer)


def test_a_transaction_of_a_refused_version_is_left_out_and_named(
    use_market: Callable, discover: Callable
) -> None:
    market = use_market(*WORLD, source="solana_rpc")
    market.fault("rpc", "-32015", match="getTransaction", count=1)
    answer = discover("--all-buyers", "--max-tokens=1")
    assert answer["status"] == "completed"
    assert [error["code"] for error in answer["errors"]] == ["incomplete"]
    assert "left out" in answer["errors"][0]["message"]


@pytest.mark.parametrize("count", [1, 4])
def test_a_page_token_that_is_refused_costs_calls_only(
    count: int,
    use_market: Callable,
    discover: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    market = use_market(*WORLD, source="helius")
    monkeypatch.setattr("discovery.clients.helius_history.PAGE_SIZE", 70)
    market.fault("helius", "expired_token", match=BY_TIME, count=count)
    assert_same_rows(discover("--all-buyers", "--max-tokens=1"))


@pytest.mark.parametrize("kind", ["empty_page", "-32019"])
def test_a_node_whose_storage_stays_away_costs_its_token_which_is_named(
    kind: str, use_market: Callable, discover: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("discovery.providers.http.MAX_ATTEMPTS", 1)
    market = use_market(*WORLD, source="solana_rpc")
    mint = min(truth.pumped(worlds.build("small", 2)))
    market.fault("rpc", kind, match=SIGNATURES, count=100_000)
    with pytest.raises(CommandError):
        discover("--all-buyers", f"--token={mint}")
    run = Run.objects.get()
    assert run.status == "failed"
    assert run.errors[0]["step"] == f"token {mint}"
    assert run.errors[0]["code"] in {"server_failed", "circuit_open"}

"""Small pages and a busy address change the number of calls, never the answer."""

from collections.abc import Callable
from functools import cache

import pytest

from simmarket import worlds
from simmarket.worlds import expected_results as truth
from tests.markets import EVERYTHING
from tests.runs.test_against_truth import figures, true_figures


@cache
def expected() -> dict[str, truth.ExpectedToken]:
    return truth.tokens(worlds.build("small", 3))


@pytest.mark.parametrize("source", ["helius", "solana_rpc"])
def test_pages_of_seventy_give_the_same_lamports_and_a_busy_market_is_sought_by_time(
    source: str,
    use_market: Callable,
    discover: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    market = use_market("--world", "small", "--seed", "3", source=source)
    monkeypatch.setattr("discovery.clients.helius_history.PAGE_SIZE", 70)
    monkeypatch.setattr("discovery.clients.signature_list.PAGE_SIZE", 70)
    before = market.stats()["served"].get("rpc", {}).get("getBlockTime", 0)
    answer = discover("--all-buyers", *EVERYTHING)
    assert answer["errors"] == []
    for token in answer["tokens"]:
        assert figures(answer, token["mint"]) == true_figures(expected()[token["mint"]])
    sought = market.stats()["served"].get("rpc", {}).get("getBlockTime", 0) - before
    assert (sought > 0) == (source == "solana_rpc")


def test_a_server_that_refuses_batches_is_asked_singly(
    use_market: Callable, discover: Callable, settings: object
) -> None:
    market = use_market(
        "--world", "small", "--seed", "3", "--no-batch", source="solana_rpc"
    )
    answer = discover("--all-buyers", "--max-tokens=2")
    assert answer["errors"] == []
    assert answer["tokens"]
    for token in answer["tokens"]:
        assert figures(answer, token["mint"]) == true_figures(expected()[token["mint"]])
    assert market.stats()["unhandled_count"] == 0


def test_a_key_that_may_not_ask_by_time_falls_back_to_plain_rpc_and_says_so(
    use_market: Callable, discover: Callable, capsys: pytest.CaptureFixture[str]
) -> None:
    use_market("--world", "small", "--seed", "3", "--helius", "no-gtfa")
    answer = discover("--all-buyers", "--max-tokens=1")
    (token,) = answer["tokens"]
    assert figures(answer, token["mint"]) == true_figures(expected()[token["mint"]])
    assert answer["usage"]["helius"]["calls"] > 1

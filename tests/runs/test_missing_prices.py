"""Runs whose sources of SOL/USD refuse: a price is the condition of nothing."""

from collections.abc import Callable

import pytest

from discovery.models import Trade
from simmarket import worlds
from simmarket.worlds import expected_results as truth
from tests.runs.test_against_truth import figures, true_figures
from tests.runs.test_bad_providers import WORLD, expected


def dollar_token() -> str:
    """A pumped token that is traded in USDC."""
    tokens = worlds.build("small", 2).tokens
    return next(mint for mint, token in tokens.items() if token.symbol == "DOLLAR")


@pytest.mark.parametrize("kind", ["451", "503", "garbled"])
def test_the_second_source_prices_what_the_first_refuses(
    kind: str,
    use_market: Callable,
    discover: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("discovery.providers.http.MAX_ATTEMPTS", 1)
    market = use_market(*WORLD)
    market.fault("prices", kind, count=1_000)
    mint = dollar_token()
    answer = discover("--all-buyers", f"--token={mint}")
    assert (answer["status"], answer["errors"]) == ("completed", [])
    assert figures(answer, mint) == true_figures(expected()[mint])
    assert answer["funnel"]["priced_by_second_source"] > 10


def test_without_any_price_only_the_values_are_missing(
    use_market: Callable, discover: Callable
) -> None:
    market = use_market(*WORLD)
    market.fault("prices", "451", count=1_000)
    market.fault("geckoterminal", "451", count=1_000)
    mint = dollar_token()
    other = min(truth.pumped(worlds.build("small", 2)) - {mint})
    answer = discover("--all-buyers", f"--token={mint}", f"--token={other}")
    assert answer["status"] == "completed"
    assert figures(answer, other) == true_figures(expected()[other])
    buyers = [row for row in answer["wallets"] if row["mint"] == mint]
    assert {row["address"] for row in buyers} == set(expected()[mint].early_buyers)
    assert {row["unknown_reason"] for row in buyers} == {"no_cost"}
    (error,) = answer["errors"]
    assert error["step"] == f"token {mint}"
    causes = "Binance: request refused (HTTP 451); GeckoTerminal: request refused"
    assert causes in error["message"]


def test_a_price_that_was_missing_is_filled_in_when_the_token_is_read_again(
    use_market: Callable, discover: Callable
) -> None:
    market = use_market(*WORLD)
    market.fault("prices", "451", count=1_000)
    market.fault("geckoterminal", "451", count=1_000)
    mint = dollar_token()
    discover(f"--token={mint}")
    without_value = Trade.objects.filter(mint=mint, value_lamports=None)
    assert without_value.exists()
    market.clear_faults()
    answer = discover("--all-buyers", f"--token={mint}")
    assert not without_value.exists()
    assert figures(answer, mint) == true_figures(expected()[mint])

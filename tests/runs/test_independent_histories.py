"""The whole life of one wallet in one token, from a node to the answer of `discover`.
The expected answers were worked out independently of the product.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REALDATA
from tests.history_node import History, serve

CASES = REALDATA / "cases"
NAMES = sorted(path.name for path in (CASES / "histories").glob("*.json"))


@pytest.fixture(scope="module")
def expected(realdata: Path) -> dict[str, dict[str, Any]]:
    return json.loads((CASES / "expected.json").read_text())["histories"]


@pytest.fixture
def discover_history(
    settings: Any, discover: Callable[..., dict[str, Any]]
) -> Callable[[str], list[dict[str, Any]]]:
    """Return a run over one file: its early buyers."""

    def run(name: str) -> list[dict[str, Any]]:
        case = json.loads((CASES / "histories" / name).read_text())
        history = History(
            case["mint"],
            case["transactions"],
            case["launched_at"],
            case.get("pools") or [],
        )
        settings.HELIUS_API_KEY = ""
        settings.RETENTION_CACHE_HOURS = 0
        settings.PROVIDER_RPS = 1000
        with serve(history) as urls:
            for key, url in urls.items():
                setattr(settings, key, url)
            answer = discover("--all-buyers", f"--token={case['mint']}")
        return [row for row in answer["wallets"] if row["address"] == case["wallet"]]

    return run


@pytest.mark.parametrize("name", NAMES or ["no cases beside the project"])
def test_an_independent_history_gives_its_expected_result(
    name: str,
    expected: dict[str, dict[str, Any]],
    discover_history: Callable[[str], list[dict[str, Any]]],
) -> None:
    case = expected[name]
    rows = discover_history(name)
    assert bool(rows) == case["early"]
    if not case["early"]:
        return
    (row,) = rows
    profit = row["profit_pct"]
    is_unknown_right = profit is None and case.get("accept") == "unknown"
    wanted = case.get("want_profit_pct")
    if wanted is not None and not is_unknown_right:
        assert profit == pytest.approx(wanted, abs=0.02)
    assert profit is None or profit != case.get("never_profit_pct")
    if "qualified" in case:
        assert row["qualified"] == case["qualified"]
    if "flag" in case:
        assert case["flag"] in row["flags"]

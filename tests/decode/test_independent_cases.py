"""Transactions whose expected answers were worked out independently of the product."""

import json
from pathlib import Path
from typing import Any

import pytest

from discovery.decode.files import decode_bytes
from discovery.decode.outcomes import Decoded
from discovery.domain.trades import Trade
from tests.conftest import REALDATA

CASES = REALDATA / "cases"
NAMES = sorted(path.name for path in (CASES / "transactions").glob("*.json"))


@pytest.fixture(scope="module")
def expected(realdata: Path) -> dict[str, dict[str, Any]]:
    return json.loads((CASES / "expected.json").read_text())["transactions"]


def as_fields(trade: Trade, fields: set[str]) -> dict[str, Any]:
    """Return the named fields; raw units as text, as in the expected answers."""
    values = {name: getattr(trade, name) for name in fields}
    return {
        name: str(value) if name.endswith("_units") else value
        for name, value in values.items()
    }


def by_wallet(row: dict[str, Any]) -> tuple[str, str]:
    return row["wallet"], row["side"]


@pytest.mark.parametrize("name", NAMES or ["no cases beside the project"])
def test_an_independent_case_gives_its_expected_trades(
    name: str, expected: dict[str, dict[str, Any]]
) -> None:
    case = expected[name]
    (outcome,) = decode_bytes((CASES / "transactions" / name).read_bytes())
    if not isinstance(outcome, Decoded):
        reason = str(getattr(outcome, "reason", ""))
        assert not case["trades"] or reason in case.get("accept", []), reason
        return
    assert case["trades"], outcome.trades
    fields = set(case["trades"][0])
    found = [as_fields(trade, fields) for trade in outcome.trades]
    assert sorted(found, key=by_wallet) == sorted(case["trades"], key=by_wallet)


def test_base64_results_decode_like_those_in_json(realdata: Path) -> None:
    encoded = sorted((realdata / "transactions/rpc_base64").glob("*.json"))
    assert encoded
    for path in encoded:
        plain = realdata / "transactions/rpc" / path.name
        (from_bytes,) = decode_bytes(path.read_bytes())
        (from_json,) = decode_bytes(plain.read_bytes())
        assert from_bytes == from_json, path.name

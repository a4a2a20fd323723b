"""Runs over what really happened in real launches, against a computation straight from
the rows of the file.

Nothing of the product's decoding or position code is used here: rows, fractions and a
dictionary.
"""

import csv
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from simmarket import worlds
from simmarket.worlds import expected_results as truth
from tests.markets import EVERYTHING

FEE_LAMPORTS = 5_000
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


@pytest.fixture(scope="module")
def launches(realdata: Path) -> Path:
    return realdata / "trades/pump_launch_first_300s.csv"


def is_address(text: str) -> bool:
    """base58 of exactly 32 bytes."""
    if not text or any(char not in ALPHABET for char in text):
        return False
    number = 0
    for char in text:
        number = number * 58 + ALPHABET.index(char)
    leading = len(text) - len(text.lstrip("1"))
    return leading + (number.bit_length() + 7) // 8 == 32


def integer(text: str, places: int) -> int:
    return int((Decimal(text) * 10**places).to_integral_value(ROUND_HALF_EVEN))


def from_rows(
    path: Path, window_seconds: int
) -> dict[tuple[str, str], tuple[int, int, Decimal, bool, bool]]:
    """(mint, trader) -> (cost, realised, profit %, qualified at 50 %, history
    incomplete) of every early buyer.
    """
    rows: dict[tuple[str, str], list[dict[str, str]]] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            if (
                is_address(row["trader"])
                and Decimal(row["sol"])
                and Decimal(row["tokens"])
            ):
                rows.setdefault((row["mint"], row["trader"]), []).append(row)
    found = {}
    for key, trades in rows.items():
        first = trades[0]
        if (
            first["side"] != "buy"
            or int(first["ts"]) - int(first["token_created_ts"]) > window_seconds
        ):
            continue
        units = basis = put_in = taken_out = realised = Fraction(0)
        incomplete = False
        for row in trades:
            lamports, tokens = integer(row["sol"], 9), integer(row["tokens"], 6)
            if row["side"] == "buy":
                units += tokens
                basis += lamports + FEE_LAMPORTS
                put_in += lamports + FEE_LAMPORTS
                continue
            matched = min(units, Fraction(tokens))
            incomplete |= tokens > units
            if matched:
                cost = basis * matched / units
                proceeds = (lamports - FEE_LAMPORTS) * matched / tokens
                taken_out += proceeds
                realised += proceeds - cost
                units -= matched
                basis -= cost
        percent = (taken_out - put_in) / put_in * 100
        shown = Decimal(round(percent * 100)).scaleb(-2)
        found[key] = (round(put_in), round(realised), shown, percent >= 50, incomplete)
    return found


def from_answer(
    answer: dict[str, Any],
) -> dict[tuple[str, str], tuple[int, int, Decimal, bool, bool]]:
    return {
        (row["mint"], row["address"]): (
            int(row["cost_lamports"]),
            int(row["realised_lamports"]),
            Decimal(str(row["profit_pct"])),
            row["qualified"],
            row["history_incomplete"],
        )
        for row in answer["wallets"]
    }


@pytest.mark.parametrize("source", ["helius", "solana_rpc"])
def test_every_early_buyer_of_every_real_launch_has_its_exact_result(
    source: str, launches: Path, use_market: Callable, discover: Callable
) -> None:
    use_market("--trades", str(launches), source=source)
    expected = from_rows(launches, 1800)
    mints = sorted({mint for mint, _ in expected})
    answer = discover("--all-buyers", *(f"--token={mint}" for mint in mints))
    assert len(mints) == 11
    assert len(expected) == 2469
    assert from_answer(answer) == expected
    assert answer["errors"] == []
    assert {token["launch_clock"] for token in answer["tokens"]} == {"jupiter"}


def test_the_shortest_window_takes_the_whole_capture_too(
    launches: Path, use_market: Callable, discover: Callable
) -> None:
    """The capture ends 300 s after creation, and a window of five minutes counts both
    its ends.
    """
    use_market("--trades", str(launches))
    expected = from_rows(launches, 300)
    mints = sorted({mint for mint, _ in expected})
    answer = discover(
        "--all-buyers",
        "--early-window-minutes=5",
        *(f"--token={mint}" for mint in mints),
    )
    assert from_answer(answer) == expected


def test_a_search_finds_the_launches_that_pass_its_filters(
    launches: Path, use_market: Callable, discover: Callable
) -> None:
    use_market("--trades", str(launches))
    zero = Decimal(0)
    passing = truth.pumped(
        worlds.from_trades(launches),
        min_price_change_pct=zero,
        min_volume_usd=zero,
        min_liquidity_usd=zero,
        max_token_age_hours=168,
    )
    answer = discover("--all-buyers", *EVERYTHING)
    assert {token["mint"] for token in answer["tokens"]} == passing
    assert passing
    expected = from_rows(launches, 1800)
    assert from_answer(answer) == {
        key: row for key, row in expected.items() if key[0] in passing
    }

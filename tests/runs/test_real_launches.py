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
ALL = "--max-early-buyers=2000"
MIN_COST_LAMPORTS = 50_000_000
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


Result = tuple[int, int | None, Decimal | None, bool, bool]
"""Cost, realised, profit %, qualified at 50 %, history incomplete."""


def from_rows(path: Path, window_seconds: int) -> dict[tuple[str, str], Result]:
    """Return (mint, trader) -> the result of every early buyer's first holding."""
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
        result = first_holding(trades, window_seconds)
        if result is not None:
            found[key] = result
    return found


def first_holding(trades: list[dict[str, str]], window_seconds: int) -> Result | None:
    """Return the result of a trader's first holding, None if it is no early buyer."""
    held_before = lowest = balance = 0
    for row in trades:
        tokens = integer(row["tokens"], 6)
        balance += tokens if row["side"] == "buy" else -tokens
        lowest = min(lowest, balance)
    held_before = -lowest
    first_buy = next((row for row in trades if row["side"] == "buy"), None)
    if first_buy is None:
        return None
    if int(first_buy["ts"]) - int(first_buy["token_created_ts"]) > window_seconds:
        return None
    if held_before * 100 >= integer(first_buy["tokens"], 6):
        return None
    known, unknown, later = Fraction(0), Fraction(held_before), Fraction(0)
    basis = put_in = taken_out = realised = Fraction(0)
    acquired = peak = unknown
    has_ended = False
    for row in trades:
        lamports, tokens = integer(row["sol"], 9), integer(row["tokens"], 6)
        if row["side"] == "buy" and has_ended:
            later += tokens
        elif row["side"] == "buy":
            known += tokens
            acquired += tokens
            basis += lamports + FEE_LAMPORTS
            put_in += lamports + FEE_LAMPORTS
            peak = max(peak, known + unknown)
        else:
            # What was left of the first holding is sold in proportion to later ones.
            share = tokens / (known + unknown + later)
            proceeds = (lamports - FEE_LAMPORTS) * known * share / tokens
            taken_out += proceeds
            realised += proceeds - basis * share
            known, unknown = known * (1 - share), unknown * (1 - share)
            later, basis = later * (1 - share), basis * (1 - share)
            has_ended = has_ended or (put_in and (known + unknown) * 100 <= peak)
    if held_before * 10 > acquired:
        return round(put_in), None, None, False, True
    percent = (taken_out - put_in) / put_in * 100
    rounded = Decimal(round(percent * 100)).scaleb(-2)
    is_qualified = percent >= 50 and put_in >= MIN_COST_LAMPORTS
    return (
        round(put_in),
        round(realised),
        rounded,
        is_qualified,
        bool(held_before),
    )


def from_answer(answer: dict[str, Any]) -> dict[tuple[str, str], Result]:
    return {
        (row["mint"], row["address"]): (
            int(row["cost_lamports"]),
            None if row["realised_lamports"] is None else int(row["realised_lamports"]),
            None if row["profit_pct"] is None else Decimal(str(row["profit_pct"])),
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
    answer = discover("--all-buyers", ALL, *(f"--token={mint}" for mint in mints))
    assert len(mints) == 11
    assert len(expected) == 2329
    assert from_answer(answer) == expected
    assert answer["errors"] == []
    assert {token["launch_clock"] for token in answer["tokens"]} == {"jupiter"}


def first_rows(path: Path, mint: str, count: int) -> dict[tuple[str, str], Result]:
    """Return the results of the first `count` early buyers of a token by the file."""
    results = from_rows(path, 1800)
    order: dict[str, None] = {}
    with path.open(newline="") as file:
        for row in sorted(csv.DictReader(file), key=lambda row: int(row["ts"])):
            if row["mint"] == mint and row["side"] == "buy":
                order.setdefault(row["trader"])
    buyers = [trader for trader in order if (mint, trader) in results]
    return {(mint, trader): results[mint, trader] for trader in buyers[:count]}


@pytest.mark.parametrize("source", ["helius", "solana_rpc"])
def test_a_window_is_read_until_the_maximum_of_early_buyers(
    source: str, launches: Path, use_market: Callable, discover: Callable
) -> None:
    """The first ones have the same results as in a window that is read to its end, and
    every token says how far it was read.
    """
    use_market("--trades", str(launches), source=source)
    mints = sorted({mint for mint, _ in from_rows(launches, 1800)})
    answer = discover(
        "--all-buyers",
        "--max-early-buyers=40",
        *(f"--token={mint}" for mint in mints[:4]),
    )
    expected: dict[tuple[str, str], Result] = {}
    for mint in mints[:4]:
        expected |= first_rows(launches, mint, 40)
    assert from_answer(answer) == expected
    assert answer["errors"] == []
    # One of them has fewer than 40.
    assert len(expected) == 150
    assert answer["funnel"]["window_cut"] == 3
    cut = [token for token in answer["tokens"] if token["window_read_until"]]
    assert [token["early_buyers"] for token in cut] == [40] * 3
    assert all(token["launched_at"] < token["window_read_until"] for token in cut)


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
        ALL,
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
    answer = discover("--all-buyers", ALL, *EVERYTHING)
    assert {token["mint"] for token in answer["tokens"]} == passing
    assert passing
    expected = from_rows(launches, 1800)
    assert from_answer(answer) == {
        key: row for key, row in expected.items() if key[0] in passing
    }


def test_without_jupiter_the_oldest_listed_pool_tells_the_launch(
    launches: Path, use_market: Callable, discover: Callable
) -> None:
    market = use_market("--trades", str(launches))
    market.fault("jupiter", "451", count=1_000)
    expected = from_rows(launches, 1800)
    mint = min(mint for mint, _ in expected)
    answer = discover("--all-buyers", ALL, f"--token={mint}")
    assert [token["launch_clock"] for token in answer["tokens"]] == ["pair"]
    assert from_answer(answer) == {
        key: row for key, row in expected.items() if key[0] == mint
    }

"""Coverage of a wallet: what came in and left, by reason."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from discovery.domain.profiles import OutflowSum
from discovery.reads.coverage import moved_units, wallet_coverage
from discovery.reads.paging import Page
from tests.analysis.sample_histories import SOL, event, profiled, round_trip
from tests.factories import (
    BalanceChangeFactory,
    TradeFactory,
    WalletFactory,
    address,
)

pytestmark = pytest.mark.django_db


def stored_profile(*outflows: OutflowSum, inflows: dict[str, int]) -> dict[str, Any]:
    profile, _ = profiled({})
    return msgspec.to_builtins(
        msgspec.structs.replace(profile, outflows=outflows, inflows=inflows)
    )


@pytest.fixture
def wallet() -> str:
    """A wallet that sold for 3 SOL of cost, sent away 1 and has 1 in a loan."""
    profile = stored_profile(
        OutflowSum("sale", 2, 3 * SOL),
        OutflowSum("transfer", 1, SOL),
        OutflowSum("loan", 1, SOL),
        inflows={"not_seen": 2},
    )
    WalletFactory(number=1, profile=profile)
    TradeFactory(wallet=1, slot=1)
    for slot in (2, 3):
        TradeFactory(wallet=1, slot=slot, side="sell", quote_units=1)
    TradeFactory(wallet=1, slot=4, side="sell", value_lamports=None)
    BalanceChangeFactory(wallet=1, slot=5)
    BalanceChangeFactory(wallet=1, slot=6, reason="loan", units=-7)
    BalanceChangeFactory(wallet=1, slot=7, units=9)
    BalanceChangeFactory(wallet=2, slot=8)
    return address(1)


def test_the_known_share_is_that_of_the_cost_of_what_left(wallet: str) -> None:
    assert wallet_coverage(wallet).known_share == Decimal("0.8")


def test_outflows_are_counted_by_reason_with_their_cost(wallet: str) -> None:
    rows = wallet_coverage(wallet).outflows
    assert [(row.category, row.count, row.cost_lamports) for row in rows] == [
        ("out_sale", 2, 3 * SOL),
        ("out_loan", 1, SOL),
        ("out_transfer", 1, SOL),
        ("out_unpriced_sale", 1, None),
    ]
    assert [row.category for row in rows if not row.is_known] == [
        "out_loan",
        "out_unpriced_sale",
    ]


def test_inflows_that_nobody_saw_are_counted_but_open_to_nothing(wallet: str) -> None:
    rows = {row.category: row for row in wallet_coverage(wallet).inflows}
    assert rows.keys() == {"in_buy", "in_transfer", "in_not_seen"}
    assert (rows["in_not_seen"].count, rows["in_not_seen"].has_transactions) == (
        2,
        False,
    )
    assert rows["in_transfer"].has_transactions


@pytest.mark.parametrize(
    ("category", "slots"),
    [
        ("out_sale", [3, 2]),
        ("out_unpriced_sale", [4]),
        ("in_buy", [1]),
        ("out_transfer", [5]),
        ("in_transfer", [7]),
        ("out_loan", [6]),
        ("out_nonsense", []),
    ],
)
def test_a_category_opens_to_its_transactions_newest_first(
    category: str, slots: list[int], wallet: str
) -> None:
    found = moved_units(wallet, category, Page())
    assert [row.slot for row in found.rows] == slots
    assert found.total == len(slots)


def test_what_left_is_negative(wallet: str) -> None:
    (row,) = moved_units(wallet, "out_unpriced_sale", Page()).rows
    assert (row.units, row.value_lamports) == (-(2**64) + 1, None)


def test_a_profile_counts_its_movements() -> None:
    histories = {
        "A": round_trip(2 * SOL, tag="a"),
        "B": [*round_trip(SOL, tag="b")[:1], event("unpriced_out", 1_000, at=10**9)],
        "C": [event("transfer_in", 5, at=10**9), *round_trip(SOL, tag="c")],
    }
    profile, _ = profiled(histories)
    assert {row.category: row.count for row in profile.outflows} == {
        "sale": 2,
        "ambiguous": 1,
    }
    assert profile.inflows == {"transfer": 1}

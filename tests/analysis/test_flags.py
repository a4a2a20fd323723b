"""Flags: what raises each, what does not quite, and the evidence."""

from decimal import Decimal

import msgspec
import pytest

from discovery.analysis.flags import (
    arbitrage_flag,
    bundle_flags,
    creator_flag,
    funded_by_creator_flag,
    profile_flags,
    sandwich_flag,
    sniper_flag,
    wash_flag,
)
from discovery.domain.findings import HoldingEvent
from tests.analysis.sample_histories import (
    DAY,
    NOW,
    SOL,
    buy,
    move_in,
    profiled,
    record,
    round_trip,
    sell,
)


def names(histories: dict[str, list[HoldingEvent]]) -> dict[str, str]:
    return dict(profile_flags(profiled(histories)[0]))


def test_the_creator_of_a_token_is_flagged() -> None:
    assert creator_flag("ana", "M", "ana") == ("creator", "created M")
    assert creator_flag("ana", "M", "ben") is creator_flag("ana", "M", None) is None


def test_funding_by_a_creator_is_followed_over_one_wallet() -> None:
    makers = {"dev": "M"}
    assert funded_by_creator_flag(makers, ["dev"]) == (
        "funded_by_creator",
        "funded by dev, creator of M, 1 step away",
    )
    assert funded_by_creator_flag(makers, ["mule", "dev"]) == (
        "funded_by_creator",
        "funded by dev, creator of M, 2 steps away",
    )
    assert funded_by_creator_flag(makers, ["mule", "other", "dev"]) is None


@pytest.mark.parametrize(
    ("slots", "flagged"), [(0, True), (3, True), (4, False), (-1, False)]
)
def test_a_sniper_buys_at_most_three_slots_after_launch(
    slots: int, flagged: bool
) -> None:
    assert (sniper_flag("M", 100 + slots, 100) is not None) is flagged


def test_sniper_evidence_names_token_and_slots() -> None:
    assert sniper_flag("M", 101, 100) == ("sniper", "bought M 1 slot after its launch")


def test_a_bundle_is_three_wallets_of_one_funder_in_one_slot() -> None:
    flags = bundle_flags(
        "M", [("a", 7, "f"), ("b", 7, "f"), ("c", 7, "f"), ("d", 8, "f"), ("e", 7, "g")]
    )
    assert sorted(flags) == ["a", "b", "c"]
    assert flags["a"] == ("bundle", "3 wallets funded by f bought M in slot 7")


@pytest.mark.parametrize(
    "entries",
    [
        [("a", 7, "f"), ("b", 7, "f"), ("c", 8, "f")],
        [("a", 7, "f"), ("b", 7, "f"), ("c", 7, "g")],
        [("a", 7, None), ("b", 7, None), ("c", 7, None)],
        [("a", 7, "f"), ("a", 7, "f"), ("b", 7, "f")],
    ],
    ids=["another slot", "another funder", "funder not known", "one wallet twice"],
)
def test_wallets_that_lack_one_condition_are_no_bundle(
    entries: list[tuple[str, int, str | None]],
) -> None:
    assert bundle_flags("M", entries) == {}


@pytest.mark.parametrize(
    ("transactions", "swaps", "is_flagged"),
    [(3, 12, True), (3, 13, False), (2, 0, False), (0, 0, False), (50, 200, True)],
)
def test_arbitrage_is_a_fifth_of_the_transactions_and_at_least_three(
    transactions: int, swaps: int, is_flagged: bool
) -> None:
    assert (arbitrage_flag(transactions, swaps) is not None) == is_flagged


def test_the_evidence_of_arbitrage_has_the_share() -> None:
    assert arbitrage_flag(3, 5) == (
        "arbitrage",
        "bought and sold the same token within one transaction in 3 of 8 trading transactions",
    )


def both_sides(times: int) -> list[HoldingEvent]:
    trades = []
    for at in range(times):
        trades += [buy(10, SOL, at=at), sell(10, SOL, at=at)]
    return trades


def test_three_slots_with_both_sides_are_sandwiches_and_two_are_not() -> None:
    assert sandwich_flag({"A": both_sides(2), "B": both_sides(1)}) == (
        "sandwich",
        "bought and sold a token in the same slot 3 times",
    )
    assert sandwich_flag({"A": both_sides(2)}) is None


def test_one_transaction_with_both_sides_is_no_sandwich() -> None:
    events = [
        HoldingEvent(kind, f"s{slot}", slot, slot, 5, None)
        for slot in range(5)
        for kind in ("buy", "sell")
    ]
    assert sandwich_flag({"A": events}) is None


def test_wallets_of_one_owner_on_both_sides_of_a_slot_are_wash_trades() -> None:
    cluster = {"a": [buy(100, SOL, at=1)], "b": [sell(95, SOL, at=1)]}
    assert wash_flag("M", cluster) == (
        "wash",
        "2 wallets of one owner traded 195 units of M among themselves, 5 of them net",
    )


@pytest.mark.parametrize(
    "cluster",
    [
        {"a": [buy(100, SOL, at=1)], "b": [sell(100, SOL, at=2)]},
        {"a": [buy(100, SOL, at=1), sell(100, SOL, at=1)]},
        {"a": [buy(110, SOL, at=1)], "b": [sell(90, SOL, at=1)]},
        {"a": [buy(100, SOL, at=1)], "b": [buy(100, SOL, at=1)]},
        {},
    ],
    ids=["different slots", "one wallet", "a tenth net", "the same side", "no cluster"],
)
def test_trades_with_a_net_or_without_a_counterparty_in_the_cluster_are_no_wash(
    cluster: dict[str, list[HoldingEvent]],
) -> None:
    assert wash_flag("M", cluster) is None


def test_five_cycles_with_a_median_below_a_minute_are_sub_minute() -> None:
    def quick(count: int, hold: int) -> dict[str, list[HoldingEvent]]:
        return {
            f"m{place}": round_trip(2 * SOL, days_ago=place, hold=hold)
            for place in range(count)
        }

    assert names(quick(5, 59)) == {"sub_minute": "median hold 59 s over 5 cycles"}
    assert names(quick(4, 59)) == names(quick(5, 60)) == {}


def test_more_than_two_hundred_swaps_a_day_are_hyperactive() -> None:
    def busy(count: int) -> dict[str, list[HoldingEvent]]:
        noon = NOW - NOW % DAY + DAY // 2
        return {
            "M": [
                buy(1, SOL, at=noon + place, tag=str(place)) for place in range(count)
            ]
        }

    assert names(busy(201)) == {"hyperactive": "201.00 swaps a day on 1 active day"}
    assert names(busy(200)) == {}


def test_more_than_a_tenth_of_sales_without_a_cost_is_oversold() -> None:
    def gifted(known: int) -> dict[str, list[HoldingEvent]]:
        at = NOW - DAY
        return {
            "M": [
                buy(known, SOL, at=at),
                move_in(1_000 - known, at=at),
                sell(1_000, 2 * SOL, at=at + 3_600),
            ]
        }

    assert names(gifted(880)) == {"oversold": "12.0% of what it sold has no known cost"}
    assert names(gifted(900)) == {}


def test_a_median_position_below_a_hundredth_of_a_sol_is_dust() -> None:
    assert names(record(3, put_in=9_999_999)) == {
        "dust": "median position 0.009999999 SOL over 1 cycle"
    }
    assert names(record(3, put_in=10_000_000)) == {}


def test_a_tiny_position_size_is_written_without_an_exponent() -> None:
    """Decimal prints 0.000001 as 1E-6."""
    profile, _ = profiled(record(3, put_in=1_000))
    small = msgspec.structs.replace(
        profile.all, median_position_sol=Decimal("0.000001000")
    )
    (flag,) = profile_flags(msgspec.structs.replace(profile, all=small))
    assert flag == ("dust", "median position 0.000001 SOL over 1 cycle")

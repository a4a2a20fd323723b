"""Wallets that are one hand: bundles, wash trades, money of a token's creator."""

import pytest

from discovery.models import RunToken, Wallet
from discovery.pipeline.flag_clusters import flag_clusters
from tests.factories import (
    MINT,
    PositionFactory,
    RunFactory,
    RunWalletFactory,
    TradeFactory,
    WalletFactory,
    address,
)

pytestmark = pytest.mark.django_db
SERVICE = "62qc2CNXwrYqQScmEdiZFFAnJR262PxWEuNQtxfafNgV"


@pytest.fixture
def run():
    run = RunFactory(stage="finish", status="running")
    RunToken.objects.create(run=run, mint=MINT)
    return run


def wallets(run, count: int, **values) -> list[str]:
    for number in range(1, count + 1):
        WalletFactory(number=number, flags={}, **values)
        RunWalletFactory(run=run, wallet=number, flags=[])
    return [address(number) for number in range(1, count + 1)]


def flags(run, number: int) -> tuple[set[str], list[str]]:
    """On the watchlist, and in the row of the run."""
    on_list = Wallet.objects.get(pk=address(number)).flags
    return set(on_list), run.wallets.get(wallet_address=address(number)).flags


def test_three_wallets_of_one_funder_in_one_slot_are_a_bundle(run) -> None:
    found = wallets(run, 3, funder=address(90))
    for number in (1, 2, 3):
        TradeFactory(wallet=number, slot=7)
    flag_clusters(run, found)
    assert flags(run, 2) == ({"bundle"}, ["bundle"])
    assert address(90) in Wallet.objects.get(pk=address(1)).flags["bundle"]


def test_another_slot_is_no_bundle(run) -> None:
    found = wallets(run, 3, funder=address(90))
    for number in (1, 2, 3):
        TradeFactory(wallet=number, slot=7 + number)
    flag_clusters(run, found)
    assert flags(run, 1) == (set(), [])


def test_one_hand_on_both_sides_of_a_token_is_wash_trading(run) -> None:
    found = wallets(run, 2, funder=address(90))
    TradeFactory(wallet=1, slot=7, token_units=1_000_000)
    TradeFactory(wallet=2, slot=7, token_units=990_000, side="sell")
    flag_clusters(run, found)
    assert flags(run, 1) == flags(run, 2) == ({"wash"}, ["wash"])


def test_wallets_that_a_known_service_funded_are_not_one_hand(run) -> None:
    found = wallets(run, 2, funder=SERVICE)
    TradeFactory(wallet=1, slot=7, token_units=1_000_000)
    TradeFactory(wallet=2, slot=7, token_units=990_000, side="sell")
    flag_clusters(run, found)
    assert flags(run, 1) == (set(), [])


def test_money_of_a_creator_is_told_over_one_wallet_in_between(run) -> None:
    found = wallets(run, 1, funder=address(50))
    WalletFactory(number=50, flags={}, funder=address(90))
    RunToken.objects.filter(run=run).update(creator=address(90))
    flag_clusters(run, found)
    assert flags(run, 1) == ({"funded_by_creator"}, ["funded_by_creator"])
    assert (
        "2 steps away" in Wallet.objects.get(pk=address(1)).flags["funded_by_creator"]
    )


def test_a_creator_is_flagged_for_a_token_that_was_stored_before_it_was_listed(
    run,
) -> None:
    found = wallets(run, 2)
    RunToken.objects.create(run=run, mint=address(80), creator=address(1))
    flag_clusters(run, found)
    assert flags(run, 1) == ({"creator"}, [])
    assert (
        Wallet.objects.get(pk=address(1)).flags["creator"] == f"created {address(80)}"
    )
    assert flags(run, 2) == (set(), [])


def test_a_sniper_is_flagged_for_a_position_that_was_stored_before_it_was_listed(
    run,
) -> None:
    found = wallets(run, 2)
    PositionFactory(wallet=1, mint=address(80), flags=["sniper"])
    flag_clusters(run, found)
    assert flags(run, 1) == ({"sniper"}, [])
    assert address(80) in Wallet.objects.get(pk=address(1)).flags["sniper"]
    assert flags(run, 2) == (set(), [])


def test_words_that_a_token_said_of_a_sniper_stay(run) -> None:
    found = wallets(run, 1)
    Wallet.objects.filter(pk=found[0]).update(
        flags={"sniper": "bought it 1 slot after its launch"}
    )
    PositionFactory(wallet=1, mint=address(80), flags=["sniper"])
    flag_clusters(run, found)
    assert Wallet.objects.get(pk=found[0]).flags == {
        "sniper": "bought it 1 slot after its launch"
    }


@pytest.mark.parametrize("count", [3, 30])
def test_the_questions_do_not_grow_with_the_wallets(
    count: int, run, django_assert_max_num_queries
) -> None:
    found = wallets(run, count, funder=address(90))
    for number in range(1, count + 1):
        TradeFactory(wallet=number, slot=7)
    with django_assert_max_num_queries(15):
        flag_clusters(run, found)

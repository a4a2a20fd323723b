"""Transactions whose balances look like a trade and are none, or the reverse."""

from hashlib import sha256

import pytest

from discovery.domain.programs import (
    CASH,
    LENDERS,
    ORDER_BOOKS,
    PYUSD,
    QUOTE_REQUESTS,
    STABLES,
    USDC,
    VENUES,
    WRAPPED_SOL,
)
from discovery.domain.reasons import Reason
from tests.decode.fake_swaps import (
    ANA,
    BEN,
    DEEP,
    HOP,
    MINT,
    OTHER_POOL,
    POOL,
    UNITS,
    VAULT,
    legs,
    reason,
)
from tests.fake_transactions import RENT, SOL, FakeTransaction, program_account

JITOSOL = "J1toso1uCk3RLmjorhTtrVwY9HJ7X8V9yYac6Y7kGCPn"
DLMM = next(key for key, name in VENUES.items() if name == "meteora_dlmm")


def anchor(name: str) -> bytes:
    return sha256(f"global:{name}".encode()).digest()[:8]


def sale(fake: FakeTransaction, lamports: int = SOL) -> FakeTransaction:
    """ANA gives all its units and gets wrapped SOL of one pool."""
    return (
        fake.pay(ANA, lamports)
        .units(ANA, MINT, UNITS, 0)
        .units(POOL, MINT, DEEP, DEEP + UNITS)
        .units(POOL, WRAPPED_SOL, DEEP, DEEP - lamports, 9)
    )


@pytest.mark.parametrize("lender", sorted(LENDERS))
def test_collateral_for_borrowed_sol_is_a_loan_not_a_sale(lender: str) -> None:
    fake = sale(FakeTransaction(ANA, venue=None)).call(lender, b"\1" * 16, ANA, VAULT)
    assert reason(fake.outcome()) is Reason.LOAN


@pytest.mark.parametrize(
    "name", ["remove_liquidity", "remove_all_liquidity", "add_liquidity_by_strategy2"]
)
def test_the_instruction_decides_between_liquidity_and_a_swap(name: str) -> None:
    moved = sale(FakeTransaction(ANA, venue=None)).call(
        DLMM, anchor(name) + b"\0" * 40, POOL, ANA
    )
    swapped = sale(FakeTransaction(ANA, venue=None)).call(
        DLMM, anchor("swap2") + b"\0" * 40, POOL, ANA
    )
    assert reason(moved.outcome()) is Reason.LIQUIDITY
    assert legs(swapped.outcome()) == [(ANA, "sell", UNITS, WRAPPED_SOL, SOL)]


def test_liquidity_of_another_wallet_does_not_hide_a_sale() -> None:
    fake = sale(FakeTransaction(ANA, venue=None)).call(
        DLMM, anchor("add_liquidity") + b"\0" * 40, POOL, BEN
    )
    assert legs(fake.outcome()) == [(ANA, "sell", UNITS, WRAPPED_SOL, SOL)]


def test_a_loop_over_vaults_of_several_owners_is_arbitrage() -> None:
    fake = (
        FakeTransaction(ANA)
        .pay(ANA, -1_000)
        .units(ANA, MINT, 0, UNITS // 1_000)
        .units(POOL, MINT, DEEP, DEEP - UNITS)
        .units(POOL, WRAPPED_SOL, DEEP, DEEP + SOL, 9)
        .units(program_account("base vault"), MINT, DEEP, DEEP + UNITS - UNITS // 1_000)
        .units(program_account("quote vault"), WRAPPED_SOL, DEEP, DEEP - SOL + 1_000, 9)
    )
    assert reason(fake.outcome()) is Reason.ARBITRAGE


@pytest.mark.parametrize("program", sorted(ORDER_BOOKS))
def test_a_deposit_into_an_order_is_an_open_order(program: str) -> None:
    fake = FakeTransaction(ANA, venue=None).units(ANA, MINT, UNITS, 0)
    fake.units(VAULT, MINT, None, UNITS).pay(ANA, -RENT).call(program, b"\1" * 8, ANA)
    assert reason(fake.outcome()) is Reason.ORDER_OPEN


def test_units_that_come_back_from_an_order_close_it() -> None:
    fake = FakeTransaction(ANA, venue=None).units(ANA, MINT, 0, UNITS)
    fake.units(VAULT, MINT, UNITS, None).pay(ANA, RENT)
    fake.call(min(ORDER_BOOKS), b"\1" * 8, ANA)
    assert reason(fake.outcome()) is Reason.ORDER_CLOSED


def test_a_market_maker_that_signs_is_the_other_side_of_a_trade_in_native_sol() -> None:
    fake = (
        FakeTransaction(BEN, ANA, venue=None)
        .transfer(ANA, BEN, SOL)
        .units(ANA, MINT, 0, UNITS)
        .units(BEN, MINT, UNITS, 0)
        .call(min(QUOTE_REQUESTS), b"\1" * 8, ANA, BEN)
    )
    assert sorted(legs(fake.outcome())) == sorted(
        [
            (ANA, "buy", UNITS, WRAPPED_SOL, SOL),
            (BEN, "sell", UNITS, WRAPPED_SOL, SOL),
        ]
    )


@pytest.mark.parametrize("dollar", sorted(STABLES - {USDC}))
def test_a_dollar_for_a_dollar_is_a_conversion(dollar: str) -> None:
    fake = (
        FakeTransaction(ANA)
        .units(ANA, USDC, UNITS, 0)
        .units(ANA, dollar, 0, UNITS)
        .units(POOL, USDC, DEEP, DEEP + UNITS)
        .units(POOL, dollar, DEEP, DEEP - UNITS)
    )
    assert reason(fake.outcome()) is Reason.QUOTE_CONVERSION


@pytest.mark.parametrize("dollar", [CASH, PYUSD])
def test_a_sale_for_any_dollar_is_a_sale(dollar: str) -> None:
    fake = (
        FakeTransaction(ANA)
        .units(ANA, MINT, UNITS, 0)
        .units(ANA, dollar, 0, 7_000_000)
        .units(POOL, MINT, DEEP, DEEP + UNITS)
        .units(POOL, dollar, DEEP, DEEP - 7_000_000)
    )
    assert legs(fake.outcome()) == [(ANA, "sell", UNITS, dollar, 7_000_000)]


def test_sol_for_staked_sol_is_a_conversion() -> None:
    fake = (
        FakeTransaction(ANA)
        .pay(ANA, -SOL)
        .units(ANA, JITOSOL, 0, UNITS, 9)
        .units(POOL, JITOSOL, DEEP, DEEP - UNITS, 9)
        .units(POOL, WRAPPED_SOL, DEEP, DEEP + SOL, 9)
    )
    assert reason(fake.outcome()) is Reason.QUOTE_CONVERSION


def exchange(received: int, paid: int) -> FakeTransaction:
    """ANA sells MINT for `received` lamports and buys HOP for `paid`."""
    return (
        FakeTransaction(ANA)
        .pay(ANA, received - paid)
        .units(ANA, MINT, UNITS, 0)
        .units(POOL, MINT, DEEP, DEEP + UNITS)
        .units(POOL, WRAPPED_SOL, DEEP, DEEP - received, 9)
        .units(ANA, HOP, 0, UNITS)
        .units(OTHER_POOL, HOP, DEEP, DEEP - UNITS)
        .units(OTHER_POOL, WRAPPED_SOL, DEEP, DEEP + paid, 9)
    )


def test_two_swaps_with_sol_left_over_are_a_sale_and_a_purchase_for_sol() -> None:
    assert legs(exchange(10 * SOL, 2 * SOL).outcome()) == [
        (ANA, "sell", UNITS, WRAPPED_SOL, 10 * SOL),
        (ANA, "buy", UNITS, WRAPPED_SOL, 2 * SOL),
    ]


def test_a_token_for_a_token_is_valued_by_the_sol_between_the_two_markets() -> None:
    outcome = exchange(10 * SOL, 10 * SOL).outcome()
    assert legs(outcome) == [
        (ANA, "sell", UNITS, HOP, UNITS),
        (ANA, "buy", UNITS, MINT, UNITS),
    ]
    assert [trade.priced_in for trade in outcome.trades] == [
        (WRAPPED_SOL, 10 * SOL),
        (WRAPPED_SOL, 10 * SOL),
    ]


def test_a_token_for_a_token_in_one_pool_has_no_value() -> None:
    fake = (
        FakeTransaction(ANA)
        .units(ANA, MINT, UNITS, 0)
        .units(ANA, HOP, 0, UNITS)
        .units(POOL, MINT, DEEP, DEEP + UNITS)
        .units(POOL, HOP, DEEP, DEEP - UNITS)
    )
    assert [trade.value_units for trade in fake.outcome().trades] == [None, None]


def test_a_reward_minted_beside_a_purchase_is_no_part_of_its_price() -> None:
    fake = (
        FakeTransaction(ANA)
        .pay(ANA, -SOL - 2 * RENT)
        .units(ANA, MINT, None, UNITS)
        .units(ANA, HOP, None, 7)
        .units(POOL, MINT, DEEP, DEEP - UNITS)
        .units(POOL, WRAPPED_SOL, DEEP, DEEP + SOL, 9)
    )
    assert legs(fake.outcome()) == [(ANA, "buy", UNITS, WRAPPED_SOL, SOL)]


def test_rent_of_accounts_of_others_is_shown_as_unreconciled() -> None:
    fake = (
        FakeTransaction(ANA)
        .pay(ANA, -SOL - RENT)
        .units(ANA, MINT, 0, UNITS)
        .units(POOL, MINT, DEEP, DEEP - UNITS)
        .units(POOL, WRAPPED_SOL, DEEP, DEEP + SOL, 9)
        .units(BEN, WRAPPED_SOL, None, 0, 9)
    )
    (trade,) = fake.outcome().trades
    assert (trade.quote_units, trade.unreconciled_lamports) == (SOL, -RENT)

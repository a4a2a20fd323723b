"""Rules of decoding that no captured transaction covers, on hand-built transactions."""

import pytest

from discovery.decode.outcomes import Decoded
from discovery.domain.programs import PUMPFUN, USDC, WRAPPED_SOL
from discovery.domain.reasons import Reason
from tests.decode.fake_swaps import (
    ANA,
    BEN,
    BOT,
    DEEP,
    HOP,
    MINT,
    OTHER_POOL,
    POOL,
    TIP,
    TREASURY,
    UNITS,
    VAULT,
    legs,
    pool_sells,
    reason,
)
from tests.fake_transactions import FEE, RENT, SOL, FakeTransaction, program_account


def test_a_buy_counts_only_what_the_market_took() -> None:
    fake = FakeTransaction(ANA).pay(ANA, -SOL - RENT).units(ANA, MINT, None, UNITS)
    outcome = pool_sells(fake, UNITS, SOL).outcome()
    assert legs(outcome) == [(ANA, "buy", UNITS, WRAPPED_SOL, SOL)]
    assert isinstance(outcome, Decoded)
    assert (
        outcome.trades[0].network_fee_lamports,
        outcome.trades[0].rent_lamports,
    ) == (FEE, RENT)


def test_wrapped_sol_that_stays_in_the_wallet_counts_as_sol() -> None:
    fake = (
        FakeTransaction(ANA)
        .units(ANA, WRAPPED_SOL, 5 * SOL, 4 * SOL, 9)
        .units(ANA, MINT, 0, UNITS)
    )
    assert legs(pool_sells(fake, UNITS, SOL).outcome()) == [
        (ANA, "buy", UNITS, WRAPPED_SOL, SOL)
    ]


@pytest.mark.parametrize(
    ("before", "after"), [(0, 5), (100, 95)], ids=["left over", "own used too"]
)
def test_a_few_units_of_a_stable_within_a_route_do_not_replace_the_sol_leg(
    before: int, after: int
) -> None:
    dollars = 150 * 10**6
    fake = (
        FakeTransaction(ANA)
        .pay(ANA, -SOL)
        .units(ANA, MINT, 0, UNITS)
        .units(ANA, USDC, before, after)
    )
    fake.units(OTHER_POOL, WRAPPED_SOL, DEEP, DEEP + SOL, 9).units(
        OTHER_POOL, USDC, DEEP, DEEP - dollars
    )
    fake.units(POOL, USDC, DEEP, DEEP + dollars - (after - before)).units(
        POOL, MINT, DEEP, DEEP - UNITS
    )
    assert legs(fake.outcome()) == [(ANA, "buy", UNITS, WRAPPED_SOL, SOL)]


def test_a_tiny_fee_in_a_stable_does_not_replace_the_sol_leg() -> None:
    fake = (
        FakeTransaction(ANA)
        .pay(ANA, -SOL)
        .units(ANA, MINT, 0, UNITS)
        .units(ANA, USDC, 10**6, 10**6 - 100)
    )
    fake.units(TREASURY, USDC, 0, 100)
    assert legs(pool_sells(fake, UNITS, SOL).outcome()) == [
        (ANA, "buy", UNITS, WRAPPED_SOL, SOL)
    ]


def test_two_real_quotes_for_one_token_are_ambiguous() -> None:
    fake = (
        FakeTransaction(ANA)
        .pay(ANA, -SOL)
        .units(ANA, MINT, 0, UNITS)
        .units(ANA, USDC, 10**9, 10**9 - 100 * 10**6)
    )
    fake.units(OTHER_POOL, USDC, DEEP, DEEP + 100 * 10**6)
    assert reason(pool_sells(fake, UNITS, SOL).outcome()) is Reason.AMBIGUOUS


def test_leftovers_of_a_route_do_not_make_a_token_to_token_trade() -> None:
    fake = (
        FakeTransaction(ANA)
        .pay(ANA, SOL)
        .units(ANA, MINT, UNITS, 0)
        .units(ANA, HOP, 0, 3)
    )
    fake.units(POOL, MINT, DEEP, DEEP + UNITS).units(POOL, HOP, DEEP, DEEP - UNITS)
    fake.units(OTHER_POOL, HOP, DEEP, DEEP + UNITS - 3).units(
        OTHER_POOL, WRAPPED_SOL, DEEP, DEEP - SOL, 9
    )
    assert legs(fake.outcome()) == [(ANA, "sell", UNITS, WRAPPED_SOL, SOL)]


def test_token_to_token_is_a_sell_and_a_buy_with_the_costs_on_the_first() -> None:
    fake = FakeTransaction(ANA).units(ANA, MINT, UNITS, 0).units(ANA, HOP, 0, 7 * UNITS)
    fake.units(POOL, MINT, DEEP, DEEP + UNITS).units(POOL, HOP, DEEP, DEEP - 7 * UNITS)
    outcome = fake.outcome()
    assert legs(outcome) == [
        (ANA, "sell", UNITS, HOP, 7 * UNITS),
        (ANA, "buy", 7 * UNITS, MINT, UNITS),
    ]
    assert isinstance(outcome, Decoded)
    assert [trade.network_fee_lamports for trade in outcome.trades] == [FEE, 0]


def test_several_tokens_for_one_quote_are_split_by_what_each_market_took() -> None:
    fake = (
        FakeTransaction(ANA)
        .pay(ANA, -3 * SOL)
        .units(ANA, MINT, 0, UNITS)
        .units(ANA, HOP, 0, UNITS)
    )
    fake.units(POOL, MINT, DEEP, DEEP - UNITS).units(
        POOL, WRAPPED_SOL, DEEP, DEEP + SOL, 9
    )
    fake.units(OTHER_POOL, HOP, DEEP, DEEP - UNITS).units(
        OTHER_POOL, WRAPPED_SOL, DEEP, DEEP + 2 * SOL, 9
    )
    assert sorted(legs(fake.outcome())) == sorted(
        [
            (ANA, "buy", UNITS, WRAPPED_SOL, SOL),
            (ANA, "buy", UNITS, WRAPPED_SOL, 2 * SOL),
        ]
    )


def test_several_tokens_of_one_shared_market_are_ambiguous() -> None:
    fake = (
        FakeTransaction(ANA)
        .pay(ANA, -3 * SOL)
        .units(ANA, MINT, 0, UNITS)
        .units(ANA, HOP, 0, UNITS)
    )
    fake.units(POOL, MINT, DEEP, DEEP - UNITS).units(POOL, HOP, DEEP, DEEP - UNITS)
    fake.units(POOL, WRAPPED_SOL, DEEP, DEEP + 3 * SOL, 9)
    assert reason(fake.outcome()) is Reason.AMBIGUOUS


def test_claiming_an_airdrop_is_no_buy_despite_rent() -> None:
    claim = (
        FakeTransaction(ANA, venue=None)
        .pay(ANA, -3_000_000 - RENT)
        .units(ANA, MINT, None, UNITS)
    )
    claim.units(VAULT, MINT, DEEP, DEEP - UNITS).pay(
        program_account("claim"), 3_000_000
    )
    assert reason(claim.outcome()) is Reason.TRANSFER


def test_a_curve_that_nobody_listed_is_a_market_by_its_native_sol() -> None:
    fake = (
        FakeTransaction(ANA, venue=None)
        .pay(ANA, -2 * SOL)
        .units(ANA, MINT, 0, UNITS)
        .units(VAULT, MINT, DEEP, DEEP - UNITS)
        .pay(VAULT, 2 * SOL)
    )
    assert legs(fake.outcome()) == [(ANA, "buy", UNITS, WRAPPED_SOL, 2 * SOL)]


def test_a_gift_between_two_signers_without_a_market_is_no_trade() -> None:
    fake = (
        FakeTransaction(ANA, BEN, venue=None)
        .units(BEN, MINT, UNITS, 0)
        .units(ANA, MINT, 0, UNITS)
    )
    assert reason(fake.transfer(ANA, BEN, 1_000_000).outcome()) is Reason.TRANSFER


def test_minting_to_the_own_wallet_and_a_vesting_account_is_no_buy() -> None:
    fake = (
        FakeTransaction(ANA)
        .pay(ANA, -1_500_000 - 2 * RENT)
        .units(ANA, MINT, None, 2 * UNITS)
        .units(VAULT, MINT, None, 8 * UNITS)
    )
    assert reason(fake.pay(VAULT, 1_500_000).outcome()) in {
        Reason.MINTED,
        Reason.TRANSFER,
    }


def test_opening_a_pool_with_part_of_a_new_supply_is_no_buy_of_the_rest() -> None:
    fake = (
        FakeTransaction(ANA)
        .pay(ANA, -10 * SOL - 2 * RENT)
        .units(ANA, MINT, None, 2 * UNITS)
    )
    fake.units(POOL, MINT, None, 8 * UNITS).units(POOL, WRAPPED_SOL, 0, 10 * SOL, 9)
    assert reason(fake.outcome()) is Reason.MINTED


def test_the_creators_first_buy_on_a_launchpad_is_a_buy() -> None:
    fake = (
        FakeTransaction(ANA, venue=PUMPFUN)
        .pay(ANA, -SOL - RENT)
        .units(ANA, MINT, None, 2 * UNITS)
    )
    assert legs(fake.units(POOL, MINT, None, 8 * UNITS).pay(POOL, SOL).outcome())[0][
        :3
    ] == (
        ANA,
        "buy",
        2 * UNITS,
    )


def test_a_buy_that_completes_the_curve_and_opens_its_pool_is_a_buy() -> None:
    fake = (
        FakeTransaction(ANA, venue=PUMPFUN)
        .pay(ANA, -2 * SOL)
        .units(ANA, MINT, 0, UNITS)
    )
    fake.units(POOL, MINT, 50 * UNITS, 0).pay(POOL, 2 * SOL - 80 * SOL)
    fake.units(OTHER_POOL, MINT, None, 49 * UNITS).units(
        OTHER_POOL, WRAPPED_SOL, None, 80 * SOL, 9
    )
    assert legs(fake.outcome()) == [(ANA, "buy", UNITS, WRAPPED_SOL, 2 * SOL)]


def test_a_buy_and_a_larger_sale_of_another_wallet_in_one_pool_are_both_decoded() -> (
    None
):
    fake = (
        FakeTransaction(ANA, BEN)
        .pay(ANA, -SOL)
        .units(ANA, MINT, 0, UNITS)
        .pay(BEN, 3 * SOL)
        .units(BEN, MINT, 3 * UNITS, 0)
    )
    fake.units(POOL, MINT, DEEP, DEEP + 2 * UNITS).units(
        POOL, WRAPPED_SOL, DEEP, DEEP - 2 * SOL, 9
    )
    assert legs(fake.outcome()) == [
        (ANA, "buy", UNITS, WRAPPED_SOL, SOL),
        (BEN, "sell", 3 * UNITS, WRAPPED_SOL, 3 * SOL),
    ]


def test_buying_and_selling_in_one_transaction_is_arbitrage_even_if_units_remain() -> (
    None
):
    fake = FakeTransaction(ANA).pay(ANA, -1000).units(ANA, MINT, 0, 10)
    fake.units(POOL, MINT, DEEP, DEEP - UNITS).units(
        POOL, WRAPPED_SOL, DEEP, DEEP + SOL, 9
    )
    fake.units(OTHER_POOL, MINT, DEEP, DEEP + UNITS - 10).units(
        OTHER_POOL, WRAPPED_SOL, DEEP, DEEP - SOL + 1000, 9
    )
    assert reason(fake.outcome()) is Reason.ARBITRAGE


def test_a_withheld_transfer_fee_is_no_burn() -> None:
    fake = FakeTransaction(ANA).pay(ANA, SOL).units(ANA, MINT, UNITS, 0)
    fake.units(POOL, MINT, DEEP, DEEP + UNITS * 95 // 100).units(
        POOL, WRAPPED_SOL, DEEP, DEEP - SOL, 9
    )
    assert legs(fake.outcome()) == [(ANA, "sell", UNITS, WRAPPED_SOL, SOL)]


def test_each_of_two_signers_pays_the_tips_and_fees_that_it_sent() -> None:
    fake = FakeTransaction(BEN, ANA).pay(ANA, -SOL).units(ANA, MINT, 0, UNITS)
    fake.transfer(ANA, TIP, 1_000_000).transfer(ANA, BOT, 10_000_000)
    outcome = pool_sells(fake, UNITS, SOL).outcome()
    assert isinstance(outcome, Decoded)
    (trade,) = outcome.trades
    assert (trade.wallet, trade.network_fee_lamports) == (ANA, 0)
    assert (trade.tip_lamports, trade.platform_fee_lamports, trade.quote_units) == (
        1_000_000,
        10_000_000,
        SOL,
    )


def test_a_keeper_fill_with_both_legs_in_the_owners_balances_is_the_owners_trade() -> (
    None
):
    fake = (
        FakeTransaction(BEN)
        .units(ANA, USDC, 10**9, 10**9 - 50 * 10**6)
        .units(ANA, MINT, 0, UNITS)
    )
    fake.units(POOL, USDC, DEEP, DEEP + 50 * 10**6).units(
        POOL, MINT, DEEP, DEEP - UNITS
    )
    assert legs(fake.outcome()) == [(ANA, "buy", UNITS, USDC, 50 * 10**6)]

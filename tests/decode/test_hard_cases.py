"""Two real transactions for each kind of hard case, with every leg of the wallet."""

from pathlib import Path

import pytest

from discovery.decode.outcomes import Decoded, Outcome, Skipped
from discovery.decode.swaps import decode_json
from discovery.domain.programs import USDC, WRAPPED_SOL
from discovery.domain.reasons import Reason


@pytest.fixture(scope="module")
def decode(realdata: Path):
    def named(name: str) -> Outcome:
        return decode_json((realdata / f"transactions/rpc/{name}.json").read_bytes())

    return named


def legs(outcome: Outcome) -> list[tuple[str, str, int, str, int]]:
    """(wallet, side, units, quote, quote units) with addresses cut to four characters."""
    assert isinstance(outcome, Decoded), outcome
    return [
        (t.wallet[:4], t.side, t.token_units, t.quote_mint[:4], t.quote_units)
        for t in outcome.trades
    ]


def costs(outcome: Outcome) -> list[tuple[int, int, int, int]]:
    assert isinstance(outcome, Decoded), outcome
    return [
        (
            t.network_fee_lamports,
            t.tip_lamports,
            t.platform_fee_lamports,
            t.rent_lamports,
        )
        for t in outcome.trades
    ]


@pytest.mark.parametrize("name", ["58FymkjJUeSFGeEd", "2CcaDLYEk5CRmqAD"])
def test_a_failed_transaction_has_no_trade_even_if_its_instructions_are_swaps(
    decode, name: str
) -> None:
    outcome = decode(name)
    assert isinstance(outcome, Skipped)
    assert outcome.reason is Reason.FAILED_TRANSACTION


@pytest.mark.parametrize("name", ["5yKpvmPaxNAhbz3B", "46PgBPf8SSx5PgYw"])
def test_opening_a_pool_mints_a_share_and_is_no_swap(decode, name: str) -> None:
    outcome = decode(name)
    assert isinstance(outcome, Skipped)
    assert outcome.reason is Reason.LIQUIDITY


@pytest.mark.parametrize("name", ["J9kVpP5br8Q9wKNh", "66EfiWJrPWzdu4Bq"])
def test_one_piece_of_a_mint_without_decimals_is_a_collectible(
    decode, name: str
) -> None:
    outcome = decode(name)
    assert isinstance(outcome, Skipped)
    assert outcome.reason is Reason.NFT


@pytest.mark.parametrize("name", ["33LHUzKfhBvU68kY", "3sJ2QEyhguACnNVV"])
def test_a_loop_through_markets_is_arbitrage(decode, name: str) -> None:
    outcome = decode(name)
    assert isinstance(outcome, Skipped)
    assert outcome.reason is Reason.ARBITRAGE


def test_two_wallets_trading_in_one_transaction_each_get_their_own_side(decode) -> None:
    """A reading per pool gives the buyer +327,842,359 lamports; by its balance it paid
    6.77 SOL.
    """
    assert legs(decode("2drUaXQWXNXeG8hX")) == [
        ("68JB", "buy", 10_284_665_347_857, WRAPPED_SOL[:4], 6_768_128_530),
        ("JB2w", "sell", 10_793_027_507_021, WRAPPED_SOL[:4], 7_095_970_889),
    ]


def test_a_stable_loop_with_leftover_sol_is_arbitrage(decode) -> None:
    outcome = decode("4iE9hhboLZDhfJqk")
    assert isinstance(outcome, Skipped)
    assert outcome.reason is Reason.ARBITRAGE


@pytest.mark.parametrize(
    ("name", "wallets"), [("JBnrBbgqh9jRUkUD", 4), ("3S2vFszSSCxdeS8J", 5)]
)
def test_bundled_buys_belong_to_each_signer_not_to_the_fee_payer(
    decode, name: str, wallets: int
) -> None:
    outcome = decode(name)
    assert len({leg[0] for leg in legs(outcome)}) == wallets
    assert {leg[1] for leg in legs(outcome)} == {"buy"}
    assert [fee for fee, *_ in costs(outcome)].count(0) == wallets - 1


@pytest.mark.parametrize("name", ["2GMpqA7duENGaEXJ", "S3z6oPjogs9VcYYd"])
def test_a_keeper_fill_with_one_leg_in_escrow_is_not_the_owners_trade(
    decode, name: str
) -> None:
    outcome = decode(name)
    assert isinstance(outcome, Skipped)
    assert outcome.reason is Reason.KEEPER_FILL


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # A parser that sums instructions counts the route twice: the wallet received
        # half of that.
        (
            "2NPwsoX7NyfarDBh",
            ("3hus", "buy", 3_861_519_639_304, WRAPPED_SOL[:4], 400_000_000),
        ),
        (
            "5aTjNTfgZ5D1pSyX",
            ("63Ea", "sell", 100_000_000, WRAPPED_SOL[:4], 12_309_272),
        ),
    ],
)
def test_a_routed_swap_counts_once_what_the_wallet_received(
    decode, name: str, expected: tuple
) -> None:
    assert legs(decode(name)) == [expected]


@pytest.mark.parametrize(
    ("name", "units"),
    [
        ("2s393PSYYxJJJfGi", 34_612_903_225_806),
        ("3sWBncNG3ZKjVh5D", 37_951_768_488_745),
    ],
)
def test_creating_a_token_is_no_buy_but_the_creators_first_purchase_is(
    decode, name: str, units: int
) -> None:
    (leg,) = legs(decode(name))
    assert leg[1:3] == ("buy", units)


@pytest.mark.parametrize(
    ("name", "costs_lamports"),
    [
        ("5KEMtQuv4Ki1xoFV", (5_005_000, 0, 16_678_033, 0)),
        ("4XQZckrFKjaLHM68", (47_000, 3_000_000, 0, 2_039_280)),
    ],
)
def test_fees_tips_and_rent_are_not_part_of_the_market_amount(
    decode, name: str, costs_lamports: tuple
) -> None:
    assert costs(decode(name)) == [costs_lamports]


@pytest.mark.parametrize(
    ("name", "usdc_units"),
    [("5xSnRjWkhj7tCcbY", 21_007_910), ("LxiDRUoJRW3MaCw9", 331_007_327)],
)
def test_sol_lost_beside_a_stable_quote_is_no_second_leg(
    decode, name: str, usdc_units: int
) -> None:
    (leg,) = legs(decode(name))
    assert (leg[1], leg[3], leg[4]) == ("sell", USDC[:4], usdc_units)


@pytest.mark.parametrize(
    ("name", "seller"), [("gauADRJViXKL8S5g", "4reQ"), ("2drUaXQWXNXeG8hX", "JB2w")]
)
def test_a_seller_pays_no_fee_if_another_wallet_paid_it(
    decode, name: str, seller: str
) -> None:
    outcome = decode(name)
    assert isinstance(outcome, Decoded)
    (trade,) = [t for t in outcome.trades if t.wallet.startswith(seller)]
    assert trade.side == "sell"
    assert trade.network_fee_lamports == 0


@pytest.mark.parametrize("name", ["5SnGKXqNQ6zYGfNH", "4aQ4oYFrRwiwgyvH"])
def test_a_swap_whose_output_goes_to_another_account_is_no_trade(
    decode, name: str
) -> None:
    assert isinstance(decode(name), Skipped)


def test_a_redeemed_token_whose_proceeds_were_sold_on_is_a_sale(decode) -> None:
    """A token of staked SOL is burned by its pool; the SOL goes through two markets
    into USDT.
    """
    (leg,) = legs(decode("3LF4ABXfbETvFbQ7"))
    assert leg[:3] == ("J6Si", "sell", 20_000_000_000)
    assert leg[4] == 2_994_093_354


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("4nmfeav5dxo6ktte", [("2Cq2", "sell", 10_000_000, USDC[:4], 38_036_476)]),
        (
            "AoRC9x4MmLY1sP8X",
            [
                ("AMJ8", "sell", 46_707_774_954, USDC[:4], 20_000_000_000),
                ("HYyE", "buy", 46_707_774_954, USDC[:4], 20_000_000_000),
            ],
        ),
    ],
)
def test_a_trade_on_an_unlisted_venue_is_read_from_the_balances(
    decode, name: str, expected: list
) -> None:
    assert legs(decode(name)) == expected

"""Reserves of the market after a trade, from captured transactions."""

from pathlib import Path

import pytest

from discovery.decode.outcomes import Decoded
from discovery.decode.swaps import decode_json
from discovery.domain.programs import PUMPFUN, PUMPSWAP
from discovery.domain.programs import WRAPPED_SOL as WRAPPED
from discovery.domain.trades import Trade
from tests.fake_transactions import SOL, FakeTransaction, program_account, wallet

ANA, MINT, POOL = wallet("ana"), wallet("mint"), program_account("pool")
CURVE_PRODUCT = 30 * SOL * 1_073_000_000 * 10**6


def captured(folder: Path, name: str) -> Trade:
    outcome = decode_json((folder / f"transactions/rpc/{name}.json").read_bytes())
    assert isinstance(outcome, Decoded)
    return outcome.trades[0]


@pytest.mark.parametrize(
    "name",
    ["5839B8x1gBRJHHbA", "3bYXWjjNkVZpz3VW", "622CrdnBz4KMNbs9", "5KEMtQuv4Ki1xoFV"],
)
def test_virtual_reserves_of_a_curve_have_its_product(
    name: str, realdata: Path
) -> None:
    trade = captured(realdata, name)
    assert trade.pool_quote_after is not None
    assert trade.pool_base_after is not None
    product = trade.pool_quote_after * trade.pool_base_after
    assert abs(product - CURVE_PRODUCT) * 10**6 < CURVE_PRODUCT


@pytest.mark.parametrize(
    "name", ["4HbY43S9UigSctrf", "5EDHe12KqokKkhDL", "5bvyp1nob51M6FCj"]
)
def test_reserves_that_do_not_explain_the_trade_are_unknown(
    name: str, realdata: Path
) -> None:
    """A migrated curve and pools with balances of their own."""
    trade = captured(realdata, name)
    assert (trade.pool_quote_after, trade.pool_base_after) == (None, None)


def pool_sale(received_lamports: int) -> Trade:
    """Sell 1,000,000 units to a pool of 10 SOL and 9,000,000 units."""
    made = (
        FakeTransaction(ANA, venue=PUMPSWAP)
        .pay(ANA, received_lamports)
        .units(ANA, MINT, 1_000_000, 0)
        .units(POOL, MINT, 9_000_000, 10_000_000)
        .units(POOL, WRAPPED, 10 * SOL, 10 * SOL - received_lamports, decimals=9)
    )
    outcome = made.outcome()
    assert isinstance(outcome, Decoded)
    return outcome.trades[0]


FAIR = 10 * SOL // 10 * 998 // 1_000
"""What the pool pays after 20 basis points that stay in it."""


@pytest.mark.parametrize("lamports", [FAIR, FAIR * 9_991 // 10_000])
def test_a_pool_that_pays_what_its_reserves_say_has_known_reserves(
    lamports: int,
) -> None:
    trade = pool_sale(lamports)
    assert trade.pool_quote_after == 10 * SOL - lamports
    assert trade.pool_base_after == 10_000_000


@pytest.mark.parametrize("lamports", [FAIR * 99 // 100, FAIR * 101 // 100])
def test_a_pool_that_pays_something_else_has_unknown_reserves(lamports: int) -> None:
    assert pool_sale(lamports).pool_quote_after is None


def test_a_market_of_another_program_has_unknown_reserves() -> None:
    made = (
        FakeTransaction(ANA, venue=PUMPFUN)
        .pay(ANA, FAIR)
        .units(ANA, MINT, 1_000_000, 0)
        .units(POOL, MINT, 9_000_000, 10_000_000)
        .units(POOL, WRAPPED, 10 * SOL, 10 * SOL - FAIR, decimals=9)
    )
    outcome = made.outcome()
    assert isinstance(outcome, Decoded)
    assert outcome.trades[0].pool_quote_after is None

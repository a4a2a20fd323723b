"""Wrapped SOL that the wallet sends on, or gets, beside a trade."""

import pytest

from discovery.decode.outcomes import Decoded
from discovery.domain.programs import QUOTE_REQUESTS, TOKEN, WRAPPED_SOL
from discovery.domain.trades import Trade
from tests.fake_transactions import (
    FEE,
    RENT,
    SOL,
    FakeTransaction,
    program_account,
    wallet,
)

ANA, FRIEND, MINT = wallet("ana"), wallet("friend"), wallet("mint")
POOL = program_account("pool")
UNITS = 1_000_000
CLOSE = b"\x09"


def account_of(owner: str) -> str:
    """Return the address that `FakeTransaction.units` gives to an owner's account."""
    return wallet(f"{owner}/{WRAPPED_SOL}")


def transfer_data(lamports: int) -> bytes:
    return b"\x03" + lamports.to_bytes(8, "little")


def checked_data(lamports: int) -> bytes:
    return b"\x0c" + lamports.to_bytes(8, "little") + b"\x09"


def sale(lamports: int) -> FakeTransaction:
    """ANA sells her units to the pool for wrapped SOL."""
    return (
        FakeTransaction(ANA)
        .units(ANA, MINT, UNITS, 0)
        .units(POOL, MINT, 0, UNITS)
        .units(POOL, WRAPPED_SOL, 50 * SOL, 50 * SOL - lamports, decimals=9)
    )


def only_trade(made: FakeTransaction) -> Trade:
    outcome = made.outcome()
    assert isinstance(outcome, Decoded), outcome
    (trade,) = outcome.trades
    return trade


@pytest.mark.parametrize("sent", [SOL, 5 * SOL, 7 * SOL])
@pytest.mark.parametrize("is_checked", [False, True])
def test_a_sale_whose_wrapped_proceeds_are_sent_on_has_its_full_price(
    sent: int, is_checked: bool
) -> None:
    """5 SOL come from the pool; ANA had 10 wrapped SOL before."""
    made = (
        sale(5 * SOL)
        .units(ANA, WRAPPED_SOL, 10 * SOL, 15 * SOL - sent, decimals=9)
        .units(FRIEND, WRAPPED_SOL, 0, sent, decimals=9)
    )
    source, destination = account_of(ANA), account_of(FRIEND)
    if is_checked:
        accounts = (source, WRAPPED_SOL, destination, ANA)
        made.call(TOKEN, checked_data(sent), *accounts)
    else:
        made.call(TOKEN, transfer_data(sent), source, destination, ANA)
    trade = only_trade(made)
    assert (trade.side, trade.quote_units) == ("sell", 5 * SOL)
    assert (trade.transfer_lamports, trade.unreconciled_lamports) == (-sent, 0)


def test_a_buy_with_wrapped_sol_of_a_friend_is_a_buy_at_its_full_price() -> None:
    made = (
        FakeTransaction(ANA, FRIEND)
        .units(ANA, MINT, 0, UNITS)
        .units(POOL, MINT, UNITS, 0)
        .units(POOL, WRAPPED_SOL, 50 * SOL, 52 * SOL, decimals=9)
        .units(ANA, WRAPPED_SOL, 0, 0, decimals=9)
        .units(wallet("donor"), WRAPPED_SOL, 2 * SOL, 0, decimals=9)
    )
    donor = account_of(wallet("donor"))
    made.call(TOKEN, transfer_data(2 * SOL), donor, account_of(ANA), FRIEND)
    trade = only_trade(made)
    assert (trade.side, trade.quote_units) == ("buy", 2 * SOL)
    assert trade.transfer_lamports == 2 * SOL


def test_an_account_of_wrapped_sol_closed_to_another_wallet_is_sent_on() -> None:
    """The pool's 5 SOL lie in an account that ANA opened; closing it pays the friend."""
    temporary = wallet("temporary")
    made = sale(5 * SOL).pay(ANA, -RENT).pay(FRIEND, 5 * SOL + RENT)
    made.lamports[temporary] = [0, 0]
    made.call(TOKEN, CLOSE, temporary, FRIEND, ANA)
    trade = only_trade(made)
    assert (trade.side, trade.quote_units) == ("sell", 5 * SOL)
    assert trade.transfer_lamports == -5 * SOL - RENT
    assert trade.network_fee_lamports == FEE


def test_a_market_maker_that_pays_in_wrapped_sol_is_no_friend() -> None:
    """Both sides move by plain transfers of the message: the SOL is the price."""
    maker = wallet("maker")
    made = (
        FakeTransaction(ANA, maker, venue=next(iter(QUOTE_REQUESTS)))
        .units(ANA, MINT, UNITS, 0)
        .units(maker, MINT, 0, UNITS)
        .units(maker, WRAPPED_SOL, 9 * SOL, 4 * SOL, decimals=9)
        .units(ANA, WRAPPED_SOL, 0, 5 * SOL, decimals=9)
    )
    made.call(TOKEN, transfer_data(5 * SOL), account_of(maker), account_of(ANA), maker)
    outcome = made.outcome()
    assert isinstance(outcome, Decoded), outcome
    own = next(trade for trade in outcome.trades if trade.wallet == ANA)
    assert (own.side, own.quote_units, own.transfer_lamports) == ("sell", 5 * SOL, 0)


def test_what_another_signer_sends_on_is_not_the_wallets() -> None:
    """ANA and BEN sell in one transaction; BEN closes his account to the friend."""
    ben, other_mint, other_pool = (
        wallet("ben"),
        wallet("other mint"),
        program_account("other pool"),
    )
    made = FakeTransaction(ANA, ben)
    made.units(ANA, MINT, UNITS, 0).units(POOL, MINT, 0, UNITS)
    made.units(POOL, WRAPPED_SOL, 50 * SOL, 49 * SOL, decimals=9).pay(ANA, SOL)
    made.units(ben, other_mint, UNITS, 0).units(other_pool, other_mint, 0, UNITS)
    made.units(other_pool, WRAPPED_SOL, 50 * SOL, 43 * SOL, decimals=9)
    made.pay(FRIEND, 7 * SOL)
    temporary = wallet("temporary")
    made.lamports[temporary] = [0, 0]
    made.call(TOKEN, CLOSE, temporary, FRIEND, ben)
    outcome = made.outcome()
    assert isinstance(outcome, Decoded), outcome
    quotes = {trade.wallet: trade.quote_units for trade in outcome.trades}
    assert quotes == {ANA: SOL, ben: 7 * SOL}

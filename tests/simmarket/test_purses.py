"""The purses of the simulated truth: what a wallet and those who follow it hold."""

from simmarket.chain.world import BUY, SELL, Movement
from simmarket.worlds.purses import LeaderPurse


def movement(kind: str, units: int) -> Movement:
    return Movement(
        position=0,
        wallet=0,
        mint=0,
        kind=kind,
        units=units,
        quote_units=10**9,
        quote=0,
        fees_lamports=0,
    )


def test_a_wallet_that_sold_all_in_parts_holds_nothing() -> None:
    purse = LeaderPurse()
    purse.buy(movement(BUY, 74_809_940_567_352))
    for units in (20_248_899_910_587, 26_581_302_244_850, 27_979_738_411_915):
        purse.sell(movement(SELL, units))
    assert purse.held == 0
    assert purse.bought == 0

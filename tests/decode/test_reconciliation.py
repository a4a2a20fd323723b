"""The SOL leg of a trade is the market's side, whatever else the wallet moved."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from discovery.decode.outcomes import Decoded
from discovery.domain.programs import PUMPFUN, WRAPPED_SOL
from discovery.domain.trades import Side, Trade
from tests.decode.fake_swaps import (
    ANA,
    BEN,
    BOT,
    DEEP,
    MINT,
    POOL,
    TIP,
    TREASURY,
    UNITS,
)
from tests.fake_transactions import FEE, RENT, SOL, FakeTransaction, wallet

lamports = st.integers(min_value=0, max_value=5 * SOL)
UNLISTED_SERVICE = wallet("an unlisted service")


@dataclass
class Mixed:
    """One trade of ANA with everything that can stand beside it."""

    side: Side = "buy"
    quote: int = SOL
    has_native_curve: bool = False
    tip: int = 0
    platform_fee: int = 0
    sent: list[int] = field(default_factory=list)
    received: int = 0
    opens_account: bool = False
    has_sponsor: bool = False

    def transaction(self) -> FakeTransaction:
        signers = (BEN, ANA) if self.has_sponsor else (ANA,)
        fake = FakeTransaction(
            *signers, venue=PUMPFUN if self.has_native_curve else None
        )
        sign = -1 if self.side == "buy" else 1
        fake.pay(ANA, sign * self.quote)
        self._add_market(fake, sign)
        before = UNITS if self.side == "sell" else 0
        is_new = self.opens_account and self.side == "buy"
        fake.units(ANA, MINT, None if is_new else before, before - sign * UNITS)
        if is_new:
            fake.pay(BEN if self.has_sponsor else ANA, -RENT)
        fake.transfer(ANA, TIP, self.tip).transfer(ANA, BOT, self.platform_fee)
        for amount in self.sent:
            fake.transfer(ANA, UNLISTED_SERVICE, amount)
        if self.received:
            fake.transfer(TREASURY, ANA, self.received)
        return fake

    def _add_market(self, fake: FakeTransaction, sign: int) -> None:
        fake.units(POOL, MINT, DEEP, DEEP + sign * UNITS)
        if self.has_native_curve:
            fake.pay(POOL, -sign * self.quote)
        else:
            fake.units(POOL, WRAPPED_SOL, DEEP, DEEP - sign * self.quote, 9)


mixed = st.builds(
    Mixed,
    side=st.sampled_from(["buy", "sell"]),
    quote=st.integers(min_value=1_000, max_value=50 * SOL),
    has_native_curve=st.booleans(),
    tip=lamports,
    platform_fee=lamports,
    sent=st.lists(st.integers(min_value=1, max_value=100 * SOL), max_size=3),
    received=lamports,
    opens_account=st.booleans(),
    has_sponsor=st.booleans(),
)


def trade_of(case: Mixed) -> Trade:
    outcome = case.transaction().outcome()
    assert isinstance(outcome, Decoded), outcome
    (trade,) = outcome.trades
    return trade


@given(mixed)
def test_the_quote_is_what_the_market_took_or_gave(case: Mixed) -> None:
    trade = trade_of(case)
    assert (trade.side, trade.quote_units) == (case.side, case.quote)
    assert trade.unreconciled_lamports == 0


@given(mixed)
def test_each_other_movement_of_sol_has_its_own_field(case: Mixed) -> None:
    trade = trade_of(case)
    pays_rent = case.opens_account and case.side == "buy" and not case.has_sponsor
    assert trade.network_fee_lamports == (0 if case.has_sponsor else FEE)
    assert trade.tip_lamports == case.tip
    assert trade.platform_fee_lamports == case.platform_fee
    assert trade.transfer_lamports == case.received - sum(case.sent)
    assert trade.rent_lamports == (RENT if pays_rent else 0)


@given(mixed)
def test_the_parts_add_up_to_the_change_of_the_wallet(case: Mixed) -> None:
    fake = case.transaction()
    before, after = fake.lamports[ANA]
    trade = trade_of(case)
    quote = -trade.quote_units if trade.side == "buy" else trade.quote_units
    assert after - before == (
        quote
        - trade.extras_lamports
        - trade.rent_lamports
        + trade.transfer_lamports
        + trade.unreconciled_lamports
    )

"""Wallets, pools and amounts of hand-built swaps, and what an outcome of decoding holds."""

from discovery.decode.outcomes import Decoded, Outcome, Skipped
from discovery.domain.known_wallets import PLATFORM_FEE_WALLETS
from discovery.domain.programs import WRAPPED_SOL
from discovery.domain.reasons import Reason
from discovery.domain.tip_accounts import TIP_ACCOUNTS
from tests.fake_transactions import FakeTransaction, program_account, wallet

ANA, BEN, TREASURY = wallet("ana"), wallet("ben"), wallet("treasury")
POOL, OTHER_POOL, VAULT = (
    program_account("pool"),
    program_account("other pool"),
    program_account("vault"),
)
MINT, HOP = wallet("mint"), wallet("hop")
UNITS = 10**9
DEEP = 10**15
TIP, BOT = sorted(TIP_ACCOUNTS)[0], sorted(PLATFORM_FEE_WALLETS)[0]


def legs(outcome: Outcome) -> list[tuple[str, str, int, str, int]]:
    """Return (wallet, side, token units, quote mint, quote units) of each trade."""
    assert isinstance(outcome, Decoded), outcome
    return [
        (t.wallet, t.side, t.token_units, t.quote_mint, t.quote_units)
        for t in outcome.trades
    ]


def pool_sells(fake: FakeTransaction, units: int, lamports: int) -> FakeTransaction:
    """Add the balance changes of a pool that sells `units` for `lamports`."""
    return fake.units(POOL, MINT, DEEP, DEEP - units).units(
        POOL, WRAPPED_SOL, DEEP, DEEP + lamports, 9
    )


def reason(outcome: Outcome) -> Reason:
    """Return why the transaction is no trade."""
    assert isinstance(outcome, Skipped), outcome
    return outcome.reason

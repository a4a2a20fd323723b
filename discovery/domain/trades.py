"""Trades and unit changes of a wallet, read from the balances of a transaction."""

from typing import Literal, NamedTuple

import msgspec

from discovery.domain.histories import PoolReserves
from discovery.domain.reasons import Reason

Side = Literal["buy", "sell"]


class Amount(NamedTuple):
    """Raw units of one mint."""

    mint: str
    units: int


class Trade(msgspec.Struct, frozen=True, gc=False):
    """One wallet's trade of one token in one direction, in one transaction.

    `quote_units` went to the market (buy) or came from it (sell), venue fees included.
    With SOL as the quote and no other trade of the wallet in the transaction: change in
    native + wrapped SOL = ∓quote_units - network fee - tip - platform fee - rent
    + transfer + unreconciled.
    """

    signature: str
    slot: int | None  # missing in some captures
    block_time: int | None  # unix seconds; missing on very recent and very old slots
    wallet: str
    side: Side
    mint: str
    token_units: int  # raw; what the wallet received or gave
    token_decimals: int
    quote_mint: str  # the wrapped-SOL mint for SOL
    quote_units: int  # raw, of the quote mint
    network_fee_lamports: int  # base + priority fee; 0 if another wallet paid it
    tip_lamports: int
    platform_fee_lamports: int
    rent_lamports: (
        int  # into (+) or out of (-) the wallet's token accounts; an asset, not a cost
    )
    venues: tuple[str, ...]
    transfer_lamports: int = 0  # of the wallet's own SOL, in (+) or out (-)
    unreconciled_lamports: int = 0  # SOL that nothing known explains, in (+) or out (-)
    pool: str | None = None  # address of the market, where one is seen
    value_mint: str | None = None  # of a token for a token: the quote between the two
    value_units: int | None = None
    pool_quote_after: int | None = None  # reserves of the market after the transaction,
    pool_base_after: int | None = None  # lamports and raw units; None where not known

    @property
    def priced_in(self) -> Amount:
        """What the trade is valued by: its quote, or what passed between two markets if
        the quote is another token. A token of unknown value is its own amount.
        """
        if self.value_mint is None or self.value_units is None:
            return Amount(self.quote_mint, self.quote_units)
        return Amount(self.value_mint, self.value_units)

    @property
    def reserves_after(self) -> PoolReserves | None:
        """The reserves of the market after the transaction, None if not known."""
        if self.pool_quote_after is None or self.pool_base_after is None:
            return None
        return PoolReserves(self.pool_quote_after, self.pool_base_after)

    @property
    def extras_lamports(self) -> int:
        """Costs beside the market amount: network fee, tip and platform fee, in
        lamports.
        """
        return (
            self.network_fee_lamports + self.tip_lamports + self.platform_fee_lamports
        )


class AccountUnits(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Raw units of one token account before and after a transaction. As JSON it is an
    array.
    """

    account: str
    before_units: int
    after_units: int

    @property
    def units(self) -> int:
        """Raw units that came in (+) or left (-)."""
        return self.after_units - self.before_units


class HoldingChange(msgspec.Struct, frozen=True, gc=False):
    """Raw units of one mint before and after a transaction, summed over the wallet's
    token accounts in it.

    reason: why they changed. accounts: the units by token account. escrow: the token
    account of a program that was empty before the units went into it, "" if they went
    elsewhere. escrow_units: what arrived there; a token may charge a fee on transfers.
    """

    wallet: str
    mint: str
    before_units: int
    after_units: int
    reason: Reason
    accounts: tuple[AccountUnits, ...] = ()
    escrow: str = ""
    escrow_units: int = 0

"""What a wallet did with a token: trades and transfers, as the balances tell it."""

from typing import Literal

import msgspec

Side = Literal["buy", "sell"]


class Trade(msgspec.Struct, frozen=True, gc=False):
    """One wallet, one token, one direction, in one transaction.

    `quote_units` went to (buy) or came from (sell) the market, venue fees included. For a SOL quote and a wallet's only
    trade of the transaction: change in native + wrapped SOL = ∓quote_units - network fee - tip - platform fee - rent.
    """

    signature: str
    slot: int | None  # null in some captures
    block_time: int | None  # unix seconds; null on very fresh and very old slots
    wallet: str
    side: Side
    mint: str
    token_units: int  # raw, what the wallet really got or gave
    token_decimals: int
    quote_mint: str  # the wrapped-SOL mint for SOL
    quote_units: int  # raw, of the quote mint
    network_fee_lamports: int  # base + priority, only where this wallet paid it
    tip_lamports: int
    platform_fee_lamports: int
    rent_lamports: int  # into (+) or out of (-) the wallet's own token accounts: an asset, never cost
    venues: tuple[str, ...]

    @property
    def extras_lamports(self) -> int:
        """Costs beside the market amount: network fee, tip and platform fee."""
        return self.network_fee_lamports + self.tip_lamports + self.platform_fee_lamports


class HoldingChange(msgspec.Struct, frozen=True, gc=False):
    """A wallet's units of one mint before and after one transaction, summed over its token accounts in it."""

    wallet: str
    mint: str
    before_units: int
    after_units: int

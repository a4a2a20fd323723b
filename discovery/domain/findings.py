"""What analysis finds, with units and evidence."""

from decimal import Decimal
from fractions import Fraction
from typing import Literal

import msgspec

LaunchClock = Literal["curve", "jupiter", "pair", ""]
"""Where the launch time came from, best first; `pair` is weak: for a migrated token it is the migration."""

EventKind = Literal["buy", "sell", "transfer_in", "transfer_out", "burn"]


class Candidate(msgspec.Struct, frozen=True):
    """A token a run considers, with the market's figures at that moment. None = nobody said."""

    mint: str
    symbol: str = ""
    name: str = ""
    sources: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()
    price_usd: Decimal | None = None
    price_change_24h_pct: Decimal | None = None
    volume_24h_usd: Decimal | None = None
    liquidity_usd: Decimal | None = None
    market_cap_usd: Decimal | None = None
    transactions_24h: int | None = None
    launched_at: int | None = None  # unix seconds
    launch_clock: LaunchClock = ""


class HoldingEvent(msgspec.Struct, frozen=True):
    """One thing that happened to a wallet's units of one mint, in chain order.

    `value_lamports` is the market amount of a buy or sell, exact; None where no price is known. `extras_lamports` are
    network fee, tip and platform fee that this wallet paid in the transaction.
    """

    kind: EventKind
    signature: str
    slot: int
    block_time: int
    units: int
    value_lamports: Fraction | None = None
    extras_lamports: int = 0


class Position(msgspec.Struct, frozen=True):
    """What came of a wallet's units of one mint, exact; rounding is for the output."""

    cost_basis_lamports: Fraction  # all basis ever put in
    matched_proceeds_lamports: Fraction  # proceeds of units with a known cost, net of fees
    realised_lamports: Fraction  # matched proceeds minus the basis of what was sold
    unmatched_proceeds_lamports: Fraction  # proceeds of units without a known cost: never profit
    held_known_units: Fraction
    held_unknown_units: Fraction
    remaining_basis_lamports: Fraction
    buys: int
    sells: int
    first_buy_time: int | None
    last_trade_time: int | None
    history_incomplete: bool
    left_wallet: bool

    @property
    def profit_pct(self) -> Fraction | None:
        """(matched proceeds - all basis) / all basis × 100: what is not sold counts for nothing."""
        if not self.cost_basis_lamports:
            return None
        return (self.matched_proceeds_lamports - self.cost_basis_lamports) / self.cost_basis_lamports * 100


class Launch(msgspec.Struct, frozen=True):
    """A token's creation as the chain shows it. creators: who is named as such and who sent it; empty = not known."""

    slot: int
    creators: tuple[str, ...] = ()


class EarlyBuyer(msgspec.Struct, frozen=True):
    """A wallet whose first acquisition of the token is a buy within the window."""

    wallet: str
    mint: str
    entry_rank: int  # 1 = first of the token
    entry_seconds: int  # from launch to the first buy
    first_buy_time: int  # unix seconds
    position: Position
    flags: dict[str, str]  # flag -> evidence
    qualified: bool
    rejection: str  # why not, "" where qualified

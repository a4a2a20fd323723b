"""Results of the analysis of one token: events, positions and early buyers, with their
units.
"""

from decimal import Decimal
from fractions import Fraction
from typing import Literal

import msgspec

LaunchClock = Literal["curve", "jupiter", "pair", ""]
"""Source of a launch time, best first. `pair` is weak: for a migrated token it is the
time of the migration.
"""

EventKind = Literal["buy", "sell", "transfer_in", "transfer_out", "burn"]


class Candidate(msgspec.Struct, frozen=True):
    """A token that a run considers, with its market figures at that moment. None = no
    source reported it.
    """

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
    """One change of a wallet's units of one mint. Events are in chain order.

    `value_lamports` is the exact market amount of a buy or sell, None if no price is
    known. `extras_lamports` is the sum of network fee, tip and platform fee that the
    wallet paid in the transaction.
    """

    kind: EventKind
    signature: str
    slot: int
    block_time: int  # unix seconds
    units: int
    value_lamports: Fraction | None = None
    extras_lamports: int = 0

    @property
    def is_trade(self) -> bool:
        """True for a buy or a sell."""
        return self.kind in {"buy", "sell"}

    @property
    def is_acquisition(self) -> bool:
        """True if the event brought units in."""
        return self.kind in {"buy", "transfer_in"}


class Position(msgspec.Struct, frozen=True):
    """Cost and proceeds of a wallet's units of one mint. Exact; only output is rounded."""

    cost_basis_lamports: Fraction  # cost of all units ever bought, fees included
    matched_proceeds_lamports: (
        Fraction  # proceeds of units with a known cost, net of fees
    )
    realised_lamports: Fraction  # matched proceeds minus the basis of what was sold
    unmatched_proceeds_lamports: (
        Fraction  # proceeds of units without a known cost; they never count as profit
    )
    held_known_units: Fraction  # with a known cost
    held_unknown_units: Fraction
    remaining_basis_lamports: Fraction  # cost of the units still held
    buys: int
    sells: int
    first_buy_time: int | None  # unix seconds
    last_trade_time: int | None
    history_incomplete: bool
    left_wallet: bool  # units were transferred out

    @property
    def profit_pct(self) -> Fraction | None:
        """(matched proceeds - cost basis) / cost basis × 100, None without a cost.
        Unsold units are worth nothing.
        """
        if not self.cost_basis_lamports:
            return None
        return (
            (self.matched_proceeds_lamports - self.cost_basis_lamports)
            / self.cost_basis_lamports
            * 100
        )


class Launch(msgspec.Struct, frozen=True):
    """The creation of a token on the chain. creators: the named creator and the sender;
    empty = unknown.
    """

    slot: int
    creators: tuple[str, ...] = ()


class EarlyBuyer(msgspec.Struct, frozen=True):
    """A wallet whose first acquisition of the token is a buy within the early window."""

    wallet: str
    mint: str
    entry_rank: int  # 1 = first buyer of the token
    entry_seconds: int  # from launch to the first buy
    first_buy_time: int  # unix seconds
    position: Position
    flags: dict[str, str]  # flag -> evidence
    qualified: bool
    rejection: str  # reason why it does not qualify, "" if it does

"""Results of the analysis of one token: events, positions and early buyers, with their
units.
"""

from decimal import Decimal
from fractions import Fraction
from typing import Literal

import msgspec

from discovery.domain.histories import PoolReserves
from discovery.domain.reasons import Reason

LaunchClock = Literal["curve", "pool", "jupiter", "pair", "mint", ""]
"""Source of a launch time, best first: the first transaction of the bonding curve, that
of the first pool, the first pool's creation by Jupiter, the creation of the oldest pool
that an aggregator lists, and the creation of the mint. The last two are weak: the first
pool may be missing from a list, and a mint may be days older than its first pool.
"""

Knowledge = Literal["known", "partly", "unknown"]
"""Whether a result is known. "partly": a small part of the units has no known cost or
price.
"""

EventKind = Literal[
    "buy",
    "sell",
    "transfer_in",
    "transfer_out",
    "burn",
    "unpriced_out",
    "order_open",
    "order_closed",
]
"""`transfer_in` is any inflow without a price, `unpriced_out` any outflow of which
nobody can say what it brought.
"""


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
    wallet paid in the transaction. `is_from_order`: a sale of units that waited in an
    order. `market`: the reserves of the market after a buy or sell, None if not known.
    """

    kind: EventKind
    signature: str
    slot: int
    block_time: int  # unix seconds
    units: int
    value_lamports: Fraction | None = None
    extras_lamports: int = 0
    reason: Reason = Reason.TRADE
    is_from_order: bool = False
    market: PoolReserves | None = None

    @property
    def is_trade(self) -> bool:
        """True for a buy or a sell."""
        return self.kind in {"buy", "sell"}

    @property
    def is_acquisition(self) -> bool:
        """True if the event brought units in."""
        return self.kind in {"buy", "transfer_in", "order_closed"}


class Position(msgspec.Struct, frozen=True):
    """Result of a wallet's entry cycle in one mint: from its first buy until it was
    flat. Exact; only output is rounded.

    knowledge, unknown_reason, known_share: `docs/profit.md`, "Known or unknown".
    """

    cost_basis_lamports: Fraction  # cost of all units bought, fees included
    matched_proceeds_lamports: (
        Fraction  # proceeds of units with a known cost, net of fees
    )
    realised_lamports: (
        Fraction | None
    )  # matched proceeds minus the cost of what was sold; None = unknown
    unmatched_proceeds_lamports: (
        Fraction  # proceeds of units without a known cost; they never count as profit
    )
    profit_pct: (
        Fraction | None
    )  # (matched proceeds - cost) / cost × 100, unsold units at nothing; None = unknown
    held_units: Fraction
    buys: int
    sells: int
    last_trade_time: int  # unix seconds
    knowledge: Knowledge
    unknown_reason: str  # "" unless unknown
    known_share: Fraction
    has_moved_out: bool  # units were sent to another wallet
    later_cycles: int
    history_incomplete: bool


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

"""Results of decoding one transaction: trades, no trade with the reason, or a record
that cannot be read.
"""

import msgspec

from discovery.domain.reasons import Reason
from discovery.domain.trades import HoldingChange, Trade


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """The trades of one transaction in a stable order, and the unit changes of every
    wallet in tokens but quotes.
    """

    signature: str
    slot: int | None
    block_time: int | None
    trades: tuple[Trade, ...]
    changes: tuple[HoldingChange, ...] = ()


class Skipped(msgspec.Struct, frozen=True, gc=False):
    """A transaction without a trade. `changes` has the units that moved without one:
    transfers, airdrops, burns.
    """

    signature: str
    reason: Reason
    slot: int | None = None
    block_time: int | None = None
    changes: tuple[HoldingChange, ...] = ()


class Failed(msgspec.Struct, frozen=True, gc=False):
    """A record that cannot be read. `signature` is "" if not even that can be read."""

    signature: str
    reason: Reason
    detail: str = ""


Outcome = Decoded | Skipped | Failed

"""A wallet's history as the score reads it, and one line of a histories file."""

from typing import Annotated, Literal

import msgspec

HistoryKind = Literal["buy", "sell", "transfer_in", "transfer_out", "burn", "disposal"]
Arm = Literal["found", "control", "other"]

_Units = Annotated[int, msgspec.Meta(ge=0)]
_BasisPoints = Annotated[int, msgspec.Meta(ge=0, le=10_000)]


class PoolReserves(msgspec.Struct, frozen=True, gc=False):
    """Reserves of a constant-product market, and the fee that it takes of what goes in."""

    quote_lamports: _Units
    base_units: _Units
    fee_bps: _BasisPoints = 100


class TokenEvent(msgspec.Struct, frozen=True, gc=False):
    """One change of a wallet's units of one mint.

    value_lamports: what a buy cost or a sale brought without fees, None if it is not
    known. pool: the market right after the event. pool_later: the same market a few
    seconds after it. signature: of the transaction.
    """

    mint: str
    kind: HistoryKind
    slot: int
    time: int  # unix seconds
    units: _Units
    value_lamports: _Units | None = None
    fees_lamports: int = 0
    pool: PoolReserves | None = None
    pool_later: PoolReserves | None = None
    signature: str = ""


class TradingHistory(msgspec.Struct, frozen=True):
    """Everything a score is computed from.

    seeds: mints of the wallet's first discovery, which are no evidence. truncated: its
    oldest transactions were not read. holdings: mint → lamports that the units held at
    `as_of` would bring, None = unknown. unread: mints of which nobody answered what they
    would bring, so that nothing follows from their age.
    """

    wallet: str
    as_of: int  # unix seconds
    events: list[TokenEvent] = []
    arm: Arm = "other"
    seeds: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    truncated: bool = False
    holdings: dict[str, _Units | None] = {}
    unread: frozenset[str] = frozenset()

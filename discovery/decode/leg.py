"""The leg of a trade, and the signal that there is none."""

from collections.abc import Mapping
from typing import Final

import msgspec

from discovery.domain.reasons import Reason
from discovery.domain.trades import Side

QUOTE_SIGN: Final[Mapping[Side, int]] = {"buy": -1, "sell": 1}
"""The direction of the wallet's quote, which is opposite to that of its tokens."""

FEE_DIVISOR: Final = 30
"""A difference below a thirtieth of the volume is fees of venues."""


class Leg(msgspec.Struct, frozen=True, gc=False):
    """One token against one quote, raw units of both.

    A token that was exchanged for another one has that token as its quote. Then
    `value_mint` and `value_units` are the SOL or stable that passed between the markets
    of the two, None if none is seen.
    """

    side: Side
    mint: str
    units: int
    quote_mint: str
    quote_units: int
    value_mint: str | None = None
    value_units: int | None = None


class NoTrade(Exception):
    """The wallet did not trade, which is no error. `reason` says what its changes are."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason

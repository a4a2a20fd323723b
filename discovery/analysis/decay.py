"""Whether a wallet still deserves to be followed: its status, from its record without seed tokens."""

from decimal import Decimal
from fractions import Fraction
from typing import Final

from discovery.domain.profiles import Figures, Profile

MIN_CYCLES: Final = 5
ROLLING_CYCLES: Final = 20
DECAYED_BELOW: Final = Decimal("0.4")
RECOVERED_FROM: Final = Decimal("0.5")
LOSSES_IN_A_ROW: Final = 3


def next_status(previous: str, profile: Profile) -> str:
    """The wallet's status after `previous`: active, insufficient_data or decay_detected; blacklisted stays.

    Decayed: fewer than 40 % wins in the last 20 cycles, or 3 losses in a row after a record of more wins than losses.
    It recovers at 50 % of the last 20 cycles; with fewer than 20, by a win after the losses.
    """
    if previous == "blacklisted":
        return previous
    scored = profile.scored
    if scored.counted < MIN_CYCLES:
        return "insufficient_data"
    rolling = scored.rolling_win_rate.value if scored.rolling_win_rate.n >= ROLLING_CYCLES else None
    if (rolling is not None and rolling < DECAYED_BELOW) or _lost_after_winning(scored):
        return "decay_detected"
    if previous != "decay_detected":
        return "active"
    recovered = scored.consecutive_losses == 0 if rolling is None else rolling >= RECOVERED_FROM
    return "active" if recovered else "decay_detected"


def _lost_after_winning(scored: Figures) -> bool:
    streak = scored.consecutive_losses
    if streak < LOSSES_IN_A_ROW:
        return False
    before = scored.wins + scored.losses - streak
    return before > 0 and Fraction(scored.wins, before) > Fraction(1, 2)

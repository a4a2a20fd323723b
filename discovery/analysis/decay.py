"""Decay: the status of a wallet, from its record without seed tokens."""

from decimal import Decimal
from typing import Final

from discovery.domain.profiles import Figures, Profile

MIN_CYCLES: Final = 5
MIN_ROLLING_CYCLES: Final = 20
MIN_WIN_RATE: Final = Decimal("0.4")
RECOVERED_WIN_RATE: Final = Decimal("0.5")
DECAY_STREAK: Final = 3


def next_status(previous: str, profile: Profile) -> str:
    """Return the wallet's status after `previous`: active, insufficient_data or
    decay_detected; blacklisted stays.

    With fewer than 5 counted cycles a wallet has insufficient data. It is decayed after
    fewer than 40 % wins in its last 20 cycles, or after 3 losses in a row that follow a
    record of more wins than losses. It recovers at 50 % of the last 20 cycles; with
    fewer cycles, by a win.
    """
    if previous == "blacklisted":
        return previous
    scored = profile.scored
    if scored.counted < MIN_CYCLES:
        return "insufficient_data"
    rolling = _rolling_win_rate(scored)
    if _is_decayed(scored, rolling):
        return "decay_detected"
    if previous == "decay_detected" and not _has_recovered(scored, rolling):
        return "decay_detected"
    return "active"


def _rolling_win_rate(scored: Figures) -> Decimal | None:
    """Return the win rate of the last 20 cycles, None with fewer."""
    if scored.rolling_win_rate.n < MIN_ROLLING_CYCLES:
        return None
    return scored.rolling_win_rate.value


def _is_decayed(scored: Figures, rolling: Decimal | None) -> bool:
    """Return True after few wins in the last 20 cycles, or after a streak of losses
    that ended a record of more wins than losses.
    """
    if rolling is not None and rolling < MIN_WIN_RATE:
        return True
    if scored.consecutive_losses < DECAY_STREAK:
        return False
    losses_before = scored.losses - scored.consecutive_losses
    return scored.wins > losses_before


def _has_recovered(scored: Figures, rolling: Decimal | None) -> bool:
    """Return True if a decayed wallet wins again. rolling: None with fewer than 20
    cycles, where one win is enough.
    """
    if rolling is None:
        return scored.consecutive_losses == 0
    return rolling >= RECOVERED_WIN_RATE

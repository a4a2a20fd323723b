"""What the forward record still misses for a statement, and about when it has it."""

import math
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from discovery.analysis.forward_record import FollowedTrade, Missing, missing_of
from discovery.analysis.statistics import SECONDS_PER_DAY

RATE_DAYS: Final = 14
"""The rate is that of so many last days, or of all if the record is younger."""


class ArmOutlook(msgspec.Struct, frozen=True):
    """What an arm misses, and in how many days it will have it at the rate of the last
    days: 0 if nothing is missing, None if nothing of what is missing came in them.
    """

    missing: Missing
    days: int | None


class Outlook(msgspec.Struct, frozen=True):
    """Both arms, and the days until neither misses anything; None if that cannot be
    said.
    """

    found: ArmOutlook
    control: ArmOutlook
    days: int | None


def outlook(
    trades: Iterable[FollowedTrade], now: int, *, horizon_days: int = 0
) -> Outlook:
    """Return what is missing at `now` (unix seconds).

    horizon_days: trades entered within so many days before `now` are not measured yet;
    the rate is that of the days before.
    """
    known = [
        trade for trade in trades if trade.counts and trade.follower_growth is not None
    ]
    end = now - horizon_days * SECONDS_PER_DAY
    first = min((trade.entry_at for trade in known), default=end)
    start = max(first, end - RATE_DAYS * SECONDS_PER_DAY)
    rate_days = max(1.0, (end - start) / SECONDS_PER_DAY)
    arms = [
        _arm_outlook(
            [trade for trade in known if trade.arm == arm],
            start,
            rate_days,
        )
        for arm in ("found", "control")
    ]
    return Outlook(
        found=arms[0], control=arms[1], days=_longest([arm.days for arm in arms])
    )


def _arm_outlook(
    known: Sequence[FollowedTrade], start: int, rate_days: float
) -> ArmOutlook:
    first_by_wallet: dict[str, int] = {}
    first_by_token: dict[str, int] = {}
    for trade in known:
        for firsts, name in (
            (first_by_wallet, trade.wallet),
            (first_by_token, trade.mint),
        ):
            firsts[name] = min(trade.entry_at, firsts.get(name, trade.entry_at))
    missing = missing_of(len(first_by_wallet), len(first_by_token), len(known))
    needs = (
        (missing.wallets, first_by_wallet.values()),
        (missing.tokens, first_by_token.values()),
        (missing.trades, [trade.entry_at for trade in known]),
    )
    waits: list[int | None] = [0]
    for count, entries in needs:
        if count:
            recent = sum(at >= start for at in entries)
            waits.append(_days(count, recent / rate_days))
    return ArmOutlook(missing=missing, days=_longest(waits))


def _days(count: int, per_day: float) -> int | None:
    return math.ceil(count / per_day) if per_day else None


def _longest(days: Sequence[int | None]) -> int | None:
    known = [each for each in days if each is not None]
    return max(known) if len(known) == len(days) else None

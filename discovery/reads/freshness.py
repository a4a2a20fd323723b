"""How old the profiles of the watchlist are, compared with their rules."""

from datetime import datetime, timedelta

import msgspec
from django.conf import settings
from django.db.models import Count, Min, Q

from discovery.models import Wallet
from discovery.models.enums import VerdictChoice
from walltrack import clock


class Freshness(msgspec.Struct, frozen=True):
    """Age of the profiles of the watchlist, blacklisted wallets excluded.

    stale: wallets whose profile is older than twice their rule. oldest_at: the oldest of
    those profiles. unprofiled: wallets that have no profile yet. calls_per_day: budget of
    refreshing, 0 = switched off.
    """

    wallets: int
    unprofiled: int
    stale: int
    oldest_at: datetime | None
    calls_per_day: int


def freshness(now: datetime) -> Freshness:
    """Return the ages at `now`, the time of the product. One query."""
    watched = Wallet.objects.listed().not_blacklisted()
    is_stale = Q(pk__in=Wallet.objects.stale(now).values("pk"))
    counts = watched.aggregate(
        wallets=Count("pk"),
        unprofiled=Count("pk", filter=Q(profiled_at__isnull=True)),
        stale=Count("pk", filter=is_stale),
        oldest_at=Min("profiled_at", filter=is_stale),
    )
    return Freshness(**counts, calls_per_day=settings.REFRESH.calls_per_day)


def is_stale(verdict: str, profiled_at: datetime | None, *, is_pinned: bool) -> bool:
    """Return True if a profile is older than twice the rule of the wallet."""
    if profiled_at is None:
        return False
    return clock.now() - profiled_at > 2 * refresh_rule(verdict, is_pinned=is_pinned)


def refresh_rule(verdict: str, *, is_pinned: bool) -> timedelta:
    """Return the age at which a wallet of this verdict is read again."""
    if verdict == VerdictChoice.FOLLOW or is_pinned:
        return settings.REFRESH.follow
    if verdict == VerdictChoice.WATCH:
        return settings.REFRESH.watch
    return settings.REFRESH.others

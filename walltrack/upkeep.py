"""Settings of the upkeep of the watchlist: how old a profile may become, what a day of
refreshing may cost, and how long records are kept.
"""

from datetime import timedelta
from typing import NamedTuple

from walltrack.env import Env


class RefreshSettings(NamedTuple):
    """Maximum age of a profile by verdict, and provider calls a day. 0 calls switch
    refreshing off.
    """

    follow: timedelta
    watch: timedelta
    others: timedelta
    calls_per_day: int


class RecordSettings(NamedTuple):
    """Ages at which rows are deleted."""

    snapshots: timedelta  # score snapshots and their outcomes
    steps: timedelta  # steps of closed runs, and work of no run
    changes: timedelta  # history of configuration and wallets
    logins: timedelta  # login attempts and log of the admin


def refresh_settings(env: Env) -> RefreshSettings:
    """Return the settings of the environment. Raises ImproperlyConfigured."""
    return RefreshSettings(
        follow=_hours(env, "REFRESH_FOLLOW_HOURS", 6, 7 * 24),
        watch=_hours(env, "REFRESH_WATCH_HOURS", 24, 14 * 24),
        others=_hours(env, "REFRESH_OTHER_HOURS", 7 * 24, 90 * 24),
        calls_per_day=env.integer(
            "REFRESH_CALLS_PER_DAY", 3_000, minimum=0, maximum=10_000_000
        ),
    )


def record_settings(env: Env) -> RecordSettings:
    """Return the settings of the environment. Raises ImproperlyConfigured."""
    return RecordSettings(
        snapshots=_days(env, "RETENTION_SNAPSHOTS_DAYS", 400, 60),
        steps=_days(env, "RETENTION_STEPS_DAYS", 30, 2),
        changes=_days(env, "RETENTION_CHANGES_DAYS", 730, 30),
        logins=_days(env, "RETENTION_LOGINS_DAYS", 90, 1),
    )


def _hours(env: Env, name: str, default: int, maximum: int) -> timedelta:
    return timedelta(hours=env.integer(name, default, minimum=1, maximum=maximum))


def _days(env: Env, name: str, default: int, minimum: int) -> timedelta:
    return timedelta(days=env.integer(name, default, minimum=minimum, maximum=3650))

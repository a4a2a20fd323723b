"""Settings of the upkeep of the watchlist: how old a profile may become, what a day of
refreshing may cost, and how long records are kept.
"""

from datetime import timedelta
from typing import NamedTuple

from walltrack.env import Env

FREE_PLAN_CREDITS = 1_000_000


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
    follow_hours = env.integer("REFRESH_FOLLOW_HOURS", 6, minimum=1, maximum=168)
    watch_hours = env.integer("REFRESH_WATCH_HOURS", 24, minimum=1, maximum=336)
    other_hours = env.integer("REFRESH_OTHER_HOURS", 168, minimum=1, maximum=2160)
    return RefreshSettings(
        follow=timedelta(hours=follow_hours),
        watch=timedelta(hours=watch_hours),
        others=timedelta(hours=other_hours),
        calls_per_day=env.integer(
            "REFRESH_CALLS_PER_DAY", 3_000, minimum=0, maximum=10_000_000
        ),
    )


def monthly_credits(env: Env, *, is_limited: bool) -> int:
    """Return the credits of the Helius plan in a month, 0 = no limit.

    is_limited: there is a key of the live market; without a setting it counts as one of
    the free plan. Raises ImproperlyConfigured.
    """
    default = FREE_PLAN_CREDITS if is_limited else 0
    return env.integer("MONTHLY_CREDITS", default, minimum=0, maximum=1_000_000_000_000)


def record_settings(env: Env) -> RecordSettings:
    """Return the settings of the environment. Raises ImproperlyConfigured."""
    snapshots = env.integer("RETENTION_SNAPSHOTS_DAYS", 400, minimum=60, maximum=3650)
    steps = env.integer("RETENTION_STEPS_DAYS", 30, minimum=2, maximum=3650)
    changes = env.integer("RETENTION_CHANGES_DAYS", 730, minimum=30, maximum=3650)
    logins = env.integer("RETENTION_LOGINS_DAYS", 90, minimum=1, maximum=3650)
    return RecordSettings(
        snapshots=timedelta(days=snapshots),
        steps=timedelta(days=steps),
        changes=timedelta(days=changes),
        logins=timedelta(days=logins),
    )

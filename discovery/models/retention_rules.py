"""How long the rows of every table are kept, in words and as the rows that expire.

Every table of the database has a rule here; a test fails for one without.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.db.models import QuerySet

from discovery.domain.run_params import Params
from discovery.models import Transaction, expired_rows
from discovery.models.expired_rows import CONTROL_WALLETS_KEPT

Expired = Callable[[datetime], "QuerySet[Any]"]
"""Time → the rows that are deleted then."""

DELETE_BATCH: Final = 5000
SNAPSHOT_BATCH: Final = 500
"""A snapshot is deleted with its outcomes and their tokens."""
_HOURS_A_YEAR: Final = 365 * 24
_TRADES: Final = "RETENTION_TRADES_DAYS"
_CACHE: Final = "RETENTION_CACHE_HOURS"
_SNAPSHOTS: Final = "RETENTION_SNAPSHOTS_DAYS"
_STEPS: Final = "RETENTION_STEPS_DAYS"
_CHANGES: Final = "RETENTION_CHANGES_DAYS"
_LOGINS: Final = "RETENTION_LOGINS_DAYS"
_BY_PEOPLE: Final = "always: made by people"
_OF_VERSION: Final = "always: their number is fixed by the version of WallTrack"
_OF_WALLET: Final = "as long as its wallet is stored"
_EXAMPLE_WALLETS: Final = 100


class RetentionRule(NamedTuple):
    """The retention of one table.

    contents: what the rows are, "" = the name of the model. bound: how long they are
    kept, or what limits their number. setting: the environment variable that changes it.
    expired: the rows that are deleted; empty if none are, or if something else does it.
    uses_product_time: ages are those of the product, not of the database. is_append_only:
    deletion needs permission. has_audit: a deletion by the ORM would write a row of
    history.
    """

    table: str
    bound: str
    contents: str = ""
    setting: str = ""
    expired: tuple[Expired, ...] = ()
    uses_product_time: bool = False
    is_append_only: bool = False
    has_audit: bool = False
    batch: int = DELETE_BATCH


def retention_rules() -> list[RetentionRule]:
    """Return the rules of all tables, with the settings in force, in the order in which
    rows are deleted.
    """
    return [
        *_wallet_rules(),
        *_chain_rules(),
        *_run_rules(),
        *_record_rules(),
        *_people_rules(),
        *_fixed_rules(),
    ]


def days(age: timedelta) -> str:
    """Return an age of whole days in words."""
    return f"{age.days} days"


def _wallet_rules() -> list[RetentionRule]:
    replaced = f"{_OF_WALLET}; replaced by each profile"
    return [
        RetentionRule(
            "discovery_wallets",
            "always; control wallets until their outcomes are measured, at most "
            f"{days(CONTROL_WALLETS_KEPT)} after their last snapshot",
            expired=(expired_rows.expired_control_wallets,),
            uses_product_time=True,
            has_audit=True,
        ),
        RetentionRule(
            "discovery_token_results",
            replaced,
            setting="PROFILE_LOOKBACK_DAYS",
            expired=(expired_rows.token_results_without_wallet,),
        ),
        RetentionRule(
            "discovery_cycles",
            replaced,
            setting="PROFILE_LOOKBACK_DAYS",
            expired=(expired_rows.cycles_without_wallet,),
        ),
        RetentionRule(
            "discovery_wallet_histories",
            f"{_OF_WALLET}: one row a wallet",
            setting="PROFILE_LOOKBACK_DAYS",
            expired=(expired_rows.histories_without_wallet,),
        ),
    ]


def _chain_rules() -> list[RetentionRule]:
    of_wallets = (
        f"{_OF_WALLET}; of other early buyers {settings.RETENTION_TRADES_DAYS} days; "
        "the rest of a control wallet is deleted with it"
    )
    return [
        RetentionRule(
            "discovery_trades",
            of_wallets,
            setting=_TRADES,
            expired=(
                expired_rows.expired_trades,
                expired_rows.trades_of_former_controls,
            ),
            uses_product_time=True,
        ),
        RetentionRule(
            "discovery_balance_changes",
            of_wallets,
            setting=_TRADES,
            expired=(
                expired_rows.expired_balance_changes,
                expired_rows.balance_changes_of_former_controls,
            ),
            uses_product_time=True,
        ),
        RetentionRule(
            "discovery_positions",
            "always for wallets on the watchlist; of other early buyers "
            f"{days(settings.RECORDS.changes)} after the last analysis of the token",
            contents="positions of early buyers",
            setting=_CHANGES,
            expired=(expired_rows.expired_positions,),
        ),
        RetentionRule(
            "discovery_transactions",
            _cache_bound(),
            setting=_CACHE,
            expired=(Transaction.objects.expired,),
        ),
    ]


def _cache_bound() -> str:
    hours = settings.RETENTION_CACHE_HOURS
    return f"{hours} h" if hours else "nothing is kept: the cache is off"


def _run_rules() -> list[RetentionRule]:
    hours = settings.DISCOVERY_SCHEDULE_HOURS
    params = Params()
    return [
        RetentionRule(
            "discovery_run_steps",
            f"{days(settings.RECORDS.steps)} after its run ended; work of no run "
            f"{days(max(settings.RECORDS.steps, expired_rows.LONGEST_MONTH))} after its own end",
            contents="steps of runs, and work of no run",
            setting=_STEPS,
            expired=(expired_rows.expired_run_steps, expired_rows.expired_lone_steps),
        ),
        RetentionRule(
            "discovery_runs",
            f"always: a run every {hours} h makes {_a_year(1)} rows a year",
        ),
        RetentionRule(
            "discovery_run_tokens",
            f"always: at most {params.max_tokens} a run, {_a_year(params.max_tokens)} "
            f"a year at a run every {hours} h",
        ),
        RetentionRule(
            "discovery_run_wallets",
            "always: one row for each wallet that qualified in a token; "
            f"{_EXAMPLE_WALLETS} a run are {_a_year(_EXAMPLE_WALLETS)} a year "
            f"at a run every {hours} h",
        ),
        RetentionRule(
            "discovery_run_controls",
            f"always: at most {params.control_wallets} a run, "
            f"{_a_year(params.control_wallets)} a year at a run every {hours} h",
        ),
    ]


def _a_year(rows_per_run: int) -> str:
    runs = _HOURS_A_YEAR // settings.DISCOVERY_SCHEDULE_HOURS
    return f"{runs * rows_per_run:,}"


def _record_rules() -> list[RetentionRule]:
    snapshots = days(settings.RECORDS.snapshots)
    changes = days(settings.RECORDS.changes)
    return [
        RetentionRule(
            "discovery_score_snapshots",
            f"{snapshots}; the newest one of a stored wallet always",
            setting=_SNAPSHOTS,
            expired=(expired_rows.expired_snapshots,),
            uses_product_time=True,
            is_append_only=True,
            batch=SNAPSHOT_BATCH,
        ),
        RetentionRule(
            "discovery_outcomes",
            "as long as its snapshot: at most 4 a snapshot",
            setting=_SNAPSHOTS,
        ),
        RetentionRule(
            "discovery_outcome_tokens", "as long as its outcome", setting=_SNAPSHOTS
        ),
        RetentionRule(
            "discovery_config_history",
            f"{changes}; the last change always",
            contents="history of the configuration",
            setting=_CHANGES,
            expired=(expired_rows.expired_config_history,),
        ),
        RetentionRule(
            "discovery_wallets_history",
            f"{changes}; the last change of each wallet always",
            contents="history of changes of wallets",
            setting=_CHANGES,
            expired=(expired_rows.expired_wallet_history,),
        ),
    ]


def _people_rules() -> list[RetentionRule]:
    logins = days(settings.RECORDS.logins)
    return [
        RetentionRule(
            "django_session",
            "until it expires",
            expired=(expired_rows.expired_sessions,),
        ),
        RetentionRule(
            "axes_accessattempt",
            f"{logins}; until the next login with success",
            contents="wrong passwords",
            setting=_LOGINS,
            expired=(expired_rows.expired_login_attempts,),
        ),
        RetentionRule(
            "axes_accessattemptexpiration",
            "as long as its wrong password",
            contents="ends of lockouts",
            setting=_LOGINS,
        ),
        RetentionRule(
            "axes_accessfailurelog",
            logins,
            contents="log of wrong passwords",
            setting=_LOGINS,
            expired=(expired_rows.expired_login_failures,),
        ),
        RetentionRule(
            "axes_accesslog",
            logins,
            contents="logins",
            setting=_LOGINS,
            expired=(expired_rows.expired_logins,),
        ),
        RetentionRule(
            "django_admin_log",
            logins,
            contents="log of the admin",
            setting=_LOGINS,
            expired=(expired_rows.expired_admin_log,),
        ),
        RetentionRule("discovery_api_keys", _BY_PEOPLE),
        RetentionRule("auth_user", _BY_PEOPLE),
        RetentionRule("auth_user_groups", _BY_PEOPLE, contents="members of groups"),
        RetentionRule(
            "auth_user_user_permissions", _BY_PEOPLE, contents="permissions of users"
        ),
    ]


def _fixed_rules() -> list[RetentionRule]:
    fixed_or_people = "always: fixed by the version of WallTrack, or made by people"
    return [
        RetentionRule("discovery_config", "always: one row"),
        RetentionRule("discovery_pumps", "always: one row"),
        RetentionRule("discovery_providers", "always: one row a provider"),
        RetentionRule(
            "discovery_heartbeats",
            "1 h after a worker's last heartbeat; the sweeper deletes it",
        ),
        RetentionRule("auth_group", fixed_or_people),
        RetentionRule(
            "auth_group_permissions", fixed_or_people, contents="permissions of groups"
        ),
        RetentionRule("auth_permission", _OF_VERSION),
        RetentionRule("django_content_type", _OF_VERSION),
        RetentionRule("django_migrations", _OF_VERSION, contents="migrations"),
        RetentionRule("django_celery_beat_periodictask", fixed_or_people),
        RetentionRule(
            "django_celery_beat_periodictasks",
            "always: one row",
            contents="last change of periodic tasks",
        ),
        RetentionRule("django_celery_beat_intervalschedule", fixed_or_people),
        RetentionRule("django_celery_beat_crontabschedule", fixed_or_people),
        RetentionRule(
            "django_celery_beat_clockedschedule",
            fixed_or_people,
            contents="fixed times of periodic tasks",
        ),
        RetentionRule(
            "django_celery_beat_solarschedule",
            fixed_or_people,
            contents="solar times of periodic tasks",
        ),
    ]

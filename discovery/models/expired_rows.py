"""The rows that retention deletes, as named sets. `now` is the database's time, or the
time of the product where that is said.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from discovery.models.balance_changes import BalanceChange
from discovery.models.config import Config
from discovery.models.enums import ACTIVE_RUN_STATUSES, WalletOrigin, WalletStatus
from discovery.models.forward_record import Outcome, RunControl, ScoreSnapshot
from discovery.models.querysets import OutcomeQuerySet, WalletQuerySet
from discovery.models.runs import Run, RunStep
from discovery.models.token_results import TokenResult
from discovery.models.trades import Cycle, Position, Trade
from discovery.models.wallet_histories import WalletHistory
from discovery.models.wallets import Wallet

LONGEST_MONTH: Final = timedelta(days=31)
CONTROL_WALLETS_KEPT: Final = timedelta(days=45)
"""A control wallet is deleted this long after its last snapshot, even if an outcome was
not measured: the last one is due after 30 days.
"""
_SAME_WALLET: Final = OuterRef("wallet_address")


def expired_control_wallets(now: datetime) -> WalletQuerySet:
    """Control wallets whose outcomes are all measured, or whose last snapshot is older
    than CONTROL_WALLETS_KEPT. Those of an active run stay, and those that somebody has
    labelled, noted, tagged, pinned or blacklisted. now: the time of the product.
    """
    oldest = now - CONTROL_WALLETS_KEPT
    snapshots = ScoreSnapshot.objects.filter(wallet_address=OuterRef("address"))
    unmeasured = Outcome.objects.filter(
        snapshot__wallet_address=OuterRef("address"), measured_at__isnull=True
    )
    is_measured = Q(Exists(snapshots)) & ~Q(Exists(unmeasured))
    is_old = Q(first_discovered_at__lt=oldest) & ~Q(
        Exists(snapshots.filter(at__gte=oldest))
    )
    of_active_run = RunControl.objects.filter(
        wallet_address=OuterRef("address"), run__in=Run.objects.active()
    )
    return (
        Wallet.objects.filter(origin=WalletOrigin.CONTROL)
        .filter(label="", note="", tags=[], is_pinned=False)
        .exclude(status=WalletStatus.BLACKLISTED)
        .filter(is_measured | is_old)
        .exclude(Exists(of_active_run))
    )


def outcomes_of_deleted_wallets(now: datetime) -> OutcomeQuerySet:
    """Outcomes that are due and that nobody measures: their wallet is not stored any
    more. now: the time of the product.
    """
    wallets = Wallet.objects.filter(address=OuterRef("snapshot__wallet_address"))
    return Outcome.objects.due(now).exclude(Exists(wallets))


def expired_trades(now: datetime) -> "QuerySet[Trade]":
    """Trades past RETENTION_TRADES_DAYS of wallets that are not stored. now: the time of
    the product.
    """
    return Trade.objects.expired(now)


def expired_balance_changes(now: datetime) -> "QuerySet[BalanceChange]":
    """Balance changes, likewise. now: the time of the product."""
    return BalanceChange.objects.expired(now)


def trades_of_former_controls(_now: datetime) -> "QuerySet[Trade]":
    """Trades of control wallets that were deleted. Those in tokens that they bought early
    stay as long as those of other early buyers.
    """
    return Trade.objects.filter(wallet_address__in=_former_controls()).exclude(
        Exists(_same_position())
    )


def balance_changes_of_former_controls(_now: datetime) -> "QuerySet[BalanceChange]":
    """Balance changes, likewise."""
    return BalanceChange.objects.filter(wallet_address__in=_former_controls()).exclude(
        Exists(_same_position())
    )


def _former_controls() -> "QuerySet[RunControl, Any]":
    chosen = RunControl.objects.exclude(Exists(_same_wallet()))
    return chosen.values("wallet_address")


def _same_position() -> "QuerySet[Position]":
    return Position.objects.filter(wallet_address=_SAME_WALLET, mint=OuterRef("mint"))


def _same_wallet() -> WalletQuerySet:
    return Wallet.objects.filter(address=_SAME_WALLET)


def cycles_without_wallet(_now: datetime) -> "QuerySet[Cycle]":
    """Cycles of wallets that are not stored any more."""
    return Cycle.objects.exclude(Exists(_same_wallet()))


def token_results_without_wallet(_now: datetime) -> "QuerySet[TokenResult]":
    """Token results of wallets that are not stored any more."""
    return TokenResult.objects.exclude(Exists(_same_wallet()))


def histories_without_wallet(_now: datetime) -> "QuerySet[WalletHistory]":
    """Histories of wallets that are not stored any more."""
    return WalletHistory.objects.exclude(Exists(_same_wallet()))


def expired_positions(now: datetime) -> "QuerySet[Position]":
    """Positions of early buyers off the watchlist that were analysed last more than
    RETENTION_CHANGES_DAYS ago.
    """
    listed = Wallet.objects.listed().filter(address=_SAME_WALLET)
    old = Position.objects.filter(updated_at__lt=now - settings.RECORDS.changes)
    return old.exclude(Exists(listed))


def expired_run_steps(now: datetime) -> "QuerySet[RunStep]":
    """Steps of runs that ended more than RETENTION_STEPS_DAYS ago."""
    ended = Run.objects.exclude(status__in=ACTIVE_RUN_STATUSES).filter(
        completed_at__lt=now - settings.RECORDS.steps
    )
    return RunStep.objects.filter(run__in=ended)


def expired_lone_steps(now: datetime) -> "QuerySet[RunStep]":
    """Steps of no run that ended more than RETENTION_STEPS_DAYS ago, not those of this
    month: their usage counts against MONTHLY_CREDITS.
    """
    closed = RunStep.objects.lone().closed()
    age = max(settings.RECORDS.steps, LONGEST_MONTH)
    return closed.filter(completed_at__lt=now - age)


def expired_snapshots(now: datetime) -> "QuerySet[ScoreSnapshot]":
    """Score snapshots past RETENTION_SNAPSHOTS_DAYS, except the newest one of each stored
    wallet. now: the time of the product.
    """
    old = ScoreSnapshot.objects.filter(at__lt=now - settings.RECORDS.snapshots)
    is_newer = Q(at__gt=OuterRef("at")) | Q(at=OuterRef("at"), pk__gt=OuterRef("pk"))
    newer = ScoreSnapshot.objects.filter(is_newer, wallet_address=_SAME_WALLET)
    return old.filter(Q(Exists(newer)) | ~Q(Exists(_same_wallet())))


def expired_config_history(now: datetime) -> "QuerySet[Any]":
    """Changes of the configuration past RETENTION_CHANGES_DAYS, except the last one."""
    return _expired_history(Config.history.model, "id", now)


def expired_wallet_history(now: datetime) -> "QuerySet[Any]":
    """Changes of wallets past RETENTION_CHANGES_DAYS, except the last one of each."""
    return _expired_history(Wallet.history.model, "address", now)


def _expired_history(history: type[Model], key: str, now: datetime) -> "QuerySet[Any]":
    """Return the old rows of a table of simple_history that a newer row of the same
    object follows. key: the primary key of the object.
    """
    rows = history._default_manager.all()
    newer = rows.filter(history_id__gt=OuterRef("history_id"), **{key: OuterRef(key)})
    old = rows.filter(history_date__lt=now - settings.RECORDS.changes)
    return old.filter(Exists(newer))


def expired_sessions(now: datetime) -> "QuerySet[Session]":
    """Sessions that have expired; Django leaves them in place."""
    return Session.objects.filter(expire_date__lt=now)


def expired_login_attempts(now: datetime) -> "QuerySet[Any]":
    """Wrong passwords past RETENTION_LOGINS_DAYS."""
    return _attempted_before(AccessAttempt, now)


def expired_login_failures(now: datetime) -> "QuerySet[Any]":
    """The log of wrong passwords, likewise."""
    return _attempted_before(AccessFailureLog, now)


def expired_logins(now: datetime) -> "QuerySet[Any]":
    """Logins past RETENTION_LOGINS_DAYS."""
    return _attempted_before(AccessLog, now)


def _attempted_before(model: type[Model], now: datetime) -> "QuerySet[Any]":
    rows = model._default_manager.all()
    return rows.filter(attempt_time__lt=now - settings.RECORDS.logins)


def expired_admin_log(now: datetime) -> "QuerySet[LogEntry]":
    """Entries of the admin's log past RETENTION_LOGINS_DAYS."""
    return LogEntry.objects.filter(action_time__lt=now - settings.RECORDS.logins)

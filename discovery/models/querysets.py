"""QuerySets with named filters, so that every module means the same rows by the same
name.

The maximum ages of heartbeats are defined here too: pages, probes and jobs must agree
on them. Ages of leases and heartbeats are compared by the database's clock.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, When
from django.db.models.functions import Now

from discovery.models.database_time import before_now
from discovery.models.enums import (
    ACTIVE_RUN_STATUSES,
    CLOSED_STEP_STATUSES,
    OPEN_STEP_STATUSES,
    WORKER_HEARTBEAT_PREFIX,
    RunStatus,
    StepStatus,
    VerdictChoice,
    WalletOrigin,
    WalletStatus,
)

if TYPE_CHECKING:  # the models import this module
    from discovery.models.balance_changes import BalanceChange  # noqa: F401
    from discovery.models.forward_record import Outcome, ScoreSnapshot  # noqa: F401
    from discovery.models.operations import ApiKey, Heartbeat  # noqa: F401  named in the bases below
    from discovery.models.runs import Run, RunStep, RunWallet  # noqa: F401
    from discovery.models.trades import Trade, Transaction  # noqa: F401
    from discovery.models.wallets import Wallet  # noqa: F401

_Fact = TypeVar("_Fact", bound=models.Model)

WORKER_SILENT_AFTER: Final = timedelta(seconds=60)
"""A worker sends a heartbeat every 10 s. After this time without one it counts as dead.
"""
WORKER_FORGOTTEN_AFTER: Final = timedelta(hours=1)
"""Age at which the heartbeat of a dead worker is deleted."""


def step_silent_after() -> timedelta:
    """Return the time without a heartbeat after which a running step, or a run in the
    foreground, counts as dead.
    """
    return timedelta(seconds=settings.STEP_DEAD_SECONDS)


class RunQuerySet(models.QuerySet["Run"]):
    """Runs by status. Rows of the earlier system have no stage and are never active."""

    def active(self) -> "RunQuerySet":
        """Runs that are queued or running."""
        return self.unfinished().filter(stage__isnull=False)

    def unfinished(self) -> "RunQuerySet":
        """Active runs, and rows of the earlier system that were never closed."""
        return self.filter(status__in=ACTIVE_RUN_STATUSES)

    def continuing(self) -> "RunQuerySet":
        """Unfinished runs without a request to cancel them."""
        return self.unfinished().filter(cancel_requested_at__isnull=True)

    def for_workers(self) -> "RunQuerySet":
        """Active runs whose steps are done by workers, not by one process in the
        foreground.
        """
        return self.active().filter(in_foreground=False)

    def abandoned(self) -> "RunQuerySet":
        """Unfinished runs that no process continues: of the earlier system, or of a
        dead foreground process.

        A run of workers is never abandoned: its steps wait for the next worker.
        """
        is_silent = Q(heartbeat_at__isnull=True) | Q(
            heartbeat_at__lt=before_now(step_silent_after())
        )
        is_of_earlier_system = Q(stage__isnull=True)
        is_dead_foreground = Q(in_foreground=True) & is_silent
        return self.unfinished().filter(is_of_earlier_system | is_dead_foreground)

    def begun(self) -> "RunQuerySet":
        """Runs that have begun: neither queued runs nor skipped slots."""
        return self.exclude(status__in=(RunStatus.QUEUED, RunStatus.SKIPPED))

    def requested(self) -> "RunQuerySet":
        """All runs except skipped slots."""
        return self.exclude(status=RunStatus.SKIPPED)

    def finished(self) -> "RunQuerySet":
        """Runs that have ended with any status, except skipped slots, which never
        began.
        """
        return self.exclude(status__in=(*ACTIVE_RUN_STATUSES, RunStatus.SKIPPED))

    def completed(self) -> "RunQuerySet":
        """Runs that completed, with or without errors."""
        return self.filter(status=RunStatus.COMPLETED)


class RunStepQuerySet(models.QuerySet["RunStep"]):
    """Steps by status."""

    def pending(self) -> "RunStepQuerySet":
        """Steps that wait for a worker."""
        return self.filter(status=StepStatus.PENDING)

    def running(self) -> "RunStepQuerySet":
        """Steps that a worker has claimed."""
        return self.filter(status=StepStatus.RUNNING)

    def open(self) -> "RunStepQuerySet":
        """Steps that are pending or running."""
        return self.filter(status__in=OPEN_STEP_STATUSES)

    def closed(self) -> "RunStepQuerySet":
        """Steps that are done or have failed."""
        return self.filter(status__in=CLOSED_STEP_STATUSES)

    def due(self) -> "RunStepQuerySet":
        """Pending steps that may start now: their delay after a failure, if any, is
        over.
        """
        return self.pending().filter(
            Q(available_at__isnull=True) | Q(available_at__lte=Now())
        )

    def enqueued(self) -> "RunStepQuerySet":
        """Open steps that a worker has claimed or that are in the queue."""
        return self.filter(
            Q(status=StepStatus.RUNNING)
            | Q(status=StepStatus.PENDING, enqueued_at__isnull=False)
        )

    def claimed_by_worker(self, worker: str) -> "RunStepQuerySet":
        """Running steps that a process of this worker has claimed."""
        return self.running().filter(claimed_by__startswith=f"{worker}:")

    def dead(self) -> "RunStepQuerySet":
        """Running steps without a heartbeat for STEP_DEAD_SECONDS."""
        return self.running().filter(heartbeat_at__lt=before_now(step_silent_after()))

    def lone(self) -> "RunStepQuerySet":
        """Steps that belong to no run."""
        return self.filter(run__isnull=True)

    def open_lone(self, kind: str, key: "str | OuterRef" = "") -> "RunStepQuerySet":
        """The open lone step of this kind and key: one at most. In a subquery the key may
        be a column of the outer query.
        """
        return self.lone().open().filter(kind=kind, key=key)


class HeartbeatQuerySet(models.QuerySet["Heartbeat"]):
    """Heartbeats of workers."""

    def of_workers(self) -> "HeartbeatQuerySet":
        """Heartbeats of the workers that run or ran within the last hour."""
        return self.filter(name__startswith=WORKER_HEARTBEAT_PREFIX)

    def alive(self) -> "HeartbeatQuerySet":
        """Workers that sent a heartbeat within WORKER_SILENT_AFTER."""
        return self.of_workers().filter(at__gt=before_now(WORKER_SILENT_AFTER))

    def forgotten(self) -> "HeartbeatQuerySet":
        """Heartbeats of workers that are older than WORKER_FORGOTTEN_AFTER."""
        return self.of_workers().filter(at__lt=before_now(WORKER_FORGOTTEN_AFTER))


class RunWalletQuerySet(models.QuerySet["RunWallet"]):
    """Wallets that runs found through tokens."""

    def seeds(self, addresses: Iterable[str]) -> dict[str, set[str]]:
        """Return wallet → the mints through which the first run that found it did so, or
        chose it as a control wallet. Two queries.
        """
        from discovery.models.forward_record import RunControl

        wanted = list(addresses)
        found = self.filter(wallet_address__in=wanted).values_list(
            "run__started_at", "run_id", "wallet_address", "source_token"
        )
        chosen = RunControl.objects.filter(wallet_address__in=wanted).values_list(
            "run__started_at", "run_id", "wallet_address", "mint"
        )
        first_runs: dict[str, UUID] = {}
        seeds: dict[str, set[str]] = {}
        for _, run_id, address, mint in sorted([*found, *chosen], key=_run_order):
            if first_runs.setdefault(address, run_id) == run_id:
                seeds.setdefault(address, set()).add(mint)
        return seeds


def _run_order(row: tuple[datetime | None, UUID, str, str]) -> tuple[bool, Any, UUID]:
    """Order rows of runs by their start; rows of the earlier system may have none."""
    started_at, run_id, _, _ = row
    return started_at is None, started_at, run_id


class WalletQuerySet(models.QuerySet["Wallet"]):
    """Wallets of the watchlist, and control wallets."""

    def listed(self) -> "WalletQuerySet":
        """The watchlist: all wallets except control wallets."""
        return self.exclude(origin=WalletOrigin.CONTROL)

    def profiled(self) -> "WalletQuerySet":
        """Wallets that have a profile."""
        return self.filter(profiled_at__isnull=False)

    def unprofiled(self) -> "WalletQuerySet":
        """Wallets without a profile."""
        return self.filter(profiled_at__isnull=True)

    def judgements(self, addresses: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return address → verdict with its reason, score and edge. One query."""
        rows = self.filter(address__in=list(addresses)).values(
            "address",
            "verdict",
            "verdict_reason",
            "score",
            "edge_pct",
            "edge_low_pct",
            "edge_high_pct",
        )
        return {row["address"]: dict(row) for row in rows}

    def due_for_refresh(
        self, now: datetime, retry_after: timedelta
    ) -> "WalletQuerySet":
        """Wallets on the watchlist whose profile is older than their rule, and that were
        not tried within `retry_after`. now: the time of the product.
        """
        return (
            self.listed()
            .not_blacklisted()
            .filter(_older_than_rule(now, 1))
            .filter(
                Q(refreshed_at__isnull=True)
                | Q(profile_error="")
                | Q(refreshed_at__lte=now - retry_after)
            )
        )

    def stale(self, now: datetime) -> "WalletQuerySet":
        """Wallets on the watchlist whose profile is older than twice their rule."""
        return (
            self.listed().not_blacklisted().profiled().filter(_older_than_rule(now, 2))
        )

    def most_valuable_first(self) -> "WalletQuerySet":
        """Order wallets by what their profile is worth, then the oldest profile first."""
        value = Case(
            When(verdict=VerdictChoice.FOLLOW, then=0),
            When(is_pinned=True, then=1),
            When(verdict=VerdictChoice.WATCH, then=2),
            default=3,
            output_field=models.IntegerField(),
        )
        return self.order_by(value, F("profiled_at").asc(nulls_first=True), "address")

    def not_blacklisted(self) -> "WalletQuerySet":
        """Wallets that are not blacklisted."""
        return self.exclude(status=WalletStatus.BLACKLISTED)


def _older_than_rule(now: datetime, factor: int) -> Q:
    """Return the condition that a profile is missing or older than its rule times
    `factor`.
    """
    rules = settings.REFRESH
    is_follow = Q(verdict=VerdictChoice.FOLLOW) | Q(is_pinned=True)
    is_watch = Q(verdict=VerdictChoice.WATCH)
    return (
        Q(profiled_at__isnull=True)
        | (is_follow & Q(profiled_at__lte=now - factor * rules.follow))
        | (is_watch & Q(profiled_at__lte=now - factor * rules.watch))
        | Q(profiled_at__lte=now - factor * rules.others)
    )


class _ChainFacts(models.QuerySet[_Fact]):
    """Facts of the chain about wallets, by age."""

    def expired(self, now: datetime) -> Self:
        """Rows that retention deletes: older than RETENTION_TRADES_DAYS, of wallets
        that are not stored: neither on the watchlist nor control wallets.
        """
        from discovery.models.wallets import Wallet

        old = self.filter(
            block_time__lt=now - timedelta(days=settings.RETENTION_TRADES_DAYS)
        )
        wallets = Wallet.objects.filter(address=OuterRef("wallet_address"))
        return old.exclude(Exists(wallets))


class TradeQuerySet(_ChainFacts["Trade"]):
    """Trades."""


class BalanceChangeQuerySet(_ChainFacts["BalanceChange"]):
    """Balance changes without a trade."""


class TransactionQuerySet(models.QuerySet["Transaction"]):
    """Cached transactions by age."""

    def fresh(self, now: datetime) -> "TransactionQuerySet":
        """Transactions that the cache still serves."""
        return self.filter(
            fetched_at__gt=now - timedelta(hours=settings.RETENTION_CACHE_HOURS)
        )

    def expired(self, now: datetime) -> "TransactionQuerySet":
        """Transactions that retention deletes."""
        return self.filter(
            fetched_at__lt=now - timedelta(hours=settings.RETENTION_CACHE_HOURS)
        )


class ScoreSnapshotQuerySet(models.QuerySet["ScoreSnapshot"]):
    """Score snapshots."""

    def latest_of(self, addresses: Iterable[str]) -> dict[str, "ScoreSnapshot"]:
        """Return wallet → its newest snapshot, without its evidence. One query."""
        rows = (
            self.filter(wallet_address__in=list(addresses))
            .defer("evidence")
            .order_by("wallet_address", "-at", "-id")
            .distinct("wallet_address")
        )
        return {row.wallet_address: row for row in rows}


class OutcomeQuerySet(models.QuerySet["Outcome"]):
    """Outcomes of snapshots."""

    def due(self, now: datetime) -> "OutcomeQuerySet":
        """Outcomes that can be measured and were not."""
        return self.filter(measured_at__isnull=True, due_at__lte=now)

    def measured(self) -> "OutcomeQuerySet":
        """Outcomes that were measured."""
        return self.filter(measured_at__isnull=False)


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """API keys."""

    def not_revoked(self) -> "ApiKeyQuerySet":
        """Keys that are not revoked. They may have expired."""
        return self.filter(revoked_at__isnull=True)

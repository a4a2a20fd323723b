"""Last heartbeats, provider states and runs, for the health probes. The `health` app
evaluates them.
"""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from django.db.models import F, Max
from django.db.models.functions import Greatest

from discovery.models import Heartbeat, Provider, Run
from discovery.models.querysets import (
    WORKER_SILENT_AFTER,
    HeartbeatQuerySet,
    step_silent_after,
)
from discovery.reads.row_values import error_messages

TICK_SECONDS: Final = 30
"""Interval at which beat sends a tick."""
BEAT_DEAD_SECONDS: Final = 3 * TICK_SECONDS
"""Maximum age of beat's heartbeat: three missed ticks."""
WORKER_DEAD_SECONDS: Final = int(WORKER_SILENT_AFTER.total_seconds())
"""Maximum age of a worker's heartbeat."""
CANARY_DEAD_SECONDS: Final = 180
"""Maximum age of the canary, which passes through the queue every 60 s."""
MAX_HEARTBEATS: Final = 500
_LAST_RUN_COLUMNS: Final = (
    "status",
    "trigger_type",
    "started_at",
    "completed_at",
    "duration_seconds",
    "tokens_analyzed",
    "new_wallets",
    "updated_wallets",
    "errors",
)


class HeartbeatRow(msgspec.Struct, frozen=True):
    """The last heartbeat of one part: `beat`, `tick`, `canary` or
    `worker:<host>:<pid>`. `at` is UTC.
    """

    name: str
    at: datetime
    detail: dict[str, Any]


class ProviderState(msgspec.Struct, frozen=True):
    """The last success and failure of requests to a provider. Times are UTC;
    `open_until`: end of its open circuit.
    """

    name: str
    last_success_at: datetime | None
    last_failure_at: datetime | None
    cause: str
    open_until: datetime | None

    def is_circuit_open(self, now: datetime) -> bool:
        """Return True while its circuit breaker is open: no requests are sent to it."""
        if self.open_until is None:
            return False
        return self.open_until > now

    def is_failing(self) -> bool:
        """Return True if its last request failed."""
        if self.last_failure_at is None:
            return False
        if self.last_success_at is None:
            return True
        return self.last_failure_at > self.last_success_at


class LastRun(msgspec.Struct, frozen=True):
    """The run that began last, finished or not. `errors`: the messages stored with it."""

    id: str
    status: str
    trigger_type: str
    started_at: datetime
    completed_at: datetime | None
    duration_seconds: float | None
    tokens_analyzed: int
    new_wallets: int
    updated_wallets: int
    errors: list[str]


class ActiveRunState(msgspec.Struct, frozen=True):
    """The run that is queued or running. `last_activity_at`: last heartbeat of the run
    or of one of its steps (UTC, by the database's clock).
    """

    id: str
    status: str
    stage: str | None
    last_activity_at: datetime


def heartbeats() -> dict[str, HeartbeatRow]:
    """Return the newest `MAX_HEARTBEATS` heartbeats by name. One query."""
    newest = _fetch_heartbeats(Heartbeat.objects.order_by("-at", "name"))
    return {row.name: row for row in newest}


def heartbeats_of(prefix: str) -> list[HeartbeatRow]:
    """Return the heartbeats whose name begins with `prefix`, newest first,
    `MAX_HEARTBEATS` at most. One query.
    """
    return _fetch_heartbeats(
        Heartbeat.objects.filter(name__startswith=prefix).order_by("-at")
    )


def _fetch_heartbeats(ordered: HeartbeatQuerySet) -> list[HeartbeatRow]:
    rows = ordered.values_list("name", "at", "detail")[:MAX_HEARTBEATS]
    return [
        HeartbeatRow(name, at.astimezone(UTC), detail or {})
        for name, at, detail in rows
    ]


def provider_states() -> list[ProviderState]:
    """Return every provider that has had a request, by name. One query."""
    rows = Provider.objects.order_by("name").values_list(
        "name",
        "last_success_at",
        "last_failure_at",
        "last_cause",
        "open_until",
    )
    return [ProviderState(*row) for row in rows]


def last_run() -> LastRun | None:
    """Return the run that began last; queued runs and skipped slots have not begun. One
    query.
    """
    newest_first = Run.objects.begun().order_by("-started_at", "-pk")
    run = newest_first.only(*_LAST_RUN_COLUMNS).first()
    if run is None:
        return None
    duration = run.duration_seconds
    return LastRun(
        id=str(run.pk),
        status=run.status,
        trigger_type=run.trigger_type,
        started_at=run.started_at,
        completed_at=run.completed_at,
        duration_seconds=None if duration is None else float(duration),
        tokens_analyzed=run.tokens_analyzed or 0,
        new_wallets=run.new_wallets or 0,
        updated_wallets=run.updated_wallets or 0,
        errors=error_messages(run.errors),
    )


def active_run() -> ActiveRunState | None:
    """Return the queued or running run, or None. One query.

    A step that waits for its next attempt counts as active until that attempt is due.
    """
    # PostgreSQL's GREATEST ignores nulls.
    last_activity = Greatest(
        F("created_at"),
        F("heartbeat_at"),
        Max("steps__heartbeat_at"),
        Max("steps__completed_at"),
        Max("steps__available_at"),
    )
    runs = Run.objects.active().annotate(last_activity_at=last_activity)
    row = runs.values("pk", "status", "stage", "last_activity_at").first()
    if row is None:
        return None
    return ActiveRunState(
        id=str(row["pk"]),
        status=row["status"],
        stage=row["stage"],
        last_activity_at=row["last_activity_at"].astimezone(UTC),
    )


def run_dead_seconds() -> int:
    """Return the seconds without a heartbeat after which a run counts as stalled."""
    return int(step_silent_after().total_seconds())

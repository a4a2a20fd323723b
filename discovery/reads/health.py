"""Last heartbeats, provider results and runs, for the probes. Facts only; `health` evaluates them."""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from django.db.models import F, Max
from django.db.models.functions import Greatest

from discovery.models import Heartbeat, Provider, Run
from discovery.models.querysets import WORKER_SILENT_AFTER, step_silent_after
from discovery.reads.paging import error_words

TICK_SECONDS: Final = 30
"""Interval at which beat sends a tick."""
BEAT_DEAD_SECONDS: Final = 3 * TICK_SECONDS
"""Maximum age of beat's heartbeat: three missed ticks."""
WORKER_DEAD_SECONDS: Final = int(WORKER_SILENT_AFTER.total_seconds())
"""Maximum age of a worker's heartbeat."""
CANARY_DEAD_SECONDS: Final = 180
"""Maximum age of the canary, which passes through the queue every 60 s."""
MAX_HEARTBEATS: Final = 500


class HeartbeatRow(msgspec.Struct, frozen=True):
    """The last heartbeat of one part: `beat`, `tick`, `canary` or `worker:<host>:<pid>`. `at` is UTC."""

    name: str
    at: datetime
    detail: dict[str, Any]


class ProviderSeen(msgspec.Struct, frozen=True):
    """The last results that workers had from a provider. Times are UTC; `open_until`: end of its open circuit."""

    name: str
    last_success_at: datetime | None
    last_failure_at: datetime | None
    cause: str
    open_until: datetime | None

    def is_circuit_open(self, now: datetime) -> bool:
        """Return True while its circuit breaker is open: it gets no requests."""
        return self.open_until is not None and self.open_until > now

    def is_failing(self) -> bool:
        """Return True if its last result was a failure."""
        if self.last_failure_at is None:
            return False
        return self.last_success_at is None or self.last_failure_at > self.last_success_at


class LastRun(msgspec.Struct, frozen=True):
    """The run that began last, finished or not; `errors` in the words kept with it."""

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
    """The run that is queued or running; `last_sign_at`: when it, or a step of it, was last heard of (UTC)."""

    id: str
    status: str
    stage: str | None
    last_sign_at: datetime


def heartbeats() -> dict[str, HeartbeatRow]:
    """The newest `MAX_HEARTBEATS` signs of life by name. One query."""
    rows = Heartbeat.objects.order_by("-at", "name").values_list("name", "at", "detail")[:MAX_HEARTBEATS]
    return {name: HeartbeatRow(name, at.astimezone(UTC), detail or {}) for name, at, detail in rows}


def heartbeats_of(prefix: str) -> list[HeartbeatRow]:
    """The signs of life whose name begins with `prefix`, newest first. One query."""
    rows = Heartbeat.objects.filter(name__startswith=prefix).order_by("-at").values_list("name", "at", "detail")
    return [HeartbeatRow(name, at.astimezone(UTC), detail or {}) for name, at, detail in rows[:MAX_HEARTBEATS]]


def providers_seen() -> list[ProviderSeen]:
    """Every provider that was ever asked, by name. One query."""
    rows = Provider.objects.order_by("name").values_list(
        "name", "last_success_at", "last_failure_at", "last_cause", "open_until"
    )
    return [ProviderSeen(*row) for row in rows]


def last_run() -> LastRun | None:
    """The run that began last; queued runs and skipped slots have not begun. One query."""
    fields = (
        "status", "trigger_type", "started_at", "completed_at", "duration_seconds",
        "tokens_analyzed", "new_wallets", "updated_wallets", "errors",
    )  # fmt: skip
    row = Run.objects.begun().order_by("-started_at", "-pk").values("pk", *fields).first()
    if row is None:
        return None
    return LastRun(
        id=str(row["pk"]),
        status=row["status"],
        trigger_type=row["trigger_type"],
        started_at=row["started_at"],
        completed_at=row["completed_at"],
        duration_seconds=None if row["duration_seconds"] is None else float(row["duration_seconds"]),
        tokens_analyzed=row["tokens_analyzed"] or 0,
        new_wallets=row["new_wallets"] or 0,
        updated_wallets=row["updated_wallets"] or 0,
        errors=error_words(row["errors"]),
    )


def active_run() -> ActiveRunState | None:
    """The queued or running run. One query. A step that waits for its next attempt counts as heard of until then."""
    row = (
        Run.objects.active()
        .annotate(
            # PostgreSQL's GREATEST leaves nulls out.
            last_sign_at=Greatest(
                F("started_at"),
                F("heartbeat_at"),
                Max("steps__heartbeat_at"),
                Max("steps__completed_at"),
                Max("steps__available_at"),
            )
        )
        .values_list("pk", "status", "stage", "last_sign_at")
        .first()
    )
    return ActiveRunState(str(row[0]), row[1], row[2], row[3].astimezone(UTC)) if row else None


def run_dead_seconds() -> int:
    """A run that was not heard of for so long stands still, in seconds."""
    return int(step_silent_after().total_seconds())

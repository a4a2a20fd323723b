"""States, names and the sets of them that matter, each defined once."""

from enum import StrEnum
from typing import Final

from django.db.models import TextChoices


class RunStatus(TextChoices):
    """queued → running → completed | failed | cancelled; `skipped` is a slot that met an active run."""

    QUEUED = "queued", "queued"
    RUNNING = "running", "running"
    COMPLETED = "completed", "completed"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"
    SKIPPED = "skipped", "skipped"


ACTIVE_RUN_STATUSES: Final = (RunStatus.QUEUED, RunStatus.RUNNING)


class RunStage(TextChoices):
    """Where an active run stands. Rows of the earlier system have none."""

    QUEUED = "queued", "queued"
    FIND_TOKENS = "find_tokens", "finding tokens"
    ANALYSE = "analyse", "analysing tokens"
    PROFILE = "profile", "profiling wallets"
    FINISH = "finish", "finishing"
    DONE = "done", "done"


class Trigger(TextChoices):
    """Who asked for a run."""

    MANUAL = "manual", "manual"
    API = "api", "api"
    SCHEDULED = "scheduled", "scheduled"


class StepKind(TextChoices):
    """One unit of work of a run, in the order of the stages."""

    FIND = "find", "find tokens"
    TOKEN = "token", "token"
    WALLET = "wallet", "wallet"
    FINISH = "finish", "finish"


STAGE_OF_KIND: Final = {
    StepKind.FIND: RunStage.FIND_TOKENS,
    StepKind.TOKEN: RunStage.ANALYSE,
    StepKind.WALLET: RunStage.PROFILE,
    StepKind.FINISH: RunStage.FINISH,
}
"""The stage in which steps of a kind are worked on."""
KIND_OF_STAGE: Final = {stage: kind for kind, stage in STAGE_OF_KIND.items()}


class StepStatus(TextChoices):
    """pending → running → done | failed; a running step may return to pending while attempts are left."""

    PENDING = "pending", "pending"
    RUNNING = "running", "running"
    DONE = "done", "done"
    FAILED = "failed", "failed"


OPEN_STEP_STATUSES: Final = (StepStatus.PENDING, StepStatus.RUNNING)
CLOSED_STEP_STATUSES: Final = (StepStatus.DONE, StepStatus.FAILED)


class WalletStatus(TextChoices):
    """Where a wallet of the watchlist stands."""

    ACTIVE = "active", "active"
    INSUFFICIENT_DATA = "insufficient_data", "insufficient data"
    DECAY_DETECTED = "decay_detected", "decay detected"
    BLACKLISTED = "blacklisted", "blacklisted"


class CycleResult(TextChoices):
    """What came of one holding of a token; an open one counts for nothing yet."""

    WIN = "win", "win"
    LOSS = "loss", "loss"
    EVEN = "even", "break-even"
    OPEN = "open", "open"


class ApiScope(TextChoices):
    """What an API key may do; each includes the one before it."""

    READ = "read", "read"
    RUN = "run", "run: start, cancel and retry runs as well"
    ADMIN = "admin", "admin: change configuration and wallets as well"


class HeartbeatName(StrEnum):
    """Parts of the system that write one heartbeat each. Workers write `worker:<host>:<pid>`."""

    BEAT = "beat"
    TICK = "tick"
    CANARY = "canary"


WORKER_HEARTBEAT_PREFIX: Final = "worker:"


class Queue(StrEnum):
    """Celery queues: steps that move a run on, steps in bulk, periodic and on-demand work."""

    RUNS = "runs"
    STEPS = "steps"
    PERIODIC = "periodic"


class TaskName(StrEnum):
    """Names of Celery tasks, as messages carry them."""

    STEP = "discovery.step"
    PROFILE_WALLET = "discovery.profile_wallet"
    REFRESH_PUMPS = "discovery.refresh_pumps"
    TICK = "discovery.tick"
    SWEEP = "discovery.sweep"
    CANARY = "discovery.canary"
    CHECK_DECAY = "discovery.check_decay"
    RETENTION = "discovery.retention"

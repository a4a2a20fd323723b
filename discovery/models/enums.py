"""Statuses, kinds and names, with the sets of them that several modules use."""

from enum import StrEnum
from typing import Final

from django.db.models import TextChoices

from discovery.domain.judgements import (
    EXCLUSION_LABELS,
    UNKNOWN_LABELS,
    Exclusion,
    Unknown,
    Verdict,
)
from discovery.domain.wallet_lists import EntryResult


class RunStatus(TextChoices):
    """queued → running → completed | failed | cancelled; `skipped`: another run was
    active at the time of the slot.
    """

    QUEUED = "queued", "queued"
    RUNNING = "running", "running"
    COMPLETED = "completed", "completed"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"
    SKIPPED = "skipped", "skipped"


ACTIVE_RUN_STATUSES: Final = (RunStatus.QUEUED, RunStatus.RUNNING)


class RunStage(TextChoices):
    """Stage of an active run. Rows of the earlier system have none."""

    QUEUED = "queued", "queued"
    FIND_TOKENS = "find_tokens", "finding tokens"
    ANALYSE = "analyse", "analysing tokens"
    PROFILE = "profile", "profiling wallets"
    FINISH = "finish", "finishing"
    DONE = "done", "done"


class Trigger(TextChoices):
    """Origin of the request for a run."""

    MANUAL = "manual", "manual"
    API = "api", "api"
    SCHEDULED = "scheduled", "scheduled"


class Queue(StrEnum):
    """Celery queues: the find and finish steps, the steps of tokens and wallets, and
    periodic and on-demand tasks.
    """

    RUNS = "runs"
    STEPS = "steps"
    PERIODIC = "periodic"


class StepKind(TextChoices):
    """Kinds of steps. The first four are units of work of a run, in the order of the
    stages; the others belong to no run.
    """

    FIND = "find", "find tokens"
    TOKEN = "token", "token"
    WALLET = "wallet", "wallet"
    FINISH = "finish", "finish"
    PROFILE = "profile", "profile on demand"
    PUMPS = "pumps", "tokens that pump now"
    REFRESH = "refresh", "refresh of wallets"
    OUTCOMES = "outcomes", "outcomes"
    CHECK = "check", "check of the providers"


LONE_STEP_KINDS: Final = (
    StepKind.CHECK,
    StepKind.PROFILE,
    StepKind.PUMPS,
    StepKind.REFRESH,
    StepKind.OUTCOMES,
)
"""Kinds of steps that belong to no run, the most urgent first."""


STAGE_OF_KIND: Final = {
    StepKind.FIND: RunStage.FIND_TOKENS,
    StepKind.TOKEN: RunStage.ANALYSE,
    StepKind.WALLET: RunStage.PROFILE,
    StepKind.FINISH: RunStage.FINISH,
}
"""The stage in which the steps of a kind run."""
QUEUE_OF_KIND: Final = {
    StepKind.FIND: Queue.RUNS,
    StepKind.TOKEN: Queue.STEPS,
    StepKind.WALLET: Queue.STEPS,
    StepKind.FINISH: Queue.RUNS,
    StepKind.PROFILE: Queue.STEPS,
    StepKind.PUMPS: Queue.STEPS,
    StepKind.REFRESH: Queue.STEPS,
    StepKind.OUTCOMES: Queue.STEPS,
    StepKind.CHECK: Queue.STEPS,
}
"""The queue through which workers get the steps of a kind."""
KIND_OF_STAGE: Final = {stage: kind for kind, stage in STAGE_OF_KIND.items()}


class StepStatus(TextChoices):
    """pending → running → done | failed. A running step returns to pending if it fails
    and attempts remain.
    """

    PENDING = "pending", "pending"
    RUNNING = "running", "running"
    DONE = "done", "done"
    FAILED = "failed", "failed"


OPEN_STEP_STATUSES: Final = (StepStatus.PENDING, StepStatus.RUNNING)
CLOSED_STEP_STATUSES: Final = (StepStatus.DONE, StepStatus.FAILED)


class WalletStatus(TextChoices):
    """Status of a wallet on the watchlist."""

    ACTIVE = "active", "active"
    INSUFFICIENT_DATA = "insufficient_data", "insufficient data"
    DECAY_DETECTED = "decay_detected", "decay detected"
    BLACKLISTED = "blacklisted", "blacklisted"


class WalletOrigin(TextChoices):
    """How a wallet came to the table. Control wallets are on no list."""

    DISCOVERY = "discovery", "found by a run"
    MANUAL = "manual", "added by hand"
    IMPORT = "import", "imported"
    CONTROL = "control", "control wallet"


LISTED_ORIGINS: Final = tuple(
    (value, label)
    for value, label in WalletOrigin.choices
    if value != WalletOrigin.CONTROL
)
"""Origins of the wallets on the watchlist, with their labels."""


class EntryResultChoice(TextChoices):
    """What became of an entry of a list of wallets."""

    ADDED = EntryResult.ADDED.value, "added"
    KNOWN = EntryResult.KNOWN.value, "known"
    INVALID = EntryResult.INVALID.value, "invalid"
    NOT_A_WALLET = EntryResult.NOT_A_WALLET.value, "not a wallet"
    DUPLICATE = EntryResult.DUPLICATE.value, "duplicate"


class SnapshotArm(TextChoices):
    """Arms of the forward record."""

    FOUND = "found", "found"
    CONTROL = "control", "control"
    MANUAL = "manual", "added by hand"


ARM_OF_ORIGIN: Final = {
    WalletOrigin.DISCOVERY: SnapshotArm.FOUND,
    WalletOrigin.MANUAL: SnapshotArm.MANUAL,
    WalletOrigin.IMPORT: SnapshotArm.MANUAL,
    WalletOrigin.CONTROL: SnapshotArm.CONTROL,
}
"""The arm that a wallet is judged in, by how it came to the table."""


class SnapshotCause(TextChoices):
    """Why a score snapshot was written."""

    FIRST = "first", "first judgement"
    VERDICT = "verdict", "another verdict"
    SCORE = "score", "another score"
    ARM = "arm", "another arm"
    WEEKLY = "weekly", "a week has passed"


class CycleResult(TextChoices):
    """Result of a cycle. Statistics do not count open cycles and unknown results."""

    WIN = "win", "win"
    LOSS = "loss", "loss"
    EVEN = "even", "break-even"
    OPEN = "open", "open"
    UNKNOWN = "unknown", "unknown"


class Knowledge(TextChoices):
    """Whether a result is known (docs/profit.md)."""

    KNOWN = "known", "known"
    PARTLY = "partly", "partly known"
    UNKNOWN = "unknown", "unknown"


class VerdictChoice(TextChoices):
    """Verdict of a wallet (docs/scores.md), in the order of a list."""

    FOLLOW = Verdict.FOLLOW.value, "follow"
    WATCH = Verdict.WATCH.value, "watch"
    NEUTRAL = Verdict.NEUTRAL.value, "neutral"
    AVOID = Verdict.AVOID.value, "avoid"
    NOT_KNOWN = Verdict.NOT_KNOWN.value, "not known"
    EXCLUDED = Verdict.EXCLUDED.value, "excluded"


class TokenUnknown(TextChoices):
    """Reasons for which the result of a token is not known."""

    NO_PRICE = Unknown.NO_PRICE.value, UNKNOWN_LABELS[Unknown.NO_PRICE]
    NOT_SEEN = Unknown.NOT_SEEN.value, UNKNOWN_LABELS[Unknown.NOT_SEEN]
    UNPRICED_EXIT = Unknown.UNPRICED_EXIT.value, UNKNOWN_LABELS[Unknown.UNPRICED_EXIT]
    UNPRICED_BAG = Unknown.UNPRICED_BAG.value, UNKNOWN_LABELS[Unknown.UNPRICED_BAG]


class TokenExclusion(TextChoices):
    """Reasons for which a token is no evidence."""

    SEED = Exclusion.SEED.value, EXCLUSION_LABELS[Exclusion.SEED]
    YOUNG = Exclusion.YOUNG.value, EXCLUSION_LABELS[Exclusion.YOUNG]
    DUST = Exclusion.DUST.value, EXCLUSION_LABELS[Exclusion.DUST]
    CUT = Exclusion.CUT.value, EXCLUSION_LABELS[Exclusion.CUT]


class ValueSource(TextChoices):
    """Sources of the value of held units."""

    CHAIN = "chain", "reserves on the chain"
    DEXSCREENER = "dexscreener", "DexScreener"


class ApiScope(TextChoices):
    """Permissions of an API key. Each scope includes the one before it."""

    READ = "read", "read"
    RUN = "run", "run: read, and start, cancel and retry runs"
    ADMIN = "admin", "admin: run, and change configuration and wallets"


class HeartbeatName(StrEnum):
    """Names of heartbeats. A worker's heartbeat is named `worker:<host>:<pid>`."""

    BEAT = "beat"
    TICK = "tick"
    CANARY = "canary"


WORKER_HEARTBEAT_PREFIX: Final = "worker:"


class TaskName(StrEnum):
    """Names of the Celery tasks."""

    STEP = "discovery.step"
    TICK = "discovery.tick"
    SWEEP = "discovery.sweep"
    CANARY = "discovery.canary"
    UPKEEP = "discovery.upkeep"
    CHECK_DECAY = "discovery.check_decay"
    RETENTION = "discovery.retention"

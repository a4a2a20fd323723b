"""Runs, their steps, their tokens and the wallets that they found."""

import uuid

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from discovery.models.enums import (
    ACTIVE_RUN_STATUSES,
    OPEN_STEP_STATUSES,
    RunStage,
    RunStatus,
    StepKind,
    StepStatus,
    Trigger,
)
from discovery.models.fields import AddressField, json_default
from discovery.models.param_columns import RunParamColumns
from discovery.models.querysets import RunQuerySet, RunStepQuerySet, RunWalletQuerySet


class Run(RunParamColumns):
    """One discovery run: its request, progress and results.

    queued → running → completed | failed | cancelled, or skipped. Rows of the earlier
    system have no stage and may have nulls in further columns; they are only read, and
    never count as active.
    """

    id = models.UUIDField(
        primary_key=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False
    )
    started_at = models.DateTimeField(
        help_text="Time of the request while queued, then the time at which the run began."
    )
    completed_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(
        max_length=20,
        choices=RunStatus.choices,
        default=RunStatus.RUNNING,
        db_default=RunStatus.RUNNING,
    )
    trigger_type = models.CharField(max_length=20, choices=Trigger.choices)
    triggered_by = models.CharField(max_length=100, null=True, blank=True)  # noqa: DJ001  the earlier schema has nulls
    tokens_analyzed = models.IntegerField(
        null=True, blank=True, default=0, db_default=0
    )
    new_wallets = models.IntegerField(null=True, blank=True, default=0, db_default=0)
    updated_wallets = models.IntegerField(
        null=True, blank=True, default=0, db_default=0
    )
    profiled_wallets = models.IntegerField(
        null=True, blank=True, default=0, db_default=0
    )
    duration_seconds = models.DecimalField(
        max_digits=10, decimal_places=2, null=True, blank=True
    )
    errors = models.JSONField(
        null=True, blank=True, default=list, db_default=json_default([])
    )
    created_at = models.DateTimeField(null=True, blank=True, db_default=Now())

    scheduled_for = models.DateTimeField(
        null=True,
        blank=True,
        unique=True,
        help_text="Slot of the schedule; each slot has one run at most.",
    )
    idempotency_key = models.CharField(
        max_length=255, null=True, blank=True, unique=True
    )
    idempotency_hash = models.CharField(
        max_length=64, blank=True, default="", db_default=""
    )
    stage = models.CharField(  # noqa: DJ001  runs of the earlier system have none
        max_length=20, choices=RunStage.choices, null=True, blank=True
    )
    steps_total = models.IntegerField(default=0, db_default=0)
    steps_done = models.IntegerField(default=0, db_default=0)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    attempt = models.IntegerField(default=1, db_default=1)
    given_mints = models.JSONField(
        default=list, db_default=json_default([]), blank=True
    )
    funnel = models.JSONField(default=dict, db_default=json_default({}), blank=True)
    usage = models.JSONField(default=dict, db_default=json_default({}), blank=True)
    config_version = models.IntegerField(null=True, blank=True)
    source = models.CharField(
        max_length=20,
        blank=True,
        default="",
        db_default="",
        help_text="Provider of transactions, chosen once per run.",
    )
    source_note = models.TextField(blank=True, default="", db_default="")
    in_foreground = models.BooleanField(
        default=False,
        db_default=False,
        help_text="One process does all steps itself; workers ignore the run.",
    )
    prior = models.JSONField(
        default=dict,
        db_default=json_default({}),
        blank=True,
        help_text="Prior towards which the scores are shrunk.",
    )
    retry_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="retries"
    )

    objects = RunQuerySet.as_manager()

    class Meta:
        db_table = "discovery_runs"
        verbose_name = "run"
        ordering = ["-started_at", "-id"]
        indexes = [
            # The history, newest first.
            models.Index(
                models.F("started_at").desc(), name="idx_discovery_runs_started"
            ),
            # Statistics by status.
            models.Index(fields=["status"], name="idx_discovery_runs_status"),
            # The history of one status, newest first.
            models.Index(
                models.F("status").asc(),
                models.F("started_at").desc(),
                name="discovery_runs_by_status",
            ),
            # The history of one trigger, newest first.
            models.Index(
                models.F("trigger_type").asc(),
                models.F("started_at").desc(),
                name="discovery_runs_by_trigger",
            ),
        ]
        constraints = [
            # One active run at a time. Rows of the earlier system (without a stage) do
            # not count.
            models.UniqueConstraint(
                models.ExpressionWrapper(
                    Q(stage__isnull=False), output_field=models.BooleanField()
                ),
                condition=Q(status__in=ACTIVE_RUN_STATUSES, stage__isnull=False),
                name="discovery_runs_one_active",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M} {self.status}"

    @property
    def is_active(self) -> bool:
        """True if the run is queued or running. Rows of the earlier system are never
        active.
        """
        if self.stage is None:
            return False
        return self.status in ACTIVE_RUN_STATUSES

    @property
    def has_errors(self) -> bool:
        """True if a part of the work failed. A completed run is then shown as
        "completed with errors".
        """
        return bool(self.errors)


class RunWallet(models.Model):
    """A wallet that a run found through a token, with its result on it. Rows of the
    earlier system may repeat.
    """

    id = models.UUIDField(
        primary_key=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False
    )
    run = models.ForeignKey(
        Run, on_delete=models.CASCADE, db_index=False, related_name="wallets"
    )
    wallet_address = models.CharField(max_length=44)
    source_token = models.CharField(max_length=44)
    is_new = models.BooleanField(null=True, blank=True, default=True, db_default=True)
    initial_score = models.DecimalField(
        max_digits=5, decimal_places=4, null=True, blank=True
    )
    created_at = models.DateTimeField(null=True, blank=True, db_default=Now())

    profit_pct = models.DecimalField(
        max_digits=20, decimal_places=2, null=True, blank=True
    )
    realised_lamports = models.BigIntegerField(null=True, blank=True)
    cost_lamports = models.BigIntegerField(null=True, blank=True)
    first_buy_at = models.DateTimeField(null=True, blank=True)
    entry_rank = models.IntegerField(null=True, blank=True)
    entry_seconds = models.IntegerField(null=True, blank=True)
    flags = models.JSONField(default=list, db_default=json_default([]), blank=True)
    row_version = models.IntegerField(null=True, blank=True)

    objects = RunWalletQuerySet.as_manager()

    class Meta:
        db_table = "discovery_run_wallets"
        verbose_name = "wallet of a run"
        verbose_name_plural = "wallets of runs"
        indexes = [
            models.Index(fields=["run"], name="idx_drw_run"),  # the wallets of one run
            models.Index(
                fields=["wallet_address"], name="idx_drw_wallet"
            ),  # the discoveries of one wallet
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "wallet_address", "source_token"],
                condition=Q(row_version__isnull=False),
                name="discovery_run_wallets_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.wallet_address} through {self.source_token}"


def step_name(kind: str, key: str) -> str:
    """Return the name of a step for errors and logs, such as `token <mint>`."""
    if kind == StepKind.FIND:
        return "find_tokens"
    return f"{kind} {key}".strip()


class RunStep(models.Model):
    """One unit of work, of a run or of none. A conditional update claims it; its results and its
    completion are one transaction.

    pending → running → done | failed. A running step whose worker died returns to
    pending, up to three attempts.
    """

    run = models.ForeignKey(
        Run,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="steps",
        help_text="Empty for work that belongs to no run.",
    )
    kind = models.CharField(max_length=10, choices=StepKind.choices)
    key = AddressField(
        blank=True, help_text="Mint or wallet of the step; empty for find and finish."
    )
    status = models.CharField(
        max_length=10,
        choices=StepStatus.choices,
        default=StepStatus.PENDING,
        db_default=StepStatus.PENDING,
    )
    attempt = models.IntegerField(default=0, db_default=0)
    claimed_by = models.CharField(max_length=100, blank=True, default="", db_default="")
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, default="", db_default="")
    error_code = models.CharField(max_length=30, blank=True, default="", db_default="")
    enqueued_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Time at which the step was last sent to the queue.",
    )
    available_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Earliest start of the next attempt after a failure.",
    )
    usage = models.JSONField(default=dict, db_default=json_default({}), blank=True)
    errors = models.JSONField(
        default=list,
        db_default=json_default([]),
        blank=True,
        help_text="Merged into the errors of the run when it is closed.",
    )
    counts = models.JSONField(default=dict, db_default=json_default({}), blank=True)
    payload = models.JSONField(
        default=dict,
        db_default=json_default({}),
        blank=True,
        help_text="What the step works on, beyond its key.",
    )
    created_at = models.DateTimeField(db_default=Now())

    objects = RunStepQuerySet.as_manager()

    class Meta:
        db_table = "discovery_run_steps"
        verbose_name = "step"
        constraints = [
            models.UniqueConstraint(
                fields=["run", "kind", "key"], name="discovery_run_steps_once"
            ),
            # Work of no run: one open step for each key. Also: all open ones.
            models.UniqueConstraint(
                fields=["kind", "key"],
                condition=Q(run__isnull=True, status__in=OPEN_STEP_STATUSES),
                name="discovery_run_steps_lone_once",
            ),
        ]
        indexes = [
            # Open steps of a run: the sweeper and the reaper read only these.
            models.Index(
                fields=["run", "status"],
                condition=Q(status__in=OPEN_STEP_STATUSES),
                name="discovery_run_steps_open",
            ),
            # Work of no run by its end: usage of a day, and retention.
            models.Index(
                fields=["completed_at"],
                condition=Q(run__isnull=True),
                name="discovery_run_steps_lone_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}: {self.status}"

    @property
    def name(self) -> str:
        """Name of the step in errors and logs."""
        return step_name(self.kind, self.key)


class RunToken(models.Model):
    """A token of a run: market figures at that time, launch time, counts, and why
    candidates were rejected.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="tokens")
    mint = AddressField()
    symbol = models.CharField(max_length=64, blank=True, default="", db_default="")
    name = models.CharField(max_length=128, blank=True, default="", db_default="")
    rank = models.IntegerField(
        default=0,
        db_default=0,
        help_text="Rank among the tokens of the run, 1 = most promising.",
    )
    sources = models.JSONField(default=list, db_default=json_default([]), blank=True)
    pools = models.JSONField(default=list, db_default=json_default([]), blank=True)
    price_usd = models.DecimalField(
        max_digits=40, decimal_places=18, null=True, blank=True
    )
    price_change_pct = models.DecimalField(
        max_digits=20, decimal_places=2, null=True, blank=True
    )
    volume_usd = models.DecimalField(
        max_digits=20, decimal_places=2, null=True, blank=True
    )
    liquidity_usd = models.DecimalField(
        max_digits=20, decimal_places=2, null=True, blank=True
    )
    market_cap_usd = models.DecimalField(
        max_digits=24, decimal_places=2, null=True, blank=True
    )
    transactions_24h = models.BigIntegerField(null=True, blank=True)
    launched_at = models.DateTimeField(null=True, blank=True)
    launch_clock = models.CharField(
        max_length=20, blank=True, default="", db_default=""
    )
    creator = AddressField(
        blank=True,
        default="",
        db_default="",
        help_text="Creator of the token; empty = not known.",
    )
    window_read_until = models.DateTimeField(
        null=True,
        blank=True,
        help_text="The early window was read until then: it has more early buyers than the maximum; null = to its end.",
    )
    transactions = models.IntegerField(null=True, blank=True)
    early_buyers = models.IntegerField(null=True, blank=True)
    qualified = models.IntegerField(null=True, blank=True)
    funnel = models.JSONField(default=dict, db_default=json_default({}), blank=True)

    class Meta:
        db_table = "discovery_run_tokens"
        verbose_name = "token of a run"
        verbose_name_plural = "tokens of runs"
        constraints = [
            models.UniqueConstraint(
                fields=["run", "mint"], name="discovery_run_tokens_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.symbol or self.mint}"

"""The forward record: judgements as they were made, the control groups of runs, and what
followed each judgement (docs/forward-record.md).
"""

from django.db import models
from django.db.models import Q

from discovery.models.enums import (
    SnapshotArm,
    SnapshotCause,
    TokenUnknown,
    VerdictChoice,
)
from discovery.models.fields import AddressField, json_default
from discovery.models.querysets import OutcomeQuerySet, ScoreSnapshotQuerySet
from discovery.models.runs import Run


class ScoreSnapshot(models.Model):
    """The judgement of a wallet at one time: a forecast, made before its outcome.

    Append-only: a trigger of the database refuses every change, and every deletion
    except by retention. Figures are those of `Wallet`.
    """

    wallet_address = AddressField()
    at = models.DateTimeField(help_text="Time of the judgement.")
    cause = models.CharField(
        max_length=10, choices=SnapshotCause.choices, help_text="Why it was written."
    )
    arm = models.CharField(max_length=7, choices=SnapshotArm.choices)
    prior_run = models.ForeignKey(
        Run,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Run whose prior was used; empty: the prior of a first run.",
    )
    score_version = models.IntegerField()
    score = models.DecimalField(max_digits=5, decimal_places=4, null=True, blank=True)
    verdict = models.CharField(max_length=9, choices=VerdictChoice.choices)
    verdict_reason = models.TextField(blank=True, default="", db_default="")
    edge_pct = models.DecimalField(
        max_digits=9, decimal_places=4, null=True, blank=True
    )
    edge_low_pct = models.DecimalField(
        max_digits=9, decimal_places=4, null=True, blank=True
    )
    edge_high_pct = models.DecimalField(
        max_digits=9, decimal_places=4, null=True, blank=True
    )
    q_value = models.DecimalField(max_digits=7, decimal_places=6, null=True, blank=True)
    p_value = models.DecimalField(max_digits=7, decimal_places=6, null=True, blank=True)
    tokens = models.IntegerField(help_text="Tokens with a known result that count.")
    effective_tokens = models.DecimalField(max_digits=10, decimal_places=4)
    basis = models.CharField(
        max_length=60,
        blank=True,
        default="",
        db_default="",
        help_text="How closely a follower's prices were seen.",
    )
    flags = models.JSONField(default=list, db_default=json_default([]), blank=True)
    evidence = models.JSONField(
        default=dict,
        db_default=json_default({}),
        blank=True,
        help_text="The token results that were judged.",
    )

    objects = ScoreSnapshotQuerySet.as_manager()

    class Meta:
        db_table = "discovery_score_snapshots"
        verbose_name = "score snapshot"
        indexes = [
            # The snapshots of a wallet, newest first.
            models.Index(
                models.F("wallet_address").asc(),
                models.F("at").desc(),
                models.F("id").desc(),
                name="discovery_snapshots_wallet",
            ),
            # The report, and retention.
            models.Index(fields=["at"], name="discovery_snapshots_at"),
        ]

    def __str__(self) -> str:
        return f"{self.wallet_address} at {self.at:%Y-%m-%d %H:%M}: {self.verdict}"


class RunControl(models.Model):
    """A control wallet of a run: an early buyer of one of its tokens that was rejected
    for profit, matched to a wallet that qualified.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="controls")
    wallet_address = AddressField()
    mint = AddressField(help_text="The matched token: its seed token.")
    matched_wallet = AddressField(help_text="The wallet that qualified.")
    entry_rank = models.IntegerField()
    cost_lamports = models.BigIntegerField()

    class Meta:
        db_table = "discovery_run_controls"
        verbose_name = "control wallet of a run"
        verbose_name_plural = "control wallets of runs"
        constraints = [
            models.UniqueConstraint(
                fields=["run", "wallet_address"], name="discovery_run_controls_once"
            )
        ]
        indexes = [
            # The seed tokens of a wallet.
            models.Index(
                fields=["wallet_address"], name="discovery_run_controls_wallet"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.wallet_address} through {self.mint}"


class Outcome(models.Model):
    """What followed a snapshot within one horizon: planned with the snapshot, measured
    once when it is due, then never changed.

    Growths are means a token, in stakes (docs/scores.md); null where nothing is known.
    """

    snapshot = models.ForeignKey(
        ScoreSnapshot, on_delete=models.CASCADE, related_name="outcomes"
    )
    horizon_hours = models.IntegerField()
    due_at = models.DateTimeField()
    measured_at = models.DateTimeField(null=True, blank=True)
    tokens = models.IntegerField(
        null=True, blank=True, help_text="Tokens first bought within the horizon."
    )
    known_tokens = models.IntegerField(
        null=True, blank=True, help_text="Those with a known result."
    )
    trades = models.IntegerField(
        null=True, blank=True, help_text="Purchases and sales within the horizon."
    )
    leader_growth = models.FloatField(null=True, blank=True)
    follower_growth = models.FloatField(
        null=True, blank=True, help_text="At the closest prices that were seen."
    )
    stopped = models.BooleanField(
        null=True, blank=True, help_text="No purchase within the horizon."
    )
    problem = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="Why it could not be measured; empty if it was.",
    )

    objects = OutcomeQuerySet.as_manager()

    class Meta:
        db_table = "discovery_outcomes"
        verbose_name = "outcome"
        constraints = [
            models.UniqueConstraint(
                fields=["snapshot", "horizon_hours"], name="discovery_outcomes_once"
            )
        ]
        indexes = [
            # Outcomes that are due, oldest first.
            models.Index(
                fields=["due_at"],
                condition=Q(measured_at__isnull=True),
                name="discovery_outcomes_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.snapshot_id} after {self.horizon_hours} h"


class OutcomeToken(models.Model):
    """A token that a wallet first bought after a snapshot, as it stood at the horizon.
    Returns are ratios: 0.5 = +50 %.
    """

    outcome = models.ForeignKey(
        Outcome, on_delete=models.CASCADE, related_name="results"
    )
    mint = AddressField()
    entry_at = models.DateTimeField(help_text="First purchase.")
    put_in_lamports = models.BigIntegerField()
    proceeds_lamports = models.BigIntegerField()
    bag_lamports = models.BigIntegerField(
        help_text="What the units still held would bring."
    )
    leader_return = models.FloatField(
        null=True, blank=True, help_text="Null if the result is not known."
    )
    follower_return_costs = models.FloatField(null=True, blank=True)
    follower_return_behind = models.FloatField(null=True, blank=True)
    follower_return_late = models.FloatField(null=True, blank=True)
    unknown_reason = models.CharField(
        max_length=16,
        choices=TokenUnknown.choices,
        blank=True,
        default="",
        db_default="",
        help_text="Why the result is not known; empty if it is.",
    )

    class Meta:
        db_table = "discovery_outcome_tokens"
        verbose_name = "token of an outcome"
        verbose_name_plural = "tokens of outcomes"
        constraints = [
            # The tokens of an outcome.
            models.UniqueConstraint(
                fields=["outcome", "mint"], name="discovery_outcome_tokens_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.mint} of outcome {self.outcome_id}"

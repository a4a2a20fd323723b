"""The watchlist."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from simple_history.models import HistoricalRecords

from discovery.models.enums import VerdictChoice, WalletOrigin, WalletStatus
from discovery.models.fields import AddressField, json_default
from discovery.models.querysets import WalletQuerySet
from discovery.models.runs import Run


class Wallet(models.Model):
    """A wallet on the watchlist with its profile and score. Retention never deletes it."""

    address = AddressField(primary_key=True)
    status = models.CharField(
        max_length=20,
        choices=WalletStatus.choices,
        default=WalletStatus.INSUFFICIENT_DATA,
        db_default=WalletStatus.INSUFFICIENT_DATA,
    )
    score = models.DecimalField(
        max_digits=5,
        decimal_places=4,
        null=True,
        blank=True,
        help_text="0–1, shown as 0–100.",
    )
    # Lists filter and sort by these columns. The rest of the profile is one JSON
    # object, read for a single wallet.
    score_version = models.IntegerField(null=True, blank=True)
    verdict = models.CharField(
        max_length=9,
        choices=VerdictChoice.choices,
        default=VerdictChoice.NOT_KNOWN,
        db_default=VerdictChoice.NOT_KNOWN,
        help_text="What to do about it.",
    )
    verdict_reason = models.TextField(blank=True, default="", db_default="")
    edge_pct = models.DecimalField(
        max_digits=9,
        decimal_places=4,
        null=True,
        blank=True,
        help_text="Expected growth of a follower's purse, in % of the stake a trade.",
    )
    edge_low_pct = models.DecimalField(
        max_digits=9,
        decimal_places=4,
        null=True,
        blank=True,
        help_text="Lower end of its 90 % interval.",
    )
    edge_high_pct = models.DecimalField(
        max_digits=9, decimal_places=4, null=True, blank=True
    )
    q_value = models.DecimalField(
        max_digits=7,
        decimal_places=6,
        null=True,
        blank=True,
        help_text="Share of luck in a list that is cut at this wallet.",
    )
    p_value = models.DecimalField(
        max_digits=7,
        decimal_places=6,
        null=True,
        blank=True,
        help_text="Probability that luck alone does as well.",
    )
    scored_tokens = models.IntegerField(
        null=True, blank=True, help_text="Tokens with a known result that count."
    )
    score_detail = models.JSONField(
        default=dict,
        db_default=json_default({}),
        blank=True,
        help_text="Further figures of the judgement.",
    )
    scored_in = models.ForeignKey(
        Run,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        editable=False,
        help_text="Run whose prior the score was shrunk towards.",
    )
    profiled_at = models.DateTimeField(null=True, blank=True)
    profile = models.JSONField(default=dict, db_default=json_default({}), blank=True)
    profile_requested_at = models.DateTimeField(null=True, blank=True)
    profile_error = models.TextField(blank=True, default="", db_default="")
    too_active = models.BooleanField(
        default=False,
        db_default=False,
        help_text="The wallet has more transactions than a profile reads; it is not scored.",
    )
    flags = models.JSONField(
        default=dict,
        db_default=json_default({}),
        blank=True,
        help_text="Flags with their evidence.",
    )
    resolved_cycles = models.IntegerField(
        null=True, blank=True, help_text="Without seed tokens."
    )
    win_rate = models.DecimalField(
        max_digits=5, decimal_places=4, null=True, blank=True
    )
    realised_lamports = models.BigIntegerField(
        null=True, blank=True, help_text="Net result over the days of the profile."
    )
    coverage = models.DecimalField(
        max_digits=5, decimal_places=4, null=True, blank=True
    )
    n_eff = models.DecimalField(max_digits=10, decimal_places=4, null=True, blank=True)
    funder = models.CharField(
        max_length=44,
        blank=True,
        default="",
        db_default="",
        help_text="Address that first sent it SOL.",
    )
    last_trade_at = models.DateTimeField(null=True, blank=True)
    first_discovered_at = models.DateTimeField(db_default=Now())
    last_discovered_at = models.DateTimeField(db_default=Now())
    discovery_count = models.IntegerField(
        default=0, db_default=0, help_text="Number of runs that found it."
    )
    first_run = models.ForeignKey(
        Run,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="first_found",
        editable=False,
    )
    origin = models.CharField(
        max_length=9,
        choices=WalletOrigin.choices,
        default=WalletOrigin.DISCOVERY,
        db_default=WalletOrigin.DISCOVERY,
        help_text="How it came here.",
    )
    read_from = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Its profile begins then, because it has too many transactions; empty: it covers all its days.",
    )
    refreshed_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Last time at which it was read again, with or without success.",
    )
    tags = models.JSONField(default=list, db_default=json_default([]), blank=True)
    is_pinned = models.BooleanField(
        default=False, db_default=False, help_text="Shown first; always refreshed."
    )
    blacklist_reason = models.CharField(
        max_length=200, blank=True, default="", db_default=""
    )
    label = models.CharField(max_length=100, blank=True, default="", db_default="")
    note = models.TextField(blank=True, default="", db_default="")

    objects = WalletQuerySet.as_manager()
    history = HistoricalRecords(
        table_name="discovery_wallets_history",
        excluded_fields=[
            "score_version",
            "verdict",
            "verdict_reason",
            "edge_pct",
            "edge_low_pct",
            "edge_high_pct",
            "q_value",
            "p_value",
            "scored_tokens",
            "score_detail",
            "scored_in",
            "profiled_at",
            "profile",
            "profile_requested_at",
            "profile_error",
            "too_active",
            "flags",
            "resolved_cycles",
            "win_rate",
            "realised_lamports",
            "coverage",
            "n_eff",
            "funder",
            "last_trade_at",
            "origin",
            "read_from",
            "refreshed_at",
        ],
    )

    class Meta:
        db_table = "discovery_wallets"
        verbose_name = "wallet"
        ordering = ["-last_discovered_at", "address"]
        indexes = [
            # The watchlist, last found first.
            models.Index(
                models.F("last_discovered_at").desc(),
                models.F("address").asc(),
                name="discovery_wallets_last",
            ),
            # The leaderboard by score, best first, then by effective sample and address.
            models.Index(
                models.F("score").desc(nulls_last=True),
                models.F("n_eff").desc(nulls_last=True),
                models.F("address").asc(),
                name="discovery_wallets_best",
            ),
            # Wallets by tag.
            GinIndex(fields=["tags"], name="discovery_wallets_tags"),
            # Wallets that are due for a refresh, oldest profile first.
            models.Index(
                models.F("profiled_at").asc(nulls_first=True),
                models.F("address").asc(),
                name="discovery_wallets_age",
            ),
            # Wallets by flag, by label, and by the beginning of their address.
            GinIndex(fields=["flags"], name="discovery_wallets_flags"),
            models.Index(
                fields=["label"], condition=~Q(label=""), name="discovery_wallets_label"
            ),
            models.Index(
                OpClass("address", name="varchar_pattern_ops"),
                name="discovery_wallets_address",
            ),
            # The leaderboard: what a follower gains at least, best first.
            models.Index(
                models.F("edge_low_pct").desc(nulls_last=True),
                models.F("address").asc(),
                name="discovery_wallets_edge",
            ),
            # Wallets of one verdict, likewise.
            models.Index(
                models.F("verdict").asc(),
                models.F("edge_low_pct").desc(nulls_last=True),
                models.F("address").asc(),
                name="discovery_wallets_verdict",
            ),
            # Wallets of one status, likewise.
            models.Index(
                models.F("status").asc(),
                models.F("edge_low_pct").desc(nulls_last=True),
                models.F("address").asc(),
                name="discovery_wallets_by_status",
            ),
            # The leaderboard by net result, best first.
            models.Index(
                models.F("realised_lamports").desc(nulls_last=True),
                models.F("address").asc(),
                name="discovery_wallets_realised",
            ),
        ]

    def __str__(self) -> str:
        return str(self.address)

"""The one configuration row."""

from decimal import Decimal
from typing import Any, Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from simple_history.models import HistoricalRecords

from discovery.models.runs import json_default

DEFAULT_EXCLUDED_FLAGS: Final = ["plumbing", "creator", "bundle", "arbitrage", "wash"]


def default_excluded_flags() -> list[str]:
    """A fresh list: plumbing, creator, bundle, arbitrage, wash."""
    return list(DEFAULT_EXCLUDED_FLAGS)


class Config(models.Model):
    """What every run uses unless it is told otherwise. One row, id 1; a run keeps a copy of what it used."""

    id = models.IntegerField(primary_key=True, default=1, db_default=1, editable=False)
    enabled = models.BooleanField(null=True, default=True, db_default=True, help_text="Whether the schedule runs.")
    schedule_hours = models.IntegerField(null=True, default=6, db_default=6, help_text="Hours between runs, 1–24.")
    min_price_change_pct = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        null=True,
        default=Decimal("100.0"),
        db_default=Decimal("100.0"),
        help_text="Least price change over 24 h, percent, 0–999.99.",
    )
    min_volume_usd = models.DecimalField(
        max_digits=15,
        decimal_places=2,
        null=True,
        default=Decimal("50000.0"),
        db_default=Decimal("50000.0"),
        help_text="Least volume over 24 h, USD.",
    )
    max_token_age_hours = models.IntegerField(
        null=True, default=72, db_default=72, help_text="Hours since launch at most, 1–168."
    )
    early_window_minutes = models.IntegerField(
        null=True,
        default=30,
        db_default=30,
        help_text="A first buy this soon after launch is early, 5–120 minutes.",
    )
    min_profit_pct = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        null=True,
        default=Decimal("50.0"),
        db_default=Decimal("50.0"),
        help_text="Least realised profit on the token, percent of everything put in, 0–500.",
    )
    max_tokens = models.IntegerField(null=True, default=20, db_default=20, help_text="Tokens a run analyses, 1–100.")
    profile_immediately = models.BooleanField(
        null=True, default=True, db_default=True, help_text="Profile new wallets within the run."
    )
    updated_at = models.DateTimeField(null=True, db_default=Now())
    updated_by = models.CharField(max_length=100, null=True, blank=True)  # noqa: DJ001  the earlier schema has nulls

    min_liquidity_usd = models.DecimalField(
        max_digits=15,
        decimal_places=2,
        default=Decimal("10000.0"),
        db_default=Decimal("10000.0"),
        help_text="Least liquidity, USD: the price change of a thin pool means nothing.",
    )
    max_requests_per_run = models.IntegerField(
        null=True, blank=True, help_text="Provider calls a run may make, 100–10,000,000; empty = no limit."
    )
    excluded_flags = models.JSONField(
        default=default_excluded_flags, db_default=json_default(DEFAULT_EXCLUDED_FLAGS), blank=True
    )
    next_run_at = models.DateTimeField(null=True, blank=True)
    version = models.IntegerField(default=1, db_default=1)

    history = HistoricalRecords(table_name="discovery_config_history")

    class Meta:
        db_table = "discovery_config"
        verbose_name = "configuration"
        verbose_name_plural = "configuration"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="single_config_row")]

    def __str__(self) -> str:
        return f"configuration, version {self.version}"

    @property
    def hours(self) -> int:
        """Hours between runs; a null of an earlier row means the default."""
        return self.schedule_hours or 6

    @classmethod
    def load(cls) -> "Config":
        """The row; made with the environment's seeds where it is missing."""
        config = cls.objects.filter(pk=1).first()
        if config is None:
            ensure_config_row()
            config = cls.objects.get(pk=1)
        return config


def ensure_config_row(using: str = "default") -> None:
    """Insert the row where it is missing, seeded from the environment; an existing one is never touched."""
    seeds: dict[str, Any] = {
        "enabled": settings.DISCOVERY_SCHEDULER_ENABLED,
        "schedule_hours": settings.DISCOVERY_SCHEDULE_HOURS,
    }
    Config.objects.using(using).bulk_create([Config(pk=1, **seeds)], ignore_conflicts=True)

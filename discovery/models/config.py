"""The one configuration row."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from simple_history.models import HistoricalRecords

from discovery.models.param_columns import ConfigParamColumns, default_excluded_flags
from walltrack import clock

__all__ = ["Config", "default_excluded_flags", "ensure_config_row"]

DEFAULT_SCHEDULE_HOURS = 6


def hours_as_timedelta(hours: float) -> timedelta:
    """Return hours of the schedule as a timedelta; in a simulated market
    DISCOVERY_HOUR_SECONDS may shorten an hour.
    """
    return timedelta(seconds=hours * settings.DISCOVERY_HOUR_SECONDS)


class Config(ConfigParamColumns):
    """The schedule, and the parameters that every run uses unless its request overrides
    them. One row, id 1.

    A run stores a copy of the parameters that it used.
    """

    id = models.IntegerField(primary_key=True, default=1, db_default=1, editable=False)
    enabled = models.BooleanField(
        null=True, default=True, db_default=True, help_text="Start runs on schedule."
    )
    schedule_hours = models.IntegerField(
        null=True, default=6, db_default=6, help_text="Hours between runs, 1–24."
    )
    updated_at = models.DateTimeField(null=True, db_default=Now())
    updated_by = models.CharField(max_length=100, null=True, blank=True)  # noqa: DJ001  the earlier schema has nulls
    next_run_at = models.DateTimeField(null=True, blank=True)
    version = models.IntegerField(default=1, db_default=1)

    history = HistoricalRecords(table_name="discovery_config_history")

    class Meta:
        db_table = "discovery_config"
        verbose_name = "configuration"
        verbose_name_plural = "configuration"
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="single_config_row")
        ]

    def __str__(self) -> str:
        return f"configuration, version {self.version}"

    @property
    def hours(self) -> int:
        """Hours between runs; the default if the column is null, as in rows of the
        earlier system.
        """
        return self.schedule_hours or DEFAULT_SCHEDULE_HOURS

    @property
    def interval(self) -> timedelta:
        """Time between two scheduled runs."""
        return hours_as_timedelta(self.hours)

    @property
    def is_schedule_on(self) -> bool:
        """True if runs start on schedule: both this row and the environment allow it."""
        return bool(self.enabled) and settings.DISCOVERY_SCHEDULER_ENABLED

    @classmethod
    def load(cls) -> "Config":
        """Return the row. If it is missing, create it from the environment."""
        config = cls.objects.filter(pk=1).first()
        if config is None:
            ensure_config_row()
            config = cls.objects.get(pk=1)
        return config


def ensure_config_row(using: str = "default") -> None:
    """Insert the row if it is missing, with values of the environment. An existing row
    is not changed.
    """
    row = Config(
        pk=1,
        enabled=settings.DISCOVERY_SCHEDULER_ENABLED,
        schedule_hours=settings.DISCOVERY_SCHEDULE_HOURS,
        updated_at=clock.now(),
    )
    Config.objects.using(using).bulk_create([row], ignore_conflicts=True)

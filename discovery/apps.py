"""The discovery app."""

from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class DiscoveryAppConfig(AppConfig):
    """The app, with what it does after every migration."""

    name = "discovery"
    verbose_name = "Discovery"

    def ready(self) -> None:
        """Connect what every migration must leave behind: the configuration row and
        beat's intervals.
        """
        post_migrate.connect(
            _ensure_config_row, sender=self, dispatch_uid="discovery.config_row"
        )
        post_migrate.connect(
            _ensure_intervals, sender=self, dispatch_uid="discovery.intervals"
        )


def _ensure_intervals(**kwargs: Any) -> None:
    from discovery.jobs import beat_schedule

    try:
        kwargs.get("apps", apps).get_model("django_celery_beat", "PeriodicTask")
    except LookupError:
        return  # not migrated that far
    beat_schedule.create_missing_intervals(using=str(kwargs["using"]))


def _ensure_config_row(**kwargs: Any) -> None:
    from discovery.models.config import Config, ensure_config_row

    try:
        migrated = kwargs.get("apps", apps).get_model(
            "discovery", "Config"
        )  # `flush` passes no apps
    except LookupError:
        return  # migrated to zero: the table is gone
    columns = {field.column for field in migrated._meta.local_fields}
    if columns == {field.column for field in Config._meta.local_fields}:
        ensure_config_row(using=str(kwargs["using"]))

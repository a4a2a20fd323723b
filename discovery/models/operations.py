"""Operational state: heartbeats, providers, the tokens that pump now, and API keys."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from discovery.models.enums import ApiScope
from discovery.models.fields import json_default
from discovery.models.querysets import ApiKeyQuerySet, HeartbeatQuerySet


class Heartbeat(models.Model):
    """The last heartbeat of one part of the system: `beat`, `tick`, `canary`, or
    `worker:<host>:<pid>`.
    """

    name = models.CharField(max_length=150, primary_key=True)
    at = models.DateTimeField()
    detail = models.JSONField(default=dict, db_default=json_default({}), blank=True)

    objects = HeartbeatQuerySet.as_manager()

    class Meta:
        db_table = "discovery_heartbeats"
        verbose_name = "heartbeat"

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%H:%M:%S}"


class Provider(models.Model):
    """Last success, last failure and circuit of a provider, written by workers."""

    name = models.CharField(max_length=30, primary_key=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_failure_at = models.DateTimeField(null=True, blank=True)
    last_cause = models.CharField(max_length=200, blank=True, default="", db_default="")
    open_until = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Until then its circuit is open: no requests are sent to it.",
    )

    class Meta:
        db_table = "discovery_providers"
        verbose_name = "provider"

    def __str__(self) -> str:
        return str(self.name)


class Pumps(models.Model):
    """The tokens that pass the filters now, as of the last refresh by a worker. One
    row, id 1.
    """

    id = models.IntegerField(primary_key=True, default=1, db_default=1, editable=False)
    asked_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="End of the last refresh, whether it succeeded or failed.",
    )
    refreshed_at = models.DateTimeField(null=True, blank=True)
    tokens = models.JSONField(default=list, db_default=json_default([]), blank=True)
    funnel = models.JSONField(default=dict, db_default=json_default({}), blank=True)
    problem = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="Error of the last refresh; empty = none.",
    )

    class Meta:
        db_table = "discovery_pumps"
        verbose_name = "pumps now"
        verbose_name_plural = "pumps now"
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="discovery_pumps_single_row")
        ]

    def __str__(self) -> str:
        return f"{len(self.tokens)} tokens"


class ApiKey(models.Model):
    """A key for API clients. Only its hash is stored; the key is shown once, when it is
    created.
    """

    name = models.CharField(
        max_length=100,
        unique=True,
        help_text="Person or system that uses the key; shown as the author of runs.",
    )
    prefix = models.CharField(max_length=12, unique=True, editable=False)
    secret_hash = models.CharField(max_length=64, editable=False)
    scope = models.CharField(
        max_length=10, choices=ApiScope.choices, default=ApiScope.READ
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.CharField(
        max_length=150, blank=True, default="", db_default="", editable=False
    )
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty = never.")
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        db_table = "discovery_api_keys"
        verbose_name = "API key"
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def is_valid(self, now: datetime) -> bool:
        """Return True unless the key is revoked or expired."""
        if self.revoked_at is not None:
            return False
        if self.expires_at is None:
            return True
        return now < self.expires_at

"""Create the three tables of the earlier system, or adopt them with their rows where they exist.

The SQL is the earlier system's own script, so that a fresh and an adopted database end equal. Django's generated DDL
would differ (statement_timestamp(), a deferrable key without cascade). Going back keeps tables, columns and rows.
"""

import uuid
from decimal import Decimal

import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from discovery.migrations._earlier_tables import ALIGN, CREATE


class Migration(migrations.Migration):
    """Tables of the earlier system."""

    initial = True
    dependencies = []

    operations = [
        migrations.RunSQL(
            sql=[CREATE, ALIGN],
            reverse_sql=migrations.RunSQL.noop,
            state_operations=[
                migrations.CreateModel(
                    name="DiscoveryRun",
                    fields=[
                        (
                            "id",
                            models.UUIDField(
                                db_default=django.contrib.postgres.functions.RandomUUID(),
                                default=uuid.uuid4,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        (
                            "started_at",
                            models.DateTimeField(
                                help_text="Time of the request while queued, then when work began."
                            ),
                        ),
                        ("completed_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("queued", "queued"),
                                    ("running", "running"),
                                    ("completed", "completed"),
                                    ("failed", "failed"),
                                    ("cancelled", "cancelled"),
                                    ("skipped", "skipped"),
                                ],
                                db_default="running",
                                default="running",
                                max_length=20,
                            ),
                        ),
                        (
                            "trigger_type",
                            models.CharField(
                                choices=[("manual", "manual"), ("api", "api"), ("scheduled", "scheduled")],
                                max_length=20,
                            ),
                        ),
                        ("triggered_by", models.CharField(blank=True, max_length=100, null=True)),
                        (
                            "min_price_change_pct",
                            models.DecimalField(blank=True, decimal_places=2, max_digits=5, null=True),
                        ),
                        (
                            "min_volume_usd",
                            models.DecimalField(blank=True, decimal_places=2, max_digits=15, null=True),
                        ),
                        ("max_token_age_hours", models.IntegerField(blank=True, null=True)),
                        ("early_window_minutes", models.IntegerField(blank=True, null=True)),
                        (
                            "min_profit_pct",
                            models.DecimalField(blank=True, decimal_places=2, max_digits=5, null=True),
                        ),
                        ("max_tokens", models.IntegerField(blank=True, null=True)),
                        (
                            "tokens_analyzed",
                            models.IntegerField(blank=True, db_default=0, default=0, null=True),
                        ),
                        ("new_wallets", models.IntegerField(blank=True, db_default=0, default=0, null=True)),
                        (
                            "updated_wallets",
                            models.IntegerField(blank=True, db_default=0, default=0, null=True),
                        ),
                        (
                            "profiled_wallets",
                            models.IntegerField(blank=True, db_default=0, default=0, null=True),
                        ),
                        (
                            "duration_seconds",
                            models.DecimalField(blank=True, decimal_places=2, max_digits=10, null=True),
                        ),
                        (
                            "errors",
                            models.JSONField(
                                blank=True,
                                db_default=models.Value([], models.JSONField()),
                                default=list,
                                null=True,
                            ),
                        ),
                        (
                            "created_at",
                            models.DateTimeField(
                                blank=True, db_default=django.db.models.functions.datetime.Now(), null=True
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "run",
                        "indexes": [
                            models.Index(
                                models.OrderBy(models.F("started_at"), descending=True),
                                name="idx_discovery_runs_started",
                            ),
                            models.Index(fields=["status"], name="idx_discovery_runs_status"),
                        ],
                        "db_table": "discovery_runs",
                        "ordering": ["-started_at", "-id"],
                    },
                ),
                migrations.CreateModel(
                    name="DiscoveryRunWallet",
                    fields=[
                        (
                            "id",
                            models.UUIDField(
                                db_default=django.contrib.postgres.functions.RandomUUID(),
                                default=uuid.uuid4,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("wallet_address", models.CharField(max_length=44)),
                        ("source_token", models.CharField(max_length=44)),
                        ("is_new", models.BooleanField(blank=True, db_default=True, default=True, null=True)),
                        (
                            "initial_score",
                            models.DecimalField(blank=True, decimal_places=4, max_digits=5, null=True),
                        ),
                        (
                            "created_at",
                            models.DateTimeField(
                                blank=True, db_default=django.db.models.functions.datetime.Now(), null=True
                            ),
                        ),
                        (
                            "run",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="wallets",
                                to="discovery.discoveryrun",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "wallet of a run",
                        "verbose_name_plural": "wallets of runs",
                        "indexes": [
                            models.Index(fields=["run"], name="idx_drw_run"),
                            models.Index(fields=["wallet_address"], name="idx_drw_wallet"),
                        ],
                        "db_table": "discovery_run_wallets",
                    },
                ),
                migrations.CreateModel(
                    name="DiscoveryConfig",
                    fields=[
                        (
                            "id",
                            models.IntegerField(
                                db_default=1, default=1, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        (
                            "enabled",
                            models.BooleanField(
                                db_default=True,
                                default=True,
                                help_text="Whether the schedule runs.",
                                null=True,
                            ),
                        ),
                        (
                            "schedule_hours",
                            models.IntegerField(
                                db_default=6, default=6, help_text="Hours between runs, 1–24.", null=True
                            ),
                        ),
                        (
                            "min_price_change_pct",
                            models.DecimalField(
                                db_default=Decimal("100.0"),
                                decimal_places=2,
                                default=Decimal("100.0"),
                                help_text="Least price change over 24 h, percent, 0–999.99.",
                                max_digits=5,
                                null=True,
                            ),
                        ),
                        (
                            "min_volume_usd",
                            models.DecimalField(
                                db_default=Decimal("50000.0"),
                                decimal_places=2,
                                default=Decimal("50000.0"),
                                help_text="Least volume over 24 h, USD.",
                                max_digits=15,
                                null=True,
                            ),
                        ),
                        (
                            "max_token_age_hours",
                            models.IntegerField(
                                db_default=72,
                                default=72,
                                help_text="Hours since launch at most, 1–168.",
                                null=True,
                            ),
                        ),
                        (
                            "early_window_minutes",
                            models.IntegerField(
                                db_default=30,
                                default=30,
                                help_text="A first buy this soon after launch is early, 5–120 minutes.",
                                null=True,
                            ),
                        ),
                        (
                            "min_profit_pct",
                            models.DecimalField(
                                db_default=Decimal("50.0"),
                                decimal_places=2,
                                default=Decimal("50.0"),
                                help_text="Least realised profit on the token, percent of everything put in, 0–500.",
                                max_digits=5,
                                null=True,
                            ),
                        ),
                        (
                            "max_tokens",
                            models.IntegerField(
                                db_default=20,
                                default=20,
                                help_text="Tokens a run analyses, 1–100.",
                                null=True,
                            ),
                        ),
                        (
                            "profile_immediately",
                            models.BooleanField(
                                db_default=True,
                                default=True,
                                help_text="Profile new wallets within the run.",
                                null=True,
                            ),
                        ),
                        (
                            "updated_at",
                            models.DateTimeField(
                                db_default=django.db.models.functions.datetime.Now(), null=True
                            ),
                        ),
                        ("updated_by", models.CharField(blank=True, max_length=100, null=True)),
                    ],
                    options={
                        "verbose_name": "configuration",
                        "verbose_name_plural": "configuration",
                        "db_table": "discovery_config",
                        "constraints": [
                            models.CheckConstraint(condition=models.Q(("id", 1)), name="single_config_row")
                        ],
                    },
                ),
            ],
        ),
    ]

"""The three tables the project grew out of: made where they are missing, adopted with their rows where they exist.

The SQL is the earlier system's own script, so that a fresh and an adopted database end alike; Django's generated DDL
would differ (statement_timestamp(), a deferrable key without cascade). Going back keeps tables, columns and rows.
"""

import uuid
from decimal import Decimal

import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

CREATE = """
CREATE TABLE IF NOT EXISTS discovery_runs (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    started_at TIMESTAMPTZ NOT NULL,
    completed_at TIMESTAMPTZ,
    status VARCHAR(20) NOT NULL DEFAULT 'running',
    trigger_type VARCHAR(20) NOT NULL,
    triggered_by VARCHAR(100),
    min_price_change_pct DECIMAL(5,2),
    min_volume_usd DECIMAL(15,2),
    max_token_age_hours INTEGER,
    early_window_minutes INTEGER,
    min_profit_pct DECIMAL(5,2),
    max_tokens INTEGER,
    tokens_analyzed INTEGER DEFAULT 0,
    new_wallets INTEGER DEFAULT 0,
    updated_wallets INTEGER DEFAULT 0,
    profiled_wallets INTEGER DEFAULT 0,
    duration_seconds DECIMAL(10,2),
    errors JSONB DEFAULT '[]',
    created_at TIMESTAMPTZ DEFAULT NOW()
);
CREATE INDEX IF NOT EXISTS idx_discovery_runs_started ON discovery_runs (started_at DESC);
CREATE INDEX IF NOT EXISTS idx_discovery_runs_status ON discovery_runs (status);

CREATE TABLE IF NOT EXISTS discovery_run_wallets (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    run_id UUID NOT NULL REFERENCES discovery_runs (id) ON DELETE CASCADE,
    wallet_address VARCHAR(44) NOT NULL,
    source_token VARCHAR(44) NOT NULL,
    is_new BOOLEAN DEFAULT TRUE,
    initial_score DECIMAL(5,4),
    created_at TIMESTAMPTZ DEFAULT NOW()
);
CREATE INDEX IF NOT EXISTS idx_drw_run ON discovery_run_wallets (run_id);
CREATE INDEX IF NOT EXISTS idx_drw_wallet ON discovery_run_wallets (wallet_address);

CREATE TABLE IF NOT EXISTS discovery_config (
    id INTEGER PRIMARY KEY DEFAULT 1,
    enabled BOOLEAN DEFAULT TRUE,
    schedule_hours INTEGER DEFAULT 6,
    min_price_change_pct DECIMAL(5,2) DEFAULT 100.0,
    min_volume_usd DECIMAL(15,2) DEFAULT 50000.0,
    max_token_age_hours INTEGER DEFAULT 72,
    early_window_minutes INTEGER DEFAULT 30,
    min_profit_pct DECIMAL(5,2) DEFAULT 50.0,
    max_tokens INTEGER DEFAULT 20,
    profile_immediately BOOLEAN DEFAULT TRUE,
    updated_at TIMESTAMPTZ DEFAULT NOW(),
    updated_by VARCHAR(100),
    CONSTRAINT single_config_row CHECK (id = 1)
);
"""

# Variants in the wild: the check or the key under another name, twice, not validated or missing; the key without cascade
# or deferrable. Whatever says the same thing goes, and the one of the script above comes.
ALIGN = """
DO $align$
DECLARE
    variant name;
BEGIN
    FOR variant IN SELECT conname FROM pg_constraint
        WHERE conrelid = 'discovery_config'::regclass AND contype = 'c'
            AND (conname = 'single_config_row' OR pg_get_constraintdef(oid) LIKE 'CHECK ((id = 1))%')
    LOOP
        EXECUTE format('ALTER TABLE discovery_config DROP CONSTRAINT %I', variant);
    END LOOP;
    ALTER TABLE discovery_config ADD CONSTRAINT single_config_row CHECK (id = 1);

    FOR variant IN SELECT conname FROM pg_constraint
        WHERE conrelid = 'discovery_run_wallets'::regclass AND contype = 'f'
            AND (conname = 'discovery_run_wallets_run_id_fkey' OR confrelid = 'discovery_runs'::regclass)
    LOOP
        EXECUTE format('ALTER TABLE discovery_run_wallets DROP CONSTRAINT %I', variant);
    END LOOP;
    ALTER TABLE discovery_run_wallets ADD CONSTRAINT discovery_run_wallets_run_id_fkey
        FOREIGN KEY (run_id) REFERENCES discovery_runs (id) ON DELETE CASCADE;
END
$align$;
"""


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

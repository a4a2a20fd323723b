"""All tables and columns that the earlier system did not have, in one step.

Replaces the schema changes of the first releases. Their files stay, so that a database that stopped between them can go
on. The data migrations between them, `0003_known_wallets` and `0005_groups`, are not replaced: where they have run, they
do not run again. Columns are in the order in which the replaced migrations added them.
"""

from decimal import Decimal

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import migrations, models
from django.db.models.functions import Now
from simple_history.models import HistoricalChanges

from discovery.migrations._defaults import default_excluded_flags
from discovery.models.fields import AddressField, UnitsField


class Migration(migrations.Migration):
    replaces = [
        ("discovery", "0002_runs_wallets_trades"),
        ("discovery", "0004_workers_profiles_api"),
        ("discovery", "0006_token_creator"),
        ("discovery", "0007_pumps_answered_wallet_indexes"),
    ]

    dependencies = [
        ("discovery", "0001_adopt_earlier_tables"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="discoveryrun",
            name="attempt",
            field=models.IntegerField(db_default=1, default=1),
        ),
        migrations.AddField(
            model_name="discoveryrun",
            name="cancel_requested_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="discoveryrun",
            name="config_version",
            field=models.IntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="discoveryrun",
            name="funnel",
            field=models.JSONField(blank=True, db_default=models.Value({}, models.JSONField()), default=dict),
        ),
        migrations.AddField(
            model_name="discoveryrun",
            name="given_mints",
            field=models.JSONField(blank=True, db_default=models.Value([], models.JSONField()), default=list),
        ),
        migrations.AddField(
            model_name="discoveryrun",
            name="heartbeat_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="discoveryrun",
            name="idempotency_hash",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AddField(
            model_name="discoveryrun",
            name="idempotency_key",
            field=models.CharField(blank=True, max_length=255, null=True, unique=True),
        ),
        migrations.AddField(
            model_name="discoveryrun",
            name="max_requests_per_run",
            field=models.IntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="discoveryrun",
            name="min_liquidity_usd",
            field=models.DecimalField(blank=True, decimal_places=2, max_digits=15, null=True),
        ),
        migrations.AddField(
            model_name="discoveryrun",
            name="profile_immediately",
            field=models.BooleanField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="discoveryrun",
            name="retry_of",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=models.SET_NULL, related_name="retries", to="discovery.discoveryrun"
            ),
        ),
        migrations.AddField(
            model_name="discoveryrun",
            name="scheduled_for",
            field=models.DateTimeField(
                blank=True, help_text="The slot: one slot, one run, whoever is late or doubled.", null=True, unique=True
            ),
        ),
        migrations.AddField(
            model_name="discoveryrun",
            name="stage",
            field=models.CharField(
                blank=True,
                choices=[
                    ("queued", "queued"),
                    ("find_tokens", "finding tokens"),
                    ("analyse", "analysing tokens"),
                    ("profile", "profiling wallets"),
                    ("finish", "finishing"),
                    ("done", "done"),
                ],
                max_length=20,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="discoveryrun",
            name="steps_done",
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="discoveryrun",
            name="steps_total",
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="discoveryrun",
            name="usage",
            field=models.JSONField(blank=True, db_default=models.Value({}, models.JSONField()), default=dict),
        ),
        migrations.AddField(
            model_name="discoveryrun",
            name="excluded_flags",
            field=models.JSONField(
                blank=True,
                help_text="Flags that excluded; null on rows from before they were kept: the defaults.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="discoveryrun",
            name="in_foreground",
            field=models.BooleanField(
                db_default=False, default=False, help_text="One process carries it out itself; workers leave it alone."
            ),
        ),
        migrations.AddField(
            model_name="discoveryrun",
            name="prior",
            field=models.JSONField(
                blank=True,
                db_default=models.Value({}, models.JSONField()),
                default=dict,
                help_text="What its scores were shrunk towards.",
            ),
        ),
        migrations.AddField(
            model_name="discoveryrun",
            name="source",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Who answers transactions, decided once a run.",
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="discoveryrun",
            name="source_note",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddIndex(
            model_name="discoveryrun",
            index=models.Index(
                models.OrderBy(models.F("status")),
                models.OrderBy(models.F("started_at"), descending=True),
                name="discovery_runs_by_status",
            ),
        ),
        migrations.AddIndex(
            model_name="discoveryrun",
            index=models.Index(
                models.OrderBy(models.F("trigger_type")),
                models.OrderBy(models.F("started_at"), descending=True),
                name="discovery_runs_by_trigger",
            ),
        ),
        migrations.AddConstraint(
            model_name="discoveryrun",
            constraint=models.UniqueConstraint(
                models.ExpressionWrapper(models.Q(("stage__isnull", False)), output_field=models.BooleanField()),
                condition=models.Q(("stage__isnull", False), ("status__in", ("queued", "running"))),
                name="discovery_runs_one_active",
            ),
        ),
        migrations.AddField(
            model_name="discoveryrunwallet",
            name="cost_lamports",
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="discoveryrunwallet",
            name="entry_rank",
            field=models.IntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="discoveryrunwallet",
            name="entry_seconds",
            field=models.IntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="discoveryrunwallet",
            name="first_buy_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="discoveryrunwallet",
            name="flags",
            field=models.JSONField(blank=True, db_default=models.Value([], models.JSONField()), default=list),
        ),
        migrations.AddField(
            model_name="discoveryrunwallet",
            name="profit_pct",
            field=models.DecimalField(blank=True, decimal_places=2, max_digits=20, null=True),
        ),
        migrations.AddField(
            model_name="discoveryrunwallet",
            name="realised_lamports",
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="discoveryrunwallet",
            name="row_version",
            field=models.IntegerField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="discoveryrunwallet",
            constraint=models.UniqueConstraint(
                condition=models.Q(("row_version__isnull", False)),
                fields=("run", "wallet_address", "source_token"),
                name="discovery_run_wallets_once",
            ),
        ),
        migrations.AddField(
            model_name="discoveryconfig",
            name="excluded_flags",
            field=models.JSONField(
                blank=True,
                db_default=models.Value(["plumbing", "creator", "bundle", "arbitrage", "wash"], models.JSONField()),
                default=default_excluded_flags,
            ),
        ),
        migrations.AddField(
            model_name="discoveryconfig",
            name="max_requests_per_run",
            field=models.IntegerField(
                blank=True, help_text="Provider calls a run may make, 100–10,000,000; empty = no limit.", null=True
            ),
        ),
        migrations.AddField(
            model_name="discoveryconfig",
            name="min_liquidity_usd",
            field=models.DecimalField(
                db_default=Decimal("10000.0"),
                decimal_places=2,
                default=Decimal("10000.0"),
                help_text="Least liquidity, USD: the price change of a thin pool means nothing.",
                max_digits=15,
            ),
        ),
        migrations.AddField(
            model_name="discoveryconfig",
            name="next_run_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="discoveryconfig",
            name="version",
            field=models.IntegerField(db_default=1, default=1),
        ),
        migrations.CreateModel(
            name="DiscoveryPosition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("wallet_address", AddressField(max_length=44)),
                ("mint", AddressField(max_length=44)),
                ("first_buy_at", models.DateTimeField(blank=True, null=True)),
                ("last_trade_at", models.DateTimeField(blank=True, null=True)),
                ("entry_rank", models.IntegerField(blank=True, help_text="1 = first buyer of the token.", null=True)),
                (
                    "entry_seconds",
                    models.IntegerField(blank=True, help_text="Seconds from launch to the first buy.", null=True),
                ),
                ("buys", models.IntegerField(db_default=0, default=0)),
                ("sells", models.IntegerField(db_default=0, default=0)),
                ("cost_lamports", models.BigIntegerField(db_default=0, default=0, help_text="All basis ever put in.")),
                ("realised_lamports", models.BigIntegerField(db_default=0, default=0)),
                (
                    "unmatched_lamports",
                    models.BigIntegerField(
                        db_default=0, default=0, help_text="Proceeds of units whose cost is not known; never profit."
                    ),
                ),
                ("profit_pct", models.DecimalField(blank=True, decimal_places=2, max_digits=20, null=True)),
                (
                    "held_units",
                    models.DecimalField(db_default=models.Value(0), decimal_places=0, default=0, max_digits=30),
                ),
                ("history_incomplete", models.BooleanField(db_default=False, default=False)),
                ("updated_at", models.DateTimeField(db_default=Now())),
                (
                    "run",
                    models.ForeignKey(
                        null=True, on_delete=models.SET_NULL, related_name="positions", to="discovery.discoveryrun"
                    ),
                ),
                ("flags", models.JSONField(blank=True, db_default=models.Value([], models.JSONField()), default=list)),
                (
                    "rejection",
                    models.CharField(
                        blank=True, db_default="", default="", help_text="Why not; empty = qualified.", max_length=40
                    ),
                ),
            ],
            options={
                "verbose_name": "position",
                "db_table": "discovery_positions",
                "indexes": [models.Index(fields=["mint", "-profit_pct"], name="discovery_positions_mint")],
                "constraints": [
                    models.UniqueConstraint(fields=("wallet_address", "mint"), name="discovery_positions_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="DiscoveryRunStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("find", "find tokens"),
                            ("token", "token"),
                            ("wallet", "wallet"),
                            ("finish", "finish"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "key",
                    AddressField(
                        blank=True,
                        help_text="The mint or the wallet worked on; empty for find and finish.",
                        max_length=44,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "pending"),
                            ("running", "running"),
                            ("done", "done"),
                            ("failed", "failed"),
                        ],
                        db_default="pending",
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("attempt", models.IntegerField(db_default=0, default=0)),
                ("claimed_by", models.CharField(blank=True, db_default="", default="", max_length=100)),
                ("heartbeat_at", models.DateTimeField(blank=True, null=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("completed_at", models.DateTimeField(blank=True, null=True)),
                ("error", models.TextField(blank=True, db_default="", default="")),
                ("counts", models.JSONField(blank=True, db_default=models.Value({}, models.JSONField()), default=dict)),
                ("run", models.ForeignKey(on_delete=models.CASCADE, related_name="steps", to="discovery.discoveryrun")),
                (
                    "available_at",
                    models.DateTimeField(blank=True, help_text="Not before: a pause after a failure.", null=True),
                ),
                (
                    "enqueued_at",
                    models.DateTimeField(blank=True, help_text="When workers were last told of it.", null=True),
                ),
                ("error_code", models.CharField(blank=True, db_default="", default="", max_length=30)),
                (
                    "errors",
                    models.JSONField(
                        blank=True,
                        db_default=models.Value([], models.JSONField()),
                        default=list,
                        help_text="Go into the run's when it is closed.",
                    ),
                ),
                ("usage", models.JSONField(blank=True, db_default=models.Value({}, models.JSONField()), default=dict)),
            ],
            options={
                "verbose_name": "step",
                "db_table": "discovery_run_steps",
                "indexes": [
                    models.Index(
                        condition=models.Q(("status__in", ("pending", "running"))),
                        fields=["run", "status"],
                        name="discovery_run_steps_open",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("run", "kind", "key"), name="discovery_run_steps_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="DiscoveryRunToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mint", AddressField(max_length=44)),
                ("symbol", models.CharField(blank=True, db_default="", default="", max_length=64)),
                ("name", models.CharField(blank=True, db_default="", default="", max_length=128)),
                (
                    "rank",
                    models.IntegerField(
                        db_default=0, default=0, help_text="Place among the tokens of the run, 1 = first."
                    ),
                ),
                (
                    "sources",
                    models.JSONField(blank=True, db_default=models.Value([], models.JSONField()), default=list),
                ),
                ("pools", models.JSONField(blank=True, db_default=models.Value([], models.JSONField()), default=list)),
                ("price_usd", models.DecimalField(blank=True, decimal_places=18, max_digits=40, null=True)),
                ("price_change_pct", models.DecimalField(blank=True, decimal_places=2, max_digits=20, null=True)),
                ("volume_usd", models.DecimalField(blank=True, decimal_places=2, max_digits=20, null=True)),
                ("liquidity_usd", models.DecimalField(blank=True, decimal_places=2, max_digits=20, null=True)),
                ("market_cap_usd", models.DecimalField(blank=True, decimal_places=2, max_digits=24, null=True)),
                ("launched_at", models.DateTimeField(blank=True, null=True)),
                ("launch_clock", models.CharField(blank=True, db_default="", default="", max_length=20)),
                ("transactions", models.IntegerField(blank=True, null=True)),
                ("early_buyers", models.IntegerField(blank=True, null=True)),
                ("qualified", models.IntegerField(blank=True, null=True)),
                ("funnel", models.JSONField(blank=True, db_default=models.Value({}, models.JSONField()), default=dict)),
                (
                    "run",
                    models.ForeignKey(on_delete=models.CASCADE, related_name="tokens", to="discovery.discoveryrun"),
                ),
                ("transactions_24h", models.BigIntegerField(blank=True, null=True)),
                (
                    "creator",
                    AddressField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Who created it; empty = not known.",
                        max_length=44,
                    ),
                ),
            ],
            options={
                "verbose_name": "token of a run",
                "verbose_name_plural": "tokens of runs",
                "db_table": "discovery_run_tokens",
                "constraints": [models.UniqueConstraint(fields=("run", "mint"), name="discovery_run_tokens_once")],
            },
        ),
        migrations.CreateModel(
            name="DiscoveryTrade",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("signature", models.CharField(max_length=90)),
                ("wallet_address", AddressField(max_length=44)),
                ("mint", AddressField(max_length=44)),
                ("slot", models.BigIntegerField()),
                ("block_time", models.DateTimeField(blank=True, null=True)),
                ("side", models.CharField(choices=[("buy", "buy"), ("sell", "sell")], max_length=4)),
                (
                    "token_units",
                    UnitsField(
                        decimal_places=0, help_text="Raw units, what the wallet really got or gave.", max_digits=20
                    ),
                ),
                ("token_decimals", models.SmallIntegerField()),
                ("quote_mint", AddressField(max_length=44)),
                (
                    "quote_units",
                    UnitsField(decimal_places=0, help_text="Raw units of the quote; lamports for SOL.", max_digits=20),
                ),
                (
                    "value_lamports",
                    models.BigIntegerField(
                        blank=True,
                        help_text="The quote in lamports at the time of the trade; null where no price is known.",
                        null=True,
                    ),
                ),
                ("network_fee_lamports", models.BigIntegerField(db_default=0, default=0)),
                ("tip_lamports", models.BigIntegerField(db_default=0, default=0)),
                ("platform_fee_lamports", models.BigIntegerField(db_default=0, default=0)),
                ("rent_lamports", models.BigIntegerField(db_default=0, default=0)),
                ("venues", models.JSONField(blank=True, db_default=models.Value([], models.JSONField()), default=list)),
            ],
            options={
                "verbose_name": "trade",
                "db_table": "discovery_trades",
                "indexes": [
                    models.Index(fields=["wallet_address", "mint", "slot"], name="discovery_trades_position"),
                    models.Index(
                        models.OrderBy(models.F("wallet_address")),
                        models.OrderBy(models.F("slot"), descending=True),
                        models.OrderBy(models.F("signature")),
                        models.OrderBy(models.F("mint")),
                        name="discovery_trades_wallet",
                    ),
                    models.Index(fields=["block_time"], name="discovery_trades_age"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("signature", "wallet_address", "mint"), name="discovery_trades_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DiscoveryWallet",
            fields=[
                ("address", AddressField(max_length=44, primary_key=True, serialize=False)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("active", "active"),
                            ("insufficient_data", "insufficient data"),
                            ("decay_detected", "decay detected"),
                            ("blacklisted", "blacklisted"),
                        ],
                        db_default="insufficient_data",
                        default="insufficient_data",
                        max_length=20,
                    ),
                ),
                (
                    "score",
                    models.DecimalField(
                        blank=True, decimal_places=4, help_text="0–1, shown as 0–100.", max_digits=5, null=True
                    ),
                ),
                ("first_discovered_at", models.DateTimeField(db_default=Now())),
                ("last_discovered_at", models.DateTimeField(db_default=Now())),
                ("discovery_count", models.IntegerField(db_default=0, default=0, help_text="How many runs found it.")),
                ("label", models.CharField(blank=True, db_default="", default="", max_length=100)),
                ("note", models.TextField(blank=True, db_default="", default="")),
                (
                    "first_run",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="first_found",
                        to="discovery.discoveryrun",
                    ),
                ),
                ("coverage", models.DecimalField(blank=True, decimal_places=4, max_digits=5, null=True)),
                (
                    "flags",
                    models.JSONField(
                        blank=True,
                        db_default=models.Value({}, models.JSONField()),
                        default=dict,
                        help_text="Each flag with its evidence.",
                    ),
                ),
                (
                    "funder",
                    models.CharField(
                        blank=True, db_default="", default="", help_text="Who first sent it SOL.", max_length=44
                    ),
                ),
                ("last_trade_at", models.DateTimeField(blank=True, null=True)),
                ("n_eff", models.DecimalField(blank=True, decimal_places=4, max_digits=10, null=True)),
                (
                    "profile",
                    models.JSONField(blank=True, db_default=models.Value({}, models.JSONField()), default=dict),
                ),
                ("profile_error", models.TextField(blank=True, db_default="", default="")),
                ("profile_requested_at", models.DateTimeField(blank=True, null=True)),
                ("profiled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "provisional",
                    models.BooleanField(
                        db_default=False, default=False, help_text="Some part of the score could not be computed."
                    ),
                ),
                (
                    "realised_lamports",
                    models.BigIntegerField(blank=True, help_text="Net over the profile's days.", null=True),
                ),
                ("resolved_cycles", models.IntegerField(blank=True, help_text="Without seed tokens.", null=True)),
                (
                    "score_detail",
                    models.JSONField(
                        blank=True,
                        db_default=models.Value({}, models.JSONField()),
                        default=dict,
                        help_text="Parts, gates and interval of the score.",
                    ),
                ),
                ("score_version", models.IntegerField(blank=True, null=True)),
                (
                    "scored_in",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        help_text="The run whose prior the score was shrunk towards.",
                        null=True,
                        on_delete=models.SET_NULL,
                        related_name="+",
                        to="discovery.discoveryrun",
                    ),
                ),
                (
                    "too_active",
                    models.BooleanField(
                        db_default=False, default=False, help_text="More transactions than a profile reads: not scored."
                    ),
                ),
                ("unscored_reason", models.TextField(blank=True, db_default="", default="")),
                ("win_rate", models.DecimalField(blank=True, decimal_places=4, max_digits=5, null=True)),
            ],
            options={
                "verbose_name": "wallet",
                "db_table": "discovery_wallets",
                "ordering": ["-last_discovered_at", "address"],
                "indexes": [
                    models.Index(
                        models.OrderBy(models.F("last_discovered_at"), descending=True),
                        models.OrderBy(models.F("address")),
                        name="discovery_wallets_last",
                    ),
                    models.Index(
                        models.OrderBy(models.F("score"), descending=True, nulls_last=True),
                        models.OrderBy(models.F("n_eff"), descending=True, nulls_last=True),
                        models.OrderBy(models.F("address")),
                        name="discovery_wallets_best",
                    ),
                    models.Index(
                        models.OrderBy(models.F("status")),
                        models.OrderBy(models.F("score"), descending=True, nulls_last=True),
                        models.OrderBy(models.F("address")),
                        name="discovery_wallets_by_status",
                    ),
                    models.Index(
                        models.OrderBy(models.F("realised_lamports"), descending=True, nulls_last=True),
                        models.OrderBy(models.F("address")),
                        name="discovery_wallets_realised",
                    ),
                    GinIndex(fields=["flags"], name="discovery_wallets_flags"),
                    models.Index(
                        condition=models.Q(("label", ""), _negated=True),
                        fields=["label"],
                        name="discovery_wallets_label",
                    ),
                    models.Index(OpClass("address", name="varchar_pattern_ops"), name="discovery_wallets_address"),
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalDiscoveryConfig",
            fields=[
                ("id", models.IntegerField(db_default=1, db_index=True, default=1, editable=False)),
                (
                    "enabled",
                    models.BooleanField(
                        db_default=True, default=True, help_text="Whether the schedule runs.", null=True
                    ),
                ),
                (
                    "schedule_hours",
                    models.IntegerField(db_default=6, default=6, help_text="Hours between runs, 1–24.", null=True),
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
                        db_default=72, default=72, help_text="Hours since launch at most, 1–168.", null=True
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
                        db_default=20, default=20, help_text="Tokens a run analyses, 1–100.", null=True
                    ),
                ),
                (
                    "profile_immediately",
                    models.BooleanField(
                        db_default=True, default=True, help_text="Profile new wallets within the run.", null=True
                    ),
                ),
                ("updated_at", models.DateTimeField(db_default=Now(), null=True)),
                ("updated_by", models.CharField(blank=True, max_length=100, null=True)),
                (
                    "min_liquidity_usd",
                    models.DecimalField(
                        db_default=Decimal("10000.0"),
                        decimal_places=2,
                        default=Decimal("10000.0"),
                        help_text="Least liquidity, USD: the price change of a thin pool means nothing.",
                        max_digits=15,
                    ),
                ),
                (
                    "max_requests_per_run",
                    models.IntegerField(
                        blank=True,
                        help_text="Provider calls a run may make, 100–10,000,000; empty = no limit.",
                        null=True,
                    ),
                ),
                (
                    "excluded_flags",
                    models.JSONField(
                        blank=True,
                        db_default=models.Value(
                            ["plumbing", "creator", "bundle", "arbitrage", "wash"], models.JSONField()
                        ),
                        default=default_excluded_flags,
                    ),
                ),
                ("next_run_at", models.DateTimeField(blank=True, null=True)),
                ("version", models.IntegerField(db_default=1, default=1)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "historical configuration",
                "verbose_name_plural": "historical configuration",
                "db_table": "discovery_config_history",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalDiscoveryWallet",
            fields=[
                ("address", AddressField(db_index=True, max_length=44)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("active", "active"),
                            ("insufficient_data", "insufficient data"),
                            ("decay_detected", "decay detected"),
                            ("blacklisted", "blacklisted"),
                        ],
                        db_default="insufficient_data",
                        default="insufficient_data",
                        max_length=20,
                    ),
                ),
                (
                    "score",
                    models.DecimalField(
                        blank=True, decimal_places=4, help_text="0–1, shown as 0–100.", max_digits=5, null=True
                    ),
                ),
                ("first_discovered_at", models.DateTimeField(db_default=Now())),
                ("last_discovered_at", models.DateTimeField(db_default=Now())),
                ("discovery_count", models.IntegerField(db_default=0, default=0, help_text="How many runs found it.")),
                ("label", models.CharField(blank=True, db_default="", default="", max_length=100)),
                ("note", models.TextField(blank=True, db_default="", default="")),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "first_run",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        editable=False,
                        null=True,
                        on_delete=models.DO_NOTHING,
                        related_name="+",
                        to="discovery.discoveryrun",
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True, on_delete=models.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "historical wallet",
                "verbose_name_plural": "historical wallets",
                "db_table": "discovery_wallets_history",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="DiscoveryApiKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(
                        help_text="Who or what uses it; shown as the author of runs.", max_length=100, unique=True
                    ),
                ),
                ("prefix", models.CharField(editable=False, max_length=12, unique=True)),
                ("secret_hash", models.CharField(editable=False, max_length=64)),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("read", "read"),
                            ("run", "run: start, cancel and retry runs as well"),
                            ("admin", "admin: change configuration and wallets as well"),
                        ],
                        default="read",
                        max_length=10,
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False)),
                ("created_by", models.CharField(blank=True, db_default="", default="", editable=False, max_length=150)),
                ("expires_at", models.DateTimeField(blank=True, help_text="Empty = never.", null=True)),
                ("revoked_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                "verbose_name": "API key",
                "db_table": "discovery_api_keys",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="DiscoveryCycle",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("wallet_address", AddressField(max_length=44)),
                ("mint", AddressField(max_length=44)),
                (
                    "number",
                    models.IntegerField(
                        help_text="1 = the wallet's first holding of this token in the profile's days."
                    ),
                ),
                (
                    "result",
                    models.CharField(
                        choices=[("win", "win"), ("loss", "loss"), ("even", "break-even"), ("open", "open")],
                        max_length=4,
                    ),
                ),
                ("why", models.CharField(help_text="closed, dead bag, left wallet or open.", max_length=20)),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(blank=True, help_text="When it became flat.", null=True)),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
                ("last_trade_at", models.DateTimeField()),
                ("put_in_lamports", models.BigIntegerField()),
                (
                    "matched_lamports",
                    models.BigIntegerField(help_text="Proceeds of units with a known cost, net of fees."),
                ),
                ("net_lamports", models.BigIntegerField()),
                ("fees_lamports", models.BigIntegerField()),
                ("unmatched_lamports", models.BigIntegerField()),
                ("sold_lamports", models.BigIntegerField()),
                ("covered_lamports", models.BigIntegerField()),
                ("basis_left_lamports", models.BigIntegerField()),
                (
                    "exit_lamports",
                    models.BigIntegerField(
                        blank=True, help_text="What is held would bring now; null = unknown.", null=True
                    ),
                ),
                ("held_units", models.DecimalField(decimal_places=0, max_digits=30)),
                ("buys", models.IntegerField()),
                ("sells", models.IntegerField()),
                ("hold_seconds", models.IntegerField(blank=True, null=True)),
                ("history_incomplete", models.BooleanField()),
                ("reconciled", models.BooleanField(help_text="The chain's balance follows from the events.")),
                (
                    "left_out",
                    models.CharField(
                        blank=True, help_text="Why statistics leave it out; empty = counted.", max_length=20
                    ),
                ),
                ("first_signature", models.CharField(max_length=90)),
            ],
            options={
                "verbose_name": "cycle",
                "db_table": "discovery_cycles",
                "indexes": [
                    models.Index(
                        models.OrderBy(models.F("wallet_address")),
                        models.OrderBy(models.F("opened_at"), descending=True),
                        models.OrderBy(models.F("mint")),
                        name="discovery_cycles_wallet",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("wallet_address", "mint", "number"), name="discovery_cycles_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="DiscoveryHeartbeat",
            fields=[
                ("name", models.CharField(max_length=150, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("detail", models.JSONField(blank=True, db_default=models.Value({}, models.JSONField()), default=dict)),
            ],
            options={
                "verbose_name": "heartbeat",
                "db_table": "discovery_heartbeats",
            },
        ),
        migrations.CreateModel(
            name="DiscoveryProvider",
            fields=[
                ("name", models.CharField(max_length=30, primary_key=True, serialize=False)),
                ("last_success_at", models.DateTimeField(blank=True, null=True)),
                ("last_failure_at", models.DateTimeField(blank=True, null=True)),
                ("last_cause", models.CharField(blank=True, db_default="", default="", max_length=200)),
                (
                    "open_until",
                    models.DateTimeField(
                        blank=True, help_text="While its circuit breaker is open nobody asks it.", null=True
                    ),
                ),
            ],
            options={
                "verbose_name": "provider",
                "db_table": "discovery_providers",
            },
        ),
        migrations.CreateModel(
            name="DiscoveryPumps",
            fields=[
                ("id", models.IntegerField(db_default=1, default=1, editable=False, primary_key=True, serialize=False)),
                ("asked_at", models.DateTimeField(blank=True, null=True)),
                ("refreshed_at", models.DateTimeField(blank=True, null=True)),
                ("tokens", models.JSONField(blank=True, db_default=models.Value([], models.JSONField()), default=list)),
                ("funnel", models.JSONField(blank=True, db_default=models.Value({}, models.JSONField()), default=dict)),
                (
                    "problem",
                    models.TextField(blank=True, db_default="", default="", help_text="Why the last refresh failed."),
                ),
                (
                    "answered_at",
                    models.DateTimeField(blank=True, help_text="When the last asking ended, well or not.", null=True),
                ),
            ],
            options={
                "verbose_name": "pumps now",
                "verbose_name_plural": "pumps now",
                "db_table": "discovery_pumps",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="discovery_pumps_single_row")
                ],
            },
        ),
        migrations.CreateModel(
            name="DiscoveryTransaction",
            fields=[
                ("signature", models.CharField(max_length=90, primary_key=True, serialize=False)),
                ("body", models.BinaryField()),
                ("fetched_at", models.DateTimeField(db_default=Now())),
            ],
            options={
                "verbose_name": "cached transaction",
                "db_table": "discovery_transactions",
                "indexes": [models.Index(fields=["fetched_at"], name="discovery_transactions_age")],
            },
        ),
    ]

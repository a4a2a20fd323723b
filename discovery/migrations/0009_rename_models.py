"""Model classes lose the prefix of their app. Tables keep their names; content types and permissions move along."""

from django.db import migrations, models

MODELS = [
    "Run", "RunStep", "RunToken", "RunWallet", "Wallet", "Trade", "Position", "Cycle", "Transaction", "Heartbeat",
    "Provider", "Pumps", "ApiKey", "Config",
]


def rename_permissions(apps, schema_editor):
    permission_model = apps.get_model("auth", "Permission")
    for permission in permission_model.objects.using(schema_editor.connection.alias).filter(
        content_type__app_label="discovery", codename__contains="discovery"
    ):
        permission.codename = permission.codename.replace("discovery", "")
        permission.save()


class Migration(migrations.Migration):
    dependencies = [("discovery", "0008_align"), ("auth", "0012_alter_user_first_name_max_length")]

    operations = [
        *[migrations.RenameModel(f"Discovery{name}", name) for name in MODELS],
        migrations.RenameModel("HistoricalDiscoveryConfig", "HistoricalConfig"),
        migrations.RenameModel("HistoricalDiscoveryWallet", "HistoricalWallet"),
        # The columns keep their names: the attribute db_column comes first, so that renaming touches no table.
        migrations.AlterField(
            "Cycle",
            "why",
            models.CharField(db_column="why", help_text="closed, dead bag, left wallet or open.", max_length=20),
        ),
        migrations.AlterField(
            "Cycle",
            "left_out",
            models.CharField(
                blank=True,
                db_column="left_out",
                help_text="Why statistics leave it out; empty = counted.",
                max_length=20,
            ),
        ),
        migrations.AlterField(
            "Cycle",
            "exit_lamports",
            models.BigIntegerField(
                blank=True,
                db_column="exit_lamports",
                help_text="Proceeds of selling the held units now; null = unknown.",
                null=True,
            ),
        ),
        migrations.RenameField("Cycle", "why", "close_reason"),
        migrations.RenameField("Cycle", "left_out", "exclusion_reason"),
        migrations.RenameField("Cycle", "exit_lamports", "liquidation_value_lamports"),
        migrations.RunPython(rename_permissions, migrations.RunPython.noop),
    ]

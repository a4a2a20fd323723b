"""Rename the models and some fields of Cycle. The database keeps its tables and columns under their names.

Content types and the codenames of permissions contain the model's name: they are renamed, forwards and backwards, and
groups and users keep what they were granted.
"""

from django.db import migrations, models

NEW_NAMES = {
    "DiscoveryRun": "Run",
    "DiscoveryRunStep": "RunStep",
    "DiscoveryRunToken": "RunToken",
    "DiscoveryRunWallet": "RunWallet",
    "DiscoveryWallet": "Wallet",
    "DiscoveryTrade": "Trade",
    "DiscoveryPosition": "Position",
    "DiscoveryCycle": "Cycle",
    "DiscoveryTransaction": "Transaction",
    "DiscoveryHeartbeat": "Heartbeat",
    "DiscoveryProvider": "Provider",
    "DiscoveryPumps": "Pumps",
    "DiscoveryApiKey": "ApiKey",
    "DiscoveryConfig": "Config",
    "HistoricalDiscoveryConfig": "HistoricalConfig",
    "HistoricalDiscoveryWallet": "HistoricalWallet",
}
ACTIONS = ("add", "change", "delete", "view")


def use_new_names(apps, schema_editor):
    for old, new in NEW_NAMES.items():
        rename_rows(apps, schema_editor.connection.alias, old.lower(), new.lower())


def use_old_names(apps, schema_editor):
    for old, new in NEW_NAMES.items():
        rename_rows(apps, schema_editor.connection.alias, new.lower(), old.lower())


def rename_rows(apps, alias, old, new):
    """Give the content type and the permissions of model `old` the names of model `new`.

    Rows of both names exist where another release ran on this database after the models had been renamed.
    """
    content_types = apps.get_model("contenttypes", "ContentType").objects.using(alias).filter(app_label="discovery")
    if not content_types.filter(model=new).exists():
        content_types.filter(model=old).update(model=new)
    content_type = content_types.filter(model=new).first()
    permissions = apps.get_model("auth", "Permission").objects.using(alias).filter(content_type__app_label="discovery")
    for action in ACTIONS:
        for permission in permissions.filter(codename=f"{action}_{old}"):
            existing = permissions.filter(codename=f"{action}_{new}").first()
            if existing:
                move_grants(permission, existing)
                permission.delete()
            else:
                permission.codename = f"{action}_{new}"
                permission.content_type = content_type
                permission.save()


def move_grants(source, target):
    target.group_set.add(*source.group_set.all())
    target.user_set.add(*source.user_set.all())


def rename_field(old, new, field):
    """Return the operations that rename a field of Cycle; `field` names the column that stays."""
    return [migrations.AlterField("cycle", old, field), migrations.RenameField("cycle", old, new)]


RENAMES = [
    *(migrations.RenameModel(old, new) for old, new in NEW_NAMES.items()),
    *rename_field(
        "left_out",
        "exclusion_reason",
        models.CharField(
            blank=True,
            db_column="left_out",
            help_text="Why statistics leave it out; empty = counted.",
            max_length=20,
        ),
    ),
    *rename_field(
        "why",
        "close_reason",
        models.CharField(db_column="why", help_text="closed, dead bag, left wallet or open.", max_length=20),
    ),
    *rename_field(
        "exit_lamports",
        "liquidation_value_lamports",
        models.BigIntegerField(
            blank=True,
            db_column="exit_lamports",
            help_text="Proceeds of selling the held units now; null = unknown.",
            null=True,
        ),
    ),
]


class Migration(migrations.Migration):
    dependencies = [("discovery", "0008_align")]

    operations = [
        # State only: no table and no column changes, so that Django need not compare them model by model.
        migrations.SeparateDatabaseAndState(state_operations=RENAMES),
        migrations.RunPython(use_new_names, use_old_names),
    ]

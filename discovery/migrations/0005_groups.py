"""Create the groups `viewer` (may see) and `operator` (may act as well).

A group that exists is not changed: operators may have given it other permissions.
"""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

# Models are named by their tables, which stay when a model is renamed.
# API keys are for superusers: whoever creates keys decides who may do what.
HIDDEN = "discovery_api_keys"
ACTING = {"discovery_runs": "add", "discovery_config": "change", "discovery_wallets": "change"}


def make_groups(apps, schema_editor):
    alias = schema_editor.connection.alias
    # Django creates permissions after all migrations; the groups need them now.
    create_permissions(installed.get_app_config("discovery"), verbosity=0, using=alias, apps=apps)
    viewing = set()
    acting = set()
    for model in apps.get_app_config("discovery").get_models():
        table, name = model._meta.db_table, model._meta.model_name
        if table != HIDDEN:
            viewing.add(f"view_{name}")
        if table in ACTING:
            acting.add(f"{ACTING[table]}_{name}")
    make_group(apps, alias, "viewer", viewing)
    make_group(apps, alias, "operator", viewing | acting)


def make_group(apps, alias, name, codenames):
    group, created = apps.get_model("auth", "Group").objects.using(alias).get_or_create(name=name)
    if created:
        permissions = apps.get_model("auth", "Permission").objects.using(alias)
        group.permissions.set(permissions.filter(content_type__app_label="discovery", codename__in=codenames))


class Migration(migrations.Migration):
    dependencies = [
        ("discovery", "0003_known_wallets"),
        ("discovery", "0004_workers_profiles_api"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    # Going back removes nothing: people may be in these groups, and permissions may have been added to them.
    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop, elidable=False)]

"""Groups for people: `viewer` sees, `operator` acts as well. Made once; what an operator made of them stays."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

# Keys are for superusers: who makes keys decides who may do what.
HIDDEN = {"discoveryapikey"}
ACTING = {"add_discoveryrun", "change_discoveryconfig", "change_discoverywallet"}


def make_groups(apps, schema_editor):
    alias = schema_editor.connection.alias
    # Permissions come after all migrations; the groups need them now.
    create_permissions(installed.get_app_config("discovery"), verbosity=0, using=alias, apps=apps)
    group_model, permission_model = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    ours = permission_model.objects.using(alias).filter(content_type__app_label="discovery")
    views = ours.filter(codename__startswith="view_").exclude(content_type__model__in=HIDDEN)
    for name, permissions in (("viewer", [*views]), ("operator", [*views, *ours.filter(codename__in=ACTING)])):
        group, made = group_model.objects.using(alias).get_or_create(name=name)
        if made:
            group.permissions.set(permissions)


class Migration(migrations.Migration):
    dependencies = [
        ("discovery", "0004_workers_profiles_api"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    # Backwards nothing is removed: people may be in these groups, and permissions may have been added to them.
    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop, elidable=False)]

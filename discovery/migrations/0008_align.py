"""Give databases of the first releases what later releases changed in the migrations they had already applied.

The constraints of the earlier system's tables were aligned less strictly, and `first_run` was missing. Elsewhere nothing
changes. This migration also joins the schema migrations and the data migrations: `migrate` needs one last migration.
"""

from django.db import migrations

from discovery.migrations._earlier_tables import ALIGN


def add_first_run(apps, schema_editor):
    for name in ("DiscoveryWallet", "HistoricalDiscoveryWallet"):
        model = apps.get_model("discovery", name)
        field = model._meta.get_field("first_run")
        if field.column not in column_names(schema_editor.connection, model._meta.db_table):
            schema_editor.add_field(model, field)


def column_names(connection, table):
    with connection.cursor() as cursor:
        return [column.name for column in connection.introspection.get_table_description(cursor, table)]


class Migration(migrations.Migration):
    dependencies = [("discovery", "0002_schema"), ("discovery", "0005_groups")]

    operations = [
        migrations.RunSQL(ALIGN, migrations.RunSQL.noop),
        migrations.RunPython(add_first_run, migrations.RunPython.noop),
    ]

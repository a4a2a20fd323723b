# ruff: noqa: S608  SQL of fixed values; nothing comes from outside
"""Databases as earlier releases left them, built from the SQL that their migrations
ran, and complete catalogues.

The files in `releases/` are copies, kept apart from the migrations on purpose: a change
to a migration must not change what is compared.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection

from tests.adoption.adoption_databases import Database, Row

SCRIPTS = {
    path.stem: path.read_text()
    for path in sorted(Path(__file__).with_name("releases").glob("*.sql"))
}
MIGRATIONS = list(SCRIPTS)
"""The migrations of the releases, in the order in which databases applied them."""

# Leaves the tables of the other apps, as `migrate` made them.
FORGET_DISCOVERY = """
DO $forget$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables
        WHERE schemaname = current_schema() AND starts_with(tablename, 'discovery_')
    LOOP
        EXECUTE format('DROP TABLE %I CASCADE', name);
    END LOOP;
END
$forget$;
DELETE FROM auth_group_permissions;
DELETE FROM auth_group;
DELETE FROM auth_permission USING django_content_type
    WHERE content_type_id = django_content_type.id AND app_label = 'discovery';
DELETE FROM django_content_type WHERE app_label = 'discovery';
DELETE FROM django_migrations WHERE app = 'discovery';
"""
# The first release had no `first_run` and left more variants of the earlier system's
# constraints than later ones.
AS_THE_FIRST_RELEASE = """
ALTER TABLE discovery_wallets DROP COLUMN first_run_id;
ALTER TABLE discovery_wallets_history DROP COLUMN first_run_id;
ALTER TABLE discovery_config ADD CONSTRAINT single_row CHECK (id = 1);
ALTER TABLE discovery_run_wallets ADD CONSTRAINT fk_run FOREIGN KEY (run_id) REFERENCES discovery_runs (id);
"""

COLUMNS = """
SELECT relname, attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid), attidentity::text,
       attgenerated::text, attcollation::regcollation::text, col_description(pg_class.oid, attnum)
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE relnamespace = to_regnamespace(%(schema)s) AND relkind = 'r' AND attnum > 0 AND NOT attisdropped ORDER BY 1, 2
"""
COLUMN_ORDER = """
SELECT relname, array_agg(attname::text ORDER BY attnum)
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
WHERE relnamespace = to_regnamespace(%(schema)s) AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
GROUP BY 1 ORDER BY 1
"""
CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), condeferrable, condeferred, convalidated
FROM pg_constraint WHERE connamespace = to_regnamespace(%(schema)s) ORDER BY 1, 2
"""
INDEXES = "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = %(schema)s ORDER BY 1, 2"
RELATIONS = """
SELECT relname, relkind::text, relpersistence::text, reloptions, obj_description(oid, 'pg_class')
FROM pg_class WHERE relnamespace = to_regnamespace(%(schema)s) ORDER BY 1
"""
SEQUENCES = """
SELECT sequencename, data_type::text, start_value, min_value, max_value, increment_by, cycle, cache_size
FROM pg_sequences WHERE schemaname = %(schema)s ORDER BY 1
"""
PERMISSIONS = """
SELECT app_label, model, codename, auth_permission.name
FROM auth_permission JOIN django_content_type ON django_content_type.id = content_type_id ORDER BY 1, 2, 3
"""
GROUPS = """
SELECT auth_group.name, codename
FROM auth_group LEFT JOIN auth_group_permissions ON group_id = auth_group.id
    LEFT JOIN auth_permission ON auth_permission.id = permission_id
ORDER BY 1, 2
"""
APPLIED = "SELECT app, name FROM django_migrations ORDER BY 1, 2"


def release_script(last: str) -> str:
    """Return the SQL of the migrations up to and including `last`, with their records."""
    names = MIGRATIONS[: MIGRATIONS.index(last) + 1]
    records = ", ".join(f"('discovery', '{name}', now())" for name in names)
    steps = [f"BEGIN; {SCRIPTS[name]} COMMIT;" for name in names]
    return "".join(
        [
            *steps,
            f"INSERT INTO django_migrations (app, name, applied) VALUES {records};",
        ]
    )


def full_catalogue(database: Database) -> dict[str, list[Row]]:
    """Return columns, constraints, indexes, relations and sequences of every table,
    with definitions and comments.
    """
    queries = {
        "columns": COLUMNS,
        "constraints": CONSTRAINTS,
        "indexes": INDEXES,
        "relations": RELATIONS,
        "sequences": SEQUENCES,
    }
    return {
        kind: database.rows(query, schema=database.schema)
        for kind, query in queries.items()
    }


def column_order(database: Database) -> list[Row]:
    """Return the names of the columns of every table, in the order of the table."""
    return database.rows(COLUMN_ORDER, schema=database.schema)


@contextlib.contextmanager
def connected_to(database: Database) -> Iterator[None]:
    """Let models and commands of this process use the database."""
    usual = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict["NAME"] = database.name
    ContentType.objects.clear_cache()
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(usual)
        ContentType.objects.clear_cache()


def migrate(database: Database, *arguments: str) -> None:
    """Run `migrate` in this process, which is quicker than a process of its own."""
    with connected_to(database):
        call_command("migrate", *arguments, verbosity=0)

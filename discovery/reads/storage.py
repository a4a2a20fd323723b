"""Sizes of the tables of the database, and how long their rows are kept."""

from typing import Final

import msgspec
from django.apps import apps
from django.db import connection

from discovery.models.retention_rules import RetentionRule, retention_rules

# The size includes indexes and TOAST data. PostgreSQL counts live rows as they change
# but loses the counts in a crash; the estimate of the last vacuum is used then.
_SIZES: Final = """
SELECT relname,
       pg_total_relation_size(pg_class.oid),
       coalesce(
           nullif(pg_stat_get_live_tuples(pg_class.oid), 0),
           greatest(reltuples, 0)::bigint
       )
FROM pg_class
JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname = current_schema() AND relkind = 'r'
ORDER BY 2 DESC, 1
"""
NOT_OURS: Final = "not a table of WallTrack; it is not changed"


class TableSize(msgspec.Struct, frozen=True):
    """One table. `size_bytes` includes indexes, `rows` is an estimate, `retention`
    tells how long rows are kept, `setting` which environment variable changes it ("" =
    none).
    """

    table: str
    contents: str
    size_bytes: int
    rows: int
    retention: str
    setting: str


class Storage(msgspec.Struct, frozen=True):
    """The database: every table of the schema, largest first."""

    total_bytes: int
    tables: list[TableSize]


def storage() -> Storage:
    """Return the current sizes. Two queries."""
    rules = {rule.table: rule for rule in retention_rules()}
    names = {
        model._meta.db_table: str(model._meta.verbose_name_plural)
        for model in apps.get_models(include_auto_created=True)
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        total_bytes = int(cursor.fetchone()[0])
        cursor.execute(_SIZES)
        measured = cursor.fetchall()
    tables: list[TableSize] = []
    for table, size_bytes, row_count in measured:
        rule = rules.get(table) or RetentionRule(table, NOT_OURS, contents="unknown")
        row = TableSize(
            table=table,
            contents=rule.contents or names.get(table, table),
            size_bytes=size_bytes,
            rows=row_count,
            retention=rule.bound,
            setting=rule.setting,
        )
        tables.append(row)
    return Storage(total_bytes=total_bytes, tables=tables)

"""How much room each table takes."""

from typing import Annotated, Final

import msgspec
from django.apps import apps
from django.conf import settings
from django.db import connection
from msgspec import Meta

from discovery.models import Heartbeat, Trade, Transaction

# Every relation that hangs on a table counts: its indexes and what is too long for a row. Live rows are counted as they
# come and go, but forgotten in a crash; the estimate of the last vacuum stands in then.
_SIZES: Final = """
SELECT relname,
       pg_total_relation_size(oid),
       coalesce(nullif(pg_stat_get_live_tuples(oid), 0), greatest(reltuples, 0)::bigint)
FROM pg_class
WHERE oid = ANY (SELECT to_regclass(quote_ident(name)) FROM unnest(%s::text[]) AS name)
ORDER BY 2 DESC, 1
"""


class TableSize(msgspec.Struct, frozen=True):
    """One table."""

    table: str
    holds: str
    size_bytes: Annotated[int, Meta(description="With indexes and long values.")]
    rows: Annotated[int, Meta(description="About; PostgreSQL does not count exactly.")]
    kept: Annotated[str, Meta(description="How long its rows stay.")]


class Storage(msgspec.Struct, frozen=True):
    """The database: discovery's tables, largest first, and the others in sum."""

    total_bytes: int
    tables: list[TableSize]
    other_tables: Annotated[int, Meta(description="Logins, sessions, permissions, beat's intervals.")]
    other_bytes: int


def storage() -> Storage:
    """Sizes as they are now. Two queries."""
    models = {model._meta.db_table: model._meta for model in apps.get_models()}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        total = int(cursor.fetchone()[0])
        cursor.execute(_SIZES, [list(models)])
        found = cursor.fetchall()
    kept = {
        Trade._meta.db_table: f"{settings.RETENTION_TRADES_DAYS} days once its wallet is off the watchlist",
        Transaction._meta.db_table: f"{settings.RETENTION_CACHE_HOURS} h",
        Heartbeat._meta.db_table: "an hour after a worker's last",
    }
    ours = [
        TableSize(table, str(models[table].verbose_name_plural), size, rows, kept.get(table, "always"))
        for table, size, rows in found
        if models[table].app_label == "discovery"
    ]
    others = [size for table, size, _ in found if models[table].app_label != "discovery"]
    return Storage(total, ours, len(others), sum(others))

"""Sizes of the tables of the database."""

from typing import Final

import msgspec
from django.apps import apps
from django.conf import settings
from django.db import connection

from discovery.models import BalanceChange, Heartbeat, RunStep, Trade, Transaction

# The size includes indexes and TOAST data. PostgreSQL counts live rows as they change
# but loses the counts in a crash; the estimate of the last vacuum is used then.
_SIZES: Final = """
SELECT relname,
       pg_total_relation_size(oid),
       coalesce(nullif(pg_stat_get_live_tuples(oid), 0), greatest(reltuples, 0)::bigint)
FROM pg_class
WHERE oid = ANY (SELECT to_regclass(quote_ident(name)) FROM unnest(%s::text[]) AS name)
ORDER BY 2 DESC, 1
"""


class TableSize(msgspec.Struct, frozen=True):
    """One table. `size_bytes` includes indexes, `rows` is an estimate, `retention`
    tells how long rows are kept.
    """

    table: str
    contents: str
    size_bytes: int
    rows: int
    retention: str


class Storage(msgspec.Struct, frozen=True):
    """The database: discovery's tables, largest first, and the sum of the others."""

    total_bytes: int
    tables: list[TableSize]
    other_tables: int
    other_bytes: int


def storage() -> Storage:
    """Return the current sizes. Two queries."""
    options_by_table = {
        model._meta.db_table: model._meta for model in apps.get_models()
    }
    retention_by_table = _retention_by_table()
    tables: list[TableSize] = []
    other_sizes: list[int] = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        total_bytes = int(cursor.fetchone()[0])
        cursor.execute(_SIZES, [list(options_by_table)])
        measured = cursor.fetchall()
    for table, size_bytes, row_count in measured:
        options = options_by_table[table]
        if options.app_label != "discovery":
            other_sizes.append(size_bytes)
            continue
        row = TableSize(
            table=table,
            contents=str(options.verbose_name_plural),
            size_bytes=size_bytes,
            rows=row_count,
            retention=retention_by_table.get(table, "always"),
        )
        tables.append(row)
    return Storage(
        total_bytes=total_bytes,
        tables=tables,
        other_tables=len(other_sizes),
        other_bytes=sum(other_sizes),
    )


def _retention_by_table() -> dict[str, str]:
    """Return how long rows are kept, for the tables whose rows are deleted after some
    time.
    """
    of_wallets = (
        f"{settings.RETENTION_TRADES_DAYS} days once its wallet is off the watchlist"
    )
    return {
        Trade._meta.db_table: of_wallets,
        BalanceChange._meta.db_table: of_wallets,
        Transaction._meta.db_table: f"{settings.RETENTION_CACHE_HOURS} h",
        RunStep._meta.db_table: "as long as its run; of no run: 7 days after its end",
        Heartbeat._meta.db_table: "1 h after a worker's last heartbeat",
    }

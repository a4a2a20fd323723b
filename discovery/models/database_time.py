"""The database's clock. Leases, heartbeats and their ages use it alone: the clocks of
machines differ.
"""

from datetime import datetime

from django.db import connection


def database_now() -> datetime:
    """Return the time of the database, the same throughout a transaction. One query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        now: datetime = cursor.fetchone()[0]
    return now

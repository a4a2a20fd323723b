"""The database's clock. Leases, heartbeats and their ages use it alone: the clocks of
machines differ.
"""

from datetime import datetime, timedelta

from django.db import connection
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now


def database_now() -> datetime:
    """Return the time of the database at this statement, as `Now` is. One query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def before_now(age: timedelta) -> CombinedExpression:
    """Return the time of the database less `age`, as an expression."""
    return Now() - age


def after_now(delay: timedelta) -> CombinedExpression:
    """Return the time of the database plus `delay`, as an expression."""
    return Now() + delay

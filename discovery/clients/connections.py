"""The database connection of the thread that queries, from a coroutine."""

from django.db import connection


def close_connection() -> None:
    """Close it; the next query opens a new one. Call it by sync_to_async, as the query was.

    `sync_to_async(connection.close)` would take the connection of the event loop's own thread, and be refused.
    """
    connection.close()

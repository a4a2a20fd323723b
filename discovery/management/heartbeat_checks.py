"""What the health checks of containers share."""

from django.core.management.base import CommandError
from django.db import Error

from discovery.reads.health import HeartbeatRow, heartbeats_of


def latest_heartbeat(prefix: str, who: str) -> HeartbeatRow:
    """The newest heartbeat whose name begins with `prefix`. May raise: CommandError, which names `who`."""
    try:
        signs = heartbeats_of(prefix)
    except Error as error:
        raise CommandError(f"the database is out of reach: {' '.join(str(error).split())}") from error
    if not signs:
        raise CommandError(f"{who} has not been seen yet")
    return signs[0]

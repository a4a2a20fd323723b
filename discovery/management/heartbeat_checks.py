"""Reading heartbeats for the health checks of containers."""

from django.core.management.base import CommandError
from django.db import Error

from discovery.models.database_time import database_now
from discovery.reads.health import HeartbeatRow, heartbeats_of


def latest_heartbeat(prefix: str, who: str) -> HeartbeatRow:
    """Return the newest heartbeat whose name begins with `prefix`.

    Raises CommandError, which names `who`, if there is none or the database is
    unreachable.
    """
    try:
        heartbeats = heartbeats_of(prefix)
    except Error as error:
        raise CommandError(
            f"the database is unreachable: {' '.join(str(error).split())}"
        ) from error
    if not heartbeats:
        raise CommandError(f"{who} has not been seen yet")
    return heartbeats[0]


def require_recent(heartbeat: HeartbeatRow, who: str, max_age_seconds: int) -> str:
    """Return the age of the heartbeat in words, by the database's clock. Raises
    CommandError, which names `who`, if it is too old.
    """
    age_seconds = (database_now() - heartbeat.at).total_seconds()
    text = f"{age_seconds:.0f} s ago"
    if age_seconds > max_age_seconds:
        raise CommandError(f"{who} was last seen {text}")
    return text

"""Times: unix seconds inside the pure core, datetimes with a zone in rows."""

from datetime import UTC, datetime


def datetime_from_unix(seconds: int | None) -> datetime | None:
    """Return unix seconds as a datetime in UTC; None stays None."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)

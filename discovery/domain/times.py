"""Times: unix seconds inside the pure core, datetimes with a zone in rows."""

from datetime import UTC, datetime
from typing import Annotated, overload

from msgspec import Meta

UnixSeconds = Annotated[int, Meta(extra={"unit": "unix seconds"})]
"""A time in whole seconds since 1970. ISO-8601 in JSON."""


@overload
def datetime_from_unix(seconds: int) -> datetime: ...
@overload
def datetime_from_unix(seconds: int | None) -> datetime | None: ...
def datetime_from_unix(seconds: int | None) -> datetime | None:
    """Return unix seconds as a datetime in UTC; None stays None."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


@overload
def unix_from_datetime(at: datetime) -> int: ...
@overload
def unix_from_datetime(at: datetime | None) -> int | None: ...
def unix_from_datetime(at: datetime | None) -> int | None:
    """Return a datetime with a zone as whole unix seconds; None stays None."""
    return None if at is None else int(at.timestamp())

"""Periodic messages that are too old are dropped, by the database's clock.

Celery's own expiry compares the clock of beat with that of a worker: a worker whose clock
is ahead would drop every tick and every sweep.
"""

from datetime import datetime
from typing import Any, Final

from celery import Task
from django.utils import timezone

from discovery.models.database_time import database_now

VALID_UNTIL: Final = "walltrack_valid_until"
"""The header that replaces Celery's `expires`."""


def date_by_database(headers: dict[str, Any]) -> None:
    """Replace the expiry in the headers of a message, which is by this machine's clock, by
    one of the same length by the database's clock. A message without expiry has none.
    """
    expires = headers.get("expires")
    if not expires:
        return
    expires_at = datetime.fromisoformat(str(expires))
    if expires_at.tzinfo is None:
        expires_at = timezone.make_aware(expires_at)
    remaining = expires_at - timezone.now()
    headers[VALID_UNTIL] = (database_now() + remaining).isoformat()
    headers["expires"] = None


class PeriodicMessageTask(Task):  # type: ignore[type-arg]  # generic in its stubs alone
    """A task that beat sends. A message past its time does nothing: a worker that was
    stopped finds no pile of work.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task unless its message is too old."""
        if is_too_old(self.request.get(VALID_UNTIL)):
            return None
        return super().__call__(*args, **kwargs)


def is_too_old(valid_until: str | None) -> bool:
    """Return True if the time in this header has passed. One query."""
    if not valid_until:
        return False
    return datetime.fromisoformat(valid_until) < database_now()

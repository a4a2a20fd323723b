"""Look-up of API keys for authentication."""

from datetime import datetime, timedelta
from typing import Final

import msgspec
from django.db.models import Q

from discovery.domain.api_keys import matches, prefix_of
from discovery.models import ApiKey

USE_STORED_EVERY: Final = timedelta(minutes=1)


class StoredKey(msgspec.Struct, frozen=True):
    """A stored key that is neither revoked nor expired."""

    id: int
    name: str
    scope: str
    last_used_at: datetime | None


def valid_key(text: str, now: datetime) -> StoredKey | None:
    """Return the key whose text this is, or None if it is unknown, expired or revoked.

    One query; none for a text that does not have the format of a key.
    """
    prefix = prefix_of(text)
    if prefix is None:
        return None
    row = ApiKey.objects.filter(prefix=prefix).first()
    if row is None or not matches(text, row.secret_hash):
        return None
    if not row.is_valid(now):
        return None
    return StoredKey(
        id=row.pk,
        name=row.name,
        scope=row.scope,
        last_used_at=row.last_used_at,
    )


def store_use(key: StoredKey, now: datetime) -> None:
    """Store the time of the last use, at most once a minute. One query, or none if it
    was stored recently.
    """
    if _is_recent(key.last_used_at, now):
        return
    is_due = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - USE_STORED_EVERY)
    ApiKey.objects.filter(is_due, pk=key.id).update(last_used_at=now)


def _is_recent(last_used_at: datetime | None, now: datetime) -> bool:
    if last_used_at is None:
        return False
    return now - last_used_at < USE_STORED_EVERY

"""API keys as the API checks them."""

from datetime import datetime, timedelta
from typing import Final

import msgspec
from django.db.models import Q

from discovery.models import ApiKey

TOLD_EVERY: Final = timedelta(minutes=1)


class KeptKey(msgspec.Struct, frozen=True):
    """A key without its secret. `valid`: neither revoked nor expired."""

    id: int
    name: str
    scope: str
    secret_hash: str
    valid: bool
    last_used_at: datetime | None


def key_of(prefix: str, now: datetime) -> KeptKey | None:
    """The key kept under `prefix`. One query."""
    row = ApiKey.objects.filter(prefix=prefix).first()
    if row is None:
        return None
    return KeptKey(row.pk, row.name, row.scope, row.secret_hash, row.is_valid(now), row.last_used_at)


def note_use(key: KeptKey, now: datetime) -> None:
    """Keep when the key was last used, at most once a minute: one query then, else none."""
    if key.last_used_at is not None and now - key.last_used_at < TOLD_EVERY:
        return
    old = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - TOLD_EVERY)
    ApiKey.objects.filter(old, pk=key.id).update(last_used_at=now)

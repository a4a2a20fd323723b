"""Transactions by signature in PostgreSQL, for RETENTION_CACHE_HOURS: what was paid for once is not paid for again.

Finalised transactions never change. Only plain RPC asks for them one by one; pages by time are paid for as pages.
"""

import zlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import msgspec
from asgiref.sync import sync_to_async
from django.conf import settings
from django.utils import timezone

from discovery.models import Transaction
from discovery.providers.errors import UNREADABLE
from discovery.providers.transactions import TransactionRecord, decode_record

AT_ONCE: Final = 500
FAST: Final = 1


class TransactionCache:
    """Read before asking, written after."""

    async def get(self, signatures: Sequence[str]) -> dict[str, TransactionRecord]:
        """Those that are there and not too old. One query for 500."""
        return await sync_to_async(self._get)(signatures)

    async def put(self, records: Mapping[str, TransactionRecord]) -> None:
        """Keep these."""
        if records:
            await sync_to_async(self._put)(records)

    @staticmethod
    def _get(signatures: Sequence[str]) -> dict[str, TransactionRecord]:
        fresh = timezone.now() - timedelta(hours=settings.RETENTION_CACHE_HOURS)
        found: dict[str, TransactionRecord] = {}
        for start in range(0, len(signatures), AT_ONCE):
            rows = Transaction.objects.filter(signature__in=signatures[start : start + AT_ONCE], fetched_at__gt=fresh)
            for signature, body in rows.values_list("signature", "body"):
                try:
                    found[signature] = decode_record(zlib.decompress(bytes(body)))
                except (zlib.error, *UNREADABLE):
                    continue  # of another version: asked for again, and written anew
        return found

    @staticmethod
    def _put(records: Mapping[str, TransactionRecord]) -> None:
        now = timezone.now()
        rows = [
            Transaction(signature=signature, body=zlib.compress(msgspec.json.encode(record), FAST), fetched_at=now)
            for signature, record in sorted(records.items())
        ]
        Transaction.objects.bulk_create(
            rows,
            batch_size=AT_ONCE,
            update_conflicts=True,
            unique_fields=["signature"],
            update_fields=["body", "fetched_at"],
        )

"""Transactions by signature in PostgreSQL for RETENTION_CACHE_HOURS, so that each is
paid for once.

Finalized transactions never change. Only plain RPC fetches transactions one by one;
pages by time are paid as pages.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final

import msgspec
from asgiref.sync import sync_to_async
from django.conf import settings
from django.utils import timezone

from discovery.models import Transaction
from discovery.providers.batches import batches
from discovery.providers.errors import UNREADABLE
from discovery.providers.transactions import TransactionRecord, decode_record

BATCH_SIZE: Final = 500
COMPRESSION_LEVEL: Final = 1


class TransactionCache:
    """Cache of transactions in the table of `Transaction`."""

    async def get(self, signatures: Sequence[str]) -> dict[str, TransactionRecord]:
        """Return the cached transactions by signature, without expired ones. One query
        for 500, none without signatures.
        """
        return await sync_to_async(_load)(signatures)

    async def put(self, records: Mapping[str, TransactionRecord]) -> None:
        """Store the transactions by signature; those in the table are replaced and
        expire later.
        """
        if records:
            await sync_to_async(_store)(records)


def _load(signatures: Sequence[str]) -> dict[str, TransactionRecord]:
    records: dict[str, TransactionRecord] = {}
    for signature, body in _fresh_rows(signatures):
        try:
            records[signature] = decode_record(zlib.decompress(bytes(body)))
        except (zlib.error, *UNREADABLE):
            continue  # written by another version: it is fetched and stored again
    return records


def _fresh_rows(signatures: Sequence[str]) -> Iterator[tuple[str, bytes | memoryview]]:
    expired_at = timezone.now() - timedelta(hours=settings.RETENTION_CACHE_HOURS)
    for batch in batches(signatures, BATCH_SIZE):
        rows = Transaction.objects.filter(
            signature__in=batch, fetched_at__gt=expired_at
        )
        yield from rows.values_list("signature", "body")


def _store(records: Mapping[str, TransactionRecord]) -> None:
    now = timezone.now()
    rows = [
        Transaction(
            signature=signature,
            body=zlib.compress(msgspec.json.encode(record), COMPRESSION_LEVEL),
            fetched_at=now,
        )
        for signature, record in sorted(records.items())
    ]
    Transaction.objects.bulk_create(
        rows,
        batch_size=BATCH_SIZE,
        update_conflicts=True,
        unique_fields=["signature"],
        update_fields=["body", "fetched_at"],
    )

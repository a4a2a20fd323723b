"""Transactions by signature in PostgreSQL for RETENTION_CACHE_HOURS, so that each is
paid for once.

Finalized transactions never change. Only plain RPC fetches transactions one by one;
pages by time are paid as pages. Transactions are stored as they arrive: a step that is
cut, however that happens, and runs again pays for PORTION of them twice at most.

Signature lists are stored beside them for MAX_LIST_AGE_HOURS, for the step that runs
again: whole lists of an address, and lists of time ranges that are over. One costs a
call, and a token has as many as early buyers.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

import msgspec
from asgiref.sync import sync_to_async
from django.conf import settings
from django.utils import timezone

from discovery.clients.transaction_history import BlockTimeRange
from discovery.models import Transaction
from discovery.providers.batches import batches
from discovery.providers.errors import UNREADABLE
from discovery.providers.records import SignatureRecord
from discovery.providers.transactions import TransactionRecord, decode_record
from walltrack import clock

BATCH_SIZE: Final = 500
COMPRESSION_LEVEL: Final = 1
PORTION: Final = 50
"""Transactions that are stored at once as they arrive."""
MAX_LIST_ROWS: Final = 20_000
MAX_LIST_AGE_HOURS: Final = 4
"""Longer than a step takes to run again, shorter than the time between two runs."""
SETTLED_SECONDS: Final = 120
"""A time range that ended so long ago gets no more finalized transactions."""


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


class _Arrivals(dict[str, TransactionRecord]):
    """Transactions as they arrive. `unsaved`: those that are not stored yet.

    has_portion is set when there are PORTION of them, and at the end.
    """

    def __init__(self) -> None:
        super().__init__()
        self.unsaved: dict[str, TransactionRecord] = {}
        self.has_portion = asyncio.Event()
        self.is_over = False

    def __setitem__(self, signature: str, record: TransactionRecord) -> None:
        super().__setitem__(signature, record)
        self.unsaved[signature] = record
        if len(self.unsaved) >= PORTION:
            self.has_portion.set()

    def end(self) -> None:
        """Nothing more arrives."""
        self.is_over = True
        self.has_portion.set()

    async def save(self, cache: TransactionCache) -> None:
        """Store portions until nothing more arrives, and then the rest."""
        while not self.is_over:
            await self.has_portion.wait()
            self.has_portion.clear()
            portion, self.unsaved = self.unsaved, {}
            await cache.put(portion)


@asynccontextmanager
async def saved_as_they_arrive(
    cache: TransactionCache | None,
) -> AsyncIterator[dict[str, TransactionRecord]]:
    """Yield a dict for transactions by signature. Each PORTION of them is stored when it
    is there, the rest at the end of the block, also if that is left by an error or is
    cancelled. cache: None = nothing is stored.
    """
    if cache is None:
        yield {}
        return
    arrivals = _Arrivals()
    saving = asyncio.ensure_future(arrivals.save(cache))
    try:
        yield arrivals
    finally:
        arrivals.end()
        # Shielded: a second cancellation must not lose what is paid for.
        await asyncio.shield(saving)


class SignatureLists:
    """Stored signature lists, in the table of `Transaction` under a name that is no
    signature.
    """

    async def get(
        self, addresses: Sequence[str], time_range: BlockTimeRange
    ) -> dict[str, list[SignatureRecord]]:
        """Return the stored lists by address, without those that are too old. One query
        for 500.
        """
        names = {_list_name(address, time_range): address for address in addresses}
        hours = min(MAX_LIST_AGE_HOURS, settings.RETENTION_CACHE_HOURS)
        lists: dict[str, list[SignatureRecord]] = {}
        for name, body in await sync_to_async(_load_bodies)([*names], hours):
            try:
                lists[names[name]] = _decode_list(zlib.decompress(bytes(body)))
            except (zlib.error, *UNREADABLE):
                continue  # written by another version
        return lists

    async def put(
        self,
        lists: Mapping[str, Sequence[SignatureRecord]],
        time_range: BlockTimeRange,
    ) -> None:
        """Store lists that were read to their end, without very long ones, and none of a
        range that may still get rows. One query for 500.
        """
        is_whole = time_range.since is None and time_range.until is None
        if not is_whole and not _is_over(time_range):
            return
        bodies = {
            _list_name(address, time_range): zlib.compress(
                msgspec.msgpack.encode(rows), COMPRESSION_LEVEL
            )
            for address, rows in lists.items()
            if 0 < len(rows) <= MAX_LIST_ROWS
        }
        if bodies:
            await sync_to_async(_save_rows)(bodies)


def _list_name(address: str, time_range: BlockTimeRange) -> str:
    """Return the name of a list, 71 characters at most."""
    since = "" if time_range.since is None else time_range.since
    until = "" if time_range.until is None else time_range.until
    return f"list:{address}:{since}:{until}"


def _is_over(time_range: BlockTimeRange) -> bool:
    until = time_range.until
    return until is not None and until < clock.unix_now() - SETTLED_SECONDS


_decode_list: Final = msgspec.msgpack.Decoder(list[SignatureRecord]).decode


def _load(signatures: Sequence[str]) -> dict[str, TransactionRecord]:
    records: dict[str, TransactionRecord] = {}
    for signature, body in _load_bodies(signatures, settings.RETENTION_CACHE_HOURS):
        try:
            records[signature] = decode_record(zlib.decompress(bytes(body)))
        except (zlib.error, *UNREADABLE):
            continue  # written by another version: it is fetched and stored again
    return records


def _load_bodies(
    names: Sequence[str], max_age_hours: float
) -> list[tuple[str, bytes | memoryview]]:
    stored_after = timezone.now() - timedelta(hours=max_age_hours)
    found: list[tuple[str, bytes | memoryview]] = []
    for batch in batches(names, BATCH_SIZE):
        rows = Transaction.objects.filter(
            signature__in=batch, fetched_at__gt=stored_after
        )
        found += rows.values_list("signature", "body")
    return found


def _store(records: Mapping[str, TransactionRecord]) -> None:
    _save_rows(
        {
            signature: zlib.compress(msgspec.json.encode(record), COMPRESSION_LEVEL)
            for signature, record in records.items()
        }
    )


def _save_rows(bodies: Mapping[str, bytes]) -> None:
    now = timezone.now()
    # One order for every writer: two orders would wait for each other.
    rows = [
        Transaction(signature=name, body=body, fetched_at=now)
        for name, body in sorted(bodies.items())
    ]
    Transaction.objects.bulk_create(
        rows,
        batch_size=BATCH_SIZE,
        update_conflicts=True,
        unique_fields=["signature"],
        update_fields=["body", "fetched_at"],
    )

"""The signature list of an address by plain RPC, newest first on the wire.

Solana's `getSignaturesForAddress` pages by signature, not by time: a page begins after
the signature `before`.
"""

import math
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from discovery.clients.transaction_history import BlockTimeRange
from discovery.providers.errors import BadPayload, NotFound
from discovery.providers.records import SignatureRecord
from discovery.providers.slot_search import TimedSlot
from discovery.providers.solana_rpc import PAGE_SIZE, SolanaRpc

SEEK_TOLERANCE_SECONDS: Final = 20


async def successful_signatures(
    rpc: SolanaRpc,
    address: str,
    time_range: BlockTimeRange,
    *,
    stop_after: float = math.inf,
) -> list[SignatureRecord]:
    """Return the rows of successful transactions in the time range, oldest first.

    Rows without a time are included: their transaction decides.
    stop_after: paging stops once there are more rows.
    Raises ProviderError, BadPayload if a page repeats.
    """
    rows: list[SignatureRecord] = []
    async with aclosing(_pages(rpc, address, time_range)) as pages:
        async for page in pages:
            succeeded = [row for row in page if not row.failed]
            rows += [row for row in succeeded if _may_be_in_range(row, time_range)]
            if len(rows) > stop_after:
                break
    rows.reverse()
    return rows


async def _pages(
    rpc: SolanaRpc, address: str, time_range: BlockTimeRange
) -> AsyncGenerator[list[SignatureRecord], None]:
    """Yield the pages of the time range, newest first, without the rows that a page
    repeats of earlier ones.
    """
    seen: set[str] = set()
    page = await _first_page(rpc, address, time_range)
    while page:
        oldest = page[-1].signature
        if oldest in seen:
            raise BadPayload(rpc.provider, "the same page again")
        yield [row for row in page if row.signature not in seen]
        if _is_last_page(page, time_range):
            return
        seen.update(row.signature for row in page)
        page = await rpc.signatures(address, before=oldest, limit=PAGE_SIZE)


async def _first_page(
    rpc: SolanaRpc, address: str, time_range: BlockTimeRange
) -> list[SignatureRecord]:
    """Return the page in which the time range ends, or the newest page.

    The place in a busy address's list is searched by time, instead of paging from the
    newest row.
    """
    until = time_range.until
    page = await rpc.signatures(address, limit=PAGE_SIZE)
    oldest = _oldest_timed_slot(page)
    if until is None or oldest is None:
        return page
    if len(page) != PAGE_SIZE or oldest.time <= until:
        return page
    try:
        anchor = await rpc.signature_after(until, oldest, SEEK_TOLERANCE_SECONDS)
        return await rpc.signatures(address, before=anchor, limit=PAGE_SIZE)
    except NotFound:
        return page  # a node without block times may still have the complete list


def _may_be_in_range(row: SignatureRecord, time_range: BlockTimeRange) -> bool:
    return row.block_time is None or time_range.contains(row.block_time)


def _is_last_page(page: list[SignatureRecord], time_range: BlockTimeRange) -> bool:
    if len(page) < PAGE_SIZE:
        return True
    oldest = _oldest_timed_slot(page)
    return oldest is not None and time_range.starts_after(oldest.time)


def _oldest_timed_slot(page: list[SignatureRecord]) -> TimedSlot | None:
    """Return the last row that has a time, None if no row has one."""
    for row in reversed(page):
        if row.block_time is not None:
            return TimedSlot(row.slot, row.block_time)
    return None

"""The signature list of an address by plain RPC, newest first on the wire."""

from typing import Final

from discovery.clients.transaction_history import BlockTimeRange
from discovery.providers.errors import BadPayload, NotFound
from discovery.providers.records import SignatureRecord
from discovery.providers.slot_search import TimedSlot
from discovery.providers.solana_rpc import PAGE_SIZE, SolanaRpc

SEEK_TOLERANCE_SECONDS: Final = 20


async def successful_signatures(
    rpc: SolanaRpc, address: str, time_range: BlockTimeRange, *, stop_after: int | None = None
) -> list[SignatureRecord]:
    """Return the rows of successful transactions in the time range, oldest first.

    Rows without a time are included: their transaction decides.
    stop_after: paging stops once more rows are found, None = never.
    Raises BadPayload if a page repeats.
    """
    rows: list[SignatureRecord] = []
    seen: set[str] = set()
    page = await _first_page(rpc, address, time_range.until)
    while page:
        if page[-1].signature in seen:
            raise BadPayload(rpc.provider, "the same page again")
        new_rows = [row for row in page if row.signature not in seen]
        seen.update(row.signature for row in new_rows)
        rows += [row for row in new_rows if _may_be_in_range(row, time_range)]
        if _is_last_page(page, time_range.since):
            break
        if stop_after is not None and len(rows) > stop_after:
            break
        page = await rpc.signatures(address, before=page[-1].signature, limit=PAGE_SIZE)
    rows.reverse()
    return rows


async def _first_page(rpc: SolanaRpc, address: str, until: int | None) -> list[SignatureRecord]:
    """Return the page that contains `until`, or the newest page.

    The place in a busy address's list is searched by time, instead of paging from the newest row.
    """
    page = await rpc.signatures(address, limit=PAGE_SIZE)
    if until is None or len(page) != PAGE_SIZE:
        return page
    oldest = _oldest_timed_slot(page)
    if oldest is None or oldest.time <= until:
        return page
    try:
        anchor = await rpc.signature_after(until, oldest, SEEK_TOLERANCE_SECONDS)
        return await rpc.signatures(address, before=anchor, limit=PAGE_SIZE)
    except NotFound:
        return page  # a node without block times may still have the complete list


def _may_be_in_range(row: SignatureRecord, time_range: BlockTimeRange) -> bool:
    if row.failed:
        return False
    return row.block_time is None or time_range.contains(row.block_time)


def _is_last_page(page: list[SignatureRecord], since: int | None) -> bool:
    if len(page) < PAGE_SIZE:
        return True
    oldest = _oldest_timed_slot(page)
    if since is None or oldest is None:
        return False
    return oldest.time < since


def _oldest_timed_slot(page: list[SignatureRecord]) -> TimedSlot | None:
    for row in reversed(page):
        if row.block_time is not None:
            return TimedSlot(row.slot, row.block_time)
    return None

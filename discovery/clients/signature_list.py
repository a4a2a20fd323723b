"""The signature list of an address by plain RPC, newest first on the wire.

Solana's `getSignaturesForAddress` pages by signature, not by time: a page begins after
the signature `before`. Nodes are known to list a signature twice (solana-labs/solana
#24417), to send pages that are shorter than asked for, or empty ones while their
long-term storage does not answer (solana-labs/solana #21442 and #21843,
anza-xyz/agave #3700), and to refuse a `before` or `until` that they do not know
(agave #7937, code -32020). So an absent row proves nothing:

- Rows are counted once, and sorted by slot.
- A list is read until it is older than the time range. Otherwise it ends where its
  oldest transaction found the address without a lamport, so that it begins there: no
  further call. Without that proof the page after it must be empty, and a second
  question, whose answer has to repeat a known row, must add nothing to it: two calls.
- No row at all is believed of an address that does not exist on the chain: one call.
"""

import math
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import islice
from typing import Final

from discovery.clients.transaction_history import BlockTimeRange
from discovery.providers.errors import BadPayload, BadRequest, NotFound, ServerFailed
from discovery.providers.records import SignatureRecord
from discovery.providers.slot_search import TimedSlot
from discovery.providers.solana_rpc import PAGE_SIZE, SolanaRpc

SEEK_TOLERANCE_SECONDS: Final = 20
MAX_CURSORS: Final = 4
"""Rows that are tried as the place to go on from: a node may not know one of them."""
PROOF_ROWS: Final = 50
"""Rows whose transactions are read to prove where a list begins. They are wanted anyway."""

IsBeginning = Callable[[Sequence[SignatureRecord]], Awaitable[bool]]
"""Takes rows, oldest first. Returns True if the transaction of the first one found the
address without lamports, so that no older one is to be expected.
"""


async def successful_signatures(
    rpc: SolanaRpc,
    address: str,
    time_range: BlockTimeRange,
    *,
    stop_after: float = math.inf,
    is_beginning: IsBeginning | None = None,
) -> list[SignatureRecord]:
    """Return the rows of successful transactions in the time range, oldest first.

    Rows without a time are included: their transaction decides.
    stop_after: paging stops once there are more rows. is_beginning: proves where a list
    begins; None = every end is confirmed by two further questions.
    Raises ProviderError, ServerFailed if the list ends where it cannot, BadPayload if a
    page repeats.
    """
    pages = SignaturePages(rpc, address, time_range, is_beginning=is_beginning)
    await pages.read(stop_after)
    return pages.successful()


class SignaturePages:
    """The pages of one signature list, read as far as the time range needs.

    newer_than: a signature at which the list ends; its page may be empty. before: a
    signature after which it begins.
    """

    def __init__(
        self,
        rpc: SolanaRpc,
        address: str,
        time_range: BlockTimeRange,
        *,
        newer_than: str | None = None,
        before: str | None = None,
        is_beginning: IsBeginning | None = None,
    ) -> None:
        self._rpc = rpc
        self._address = address
        self._range = time_range
        self._newer_than = newer_than
        self._before = before
        self._is_beginning_of = is_beginning
        self._rows: dict[str, SignatureRecord] = {}  # newest first, as they came
        self._last_page: Sequence[SignatureRecord] = ()
        self._newest_page: list[SignatureRecord] | None = None
        self._wanted_count = 0
        self._is_after_short_page = False
        self._has_sought = False

    @property
    def newest_signature(self) -> str:
        """The newest signature, failed ones included; "" without any."""
        if not self._rows:
            return ""
        return self._oldest_first()[-1].signature

    def successful(self) -> list[SignatureRecord]:
        """Return the rows of successful transactions in the range, oldest first."""
        return [row for row in self._oldest_first() if self._is_wanted(row)]

    async def read_newest(self) -> None:
        """Read the newest page, `read` goes on from it. Raises ProviderError."""
        self._newest_page = await self._first_page()
        self._add(self._newest_page)

    async def read(self, stop_after: float = math.inf) -> None:
        """Read pages until the list ends or is older than the range, or until more than
        `stop_after` rows are known. Raises as `successful_signatures`.
        """
        page = self._newest_page
        if page is None:
            page = await self._first_page()
        while page:
            self._add(page)
            if self._wanted_count > stop_after or self._is_past_range(page):
                return
            if self._should_seek(page):
                page = await self._page_at_end_of_range()
                continue
            is_short = len(page) < PAGE_SIZE
            may_be_last = is_short and not self._rpc.has_capped_pages
            if may_be_last and await self._begins_here():
                return
            self._is_after_short_page = is_short
            page = await self._older_page()

    def _oldest_first(self) -> list[SignatureRecord]:
        """Return the rows by slot; those of one slot in the order of the list."""
        newest_first = sorted(self._rows.values(), key=lambda row: -row.slot)
        return newest_first[::-1]

    def _add(self, page: Sequence[SignatureRecord]) -> None:
        self._last_page = page
        for row in page:
            if row.signature not in self._rows:
                self._rows[row.signature] = row
                self._wanted_count += self._is_wanted(row)

    def _is_wanted(self, row: SignatureRecord) -> bool:
        if row.failed:
            return False
        return row.block_time is None or self._range.contains(row.block_time)

    def _has_new_rows(self, page: Sequence[SignatureRecord]) -> bool:
        return any(row.signature not in self._rows for row in page)

    def _is_past_range(self, page: Sequence[SignatureRecord]) -> bool:
        oldest = _oldest_timed_slot(page)
        return oldest is not None and self._range.starts_after(oldest.time)

    async def _first_page(self) -> list[SignatureRecord]:
        """Return the newest page. An empty one of an address that exists is not
        believed.
        """
        page = await self._page(self._before)
        if page or self._newer_than is not None:
            return page
        if self._before is not None:
            return await self._page(self._before)
        (account,) = await self._rpc.accounts([self._address])
        if account is None:
            return []
        page = await self._page(None)
        if page:
            return page
        raise ServerFailed(
            self._rpc.provider,
            f"the node lists no transaction of {self._address}, which exists",
        )

    async def _page(self, before: str | None) -> list[SignatureRecord]:
        return await self._rpc.signatures(
            self._address,
            before=before,
            newer_than=self._newer_than,
            limit=PAGE_SIZE,
        )

    def _should_seek(self, page: Sequence[SignatureRecord]) -> bool:
        """Return True if the range ends before this page, and more pages follow."""
        oldest = _oldest_timed_slot(page)
        if (
            self._has_sought
            or oldest is None
            or not self._range.ends_before(oldest.time)
        ):
            return False
        return len(page) >= PAGE_SIZE or self._is_after_short_page

    async def _page_at_end_of_range(self) -> list[SignatureRecord]:
        """Return the page in which the range ends: in a busy address's list its place is
        searched by time. Without block times of the node, return the next page.
        """
        self._has_sought = True
        until = self._range.until
        oldest = _oldest_timed_slot(list(self._rows.values()))
        if until is not None and oldest is not None:
            try:
                anchor = await self._rpc.signature_after(
                    until, oldest, SEEK_TOLERANCE_SECONDS
                )
                page = await self._page(anchor)
            except (NotFound, BadRequest):
                page = []  # the complete list may be there nevertheless
            if self._has_new_rows(page):
                return page
        return await self._older_page()

    async def _older_page(self) -> list[SignatureRecord]:
        """Return a page with older rows, [] if the list ends.

        Raises BadPayload if only known rows come, ServerFailed if the node forgets rows
        that it has listed.
        """
        if self._newer_than is not None:
            page = await self._page(self._oldest_first()[0].signature)
            return page if self._has_new_rows(page) else []
        was_empty = False
        for cursor in self._cursors():
            try:
                page = await self._page(cursor)
            except (NotFound, BadRequest):
                continue  # the node does not know that signature
            if self._has_new_rows(page):
                self._rpc.has_capped_pages |= self._is_after_short_page
                return page
            if was_empty and page:
                return []  # it answers for these rows, and has no older ones
            if page and page == self._last_page:
                break
            if not page:
                if was_empty:
                    break
                if await self._begins_here():
                    return []
                was_empty = True
        if was_empty:
            raise ServerFailed(
                self._rpc.provider,
                f"the node does not list transactions of {self._address} that it listed before",
            )
        raise BadPayload(self._rpc.provider, "the same page again")

    def _cursors(self) -> Iterator[str | None]:
        """Yield the oldest rows as places to go on from, then the newest page: a list of
        one row is repeated by it.
        """
        for row in islice(self._oldest_first(), MAX_CURSORS):
            yield row.signature
        yield self._before

    async def _begins_here(self) -> bool:
        """Return True if the oldest successful transaction shows that it is the first."""
        if self._is_beginning_of is None or self._newer_than is not None:
            return False
        successful = [row for row in self._oldest_first() if not row.failed]
        wanted = self.successful()[:PROOF_ROWS]
        if not successful:
            return False
        if wanted[:1] != successful[:1]:
            wanted = successful[:1]
        return await self._is_beginning_of(wanted)


def _oldest_timed_slot(rows: Sequence[SignatureRecord]) -> TimedSlot | None:
    """Return the oldest row that has a time, None if no row has one."""
    timed = [
        TimedSlot(row.slot, row.block_time)
        for row in rows
        if row.block_time is not None
    ]
    return min(timed, default=None)

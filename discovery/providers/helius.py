"""Helius `getTransactionsForAddress`: full transactions of an address by time, oldest
or newest first.

What it costs: `credits.py`. The documents disagree on whether a free key may call the
method, so clients try it once at the start.
"""

from typing import Final

from msgspec import Raw, Struct

from discovery.providers.credits import credits_of_rows
from discovery.providers.errors import UNREADABLE, BadPayload
from discovery.providers.http import Meter
from discovery.providers.jsonrpc import JsonRpc
from discovery.providers.records import Rows, decode_body
from discovery.providers.transactions import TransactionRecord, decode_record

NAME: Final = "helius"
PAGE_SIZE: Final = 1000
METHOD: Final = "getTransactionsForAddress"


class TransactionPage(Struct, frozen=True):
    """Transactions in chain order, and the token of the next page, None on the last
    one.
    """

    rows: Rows[TransactionRecord]
    next_token: str | None


class _Page(Struct, rename="camel"):
    data: list[Raw]
    pagination_token: str | None = None


class Helius:
    """Client of the methods that only Helius offers."""

    def __init__(self, rpc: JsonRpc, meter: Meter) -> None:
        self._rpc = rpc
        self._meter = meter
        self.provider = rpc.provider

    async def probe(self, address: str) -> None:
        """Request one row, for 10 credits.

        Raises KeyRefused, Unsupported or QuotaUsedUp if the key cannot use the method,
        another ProviderError if that is not known.
        """
        await self.transactions(address, limit=1)

    async def transactions(
        self,
        address: str,
        *,
        since: int | None = None,
        until: int | None = None,
        newest_first: bool = False,
        from_slot: int | None = None,
        token: str | None = None,
        limit: int = PAGE_SIZE,
    ) -> TransactionPage:
        """Return one page of the successful transactions that name the address.

        since, until: unix seconds, inclusive; None = open. from_slot: where the pages
        begin, inclusive; None = at the end of the range. token: of the page, None = the
        first one. limit: rows of the page, PAGE_SIZE at most; fewer prove nothing.
        Rows that cannot be read are counted in `rejected`.
        Raises ProviderError, BadRequest for a token that is refused, BadPayload if the
        next page is the requested one.
        """
        config: dict[str, object] = {
            "transactionDetails": "full",
            "sortOrder": "desc" if newest_first else "asc",
            "limit": limit,
            "commitment": "finalized",
            "encoding": "json",
            "maxSupportedTransactionVersion": 1,
            "filters": _filters(
                since, until, _slots(from_slot, newest_first=newest_first)
            ),
        }
        if token is not None:
            config["paginationToken"] = token
        body = await self._rpc.call(METHOD, [address, config])
        page = decode_body(self.provider, body, _Page)
        self._meter.add_credits(self.provider, credits_of_rows(METHOD, len(page.data)))
        next_token = page.pagination_token
        if next_token is not None and next_token == token:
            raise BadPayload(self.provider, "the same page again")
        return TransactionPage(self._rows(page.data), next_token)

    def _rows(self, raws: list[Raw]) -> Rows[TransactionRecord]:
        """Decode the rows one by one. One that cannot be read or has no signature is
        rejected.
        """
        rows: Rows[TransactionRecord] = Rows()
        for raw in raws:
            try:
                record = decode_record(bytes(raw))
            except UNREADABLE as error:
                rows.reject(f"{self.provider}: transaction not as documented ({error})")
                continue
            if record.transaction.signatures:
                rows.append(record)
            else:
                rows.reject(f"{self.provider}: transaction without a signature")
        return rows


def _slots(from_slot: int | None, *, newest_first: bool) -> dict[str, int]:
    if from_slot is None:
        return {}
    return {"lte" if newest_first else "gte": from_slot}


def _filters(
    since: int | None, until: int | None, slots: dict[str, int]
) -> dict[str, object]:
    """Return the filters of Helius' documentation: `gte` and `lte` include their bound."""
    filters: dict[str, object] = {"status": "succeeded", "tokenAccounts": "none"}
    if slots:
        filters["slot"] = slots
    block_time: dict[str, int] = {}
    if since is not None:
        block_time["gte"] = since
    if until is not None:
        block_time["lte"] = until
    if block_time:
        filters["blockTime"] = block_time
    return filters

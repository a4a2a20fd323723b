"""Helius `getTransactionsForAddress`: full transactions of an address by time, oldest or newest first.

Cost (docs of autumn 2026): 10 credits per 100 rows, at least 10. Whether a free key may call it is told differently by
different documents, so it is asked once at the start. Failed answers are free.
"""

from typing import Final

from msgspec import Raw, Struct

from discovery.providers.errors import UNREADABLE, BadPayload
from discovery.providers.http import Meter
from discovery.providers.jsonrpc import JsonRpc
from discovery.providers.records import Rows, whole
from discovery.providers.transactions import TransactionRecord, decode_record

NAME: Final = "helius"
PAGE: Final = 1000
CREDITS_PER_100: Final = 10


class TransactionPage(Struct, frozen=True):
    """Rows in chain order and where the next page begins, None at the end."""

    rows: Rows[TransactionRecord]
    next_token: str | None


class _Page(Struct, rename="camel"):
    data: list[Raw]
    pagination_token: str | None = None


class Helius:
    """The methods only Helius has."""

    def __init__(self, rpc: JsonRpc, meter: Meter) -> None:
        self._rpc = rpc
        self._meter = meter
        self.provider = rpc.provider

    async def probe(self, address: str) -> None:
        """Ask for one row. Raises KeyRefused, Unsupported or QuotaUsedUp where this key will not do."""
        await self.transactions(address, limit=1)

    async def transactions(
        self,
        address: str,
        *,
        since: int | None = None,
        until: int | None = None,
        newest_first: bool = False,
        token: str | None = None,
        limit: int = PAGE,
    ) -> TransactionPage:
        """Successful transactions that name the address; `since` and `until` are unix seconds, both inclusive."""
        filters: dict[str, object] = {"status": "succeeded", "tokenAccounts": "none"}
        times = {name: value for name, value in (("gte", since), ("lte", until)) if value is not None}
        if times:
            filters["blockTime"] = times
        config: dict[str, object] = {
            "transactionDetails": "full",
            "sortOrder": "desc" if newest_first else "asc",
            "limit": limit,
            "commitment": "finalized",
            "encoding": "json",
            "maxSupportedTransactionVersion": 1,
            "filters": filters,
        }
        if token is not None:
            config["paginationToken"] = token
        page = whole(self.provider, await self._rpc.ask("getTransactionsForAddress", [address, config]), _Page)
        self._meter.credit(self.provider, CREDITS_PER_100 * max(1, -(-len(page.data) // 100)))
        if page.pagination_token is not None and page.pagination_token == token:
            raise BadPayload(self.provider, "the same page again")
        rows: Rows[TransactionRecord] = Rows()
        for raw in page.data:
            try:
                record = decode_record(bytes(raw))
            except UNREADABLE as error:
                rows.reject(f"{self.provider}: transaction not as documented ({error})")
                continue
            if record.transaction.signatures:
                rows.append(record)
            else:
                rows.reject(f"{self.provider}: transaction without a signature")
        return TransactionPage(rows, page.pagination_token)

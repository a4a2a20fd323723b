"""Solana JSON-RPC: signature lists, newest first, transactions, accounts, blocks and
the search for a block by time. Methods and layouts: Solana's RPC documentation.

`maxSupportedTransactionVersion` must be 1: with less, nodes refuse more than a third of
today's transactions.
"""

import base64
from collections.abc import Sequence
from itertools import chain
from typing import Final

from msgspec import Struct, field

from discovery.providers.batches import batches
from discovery.providers.concurrency import gather_bounded
from discovery.providers.errors import (
    UNREADABLE,
    BadPayload,
    BadRequest,
    NotFound,
    ProviderError,
    Unsupported,
)
from discovery.providers.jsonrpc import JsonRpc
from discovery.providers.records import AccountRecord, SignatureRecord, decode_body
from discovery.providers.slot_search import SlotSearch, TimedSlot, outward
from discovery.providers.transactions import TransactionRecord, decode_record

NAME: Final = "solana_rpc"
PAGE_SIZE: Final = 1000
TRANSACTION_BATCH_SIZE: Final = 100
ACCOUNT_BATCH_SIZE: Final = 100
MAX_CONCURRENT: Final = 32
NEARBY_BLOCKS: Final = 20
"""Number of slots after the found one that are tried one by one for a block with a
signature.
"""
COMMITMENT: Final = "finalized"  # finalized data never changes
_TRANSACTION_CONFIG: Final = {
    "encoding": "json",
    "commitment": COMMITMENT,
    "maxSupportedTransactionVersion": 1,
}
_BLOCK_CONFIG: Final = {
    "transactionDetails": "signatures",
    "rewards": False,
    "maxSupportedTransactionVersion": 1,
    "commitment": COMMITMENT,
}


class _SignatureRow(Struct, rename="camel"):
    signature: str
    slot: int
    err: object = None
    block_time: int | None = None


class _Account(Struct):
    lamports: int
    owner: str
    data: tuple[str, str]


class _Accounts(Struct):
    value: list[_Account | None]


class _Block(Struct):
    signatures: list[str] = []


class FetchedTransactions(Struct):
    """Transactions by signature, and the cause for each signature without a readable
    transaction.
    """

    records: dict[str, TransactionRecord] = field(default_factory=dict)
    rejected: dict[str, str] = field(default_factory=dict)


class _UnreadableTransaction(Exception):
    """The result of a call is not the requested transaction."""


class SolanaRpc:
    """Client of the RPC methods of any node, Helius included."""

    def __init__(self, rpc: JsonRpc) -> None:
        self._rpc = rpc
        self.provider = rpc.provider
        # None until the first batch was accepted or refused.
        self.accepts_batches: bool | None = None
        # True once a page of a signature list was shorter than asked for, and not the
        # last one.
        self.has_capped_pages = False

    async def signatures(
        self,
        address: str,
        *,
        before: str | None = None,
        newer_than: str | None = None,
        limit: int = PAGE_SIZE,
    ) -> list[SignatureRecord]:
        """Return one page of the address's signature list, newest first, with failed
        transactions.

        before: the signature after which the page begins; None = the newest page.
        newer_than: the signature before which it ends; None = at `limit`. Raises
        ProviderError.
        """
        config: dict[str, object] = {"limit": limit, "commitment": COMMITMENT}
        if before:
            config["before"] = before
        if newer_than:
            config["until"] = newer_than
        body = await self._rpc.call("getSignaturesForAddress", [address, config])
        rows = decode_body(self.provider, body, list[_SignatureRow])
        return [_signature_record(row) for row in rows]

    async def transactions(
        self, signatures: Sequence[str], fetched: FetchedTransactions | None = None
    ) -> FetchedTransactions:
        """Fetch the transactions, in batches if the server accepts them.

        fetched: filled as the transactions arrive, and returned; None = a new one.
        Each signature is among the records or among the rejected: a transaction that
        is unknown or unreadable is rejected with its cause.
        Raises ProviderError if the server does not respond or refuses the method.
        """
        fetched = FetchedTransactions() if fetched is None else fetched
        remaining = list(signatures)
        if self.accepts_batches is None and len(remaining) > 1:
            # The first batch shows whether the server accepts more.
            first = remaining[:TRANSACTION_BATCH_SIZE]
            others = remaining[TRANSACTION_BATCH_SIZE:]
            remaining = await self._fetch_batch(first, fetched) + others
        if self.accepts_batches and len(remaining) > 1:
            remaining = await self._fetch_batches(remaining, fetched)
        await gather_bounded(
            remaining,
            lambda signature: self._fetch_one(signature, fetched),
            MAX_CONCURRENT,
        )
        return fetched

    async def _fetch_batches(
        self, signatures: Sequence[str], fetched: FetchedTransactions
    ) -> list[str]:
        """Fetch all in batches. Returns the signatures to request singly."""
        retries_by_batch = await gather_bounded(
            batches(signatures, TRANSACTION_BATCH_SIZE),
            lambda batch: self._fetch_batch(batch, fetched),
            MAX_CONCURRENT,
        )
        return list(chain.from_iterable(retries_by_batch))

    async def _fetch_batch(
        self, signatures: Sequence[str], fetched: FetchedTransactions
    ) -> list[str]:
        """Fetch one batch. Returns the signatures to request singly: all of them if
        batches are refused.
        """
        if self.accepts_batches is False:
            return list(signatures)
        params = [[signature, _TRANSACTION_CONFIG] for signature in signatures]
        try:
            results = await self._rpc.call_many("getTransaction", params)
        except Unsupported:
            self.accepts_batches = False
            return list(signatures)
        self.accepts_batches = True
        return [
            signature
            for index, signature in enumerate(signatures)
            if not _store_batch_result(signature, results[index], fetched)
        ]

    async def _fetch_one(self, signature: str, fetched: FetchedTransactions) -> None:
        """Fetch one transaction. Errors that concern it alone reject it; others are
        raised: they would meet the other transactions too.
        """
        try:
            body = await self._rpc.call(
                "getTransaction", [signature, _TRANSACTION_CONFIG]
            )
            fetched.records[signature] = _decode_transaction(signature, body)
        except (BadPayload, BadRequest, NotFound) as error:
            fetched.rejected[signature] = error.cause
        except _UnreadableTransaction as error:
            fetched.rejected[signature] = str(error)

    async def accounts(self, addresses: Sequence[str]) -> list[AccountRecord | None]:
        """Return the accounts in the order of the addresses, None for those that do not
        exist; 100 a call.

        Raises ProviderError, BadPayload for fewer accounts than addresses.
        """
        accounts = await gather_bounded(
            batches(addresses, ACCOUNT_BATCH_SIZE), self._accounts_of, MAX_CONCURRENT
        )
        return list(chain.from_iterable(accounts))

    async def _accounts_of(
        self, addresses: Sequence[str]
    ) -> list[AccountRecord | None]:
        config = {"encoding": "base64", "commitment": COMMITMENT}
        body = await self._rpc.call("getMultipleAccounts", [addresses, config])
        rows = decode_body(self.provider, body, _Accounts).value
        if len(rows) != len(addresses):
            raise BadPayload(self.provider, "fewer accounts than requested")
        return [
            None if row is None else _account_record(self.provider, row) for row in rows
        ]

    async def block_time(self, slot: int) -> int | None:
        """Return the unix seconds of a slot, None if the node has none.

        Raises NotFound for a skipped slot, ProviderError if the node does not respond.
        """
        body = await self._rpc.call("getBlockTime", [slot])
        return decode_body(self.provider, body, int | None)  # type: ignore[arg-type]

    async def block_signature(self, slot: int) -> str | None:
        """Return the first signature of the block at `slot`, None if it has none.

        Raises NotFound for a skipped slot, ProviderError if the node does not respond.
        """
        body = await self._rpc.call("getBlock", [slot, _BLOCK_CONFIG])
        block: _Block | None = decode_body(self.provider, body, _Block | None)  # type: ignore[arg-type]
        if block is None or not block.signatures:
            return None
        return block.signatures[0]

    async def signature_after(
        self, target: int, later: TimedSlot, tolerance_seconds: int
    ) -> str:
        """Return a signature of a block after unix second `target`, at most
        `tolerance_seconds` later if there is one.

        later: a slot whose time is after `target`.
        Raises NotFound, also if the node's blocks do not reach back to `target`, and
        ProviderError if the node does not respond.
        """
        search = SlotSearch(self.block_time, target, later, tolerance_seconds)
        first = await search.run()
        if first is None:
            raise NotFound(self.provider, "history does not reach back that far")
        return await self._first_signature(first.slot, later.slot + 1)

    async def signature_near(self, slot: int) -> str:
        """Return a signature of the block at `slot`, or of one soon after it. Raises
        NotFound if there is none, ProviderError if the node does not respond.
        """
        return await self._first_signature(slot, slot + NEARBY_BLOCKS)

    async def _first_signature(self, start: int, end: int) -> str:
        """Return a signature of the first block with transactions from slot `start` on,
        before slot `end`.
        """
        for slot in outward(start, end, NEARBY_BLOCKS):
            try:
                signature = await self.block_signature(slot)
            except NotFound:
                continue
            if signature:
                return signature
        raise NotFound(self.provider, "no block after that time")


def _signature_record(row: _SignatureRow) -> SignatureRecord:
    return SignatureRecord(
        signature=row.signature,
        slot=row.slot,
        failed=row.err is not None,
        block_time=row.block_time,
    )


def _store_batch_result(
    signature: str, result: bytes | ProviderError, fetched: FetchedTransactions
) -> bool:
    """Store one result of a batch. Returns False if the signature should be requested
    singly.
    """
    if isinstance(result, ProviderError):
        if result.retryable:
            return False
        fetched.rejected[signature] = result.cause
        return True
    try:
        fetched.records[signature] = _decode_transaction(signature, result)
    except _UnreadableTransaction:
        # Another node behind the same address may know it, or send it complete.
        return False
    return True


def _decode_transaction(signature: str, body: bytes) -> TransactionRecord:
    """Return the transaction. Raises _UnreadableTransaction with the cause in plain
    words.
    """
    if body == b"null":
        raise _UnreadableTransaction("unknown to the node")
    try:
        record = decode_record(body)
    except UNREADABLE as error:
        raise _UnreadableTransaction(
            f"transaction not as documented ({error})"
        ) from None
    if record.transaction.signatures[:1] != [signature]:
        raise _UnreadableTransaction("another transaction than requested")
    return record


def _account_record(provider: str, row: _Account) -> AccountRecord:
    """Return the account. Raises BadPayload for data that is not base64."""
    try:
        data = base64.b64decode(row.data[0], validate=True)
    except ValueError:
        raise BadPayload(provider, "account data is not base64") from None
    return AccountRecord(row.owner, row.lamports, data)

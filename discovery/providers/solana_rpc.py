"""Solana JSON-RPC: histories newest first, transactions, accounts, and the search for a slot by time.

`maxSupportedTransactionVersion` must be 1: with less, more than a third of today's transactions are refused.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final, TypeVar

from msgspec import Struct

from discovery.providers.errors import UNREADABLE, BadPayload, BadRequest, NotFound, ProviderError, Unsupported
from discovery.providers.jsonrpc import JsonRpc
from discovery.providers.records import AccountRecord, SignatureRecord, whole
from discovery.providers.transactions import TransactionRecord, decode_record

NAME: Final = "solana_rpc"
PAGE: Final = 1000
TRANSACTION_BATCH: Final = 100
ACCOUNT_BATCH: Final = 100
CONCURRENT: Final = 32
FIRST_GUESS_SLOTS_PER_SECOND: Final = 3.0  # measured in autumn 2026; only where the search begins
COMMITMENT: Final = "finalized"  # facts are read once they cannot change
_TRANSACTION_CONFIG: Final = {"encoding": "json", "commitment": COMMITMENT, "maxSupportedTransactionVersion": 1}


Item = TypeVar("Item")
Result = TypeVar("Result")


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


class SolanaRpc:
    """Plain RPC methods of any node, Helius included."""

    def __init__(self, rpc: JsonRpc) -> None:
        self._rpc = rpc
        self.provider = rpc.provider
        self.batches: bool | None = None  # None until the first batch was accepted or refused

    async def signatures(self, address: str, *, before: str | None = None, limit: int = PAGE) -> list[SignatureRecord]:
        """One page of the address's history, newest first, failed transactions among them."""
        config: dict[str, object] = {"limit": limit, "commitment": COMMITMENT}
        if before:
            config["before"] = before
        rows = whole(
            self.provider, await self._rpc.ask("getSignaturesForAddress", [address, config]), list[_SignatureRow]
        )
        return [SignatureRecord(row.signature, row.slot, row.err is not None, row.block_time) for row in rows]

    async def transactions(
        self, signatures: list[str], rejected: Callable[[str, str], None]
    ) -> dict[str, TransactionRecord]:
        """Transactions by signature. One that is unknown or unreadable is told to `rejected(signature, cause)`.

        In batches where the server takes them, singly where it refuses. Raises ProviderError where it does not answer.
        """
        found: dict[str, TransactionRecord] = {}
        left = list(signatures)
        if self.batches is None and len(left) > 1:
            # One first: it tells whether the others may come in batches.
            head, left = left[:TRANSACTION_BATCH], left[TRANSACTION_BATCH:]
            left = await self._batch(head, found, rejected) + left
        if self.batches and len(left) > 1:
            chunks = [left[start : start + TRANSACTION_BATCH] for start in range(0, len(left), TRANSACTION_BATCH)]
            left = [
                signature
                for part in await _bounded(chunks, lambda chunk: self._batch(chunk, found, rejected))
                for signature in part
            ]
        await _bounded(left, lambda signature: self._one(signature, found, rejected))
        return found

    async def _batch(
        self, signatures: list[str], found: dict[str, TransactionRecord], rejected: Callable[[str, str], None]
    ) -> list[str]:
        """Fills `found`; answers the signatures worth asking for again, singly: all where batches are refused."""
        if self.batches is False:
            return signatures
        try:
            answers = await self._rpc.ask_many(
                "getTransaction", [[signature, _TRANSACTION_CONFIG] for signature in signatures]
            )
        except Unsupported:
            self.batches = False
            return signatures
        self.batches = True
        again: list[str] = []
        for place, signature in enumerate(signatures):
            answer = answers[place]
            if isinstance(answer, ProviderError):
                if not answer.retryable:
                    rejected(signature, answer.cause)
                    continue
                again.append(signature)
            else:
                # Garbled or unknown once: another node behind the same address may do better.
                _read(signature, answer, found, lambda missed, _cause: again.append(missed))
        return again

    async def _one(
        self, signature: str, found: dict[str, TransactionRecord], rejected: Callable[[str, str], None]
    ) -> None:
        try:
            answer = await self._rpc.ask("getTransaction", [signature, _TRANSACTION_CONFIG])
        except (BadPayload, BadRequest, NotFound) as error:
            # This transaction's own trouble: the others are not lost with it.
            rejected(signature, error.cause)
            return
        _read(signature, answer, found, rejected)

    async def accounts(self, addresses: list[str]) -> list[AccountRecord | None]:
        """Accounts in the order asked, None for those that do not exist; 100 a call."""
        chunks = [addresses[start : start + ACCOUNT_BATCH] for start in range(0, len(addresses), ACCOUNT_BATCH)]

        async def chunk(part: list[str]) -> list[AccountRecord | None]:
            config = {"encoding": "base64", "commitment": COMMITMENT}
            rows = whole(self.provider, await self._rpc.ask("getMultipleAccounts", [part, config]), _Accounts).value
            if len(rows) != len(part):
                raise BadPayload(self.provider, "fewer accounts than asked for")
            return [_account(self.provider, row) if row else None for row in rows]

        return [account for part in await _bounded(chunks, chunk) for account in part]

    async def block_time(self, slot: int) -> int | None:
        """Unix seconds of a slot; None where the node has no time for it. Raises NotFound for a skipped slot."""
        return whole(self.provider, await self._rpc.ask("getBlockTime", [slot]), int | None)  # type: ignore[arg-type]

    async def block_signature(self, slot: int) -> str | None:
        """Any signature of the block at `slot`, None where it has none. Raises NotFound for a skipped slot."""
        config = {
            "transactionDetails": "signatures",
            "rewards": False,
            "maxSupportedTransactionVersion": 1,
            "commitment": COMMITMENT,
        }
        block = whole(self.provider, await self._rpc.ask("getBlock", [slot, config]), _Block | None)  # type: ignore[arg-type]
        return block.signatures[0] if block and block.signatures else None

    async def signature_after(self, moment: int, later_slot: int, later_time: int, tolerance_seconds: int) -> str:
        """A signature of a block after unix second `moment`, at most `tolerance_seconds` later where there is one.

        `later_slot` was produced at `later_time` > moment. Narrows the slots between by `getBlockTime`, guessing from
        the pace measured so far, since slot times are uneven; where guessing gains little it halves.
        Raises NotFound, also where the node's blocks do not reach back to `moment`.
        """
        high_slot, high_time = later_slot, later_time
        low_slot, low_time = 0, None  # without a time: nothing is known from there on up to `ceiling`
        ceiling = high_slot  # nothing is known between it and `high_slot`: skipped
        pace, halve = FIRST_GUESS_SLOTS_PER_SECOND, False
        while high_time - moment > tolerance_seconds and ceiling - low_slot > 1:
            width = ceiling - low_slot
            if low_time is None:
                guess = high_slot - int((high_time - moment) * pace * 1.05) - 10
            else:
                share = (moment + tolerance_seconds / 2 - low_time) / (high_time - low_time)
                guess = low_slot + int((high_slot - low_slot) * share)
            if halve or not low_slot < guess < ceiling:
                guess = low_slot + width // 2 if low_time is not None or halve or guess > low_slot else low_slot + 1
            found = await self._timed_slot(guess, ceiling)
            if found is None:
                if low_time is None:
                    low_slot = guess
                else:
                    ceiling = guess
            elif found[1] > moment:
                if high_time > found[1]:
                    pace = (high_slot - found[0]) / (high_time - found[1])
                high_slot, high_time = found
                ceiling = high_slot
            else:
                low_slot, low_time = found
            halve = ceiling - low_slot > width // 2
        if low_time is None and high_time - moment > tolerance_seconds:
            raise NotFound(self.provider, "history does not reach back that far")
        for slot in _outward(high_slot, later_slot + 1, 20):
            try:
                signature = await self.block_signature(slot)
            except NotFound:
                continue
            if signature:
                return signature
        raise NotFound(self.provider, "no block after that time")

    async def _timed_slot(self, slot: int, end: int) -> tuple[int, int] | None:
        """A slot from `slot` on, before `end`, that has a time, with it. None where none was met."""
        for each in _outward(slot, end, 5):
            try:
                time = await self.block_time(each)
            except NotFound:
                continue
            if time is not None:
                return each, time
        return None


def _outward(start: int, end: int, near: int) -> Iterator[int]:
    """`near` numbers from `start` on, one by one, then ever farther apart: runs of skipped slots are short or long."""
    yield from range(start, min(start + near, end))
    step = near
    while start + step < end:
        yield start + step
        step *= 2


def _read(
    signature: str, answer: bytes, found: dict[str, TransactionRecord], rejected: Callable[[str, str], None]
) -> None:
    if answer == b"null":
        rejected(signature, "unknown to the node")
        return
    try:
        record = decode_record(answer)
    except UNREADABLE as error:
        rejected(signature, f"transaction not as documented ({error})")
        return
    if record.transaction.signatures[:1] != [signature]:
        rejected(signature, "another transaction than asked for")
        return
    found[signature] = record


def _account(provider: str, row: _Account) -> AccountRecord:
    try:
        return AccountRecord(row.owner, row.lamports, base64.b64decode(row.data[0], validate=True))
    except ValueError:
        raise BadPayload(provider, "account data is not base64") from None


async def _bounded(items: Sequence[Item], work: Callable[[Item], Awaitable[Result]]) -> list[Result]:
    """`work` over all items, a bounded number at once; results in order. The first failure ends the others."""
    gate = asyncio.Semaphore(CONCURRENT)

    async def one(item: Item) -> Result:
        async with gate:
            return await work(item)

    tasks = [asyncio.ensure_future(one(item)) for item in items]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise

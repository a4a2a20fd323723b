"""Solana JSON-RPC: histories newest first, transactions, accounts, and the search for a slot by time.

`maxSupportedTransactionVersion` must be 1: with less, more than a third of today's transactions are refused.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from discovery.providers.errors import BadPayload, NotFound, ProviderError, Unsupported
from discovery.providers.jsonrpc import JsonRpc
from discovery.providers.records import AccountRecord, SignatureRecord, whole
from discovery.providers.transactions import TransactionRecord, decode_record

NAME: Final = "solana_rpc"
PAGE: Final = 1000
TRANSACTION_BATCH: Final = 100
ACCOUNT_BATCH: Final = 100
CONCURRENT: Final = 32
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
        if self.batches is not False and len(left) > 1:
            head, left = left[:TRANSACTION_BATCH], left[TRANSACTION_BATCH:]
            try:
                again = await self._batch(head, found, rejected)
            except Unsupported:
                self.batches = False
                left = head + left
            else:
                self.batches = True
                left = again + left
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
        """Fills `found`; answers the signatures worth asking for again, singly."""
        answers = await self._rpc.ask_many(
            "getTransaction", [[signature, _TRANSACTION_CONFIG] for signature in signatures]
        )
        again = []
        for place, signature in enumerate(signatures):
            answer = answers[place]
            if isinstance(answer, ProviderError):
                if not answer.retryable:
                    rejected(signature, answer.cause)
                    continue
                again.append(signature)
            else:
                _read(signature, answer, found, rejected)
        return again

    async def _one(
        self, signature: str, found: dict[str, TransactionRecord], rejected: Callable[[str, str], None]
    ) -> None:
        _read(signature, await self._rpc.ask("getTransaction", [signature, _TRANSACTION_CONFIG]), found, rejected)

    async def accounts(self, addresses: list[str]) -> list[AccountRecord | None]:
        """Accounts in the order asked, None for those that do not exist; 100 a call."""
        chunks = [addresses[start : start + ACCOUNT_BATCH] for start in range(0, len(addresses), ACCOUNT_BATCH)]

        async def chunk(part: list[str]) -> list[AccountRecord | None]:
            config = {"encoding": "base64", "commitment": COMMITMENT}
            rows = whole(self.provider, await self._rpc.ask("getMultipleAccounts", [part, config]), _Accounts).value
            if len(rows) != len(part):
                raise BadPayload(self.provider, "fewer accounts than asked for")
            return [_account(row) if row else None for row in rows]

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

        Bisects `getBlockTime` between two slots whose times are known, by interpolation: slot times are uneven, so a
        constant would miss. `later_slot` was produced at `later_time` > moment. Raises NotFound.
        """
        high_slot, high_time = later_slot, later_time
        low_slot, low_time = await self._slot_before(moment, high_slot, high_time)
        while high_time - moment > tolerance_seconds and high_slot - low_slot > 1:
            share = (moment + tolerance_seconds / 2 - low_time) / max(1, high_time - low_time)
            # Away from the ends: an interpolation that lands on a bound would not narrow it.
            step = min(
                max(int((high_slot - low_slot) * share), (high_slot - low_slot) // 16 + 1), high_slot - low_slot - 1
            )
            slot, time = await self._timed_slot(low_slot + max(1, step), high_slot)
            if slot >= high_slot:
                high_slot = low_slot + max(1, step)  # all slots between were skipped
                if high_slot - low_slot <= 1:
                    break
                high_slot = slot
                break
            if time > moment:
                high_slot, high_time = slot, time
            else:
                low_slot, low_time = slot, time
        for slot in range(high_slot, later_slot + 1):
            try:
                signature = await self.block_signature(slot)
            except NotFound:
                continue
            if signature:
                return signature
        raise NotFound(self.provider, "no block after that time")

    async def _slot_before(self, moment: int, slot: int, time: int) -> tuple[int, int]:
        """Some slot at or before `moment`, found by ever larger steps back."""
        reach = 2.0
        at, at_time = slot, time
        while at_time > moment:
            guess = max(1, at - int((at_time - moment + 30) * reach) - 1)
            if guess >= at:
                raise NotFound(self.provider, "history does not reach back that far")
            at, at_time = await self._timed_slot(guess, at)
            reach *= 2
        return at, at_time

    async def _timed_slot(self, slot: int, end: int) -> tuple[int, int]:
        """The first slot from `slot` on that has a time, with it; `end` itself where all before it were skipped."""
        while slot < end:
            try:
                time = await self.block_time(slot)
            except NotFound:
                time = None
            if time is not None:
                return slot, time
            slot += 1
        time = await self.block_time(end)
        if time is None:
            raise NotFound(self.provider, "a slot without a time")
        return end, time


def _read(
    signature: str, answer: bytes, found: dict[str, TransactionRecord], rejected: Callable[[str, str], None]
) -> None:
    if answer == b"null":
        rejected(signature, "unknown to the node")
        return
    try:
        found[signature] = decode_record(answer)
    except msgspec.DecodeError as error:
        rejected(signature, f"transaction not as documented ({error})")


def _account(row: _Account) -> AccountRecord:
    return AccountRecord(row.owner, row.lamports, base64.b64decode(row.data[0]))


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

"""Check one RPC node: health, signature lists, transactions, batches and how far its
history reaches back.
"""

from collections.abc import Callable
from typing import Final

from discovery.clients.provider_questions import Asker, Differs
from discovery.domain.programs import PUMPFUN
from discovery.domain.provider_checks import TRANSACTIONS, ProviderCheck
from discovery.domain.run_params import Params
from discovery.providers.errors import NotFound, ProviderError, Unsupported
from discovery.providers.jsonrpc import JsonRpc
from discovery.providers.records import SignatureRecord
from discovery.providers.slot_search import TimedSlot
from discovery.providers.solana_rpc import SolanaRpc

SIGNATURES: Final = 20
LIMIT_SECONDS: Final = 10
"""Window of the public node's limits (`x-ratelimit-method-limit`, seen in autumn 2026)."""
TOLERANCE_SECONDS: Final = 600
NO_HISTORY: Final = (
    "use a node with full history: SOLANA_RPC_URL of a provider that keeps the ledger"
)
"""What to do about a node that has pruned its ledger."""
_CONFIG: Final = {
    "encoding": "json",
    "commitment": "finalized",
    "maxSupportedTransactionVersion": 1,
}


async def check_node(node: "Node", asker: Asker) -> list[ProviderCheck]:
    """Return the checks of a node, in the order in which each needs the one before."""
    rows = [await asker.ask("health", node.health)]
    asker.part = TRANSACTIONS
    listed = await asker.ask("signature list", node.list_signatures)
    rows.append(listed)
    if not listed.is_ok:
        return rows
    rows.append(await asker.ask("transaction, version 1", node.read_transaction))
    asker.part = ""
    rows.append(await asker.ask("rate limit", node.compare_limit))
    asker.part = TRANSACTIONS
    rows.append(await asker.ask("history", node.reach_back))
    asker.part = ""
    rows.append(await asker.ask("batches", node.send_batch))
    return rows


class Node:
    """The questions to a node.

    calls_per_second: as the product paces its calls. stated_limit: returns the calls of
    the last method in LIMIT_SECONDS that the node states, None = it states none.
    """

    def __init__(
        self,
        endpoint: JsonRpc,
        *,
        calls_per_second: float,
        stated_limit: Callable[[], int | None],
    ) -> None:
        self._endpoint = endpoint
        self._calls_per_second = calls_per_second
        self._stated_limit = stated_limit
        self._rpc = SolanaRpc(endpoint)
        self._rows: list[SignatureRecord] = []

    async def health(self) -> str:
        """Ask whether the node is in step with the chain."""
        await self._endpoint.call("getHealth", [])
        return "in step with the chain"

    async def list_signatures(self) -> str:
        """List the newest signatures of the launchpad's program, which trades all the
        time.
        """
        rows = await self._rpc.signatures(PUMPFUN, limit=SIGNATURES)
        self._rows = [row for row in rows if not row.failed]
        if not self._rows:
            raise Differs("an empty list for a busy program", NO_HISTORY)
        slots = [row.slot for row in rows]
        if len(rows) > SIGNATURES or slots != sorted(slots, reverse=True):
            raise Differs("not newest first, or more rows than asked for")
        return f"{len(rows)} signatures, newest first"

    async def read_transaction(self) -> str:
        """Read the newest of these transactions."""
        signature = self._rows[0].signature
        fetched = await self._rpc.transactions([signature])
        if signature not in fetched.records:
            cause = fetched.rejected.get(signature, "no transaction")
            raise Differs(cause, NO_HISTORY)
        return "read"

    async def compare_limit(self) -> str:
        """Compare the limit of getTransaction, the last call, with the product's pace."""
        stated, paced = self._stated_limit(), self._calls_per_second
        if stated is None:
            return f"none stated; WallTrack sends {paced:g} calls a second at most"
        allowed = stated / LIMIT_SECONDS
        if allowed < paced:
            raise Differs(
                f"getTransaction is limited to {stated} in {LIMIT_SECONDS} s, WallTrack sends {paced:g} a second",
                f"set PROVIDER_RPS={max(1, int(allowed))}, or use another node",
            )
        return f"getTransaction {stated} in {LIMIT_SECONDS} s, WallTrack sends {paced:g} a second at most"

    async def reach_back(self) -> str:
        """Find a block as old as the oldest token that a run considers."""
        newest = self._rows[0]
        hours = Params().max_token_age_hours
        block_time = newest.block_time or await self._rpc.block_time(newest.slot)
        if block_time is None:
            raise Differs("blocks have no times", NO_HISTORY)
        later = TimedSlot(newest.slot, block_time)
        target = block_time - hours * 3600
        try:
            await self._rpc.signature_after(target, later, TOLERANCE_SECONDS)
        except NotFound as error:
            words = f"does not reach back {hours} h ({error.cause})"
            raise Differs(words, NO_HISTORY) from None
        return f"reaches back {hours} h"

    async def send_batch(self) -> str:
        """Read two transactions in one request."""
        params = [[row.signature, _CONFIG] for row in self._rows[:2]]
        try:
            results = await self._endpoint.call_many("getTransaction", params)
        except Unsupported:
            return "refused: transactions are read one by one"
        if any(isinstance(result, ProviderError) for result in results.values()):
            raise Differs("a part of a batch failed")
        return f"{len(params)} transactions in one request"

"""Helius: a node with getTransactionsForAddress, API keys and credits."""

from bisect import bisect_left
from typing import Any

from simmarket.api.http_messages import dumps
from simmarket.api.market import Market
from simmarket.api.rpc_params import RpcError, address, choice, config, unknown, whole
from simmarket.api.solana_rpc import SolanaRpc
from simmarket.chain.world import World

METHOD = "getTransactionsForAddress"
_CONFIG = frozenset(
    (
        "transactionDetails",
        "sortOrder",
        "limit",
        "paginationToken",
        "commitment",
        "encoding",
        "maxSupportedTransactionVersion",
        "minContextSlot",
        "filters",
    )
)
_FILTERS = frozenset(("blockTime", "slot", "signature", "status", "tokenAccounts"))
_BOUNDS = frozenset(("gte", "gt", "lte", "lt"))


class Helius(SolanaRpc):
    """The plain methods plus getTransactionsForAddress."""

    def __init__(self, market: Market) -> None:
        super().__init__(market)
        self.methods[METHOD] = self._transactions_for_address
        self._for_address: dict[tuple[int, str], list[int]] = {}

    def _transactions_for_address(self, params: list[Any]) -> bytes:
        name = address(params)
        given = config(params, 1, _CONFIG)
        choice(given, "commitment", ("finalized", "confirmed"), "finalized")
        details = choice(given, "transactionDetails", ("signatures", "full"), "signatures")
        descending = choice(given, "sortOrder", ("asc", "desc"), "desc") == "desc"
        encoding = choice(given, "encoding", ("json", "jsonParsed"), "json")
        limit = whole(given.get("limit", 1000), "limit")
        if not 1 <= limit <= 1000:
            raise RpcError(-32602, "Invalid limit; must be between 1 and 1000")
        filters = config([given.get("filters")], 0, _FILTERS)
        places = self._named(name, choice(filters, "tokenAccounts", ("none", "balanceChanged", "all"), "none"))
        low, high = self._range(filters)
        token = given.get("paginationToken")
        if token is not None:
            at = self._resume(token)
            low, high = (low, min(high, at)) if descending else (max(low, at + 1), high)
        status = choice(filters, "status", ("any", "succeeded", "failed"), "any")
        chosen = places[bisect_left(places, low) : bisect_left(places, high)]
        if status != "any":
            failed = status == "failed"
            chosen = [p for p in chosen if (self.world.transactions[p].error is not None) == failed]
        if descending:
            chosen = chosen[::-1]
        page = chosen[:limit]
        after = None
        if len(chosen) > limit:
            last = self.world.transactions[page[-1]]
            after = f"{last.slot}:{last.index}"
        if details == "full":
            for place in page:
                self.check_version(place, given)
            rows = [self._full_row(place, encoding) for place in page]
        else:
            rows = [self._short_row(place) for place in page]
        self.market.stats.credits["helius"] += max(10, -(-len(rows) // 100) * 10) if details == "full" else 10
        return b'{"data":[' + b",".join(rows) + b'],"paginationToken":' + dumps(after) + b"}"

    def _named(self, name: str, accounts: str) -> list[int]:
        account = self.world.accounts.find(name)
        if account is None:
            return []
        if accounts == "none":
            return self.world.naming(account)
        known = self._for_address.get((account, accounts))
        if known is None:
            found = set(self.world.naming(account)) | set(self.world.changing_tokens_of(account))
            if accounts == "all":
                for token in self.world.token_accounts_of(account):
                    found.update(self.world.naming(token))
            known = self._for_address[account, accounts] = sorted(found)
        return known

    def _resume(self, token: Any) -> int:
        slot, _, index = str(token).partition(":")
        if not slot.isdigit() or not index.isdigit():
            raise RpcError(-32602, f"Invalid paginationToken: {token!r}")
        return self.world.first_place_at_or_after(int(slot), int(index))

    def _range(self, filters: dict[str, Any]) -> tuple[int, int]:
        """Half-open range of places that the slot, blockTime and signature filters leave."""
        low, high = 0, len(self.world.transactions)
        slots = config([filters.get("slot")], 0, _BOUNDS)
        times = config([filters.get("blockTime")], 0, _BOUNDS | {"eq"})
        if "eq" in times:
            times = {"gte": times["eq"], "lte": times["eq"]}
        for bounds, key in ((slots, "slot"), (times, "offset_seconds")):
            for bound, value in bounds.items():
                limit = value if key == "slot" else whole(value, "blockTime") - self.market.shift_seconds
                low, high = _narrowed(self.world, key, bound, limit, (low, high))
        signatures = config([filters.get("signature")], 0, _BOUNDS)
        for bound, value in signatures.items():
            place = self.position(value)
            if place is None:
                raise unknown(f"signature {value!r}")
            start = place + (bound in {"gt", "lte"})
            low, high = (max(low, start), high) if bound in {"gt", "gte"} else (low, min(high, start))
        return low, high

    def _full_row(self, place: int, encoding: str) -> bytes:
        index = self.world.transactions[place].index
        return b'{"transactionIndex":%d,' % index + self.transactions.rendered(place, encoding)[1:]

    def _short_row(self, place: int) -> bytes:
        index = self.world.transactions[place].index
        return b'{"transactionIndex":%d,' % index + self.signature_row(place)[1:]


def _narrowed(world: World, key: str, bound: str, limit: int, span: tuple[int, int]) -> tuple[int, int]:
    """The span of places whose `key` (slot or offset, both rising) satisfies one bound."""
    low, high = span
    edge = limit + 1 if bound in {"gt", "lte"} else limit
    place = bisect_left(world.transactions, edge, key=lambda item: getattr(item, key))
    return (max(low, place), high) if bound in {"gt", "gte"} else (low, min(high, place))

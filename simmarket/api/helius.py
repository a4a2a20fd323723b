"""Helius: a node with getTransactionsForAddress, API keys and credits."""

from bisect import bisect_left
from dataclasses import dataclass
from typing import Any, NamedTuple

from simmarket.api.http_messages import dumps
from simmarket.api.market import Market
from simmarket.api.rpc_params import (
    Json,
    RpcError,
    address,
    choice,
    config,
    unknown,
    unsigned,
)
from simmarket.api.solana_rpc import SolanaRpc

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
_LOWER_BOUNDS = frozenset(("gte", "gt"))
_EXCLUSIVE_STARTS = frozenset(
    ("gt", "lte")
)  # the edge of these bounds is after the value itself
_MAX_ROWS = 1000
_CREDITS_PER_HUNDRED_ROWS = 10


class Span(NamedTuple):
    """A half-open range of positions."""

    start: int
    end: int

    def bounded(self, bound: str, edge: int) -> "Span":
        """Return the part of the span on one side of an edge."""
        if bound in _LOWER_BOUNDS:
            return Span(max(self.start, edge), self.end)
        return Span(self.start, min(self.end, edge))


@dataclass(slots=True, frozen=True)
class _Query:
    """The parsed configuration of a getTransactionsForAddress call."""

    options: Json
    filters: Json
    is_full: bool
    is_descending: bool
    encoding: str
    limit: int


class Helius(SolanaRpc):
    """The plain methods plus getTransactionsForAddress."""

    def __init__(self, market: Market) -> None:
        super().__init__(market)
        self.methods[METHOD] = self._transactions_for_address
        self._positions_cache: dict[tuple[int, str], tuple[int, list[int]]] = {}

    def _transactions_for_address(self, params: list[Any]) -> bytes:
        name = address(params)
        query = _parse(config(params, 1, _CONFIG))
        account_mode = choice(
            query.filters, "tokenAccounts", ("none", "balanceChanged", "all"), "none"
        )
        positions = self._positions_for(name, account_mode)
        span = self._span(query)
        positions = positions[
            bisect_left(positions, span.start) : bisect_left(positions, span.end)
        ]
        positions = self._with_status(positions, query)
        if query.is_descending:
            positions = positions[::-1]
        page = positions[: self.market.page_limit(query.limit)]
        next_token = None
        if len(positions) > len(page):
            last = self.world.transactions[page[-1]]
            next_token = f"{last.slot}:{last.index}"
        rows = self._rows_of(page, query)
        self.market.stats.credits["helius"] += _credits(rows, query)
        return self._with_quirks(
            b'{"data":['
            + b",".join(rows)
            + b'],"paginationToken":'
            + dumps(next_token)
            + b"}"
        )

    def _positions_for(self, name: str, account_mode: str) -> list[int]:
        """Return the positions of an address; with another mode than `none` those of
        its token accounts, too.
        """
        account = self.world.accounts.find(name)
        if account is None:
            return []
        if account_mode == "none":
            return self.world.positions_of(account)
        count = len(self.world.transactions)
        cached = self._positions_cache.get((account, account_mode))
        if cached is not None and cached[0] == count:
            return cached[1]
        positions = sorted(self._token_positions(account, account_mode))
        self._positions_cache[account, account_mode] = count, positions
        return positions

    def _token_positions(self, account: int, account_mode: str) -> set[int]:
        positions = set(self.world.positions_of(account))
        positions.update(self.world.positions_changing_tokens_of(account))
        if account_mode == "all":
            for token_account in self.world.token_accounts_of(account):
                positions.update(self.world.positions_of(token_account))
        return positions

    def _span(self, query: _Query) -> Span:
        """Return the positions that the filters and the pagination token leave."""
        span = self._filtered_span(query.filters)
        token = query.options.get("paginationToken")
        if token is None:
            return span
        position = self._position_of_token(token)
        if query.is_descending:
            return span.bounded("lt", position)
        return span.bounded("gte", position + 1)

    def _position_of_token(self, token: Any) -> int:
        slot, _, index = str(token).partition(":")
        if not slot.isdigit() or not index.isdigit():
            raise RpcError(-32602, f"Invalid paginationToken: {token!r}")
        return self.world.first_position_at_or_after(int(slot), int(index))

    def _filtered_span(self, filters: Json) -> Span:
        """Apply the slot, blockTime and signature filters."""
        span = Span(0, len(self.world.transactions))
        slots = config([filters.get("slot")], 0, _BOUNDS)
        times = config([filters.get("blockTime")], 0, _BOUNDS | {"eq"})
        if "eq" in times:
            times = {"gte": times["eq"], "lte": times["eq"]}
        for bound, slot in slots.items():
            span = span.bounded(bound, self._edge("slot", bound, slot))
        for bound, time in times.items():
            offset_seconds = unsigned(time, "blockTime") - self.market.shift_seconds
            span = span.bounded(
                bound, self._edge("offset_seconds", bound, offset_seconds)
            )
        signatures = config([filters.get("signature")], 0, _BOUNDS)
        for bound, value in signatures.items():
            position = self.position_of(value)
            if position is None:
                raise unknown(f"signature {value!r}")
            span = span.bounded(bound, position + (bound in _EXCLUSIVE_STARTS))
        return span

    def _edge(self, attribute: str, bound: str, value: int) -> int:
        """Return the position at which a bound on a rising attribute (slot or offset)
        begins or ends.
        """
        first_value = value + 1 if bound in _EXCLUSIVE_STARTS else value
        return bisect_left(
            self.world.transactions,
            first_value,
            key=lambda item: getattr(item, attribute),
        )

    def _with_status(self, positions: list[int], query: _Query) -> list[int]:
        status = choice(query.filters, "status", ("any", "succeeded", "failed"), "any")
        if status == "any":
            return positions
        is_failed = status == "failed"
        transactions = self.world.transactions
        return [
            position
            for position in positions
            if (transactions[position].error is not None) == is_failed
        ]

    def _rows_of(self, page: list[int], query: _Query) -> list[bytes]:
        if not query.is_full:
            return [
                self._indexed(position, self.signature_row(position))
                for position in page
            ]
        for position in page:
            self.check_version(position, query.options)
        return [
            self._indexed(
                position, self.transactions.rendered(position, query.encoding)
            )
            for position in page
        ]

    def _indexed(self, position: int, row: bytes) -> bytes:
        """Return a JSON object with the transaction's index in its block added."""
        index = self.world.transactions[position].index
        return b'{"transactionIndex":%d,' % index + row[1:]


def _parse(options: Json) -> _Query:
    choice(options, "commitment", ("finalized", "confirmed"), "finalized")
    details = choice(
        options, "transactionDetails", ("signatures", "full"), "signatures"
    )
    order = choice(options, "sortOrder", ("asc", "desc"), "desc")
    encoding = choice(options, "encoding", ("json", "jsonParsed"), "json")
    limit = unsigned(options.get("limit", _MAX_ROWS), "limit")
    if not 1 <= limit <= _MAX_ROWS:
        raise RpcError(-32602, f"Invalid limit; must be between 1 and {_MAX_ROWS}")
    return _Query(
        options=options,
        filters=config([options.get("filters")], 0, _FILTERS),
        is_full=details == "full",
        is_descending=order == "desc",
        encoding=encoding,
        limit=limit,
    )


def _credits(rows: list[bytes], query: _Query) -> int:
    """Return the price of a page: full rows cost by the hundred, signatures a fixed
    amount.
    """
    if not query.is_full:
        return _CREDITS_PER_HUNDRED_ROWS
    hundreds = -(-len(rows) // 100)
    return max(1, hundreds) * _CREDITS_PER_HUNDRED_ROWS

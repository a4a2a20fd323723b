"""The methods of a Solana node over a world. Each returns the JSON bytes of its
`result`.
"""

from collections.abc import Callable
from typing import Any

from simmarket.api.http_messages import dumps
from simmarket.api.market import Market
from simmarket.api.page_quirks import odd_page
from simmarket.api.rpc_params import (
    RpcError,
    address,
    check_commitment,
    choice,
    config,
    parameter,
    signature,
    unknown,
    unsigned,
)
from simmarket.chain.account_json import AccountRenderer
from simmarket.chain.amount_json import ui_amount
from simmarket.chain.foreign_signatures import (
    COUNT_PER_BLOCK,
    foreign_signature,
    slot_of_foreign_signature,
)
from simmarket.chain.ledger import Mint
from simmarket.chain.transaction_json import TransactionRenderer, block_hash, error_json

Json = dict[str, Any]
_LONG_TERM_SECONDS = 2 * 86_400
_MAX_BLOCK_RANGE = 500_000
_MAX_ACCOUNTS = 100
_MAX_SIGNATURES = 1000
_SLOTS_PER_EPOCH = 432_000
_SKIPPED_SLOTS = 21_000_000  # slots without a block before the world, so that heights and slots differ
_COMMON = frozenset(("commitment", "minContextSlot"))
_BLOCK_KEYS = frozenset(
    (
        "transactionDetails",
        "rewards",
        "maxSupportedTransactionVersion",
        "encoding",
        "commitment",
    ),
)


class SolanaRpc:
    """Implements the read methods; shared by the plain node and by Helius."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.world = market.world
        self.transactions = TransactionRenderer(market.world, market.shift_seconds)
        self._accounts = AccountRenderer(market.world)
        self._rows: dict[int, bytes] = {}
        self.methods: dict[str, Callable[[list[Any]], bytes]] = {
            "getAccountInfo": self._account_info,
            "getBalance": self._balance,
            "getBlock": self._block,
            "getBlockTime": self._block_time,
            "getBlocks": self._blocks,
            "getEpochInfo": self._epoch_info,
            "getFirstAvailableBlock": lambda _: dumps(self.world.clock.first_slot),
            "getHealth": lambda _: b'"ok"',
            "getMultipleAccounts": self._multiple_accounts,
            "getSignaturesForAddress": self._signatures,
            "getSlot": self._slot,
            "getTokenAccountsByOwner": self._token_accounts,
            "getTokenLargestAccounts": self._largest_accounts,
            "getTokenSupply": self._token_supply,
            "getTransaction": self._transaction,
            "getVersion": lambda _: dumps(
                {"feature-set": 3_604_001_754, "solana-core": "3.1.2"}
            ),
        }

    def current_slot(self) -> int:
        """Return the slot of this moment."""
        return self.world.clock.slot_at(self.market.now())

    def call(self, method: str, params: Any) -> bytes:
        """Return the result bytes of a method. Raises RpcError."""
        implementation = self.methods.get(method)
        if implementation is None:
            raise RpcError(-32601, "Method not found", is_unhandled=True)
        if params is None:
            params = []
        if not isinstance(params, list):
            raise unknown(f"parameters of {method} as an object")
        return implementation(params)

    def signature_row(self, position: int) -> bytes:
        """Return one row of getSignaturesForAddress."""
        row = self._rows.get(position)
        if row is None:
            transaction = self.world.transactions[position]
            row = dumps(
                {
                    "blockTime": self.market.unix(transaction.offset_seconds),
                    "confirmationStatus": "finalized",
                    "err": error_json(transaction.error),
                    "memo": None,
                    "signature": transaction.signature,
                    "slot": transaction.slot,
                }
            )
            self._rows[position] = row
        return row

    def position_of(self, value: Any) -> int | None:
        """Return the position of a signature in chain order, or None if it is unknown.

        A foreign signature comes after the world's transactions of its block. Raises
        RpcError if it is no signature.
        """
        text = signature(value)
        position = self.world.position_of(text)
        if position is not None:
            return position
        slot = slot_of_foreign_signature(self.world.seed, text)
        if slot is None:
            return None
        return self.world.first_position_at_or_after(slot + 1)

    def check_version(self, position: int, options: Json) -> None:
        """Raise RpcError for a versioned transaction that the caller does not declare
        to support.
        """
        version = self.world.transactions[position].version
        supported = options.get("maxSupportedTransactionVersion")
        if supported is not None:
            supported = unsigned(supported, "maxSupportedTransactionVersion")
        if version is None or (supported is not None and version <= supported):
            return
        raise RpcError(
            -32015,
            f"Transaction version ({version}) is not supported by the requesting client. "
            "Please try the request again with the following configuration parameter: "
            f'"maxSupportedTransactionVersion": {version}',
        )

    def _slot(self, params: list[Any]) -> bytes:
        check_commitment(config(params, 0, _COMMON))
        return dumps(self.current_slot())

    def _epoch_info(self, params: list[Any]) -> bytes:
        check_commitment(config(params, 0, _COMMON))
        slot = self.current_slot()
        epoch, slot_index = divmod(slot, _SLOTS_PER_EPOCH)
        return dumps(
            {
                "absoluteSlot": slot,
                "blockHeight": slot - _SKIPPED_SLOTS,
                "epoch": epoch,
                "slotIndex": slot_index,
                "slotsInEpoch": _SLOTS_PER_EPOCH,
                "transactionCount": 470_000_000_000 + slot,
            }
        )

    def _check_slot(self, slot: int) -> None:
        """Raise RpcError if a slot has no block here."""
        first = self.world.clock.first_slot
        if slot < first:
            text = f"Block {slot} cleaned up, does not exist on node. First available block: {first}"
            raise RpcError(-32001, text)
        if slot > self.current_slot():
            raise RpcError(-32004, f"Block not available for slot {slot}")
        if self.world.has_block(slot):
            return
        if self.market.now() - self.world.clock.offset_of(slot) > _LONG_TERM_SECONDS:
            raise RpcError(
                -32009, f"Slot {slot} was skipped, or missing in long-term storage"
            )
        raise RpcError(
            -32007,
            f"Slot {slot} was skipped, or missing due to ledger jump to recent snapshot",
        )

    def _block_time(self, params: list[Any]) -> bytes:
        config(params, 1, frozenset())
        slot = unsigned(parameter(params, 0), "slot")
        self._check_slot(slot)
        return dumps(self.market.unix(self.world.clock.offset_of(slot)))

    def _block(self, params: list[Any]) -> bytes:
        slot = unsigned(parameter(params, 0), "slot")
        options = config(params, 1, _BLOCK_KEYS)
        check_commitment(options)
        details = choice(options, "transactionDetails", ("signatures", "none"), "full")
        self._check_slot(slot)
        parent_slot = self._parent_slot(slot)
        block: Json = {
            "blockHeight": slot - _SKIPPED_SLOTS,
            "blockTime": self.market.unix(self.world.clock.offset_of(slot)),
            "blockhash": block_hash(slot),
            "parentSlot": parent_slot,
            "previousBlockhash": block_hash(parent_slot),
        }
        if details == "signatures":
            block["signatures"] = self._signatures_in(slot)
        if options.get("rewards", True):
            block["rewards"] = []
        return dumps(block)

    def _parent_slot(self, slot: int) -> int:
        parent_slot = slot - 1
        while not self.world.has_block(parent_slot):
            parent_slot -= 1
        return parent_slot

    def _signatures_in(self, slot: int) -> list[str]:
        """Return the signatures of a block: the world's, then foreign ones."""
        positions = self.world.positions_in_slot(slot)
        own = [self.world.transactions[position].signature for position in positions]
        foreign = [
            foreign_signature(self.world.seed, slot, index)
            for index in range(COUNT_PER_BLOCK)
        ]
        return own + foreign

    def _blocks(self, params: list[Any]) -> bytes:
        start = unsigned(parameter(params, 0), "slot")
        end = self.current_slot()
        rest = params[1:]
        if rest and isinstance(rest[0], int):
            end = unsigned(rest.pop(0), "slot")
        check_commitment(config(rest, 0, _COMMON))
        if end - start > _MAX_BLOCK_RANGE:
            raise RpcError(-32602, f"Slot range too large; max {_MAX_BLOCK_RANGE}")
        first = max(start, self.world.clock.first_slot)
        last = min(end, self.current_slot())
        return dumps(
            [slot for slot in range(first, last + 1) if self.world.has_block(slot)]
        )

    def _signatures(self, params: list[Any]) -> bytes:
        account = self.world.accounts.find(address(params))
        options = config(params, 1, _COMMON | {"limit", "before", "until"})
        check_commitment(options)
        limit = unsigned(options.get("limit", _MAX_SIGNATURES), "limit")
        if not 1 <= limit <= _MAX_SIGNATURES:
            raise RpcError(-32602, f"Invalid limit; max {_MAX_SIGNATURES}")
        before = self._cursor(options, "before", default=len(self.world.transactions))
        if before is None:
            return b"[]"
        until = self._cursor(options, "until", default=-1)
        if account is None:
            return b"[]"
        rows = self._signature_rows(
            account, before, until, self.market.page_limit(limit)
        )
        return self._with_quirks(b"[" + b",".join(rows) + b"]")

    def _with_quirks(self, page: bytes) -> bytes:
        """Return a page as this market's nodes send every one."""
        for kind in self.market.options.quirks:
            page = odd_page(kind, page)
        return page

    def _cursor(self, options: Json, key: str, *, default: int) -> int | None:
        """Return the position of a paging option, the default without it, None if its
        signature is unknown.
        """
        if key not in options:
            return default
        return self.position_of(options[key])

    def _signature_rows(
        self, account: int, before: int, until: int | None, limit: int
    ) -> list[bytes]:
        """Return up to `limit` rows between two positions, newest first; both positions
        are excluded.
        """
        rows: list[bytes] = []
        for position in reversed(self.world.positions_of(account)):
            if len(rows) == limit:
                break
            if until is not None and position <= until:
                break
            if position < before:
                rows.append(self.signature_row(position))
        return rows

    def _transaction(self, params: list[Any]) -> bytes:
        text = signature(parameter(params, 0))
        second = parameter(params, 1)
        if isinstance(second, str):
            params = [text, {"encoding": second}]
        options = config(
            params,
            1,
            frozenset(("encoding", "commitment", "maxSupportedTransactionVersion")),
        )
        check_commitment(options)
        encoding = choice(options, "encoding", ("json", "jsonParsed"), "json")
        position = self.world.position_of(text)
        if position is None:
            return b"null"
        self.check_version(position, options)
        return self.transactions.rendered(position, encoding)

    def _with_context(self, value: Any) -> bytes:
        context = {"apiVersion": "3.1.2", "slot": self.current_slot()}
        return dumps({"context": context, "value": value})

    def _account_config(self, params: list[Any]) -> tuple[str, Json | None]:
        """Return (encoding, data slice)."""
        options = config(params, 1, _COMMON | {"encoding", "dataSlice"})
        check_commitment(options)
        return _account_encoding(options), options.get("dataSlice")

    def _account_info(self, params: list[Any]) -> bytes:
        name = address(params)
        encoding, data_slice = self._account_config(params)
        return self._with_context(self._accounts.value(name, encoding, data_slice))

    def _multiple_accounts(self, params: list[Any]) -> bytes:
        names = parameter(params, 0)
        if not isinstance(names, list) or len(names) > _MAX_ACCOUNTS:
            raise RpcError(-32602, f"Too many inputs provided; max {_MAX_ACCOUNTS}")
        encoding, data_slice = self._account_config(params)
        values = [
            self._accounts.value(address([name]), encoding, data_slice)
            for name in names
        ]
        return self._with_context(values)

    def _balance(self, params: list[Any]) -> bytes:
        account = self.world.accounts.find(address(params))
        check_commitment(config(params, 1, _COMMON))
        lamports = 0 if account is None else self.world.ledger.lamports.get(account, 0)
        return self._with_context(lamports)

    def _mint(self, params: list[Any]) -> Mint | None:
        account = self.world.accounts.find(address(params))
        check_commitment(config(params, 1, _COMMON))
        if account is None:
            return None
        return self.world.ledger.mints.get(account)

    def _token_supply(self, params: list[Any]) -> bytes:
        mint = self._mint(params)
        if mint is None:
            raise RpcError(-32602, "Invalid param: could not find mint")
        return self._with_context(ui_amount(mint.supply, mint.decimals))

    def _largest_accounts(self, params: list[Any]) -> bytes:
        mint = self._mint(params)
        if mint is None:
            raise RpcError(-32602, "Invalid param: not a Token mint")
        states = self.world.holdings.of_mint(mint.account).items()
        holdings = [(state.units, account) for account, state in states]
        rows: list[Json] = []
        for units, account in sorted(holdings, reverse=True)[:20]:
            row = {
                "address": self.world.accounts.address(account),
                **ui_amount(units, mint.decimals),
            }
            rows.append(row)
        return self._with_context(rows)

    def _token_accounts(self, params: list[Any]) -> bytes:
        owner = self.world.accounts.find(address(params))
        wanted = config(params[1:2], 0, frozenset(("mint", "programId")))
        options = config([None, *params[2:]], 1, _COMMON | {"encoding", "dataSlice"})
        encoding = _account_encoding(options)
        rows: list[Json] = []
        accounts = {} if owner is None else self.world.holdings.of_owner(owner)
        for account, state in accounts.items():
            if self._is_wanted(state.mint, wanted):
                name = self.world.accounts.address(account)
                rows.append(
                    {
                        "account": self._accounts.value(name, encoding, None),
                        "pubkey": name,
                    }
                )
        return self._with_context(rows)

    def _is_wanted(self, mint: Mint, wanted: Json) -> bool:
        """Return True if a mint passes the filter of getTokenAccountsByOwner."""
        name = self.world.accounts.address(mint.account)
        has_mint: bool = wanted.get("mint", name) == name
        has_program: bool = wanted.get("programId", mint.program) == mint.program
        return has_mint and has_program


def _account_encoding(options: Json) -> str:
    """Return the encoding; without one a node returns base58, which this market refuses
    for accounts.
    """
    return choice(options, "encoding", ("base64", "jsonParsed"), "base58")

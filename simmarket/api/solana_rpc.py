"""The methods of a Solana node over a world. Each returns the JSON bytes of its `result`."""

from collections.abc import Callable
from typing import Any

from simmarket.api.http_messages import dumps
from simmarket.api.market import Market
from simmarket.api.rpc_params import RpcError, address, check_commitment, choice, config, unknown, whole
from simmarket.chain import base58
from simmarket.chain import foreign_signatures as filler
from simmarket.chain.account_json import AccountWire
from simmarket.chain.amount_json import ui_amount
from simmarket.chain.transaction_json import TransactionWire

_LONG_TERM_SECONDS = 2 * 86_400
_MAX_BLOCK_RANGE = 500_000
_COMMON = frozenset(("commitment", "minContextSlot"))


class SolanaRpc:
    """Answers the read methods; shared by the plain node and by Helius."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.world = market.world
        self.transactions = TransactionWire(market.world, market.shift_seconds)
        self._accounts = AccountWire(market.world)
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
            "getVersion": lambda _: dumps({"feature-set": 3_604_001_754, "solana-core": "3.1.2"}),
        }

    def current_slot(self) -> int:
        """The slot of this moment."""
        return self.world.clock.slot_at(self.market.now())

    def call(self, method: str, params: Any) -> bytes:
        """Result bytes of a method, or RpcError."""
        known = self.methods.get(method)
        if known is None:
            raise RpcError(-32601, "Method not found", not_understood=True)
        if params is None:
            params = []
        if not isinstance(params, list):
            raise unknown(f"parameters of {method} as an object")
        return known(params)

    def signature_row(self, place: int) -> bytes:
        """One row of getSignaturesForAddress."""
        row = self._rows.get(place)
        if row is None:
            transaction = self.world.transactions[place]
            error = transaction.error
            row = dumps(
                {
                    "blockTime": self.market.unix(transaction.offset_seconds),
                    "confirmationStatus": "finalized",
                    "err": {"InstructionError": [error[0], {"Custom": error[1]}]} if error else None,
                    "memo": None,
                    "signature": transaction.signature,
                    "slot": transaction.slot,
                }
            )
            self._rows[place] = row
        return row

    def position(self, signature: Any) -> int | None:
        """Place in chain order where a signature stands (a foreign one: after its block's own); None if unknown."""
        if not isinstance(signature, str) or not base58.is_signature(signature):
            raise RpcError(-32602, "Invalid param: Invalid")
        place = self.world.place_of(signature)
        if place is not None:
            return place
        slot = filler.slot_of(self.world.seed, signature)
        return None if slot is None else self.world.first_place_at_or_after(slot + 1)

    def _slot(self, params: list[Any]) -> bytes:
        check_commitment(config(params, 0, _COMMON))
        return dumps(self.current_slot())

    def _epoch_info(self, params: list[Any]) -> bytes:
        check_commitment(config(params, 0, _COMMON))
        slot = self.current_slot()
        epoch, place = divmod(slot, 432_000)
        return dumps(
            {
                "absoluteSlot": slot,
                "blockHeight": slot - 21_000_000,
                "epoch": epoch,
                "slotIndex": place,
                "slotsInEpoch": 432_000,
                "transactionCount": 470_000_000_000 + slot,
            }
        )

    def _check_slot(self, slot: int) -> None:
        first = self.world.clock.first_slot
        if slot < first:
            text = f"Block {slot} cleaned up, does not exist on node. First available block: {first}"
            raise RpcError(-32001, text)
        if slot > self.current_slot():
            raise RpcError(-32004, f"Block not available for slot {slot}")
        if not self.world.has_block(slot):
            if self.market.now() - self.world.clock.offset_of(slot) > _LONG_TERM_SECONDS:
                raise RpcError(-32009, f"Slot {slot} was skipped, or missing in long-term storage")
            text = f"Slot {slot} was skipped, or missing due to ledger jump to recent snapshot"
            raise RpcError(-32007, text)

    def _block_time(self, params: list[Any]) -> bytes:
        config(params, 1, frozenset())
        slot = whole(params[0] if params else None, "slot")
        self._check_slot(slot)
        return dumps(self.market.unix(self.world.clock.offset_of(slot)))

    def _block(self, params: list[Any]) -> bytes:
        slot = whole(params[0] if params else None, "slot")
        keys = ("transactionDetails", "rewards", "maxSupportedTransactionVersion", "encoding", "commitment")
        given = config(params, 1, frozenset(keys))
        check_commitment(given)
        details = choice(given, "transactionDetails", ("signatures", "none"), "full")
        self._check_slot(slot)
        parent = slot - 1
        while not self.world.has_block(parent):
            parent -= 1
        block: dict[str, Any] = {
            "blockHeight": slot - 21_000_000,
            "blockTime": self.market.unix(self.world.clock.offset_of(slot)),
            "blockhash": base58.encode((slot * 7_919).to_bytes(8, "big") * 4),
            "parentSlot": parent,
            "previousBlockhash": base58.encode((parent * 7_919).to_bytes(8, "big") * 4),
        }
        if details == "signatures":
            own = [self.world.transactions[place].signature for place in self.world.in_slot(slot)]
            foreign = [filler.signature(self.world.seed, slot, nth) for nth in range(filler.PER_BLOCK)]
            block["signatures"] = own + foreign
        if given.get("rewards", True):
            block["rewards"] = []
        return dumps(block)

    def _blocks(self, params: list[Any]) -> bytes:
        start = whole(params[0] if params else None, "slot")
        rest = params[1:]
        end = whole(rest.pop(0), "slot") if rest and isinstance(rest[0], int) else self.current_slot()
        check_commitment(config(rest, 0, _COMMON))
        if end - start > _MAX_BLOCK_RANGE:
            raise RpcError(-32602, f"Slot range too large; max {_MAX_BLOCK_RANGE}")
        first, last = max(start, self.world.clock.first_slot), min(end, self.current_slot())
        return dumps([slot for slot in range(first, last + 1) if self.world.has_block(slot)])

    def _signatures(self, params: list[Any]) -> bytes:
        account = self.world.accounts.find(address(params))
        given = config(params, 1, _COMMON | {"limit", "before", "until"})
        check_commitment(given)
        limit = whole(given.get("limit", 1000), "limit")
        if not 1 <= limit <= 1000:
            raise RpcError(-32602, "Invalid limit; max 1000")
        last, first = len(self.world.transactions), -1
        if "before" in given:
            place = self.position(given["before"])
            if place is None:
                return b"[]"
            last = place
        if "until" in given:
            place = self.position(given["until"])
            first = -1 if place is None else place
        if account is None:
            return b"[]"
        found: list[bytes] = []
        for place in reversed(self.world.naming(account)):
            if place <= first or len(found) == limit:
                break
            if place < last:
                found.append(self.signature_row(place))
        return b"[" + b",".join(found) + b"]"

    def _transaction(self, params: list[Any]) -> bytes:
        signature = params[0] if params else None
        if not isinstance(signature, str) or not base58.is_signature(signature):
            raise RpcError(-32602, "Invalid param: Invalid")
        second = params[1] if len(params) > 1 else None
        if isinstance(second, str):
            params = [signature, {"encoding": second}]
        given = config(params, 1, frozenset(("encoding", "commitment", "maxSupportedTransactionVersion")))
        check_commitment(given)
        encoding = choice(given, "encoding", ("json", "jsonParsed"), "json")
        place = self.world.place_of(signature)
        if place is None:
            return b"null"
        self.check_version(place, given)
        return self.transactions.rendered(place, encoding)

    def check_version(self, place: int, given: dict[str, Any]) -> None:
        """Refuse a versioned transaction that the caller did not declare to understand."""
        version = self.world.transactions[place].version
        supported = given.get("maxSupportedTransactionVersion")
        if supported is not None:
            supported = whole(supported, "maxSupportedTransactionVersion")
        if version is not None and (supported is None or version > supported):
            text = f"Transaction version ({version}) is not supported by the requesting client. "
            text += "Please try the request again with the following configuration parameter: "
            raise RpcError(-32015, text + f'"maxSupportedTransactionVersion": {version}')

    def _context(self) -> dict[str, Any]:
        return {"apiVersion": "3.1.2", "slot": self.current_slot()}

    def _valued(self, value: Any) -> bytes:
        return dumps({"context": self._context(), "value": value})

    def _account_config(self, params: list[Any]) -> tuple[str, dict[str, Any] | None]:
        given = config(params, 1, _COMMON | {"encoding", "dataSlice"})
        check_commitment(given)
        # without an encoding a node answers base58, which nobody should use for accounts
        return choice(given, "encoding", ("base64", "jsonParsed"), "base58"), given.get("dataSlice")

    def _account_info(self, params: list[Any]) -> bytes:
        name = address(params)
        return self._valued(self._accounts.value(name, *self._account_config(params)))

    def _multiple_accounts(self, params: list[Any]) -> bytes:
        names = params[0] if params else None
        if not isinstance(names, list) or len(names) > 100:
            raise RpcError(-32602, "Too many inputs provided; max 100")
        encoding, data_slice = self._account_config(params)
        return self._valued([self._accounts.value(address([name]), encoding, data_slice) for name in names])

    def _balance(self, params: list[Any]) -> bytes:
        account = self.world.accounts.find(address(params))
        check_commitment(config(params, 1, _COMMON))
        return self._valued(0 if account is None else self.world.ledger.lamports.get(account, 0))

    def _token_supply(self, params: list[Any]) -> bytes:
        account = self.world.accounts.find(address(params))
        check_commitment(config(params, 1, _COMMON))
        mint = self.world.ledger.mints.get(account) if account is not None else None
        if mint is None:
            raise RpcError(-32602, "Invalid param: could not find mint")
        return self._valued(ui_amount(mint.supply, mint.decimals))

    def _largest_accounts(self, params: list[Any]) -> bytes:
        account = self.world.accounts.find(address(params))
        check_commitment(config(params, 1, _COMMON))
        mint = self.world.ledger.mints.get(account) if account is not None else None
        if mint is None:
            raise RpcError(-32602, "Invalid param: not a Token mint")
        held = [(held.units, token) for token, held in self.world.ledger.tokens.items() if held.mint is mint]
        top = sorted(held, reverse=True)[:20]
        return self._valued(
            [{"address": self.world.accounts.address(t), **ui_amount(units, mint.decimals)} for units, t in top]
        )

    def _token_accounts(self, params: list[Any]) -> bytes:
        owner = self.world.accounts.find(address(params))
        wanted = config(params[1:2], 0, frozenset(("mint", "programId")))
        given = config([None, *params[2:]], 1, _COMMON | {"encoding", "dataSlice"})
        encoding = choice(given, "encoding", ("base64", "jsonParsed"), "base58")
        rows = []
        for token, held in self.world.ledger.tokens.items():
            if held.owner != owner:
                continue
            mint = self.world.accounts.address(held.mint.account)
            if wanted.get("mint", mint) == mint and wanted.get("programId", held.mint.program) == held.mint.program:
                name = self.world.accounts.address(token)
                rows.append({"account": self._accounts.value(name, encoding, None), "pubkey": name})
        return self._valued(rows)

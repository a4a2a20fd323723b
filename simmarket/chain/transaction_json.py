"""getTransaction results, rendered from the compact records on the first request."""

import json
from typing import Any

from simmarket.chain import base58, programs
from simmarket.chain.amount_json import ui_amount
from simmarket.chain.instruction_json import parsed_instruction
from simmarket.chain.ledger import (
    Instruction,
    InstructionError,
    Mint,
    TokenRow,
    Transaction,
)
from simmarket.chain.world import World

Json = dict[str, Any]
_UNIT_LIMIT = 200_000


class TransactionRenderer:
    """Renders and caches the transactions of one world."""

    def __init__(self, world: World, shift_seconds: int) -> None:
        self._world = world
        self._shift_seconds = shift_seconds
        self._rendered: dict[tuple[int, str], bytes] = {}

    def rendered(self, position: int, encoding: str) -> bytes:
        """Return the JSON bytes of a getTransaction result (`json` or `jsonParsed`)."""
        rendered = self._rendered.get((position, encoding))
        if rendered is None:
            result = self.result(position, encoding)
            rendered = json.dumps(result, separators=(",", ":")).encode()
            self._rendered[position, encoding] = rendered
        return rendered

    def result(self, position: int, encoding: str) -> Json:
        """Return the result object: slot, blockTime, version, transaction, meta."""
        transaction = self._world.transactions[position]
        parsed = encoding == "jsonParsed"
        return {
            "blockTime": transaction.offset_seconds + self._shift_seconds,
            "meta": self._meta(transaction, parsed=parsed),
            "slot": transaction.slot,
            "transaction": {
                "message": self._message(transaction, parsed=parsed),
                "signatures": [transaction.signature, *_cosignatures(transaction)],
            },
            "version": "legacy" if transaction.version is None else transaction.version,
        }

    def _address(self, account: int) -> str:
        return self._world.accounts.address(account)

    def _addresses(self, accounts: tuple[int, ...]) -> list[str]:
        return [self._address(account) for account in accounts]

    def _message(self, transaction: Transaction, *, parsed: bool) -> Json:
        addresses = self._addresses(transaction.all_keys)
        message: Json = {}
        if parsed:
            message["accountKeys"] = _parsed_keys(transaction, addresses)
        else:
            message["accountKeys"] = addresses[: len(transaction.keys)]
            message["header"] = _header(transaction)
        if transaction.version == 0:
            message["addressTableLookups"] = self._lookups(transaction)
        top_level = [step for step in transaction.instructions if step.height == 1]
        message["instructions"] = [
            _instruction(step, addresses, parsed=parsed) for step in top_level
        ]
        message["recentBlockhash"] = block_hash(transaction.slot)
        if transaction.version == 1:
            message["transactionConfig"] = {
                "computeUnitLimit": _UNIT_LIMIT,
                "heapSize": None,
                "loadedAccountsDataSizeLimit": None,
                "priorityFee": transaction.priority_lamports,
            }
        return message

    def _lookups(self, transaction: Transaction) -> list[Json]:
        if not transaction.loaded_writable and not transaction.loaded_readonly:
            return []
        table_indexes = {
            self._world.accounts.add(address): n
            for n, address in enumerate(programs.LOOKUP_TABLE)
        }
        return [
            {
                "accountKey": base58.encode(bytes([self._world.seed % 251 + 1]) * 32),
                "readonlyIndexes": [
                    table_indexes[account] for account in transaction.loaded_readonly
                ],
                "writableIndexes": [
                    table_indexes[account] for account in transaction.loaded_writable
                ],
            }
        ]

    def _meta(self, transaction: Transaction, *, parsed: bool) -> Json:
        addresses = self._addresses(transaction.all_keys)
        error = error_json(transaction.error)
        meta: Json = {
            "computeUnitsConsumed": 1_500 + 3_700 * len(transaction.instructions),
            "costUnits": 4_000 + 3_900 * len(transaction.instructions),
            "err": error,
            "fee": transaction.fee_lamports,
            "innerInstructions": _inner_instructions(
                transaction, addresses, parsed=parsed
            ),
            "logMessages": _logs(transaction, addresses),
            "postBalances": list(transaction.post_lamports),
            "postTokenBalances": self._post_balances(transaction),
            "preBalances": list(transaction.pre_lamports),
            "preTokenBalances": self._pre_balances(transaction),
            "rewards": [],
            "status": {"Ok": None} if error is None else {"Err": error},
        }
        if not parsed:
            meta["loadedAddresses"] = {
                "readonly": self._addresses(transaction.loaded_readonly),
                "writable": self._addresses(transaction.loaded_writable),
            }
        return meta

    def _pre_balances(self, transaction: Transaction) -> list[Json]:
        rows = transaction.tokens
        return [
            self._balance(row, row.mint, row.pre_units)
            for row in rows
            if row.pre_units is not None
        ]

    def _post_balances(self, transaction: Transaction) -> list[Json]:
        rows = transaction.tokens
        return [
            self._balance(row, row.mint, row.post_units)
            for row in rows
            if row.post_units is not None
        ]

    def _balance(self, row: TokenRow, mint: Mint, units: int) -> Json:
        return {
            "accountIndex": row.key,
            "mint": self._address(mint.account),
            "owner": self._address(row.owner),
            "programId": mint.program,
            "uiTokenAmount": ui_amount(units, mint.decimals),
        }


def error_json(error: InstructionError | None) -> Json | None:
    """Return the `err` member of a transaction."""
    if error is None:
        return None
    return {"InstructionError": [error.instruction, {"Custom": error.code}]}


def block_hash(slot: int) -> str:
    """Return the hash of a slot's block."""
    return base58.encode((slot * 7_919).to_bytes(8, "big") * 4)


def _cosignatures(transaction: Transaction) -> list[str]:
    """Return the signatures of the other signers: rotations of the first one."""
    first = base58.decode(transaction.signature)
    return [
        base58.encode(first[n:] + first[:n]) for n in range(1, transaction.signer_count)
    ]


def _parsed_keys(transaction: Transaction, addresses: list[str]) -> list[Json]:
    static_count = len(transaction.keys)
    keys: list[Json] = []
    for index, address in enumerate(addresses):
        key = {
            "pubkey": address,
            "signer": index < transaction.signer_count,
            "source": "transaction" if index < static_count else "lookupTable",
            "writable": _is_writable(transaction, index),
        }
        keys.append(key)
    return keys


def _header(transaction: Transaction) -> Json:
    return {
        "numReadonlySignedAccounts": transaction.readonly_signer_count,
        "numReadonlyUnsignedAccounts": transaction.readonly_other_count,
        "numRequiredSignatures": transaction.signer_count,
    }


def _instruction(step: Instruction, addresses: list[str], *, parsed: bool) -> Json:
    height = None if step.height == 1 else step.height
    if parsed:
        program = addresses[step.program]
        accounts = [addresses[index] for index in step.accounts]
        return {
            **parsed_instruction(program, accounts, step.data),
            "stackHeight": height,
        }
    return {
        "accounts": list(step.accounts),
        "data": base58.encode(step.data),
        "programIdIndex": step.program,
        "stackHeight": height,
    }


def _inner_instructions(
    transaction: Transaction, addresses: list[str], *, parsed: bool
) -> list[Json]:
    """Group the inner instructions by the index of their top-level instruction."""
    groups: dict[int, list[Json]] = {}
    top_level_index = -1
    for step in transaction.instructions:
        if step.height == 1:
            top_level_index += 1
        else:
            groups.setdefault(top_level_index, []).append(
                _instruction(step, addresses, parsed=parsed)
            )
    return [{"index": index, "instructions": steps} for index, steps in groups.items()]


def _is_writable(transaction: Transaction, index: int) -> bool:
    static_count = len(transaction.keys)
    if index >= static_count:
        return index < static_count + len(transaction.loaded_writable)
    if index < transaction.signer_count:
        return index < transaction.signer_count - transaction.readonly_signer_count
    return index < static_count - transaction.readonly_other_count


def _logs(transaction: Transaction, addresses: list[str]) -> list[str]:
    """Return the invoke and success lines; a failed transaction ends with the program's
    error.
    """
    lines: list[str] = []
    stack: list[str] = []
    for step in transaction.instructions:
        while len(stack) >= step.height:
            lines.append(f"Program {stack.pop()} success")
        program = addresses[step.program]
        stack.append(program)
        lines.append(f"Program {program} invoke [{step.height}]")
    if transaction.error is not None and stack:
        lines.append(
            f"Program {stack.pop()} failed: custom program error: {transaction.error.code:#x}"
        )
    while stack:
        lines.append(f"Program {stack.pop()} success")
    return lines

"""getTransaction results, rendered from the compact records when someone asks."""

import json
from typing import Any

from simmarket.chain import base58, programs
from simmarket.chain.amount_json import ui_amount
from simmarket.chain.instruction_json import parsed_instruction
from simmarket.chain.ledger import Instruction, Mint, TokenRow, Transaction
from simmarket.chain.world import World

Json = dict[str, Any]


class TransactionWire:
    """Renders and remembers transaction payloads of one world."""

    def __init__(self, world: World, shift_seconds: int) -> None:
        self._world = world
        self._shift = shift_seconds
        self._rendered: dict[tuple[int, str], bytes] = {}

    def rendered(self, place: int, encoding: str) -> bytes:
        """JSON bytes of a getTransaction result (`json` or `jsonParsed`)."""
        known = self._rendered.get((place, encoding))
        if known is None:
            known = json.dumps(self.result(place, encoding), separators=(",", ":")).encode()
            self._rendered[place, encoding] = known
        return known

    def result(self, place: int, encoding: str) -> Json:
        """The result object: slot, blockTime, version, transaction, meta."""
        transaction = self._world.transactions[place]
        parsed = encoding == "jsonParsed"
        return {
            "blockTime": transaction.offset_seconds + self._shift,
            "meta": self._meta(transaction, parsed=parsed),
            "slot": transaction.slot,
            "transaction": {
                "message": self._message(transaction, parsed=parsed),
                "signatures": [transaction.signature, *self._cosigners(transaction)],
            },
            "version": "legacy" if transaction.version is None else transaction.version,
        }

    @staticmethod
    def _cosigners(transaction: Transaction) -> list[str]:
        own = base58.decode(transaction.signature)
        return [base58.encode(own[nth:] + own[:nth]) for nth in range(1, transaction.signers)]

    def _address(self, account: int) -> str:
        return self._world.accounts.address(account)

    def _message(self, transaction: Transaction, *, parsed: bool) -> Json:
        addresses = [self._address(account) for account in transaction.all_keys]
        static = len(transaction.keys)
        message: Json = {}
        if parsed:
            message["accountKeys"] = [
                {
                    "pubkey": address,
                    "signer": nth < transaction.signers,
                    "source": "transaction" if nth < static else "lookupTable",
                    "writable": _is_writable(transaction, nth),
                }
                for nth, address in enumerate(addresses)
            ]
        else:
            message["accountKeys"] = addresses[:static]
            message["header"] = {
                "numReadonlySignedAccounts": transaction.readonly_signers,
                "numReadonlyUnsignedAccounts": transaction.readonly_others,
                "numRequiredSignatures": transaction.signers,
            }
        if transaction.version == 0:
            message["addressTableLookups"] = self._lookups(transaction)
        top = [step for step in transaction.instructions if step.height == 1]
        message["instructions"] = [self._instruction(step, addresses, parsed=parsed) for step in top]
        message["recentBlockhash"] = base58.encode((transaction.slot * 7_919).to_bytes(8, "big") * 4)
        if transaction.version == 1:
            message["transactionConfig"] = {
                "computeUnitLimit": 200_000,
                "heapSize": None,
                "loadedAccountsDataSizeLimit": None,
                "priorityFee": transaction.priority_lamports,
            }
        return message

    def _lookups(self, transaction: Transaction) -> list[Json]:
        loaded = transaction.loaded_writable + transaction.loaded_readonly
        if not loaded:
            return []
        places = {self._world.accounts.add(address): n for n, address in enumerate(programs.LOOKUP_TABLE)}
        return [
            {
                "accountKey": self._table(),
                "readonlyIndexes": [places[account] for account in transaction.loaded_readonly],
                "writableIndexes": [places[account] for account in transaction.loaded_writable],
            }
        ]

    def _table(self) -> str:
        return base58.encode(bytes([self._world.seed % 251 + 1]) * 32)

    def _instruction(self, step: Instruction, addresses: list[str], *, parsed: bool) -> Json:
        height = None if step.height == 1 else step.height
        if parsed:
            program = addresses[step.program]
            names = [addresses[place] for place in step.accounts]
            return {**parsed_instruction(program, names, step.data), "stackHeight": height}
        return {
            "accounts": list(step.accounts),
            "data": base58.encode(step.data),
            "programIdIndex": step.program,
            "stackHeight": height,
        }

    def _meta(self, transaction: Transaction, *, parsed: bool) -> Json:
        addresses = [self._address(account) for account in transaction.all_keys]
        error: Json | None = None
        if transaction.error is not None:
            error = {"InstructionError": [transaction.error[0], {"Custom": transaction.error[1]}]}
        meta: Json = {
            "computeUnitsConsumed": 1_500 + 3_700 * len(transaction.instructions),
            "costUnits": 4_000 + 3_900 * len(transaction.instructions),
            "err": error,
            "fee": transaction.fee,
            "innerInstructions": self._inner(transaction, addresses, parsed=parsed),
            "logMessages": _logs(transaction, addresses),
            "postBalances": list(transaction.post),
            "postTokenBalances": self._balances(transaction, after=True),
            "preBalances": list(transaction.pre),
            "preTokenBalances": self._balances(transaction, after=False),
            "rewards": [],
            "status": {"Ok": None} if error is None else {"Err": error},
        }
        if not parsed:
            meta["loadedAddresses"] = {
                "readonly": [self._address(account) for account in transaction.loaded_readonly],
                "writable": [self._address(account) for account in transaction.loaded_writable],
            }
        return meta

    def _inner(self, transaction: Transaction, addresses: list[str], *, parsed: bool) -> list[Json]:
        groups: dict[int, list[Json]] = {}
        top = -1
        for step in transaction.instructions:
            if step.height == 1:
                top += 1
            else:
                groups.setdefault(top, []).append(self._instruction(step, addresses, parsed=parsed))
        return [{"index": index, "instructions": steps} for index, steps in groups.items()]

    def _balances(self, transaction: Transaction, *, after: bool) -> list[Json]:
        rows = []
        for row in transaction.tokens:
            units = row.post if after else row.pre
            if units is not None:
                rows.append(self._balance(row, row.mint, units))
        return rows

    def _balance(self, row: TokenRow, mint: Mint, units: int) -> Json:
        return {
            "accountIndex": row.key,
            "mint": self._address(mint.account),
            "owner": self._address(row.owner),
            "programId": mint.program,
            "uiTokenAmount": ui_amount(units, mint.decimals),
        }


def _is_writable(transaction: Transaction, nth: int) -> bool:
    static = len(transaction.keys)
    if nth >= static:
        return nth < static + len(transaction.loaded_writable)
    if nth < transaction.signers:
        return nth < transaction.signers - transaction.readonly_signers
    return nth < static - transaction.readonly_others


def _logs(transaction: Transaction, addresses: list[str]) -> list[str]:
    """invoke / success lines; a failed transaction ends with the program's error."""
    lines: list[str] = []
    stack: list[str] = []
    for step in transaction.instructions:
        while len(stack) >= step.height:
            lines.append(f"Program {stack.pop()} success")
        program = addresses[step.program]
        stack.append(program)
        lines.append(f"Program {program} invoke [{step.height}]")
    if transaction.error is not None and stack:
        lines.append(f"Program {stack.pop()} failed: custom program error: {transaction.error[1]:#x}")
    while stack:
        lines.append(f"Program {stack.pop()} success")
    return lines

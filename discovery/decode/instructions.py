"""Instructions of a transaction, in either encoding, and the moves of native SOL among
them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import chain
from typing import Any, Final, cast

from msgspec import Struct

from discovery.domain.base58 import base58_bytes
from discovery.domain.programs import SYSTEM, TOKEN, TOKEN_2022
from discovery.providers.transactions import (
    ParsedInstruction,
    TransactionRecord,
    decode_accounts,
    decode_inner,
    decode_instructions,
)

# `SystemInstruction` of the Solana SDK, in bincode: u32le tag, then the fields. The
# lamports are the first field, except that `CreateAccountWithSeed` begins with a base key
# and a seed (u64le length, then the text). The last account but for the base key of the
# two with a seed is the destination.
_CREATE: Final = b"\0\0\0\0"
_TRANSFER: Final = b"\2\0\0\0"
_CREATE_WITH_SEED: Final = b"\3\0\0\0"
_TRANSFER_WITH_SEED: Final = b"\13\0\0\0"
_DESTINATION_INDEX: Final = {
    _CREATE: 1,
    _TRANSFER: 1,
    _CREATE_WITH_SEED: 1,
    _TRANSFER_WITH_SEED: 2,
}
_CREATIONS: Final = frozenset({_CREATE, _CREATE_WITH_SEED})
_TAG_BYTES: Final = 4
_KEY_BYTES: Final = 32
_LENGTH_BYTES: Final = 8
_LAMPORT_BYTES: Final = 8
_MAX_TRANSFER_DATA: Final = 17  # base58 characters of a tag and the lamports
_CREATE_ACCOUNTS: Final = 2  # `TransferWithSeed`, the other long one, has three
_MAX_SYSTEM_DATA: Final = 180  # base58 characters; the longest seed has 32 bytes

# `TokenInstruction::CloseAccount` of the SPL token program is the single byte 9. Its
# accounts are the closed account, the destination of its lamports and the owner.
_CLOSE_ACCOUNT_DATA: Final = "A"
_CLOSE_ACCOUNTS: Final = 3

# `Transfer` (3) has source, destination, authority; `TransferChecked` (12) has the mint
# after the source. Both have the units as u64le after the tag, the second one also the
# decimals: 9 or 10 bytes, up to 14 base58 characters.
_TOKEN_TRANSFERS: Final = {b"\3": 1, b"\14": 2}
_TRANSFER_DATA_LENGTHS: Final = range(9, 15)

# The types of the same instructions when the node has parsed them.
_PARSED_MOVES: Final = frozenset(
    {
        "transfer",
        "transferWithSeed",
        "createAccount",
        "createAccountWithSeed",
    }
)


_ByProgram = Mapping[str, list[ParsedInstruction]]


class Call(Struct, frozen=True, gc=False):
    """One instruction: the program that runs, its accounts, and its data in base58.

    `data` is None and `accounts` is empty if the node has parsed the instruction.
    """

    program: str
    accounts: list[str]
    data: str | None


class SolMove(Struct, frozen=True, gc=False):
    """Native SOL that left a system account. `is_creation`: it opened `destination`."""

    source: str
    destination: str
    lamports: int
    is_creation: bool


class Refund(Struct, frozen=True, gc=False):
    """Receiver of the lamports of a closed token account, and its owner."""

    destination: str
    owner: str


class TokenTransfer(Struct, frozen=True, gc=False):
    """Raw units that moved from one token account to another."""

    source: str
    destination: str
    authority: str
    units: int


class Calls:
    """The instructions of one transaction by program, decoded when they are asked for:
    most trades follow from balances alone.

    keys: the account keys in the order of balances. Methods raise msgspec.DecodeError
    if the instructions cannot be decoded, IndexError if one points outside the keys,
    KeyError if a text is not base58.
    """

    __slots__ = (
        "_all_moves",
        "_inner",
        "_moves",
        "_record",
        "_top_level",
        "_transfers",
        "keys",
    )

    def __init__(self, keys: list[str], record: TransactionRecord) -> None:
        self.keys = keys
        self._record = record
        self._top_level: _ByProgram | None = None
        self._inner: _ByProgram | None = None
        self._moves: list[SolMove] | None = None
        self._transfers: list[SolMove] | None = None
        self._all_moves: list[SolMove] | None = None

    def top_level(
        self, programs: AbstractSet[str], account: str | None = None
    ) -> Iterator[Call]:
        """Yield the instructions of the message for any of the programs that name the
        account (None: any), in the order of each program. An instruction that the node
        has parsed may name another one.
        """
        return self._of(self._top_level_by_program(), programs, account)

    def top_level_programs(self) -> AbstractSet[str]:
        """Return the programs that the message calls."""
        return self._top_level_by_program().keys()

    def all(
        self, programs: AbstractSet[str], account: str | None = None
    ) -> Iterator[Call]:
        """Yield the instructions of the message, then those that programs invoked, as
        `top_level`.
        """
        yield from self.top_level(programs, account)
        yield from self._of(self._inner_by_program(), programs, account)

    def top_level_moves(self) -> list[SolMove]:
        """Return the moves of native SOL among the instructions of the message."""
        if self._moves is None:
            self._moves = self._moves_of(self._top_level_by_program())
        return self._moves

    def all_moves(self) -> list[SolMove]:
        """Return the moves of native SOL, those that programs invoked too."""
        if self._all_moves is None:
            inner = self._moves_of(self._inner_by_program())
            self._all_moves = self.top_level_moves() + inner
        return self._all_moves

    def top_level_transfers(self) -> list[SolMove]:
        """Return the moves of SOL by instructions of the message that open no account."""
        if self._transfers is None:
            self._transfers = self._read_transfers()
        return self._transfers

    def _read_transfers(self) -> list[SolMove]:
        transfers = []
        for instruction in self._top_level_by_program().get(SYSTEM, ()):
            is_creation = (
                len(instruction.data or "") > _MAX_TRANSFER_DATA
                and len(self._accounts_of(instruction)) == _CREATE_ACCOUNTS
            )
            if is_creation:
                continue
            move = self._move_of(instruction)
            if move is not None and not move.is_creation:
                transfers.append(move)
        return transfers

    def has_token_instructions(self) -> bool:
        """Return True if the message calls a token program."""
        by_program = self._top_level_by_program()
        return TOKEN in by_program or TOKEN_2022 in by_program

    def token_transfers(self) -> Iterator[TokenTransfer]:
        """Yield the transfers of token units by instructions of the message."""
        for instruction in self._token_instructions():
            transfer = self._token_transfer(instruction)
            if transfer is not None:
                yield transfer

    def _token_instructions(self) -> list[ParsedInstruction]:
        """Return the instructions of the message for a token program."""
        by_program = self._top_level_by_program()
        instructions = by_program.get(TOKEN, [])
        if TOKEN_2022 in by_program:
            return instructions + by_program[TOKEN_2022]
        return instructions

    def _token_transfer(self, instruction: ParsedInstruction) -> TokenTransfer | None:
        if isinstance(instruction.parsed, dict):
            return _parsed_token_transfer(instruction.parsed)
        data = instruction.data or ""
        if len(data) not in _TRANSFER_DATA_LENGTHS:
            return None
        payload = base58_bytes(data)
        destination_index = _TOKEN_TRANSFERS.get(payload[:1])
        accounts = self._accounts_of(instruction)
        if destination_index is None or len(accounts) <= destination_index + 1:
            return None
        return TokenTransfer(
            source=accounts[0],
            destination=accounts[destination_index],
            authority=accounts[destination_index + 1],
            units=int.from_bytes(payload[1:9], "little"),
        )

    def refunds(self) -> dict[str, Refund]:
        """Return token account that the message closes -> who got its lamports."""
        refunds: dict[str, Refund] = {}
        for instruction in self._token_instructions():
            if instruction.parsed is not None:
                refunds |= _parsed_refund(instruction.parsed)
            if instruction.data != _CLOSE_ACCOUNT_DATA:
                continue
            accounts = self._accounts_of(instruction)
            if len(accounts) >= _CLOSE_ACCOUNTS:
                closed, destination, owner = accounts[:_CLOSE_ACCOUNTS]
                refunds[closed] = Refund(destination, owner)
        return refunds

    def _moves_of(self, by_program: _ByProgram) -> list[SolMove]:
        moves = []
        for instruction in by_program.get(SYSTEM, ()):
            move = self._move_of(instruction)
            if move is not None:
                moves.append(move)
        return moves

    def _move_of(self, instruction: ParsedInstruction) -> SolMove | None:
        """Return the move of an instruction of the system program, None if it moves
        nothing.
        """
        if isinstance(instruction.parsed, dict):
            return _parsed_move(instruction.parsed)
        return _raw_move(instruction.data or "", self._accounts_of(instruction))

    def _accounts_of(self, instruction: ParsedInstruction) -> list[str]:
        """Return the addresses of the accounts of an instruction."""
        accounts = decode_accounts(instruction.accounts)
        if not accounts:
            return []
        keys = self.keys
        if isinstance(accounts, str):
            return [keys[index] for index in base58_bytes(accounts)]
        if isinstance(accounts[0], int):
            try:
                return list(map(keys.__getitem__, accounts))
            except TypeError:
                pass  # addresses are among the indexes
        elif set(map(type, accounts)) == {str}:
            return cast("list[str]", accounts)
        return [keys[each] if isinstance(each, int) else each for each in accounts]

    def _inner_by_program(self) -> _ByProgram:
        if self._inner is None:
            meta = self._record.meta
            groups = decode_inner(meta.inner_instructions) if meta else None
            instructions = [group.instructions for group in groups or ()]
            self._inner = self._by_program(chain.from_iterable(instructions))
        return self._inner

    def _top_level_by_program(self) -> _ByProgram:
        if self._top_level is None:
            message = self._record.transaction.message
            instructions = decode_instructions(message.instructions)
            self._top_level = self._by_program(instructions or ())
        return self._top_level

    def _by_program(self, instructions: Iterable[ParsedInstruction]) -> _ByProgram:
        by_program: defaultdict[str, list[ParsedInstruction]] = defaultdict(list)
        for instruction in instructions:
            program = instruction.program_id
            if program is None:
                if instruction.program_id_index is None:
                    continue
                program = self.keys[instruction.program_id_index]
            by_program[program].append(instruction)
        return by_program

    def _of(
        self, by_program: _ByProgram, programs: AbstractSet[str], account: str | None
    ) -> Iterator[Call]:
        for program, instructions in by_program.items():
            if program not in programs:
                continue
            for instruction in instructions:
                accounts = self._accounts_of(instruction)
                if account is None or account in accounts or not accounts:
                    yield Call(program, accounts, instruction.data)


def _parsed_refund(parsed: object) -> dict[str, Refund]:
    """Return the account that an instruction closes, if the node has parsed it, with its
    refund; empty for another instruction.
    """
    match parsed:
        case {"type": "closeAccount", "info": {"account": closed, **rest}}:
            refund = Refund(
                destination=str(rest.get("destination", "")),
                owner=str(rest.get("owner", "")),
            )
            return {str(closed): refund}
    return {}


def _parsed_move(parsed: Mapping[str, Any]) -> SolMove | None:
    """Return the move of an instruction that the node has parsed, None for another
    one.
    """
    kind, info = parsed.get("type"), parsed.get("info")
    if kind not in _PARSED_MOVES or not isinstance(info, dict):
        return None
    destination = info.get("destination") or info.get("newAccount")
    if destination is None or "lamports" not in info:
        return None
    return SolMove(
        source=str(info.get("source", "")),
        destination=str(destination),
        lamports=int(info["lamports"]),
        is_creation="newAccount" in info,
    )


def _parsed_token_transfer(parsed: Mapping[str, Any]) -> TokenTransfer | None:
    """Return the transfer of an instruction that the node has parsed, None for another
    one.
    """
    info = parsed.get("info")
    if parsed.get("type") not in {"transfer", "transferChecked"}:
        return None
    if not isinstance(info, dict):
        return None
    checked = info.get("tokenAmount")
    amount = checked.get("amount") if isinstance(checked, dict) else info.get("amount")
    return TokenTransfer(
        source=str(info.get("source", "")),
        destination=str(info.get("destination", "")),
        authority=str(info.get("authority", "")),
        units=int(amount or 0),
    )


def _raw_move(data: str, accounts: list[str]) -> SolMove | None:
    """Return the move of an instruction with encoded data, None for another one."""
    if len(data) > _MAX_SYSTEM_DATA:
        return None
    payload = base58_bytes(data)
    tag = payload[:_TAG_BYTES]
    destination_index = _DESTINATION_INDEX.get(tag)
    if destination_index is None or len(accounts) <= destination_index:
        return None
    start = _TAG_BYTES
    if tag == _CREATE_WITH_SEED:
        start += _KEY_BYTES
        seed_length = int.from_bytes(payload[start : start + _LENGTH_BYTES], "little")
        start += _LENGTH_BYTES + seed_length
    lamports = payload[start : start + _LAMPORT_BYTES]
    if len(lamports) < _LAMPORT_BYTES:
        return None
    return SolMove(
        source=accounts[0],
        destination=accounts[destination_index],
        lamports=int.from_bytes(lamports, "little"),
        is_creation=tag in _CREATIONS,
    )

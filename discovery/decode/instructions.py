"""Instructions of a transaction, in either encoding, and the system transfers among
them.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from discovery.domain.programs import SYSTEM
from discovery.providers.transactions import (
    ParsedInstruction,
    TransactionRecord,
    decode_inner,
    decode_instructions,
)

_BASE58: Final = {
    char: value
    for value, char in enumerate(
        "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    )
}
# `SystemInstruction::Transfer` of the Solana SDK, in bincode: u32le 2, u64le lamports.
# Its accounts are the source and the destination.
_TRANSFER_TAG: Final = (2).to_bytes(4, "little")
_MAX_TRANSFER_LENGTH: Final = 20  # base58 characters of these 12 bytes, with room


class SystemTransfer(NamedTuple):
    """A transfer of native SOL."""

    source: str
    destination: str
    lamports: int


def instructions_of(record: TransactionRecord) -> list[ParsedInstruction]:
    """Return every instruction, the outer ones first. Raises msgspec.DecodeError if
    they do not have the shape of instructions.
    """
    message = record.transaction.message
    instructions = decode_instructions(message.instructions) or []
    if record.meta is None:
        return instructions
    for inner in decode_inner(record.meta.inner_instructions) or ():
        instructions += inner.instructions
    return instructions


def system_transfers(
    keys: list[str], record: TransactionRecord
) -> Iterator[SystemTransfer]:
    """Yield the system transfers of the transaction, outer and inner.

    keys: the account keys in the order of balances. Raises msgspec.DecodeError if the
    instructions cannot be decoded, IndexError if one points outside the keys, KeyError
    if its data is not base58, ValueError or TypeError if an amount or account is no
    number.
    """
    for instruction in instructions_of(record):
        if isinstance(instruction.parsed, dict):
            transfer = _parsed_transfer(instruction.program_id, instruction.parsed)
        else:
            transfer = _raw_transfer(keys, instruction)
        if transfer is not None:
            yield transfer


def _parsed_transfer(
    program_id: str | None, parsed: dict[str, Any]
) -> SystemTransfer | None:
    """Return the transfer of an instruction that the node has parsed, None if it is
    another instruction. The node names the fields `source`, `destination` and
    `lamports`.
    """
    if program_id != SYSTEM:
        return None
    match parsed:
        case {"info": {"destination": destination, "lamports": lamports, **rest}}:
            source = rest.get("source", "")
            return SystemTransfer(str(source), str(destination), int(lamports))
    return None


def _raw_transfer(
    keys: list[str], instruction: ParsedInstruction
) -> SystemTransfer | None:
    """Return the transfer of an instruction with encoded data, None if it is another
    instruction.
    """
    index = instruction.program_id_index
    if index is None or keys[index] != SYSTEM:
        return None
    data = instruction.data or ""
    if len(data) > _MAX_TRANSFER_LENGTH:
        return None
    payload = base58_bytes(data)
    if payload[:4] != _TRANSFER_TAG:
        return None
    lamports = int.from_bytes(payload[4:12], "little")
    match instruction.accounts:
        case [source, *_, destination]:
            return SystemTransfer(keys[int(source)], keys[int(destination)], lamports)
    return None


def base58_bytes(text: str) -> bytes:
    """Return the bytes of base58 instruction data, with the alphabet of Bitcoin. Each
    leading "1" is a zero byte. Raises KeyError if `text` is not base58.
    """
    number = 0
    for char in text:
        number = number * 58 + _BASE58[char]
    leading_zeros = len(text) - len(text.lstrip("1"))
    byte_count = (number.bit_length() + 7) // 8
    return b"\0" * leading_zeros + number.to_bytes(byte_count, "big")

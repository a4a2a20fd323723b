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
_TRANSFER_TAG: Final = (2).to_bytes(
    4, "little"
)  # System program: a transfer is u32le 2 + u64le lamports
_MAX_TRANSFER_LENGTH: Final = 20  # base58 characters of these 12 bytes, with room


class SystemTransfer(NamedTuple):
    """A transfer of native SOL."""

    source: str
    destination: str
    lamports: int


def instructions_of(record: TransactionRecord) -> list[ParsedInstruction]:
    """Return every instruction, the outer ones first. Raises msgspec.DecodeError."""
    instructions = list(
        decode_instructions(record.transaction.message.instructions) or ()
    )
    if record.meta is not None:
        for inner in decode_inner(record.meta.inner_instructions) or ():
            instructions.extend(inner.instructions)
    return instructions


def system_transfers(
    keys: list[str], record: TransactionRecord
) -> Iterator[SystemTransfer]:
    """Yield the system transfers of the transaction, outer and inner. Raises
    msgspec.DecodeError.

    keys: the account keys in the order of balances.
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
    info = parsed.get("info")
    if program_id != SYSTEM or not isinstance(info, dict):
        return None
    if "lamports" not in info or "destination" not in info:
        return None
    return SystemTransfer(
        str(info.get("source", "")), str(info["destination"]), int(info["lamports"])
    )


def _raw_transfer(
    keys: list[str], instruction: ParsedInstruction
) -> SystemTransfer | None:
    index = instruction.program_id_index
    if index is None or keys[index] != SYSTEM:
        return None
    if not instruction.data or len(instruction.data) > _MAX_TRANSFER_LENGTH:
        return None
    payload = base58_bytes(instruction.data)
    accounts = instruction.accounts or []
    if payload[:4] != _TRANSFER_TAG or len(accounts) < 2:
        return None
    lamports = int.from_bytes(payload[4:12], "little")
    return SystemTransfer(keys[int(accounts[0])], keys[int(accounts[-1])], lamports)


def base58_bytes(text: str) -> bytes:
    """Return the bytes of base58 instruction data. Raises KeyError if `text` is not
    base58.
    """
    number = 0
    for char in text:
        number = number * 58 + _BASE58[char]
    leading_zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * leading_zeros + number.to_bytes(
        (number.bit_length() + 7) // 8, "big"
    )

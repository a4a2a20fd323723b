"""Creators of a token, read from the create instruction of the launchpad.

Layouts: pump.fun public IDL of 19 May 2026. `create` and `create_v2` take name, symbol
and uri as borsh strings, then the creator's key (absent before creator fees, which came
in May 2025). Accounts: the mint is first; the user who sent the instruction is at index
7 in `create` and at 5 in `create_v2`.
"""

from typing import Final

import msgspec
from solders.pubkey import Pubkey

from discovery.decode.deltas import Deltas
from discovery.decode.instructions import base58_bytes, instructions_of
from discovery.domain.programs import PUMPFUN
from discovery.providers.transactions import ParsedInstruction, TransactionRecord

_USER_INDEX: Final = {
    bytes([24, 30, 200, 40, 5, 28, 7, 119]): 7,  # create
    bytes([214, 144, 76, 236, 95, 139, 49, 180]): 5,  # create_v2
}
_MAX_DATA_LENGTH: Final = (
    2_000  # base58 characters; name, symbol and uri together stay far below
)
_DISCRIMINATOR_BYTES: Final = 8
_LENGTH_BYTES: Final = 4  # of a borsh string
_KEY_BYTES: Final = 32


def creators_of(record: TransactionRecord, mint: str) -> tuple[str, ...]:
    """Return the wallets that created `mint` in this transaction: the named creator,
    then the sender if it differs.

    Empty if the transaction does not create the token on a launchpad with a known
    layout, has no meta, or cannot be read.
    """
    if record.meta is None:
        return ()
    try:
        keys = Deltas(record, record.meta).keys
        instructions = instructions_of(record)
        creations = (_creators(keys, each, mint) for each in instructions)
        creators = next(filter(None, creations), [])
    except (IndexError, KeyError, TypeError, ValueError, msgspec.DecodeError):
        return ()  # decoding the trades of the same record reports it as unreadable
    return tuple(dict.fromkeys(creators))


def _creators(keys: list[str], instruction: ParsedInstruction, mint: str) -> list[str]:
    """Return the named creator and the sender of an instruction that creates `mint`;
    empty for any other instruction. Raises IndexError if it points outside the keys,
    KeyError if its data is not base58.
    """
    if _program_of(keys, instruction) != PUMPFUN:
        return []
    data = instruction.data or ""
    if not 0 < len(data) <= _MAX_DATA_LENGTH:
        return []
    payload = base58_bytes(data)
    accounts = _account_keys(keys, instruction)
    user_index = _USER_INDEX.get(payload[:_DISCRIMINATOR_BYTES])
    if user_index is None or len(accounts) <= user_index:
        return []
    if accounts[0] != mint:
        return []
    return [*_named_creator(payload), accounts[user_index]]


def _program_of(keys: list[str], instruction: ParsedInstruction) -> str | None:
    """Return the address of the instruction's program, None if it names none."""
    index = instruction.program_id_index
    if instruction.program_id is None and index is not None:
        return keys[index]
    return instruction.program_id


def _account_keys(keys: list[str], instruction: ParsedInstruction) -> list[str]:
    """Return the addresses of the instruction's accounts, which encoding `json` gives
    as indexes of keys.
    """
    accounts = instruction.accounts or ()
    return [
        keys[account] if isinstance(account, int) else account for account in accounts
    ]


def _named_creator(payload: bytes) -> list[str]:
    """Return the creator's key behind name, symbol and uri; empty if the payload ends
    before it. A borsh string is its length as u32le, then its bytes.
    """
    rest = payload[_DISCRIMINATOR_BYTES:]
    for _ in range(3):
        length = int.from_bytes(rest[:_LENGTH_BYTES], "little")
        rest = rest[_LENGTH_BYTES + length :]
    if len(rest) < _KEY_BYTES:
        return []
    return [str(Pubkey.from_bytes(rest[:_KEY_BYTES]))]

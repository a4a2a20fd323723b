"""Who created a token: read from the launchpad's own create instruction, never guessed from who paid.

Layouts: pump.fun public IDL of 19 May 2026. `create` and `create_v2` take name, symbol and uri as borsh strings, then
the creator's key (absent before creator fees came, May 2025). Accounts: the mint first; the user who sent it at 7 in
`create`, at 5 in `create_v2`.
"""

from collections.abc import Iterator
from typing import Final

import msgspec
from solders.pubkey import Pubkey

from discovery.decode.deltas import Deltas
from discovery.decode.venues import base58_bytes, instructions_of
from discovery.domain.programs import PUMPFUN
from discovery.providers.transactions import ParsedInstruction, TransactionRecord

_USER_PLACE: Final = {
    bytes([24, 30, 200, 40, 5, 28, 7, 119]): 7,  # create
    bytes([214, 144, 76, 236, 95, 139, 49, 180]): 5,  # create_v2
}
_MAX_DATA_LENGTH: Final = 2_000  # base58 characters; name, symbol and uri together stay far below
_KEY_BYTES: Final = 32


def creators_of(record: TransactionRecord, mint: str) -> tuple[str, ...]:
    """The wallets that created `mint` in this transaction: the creator it names, then who sent it where that differs.

    Empty where the transaction creates no such token on a launchpad whose layout is known.
    """
    if record.meta is None:
        return ()
    try:
        keys = Deltas(record, record.meta).keys
        for instruction in instructions_of(record):
            found = tuple(_creators(keys, instruction, mint))
            if found:
                return tuple(dict.fromkeys(found))
    except (IndexError, KeyError, TypeError, ValueError, msgspec.DecodeError):
        return ()  # a garbled record tells nothing; decoding its trades counts it
    return ()


def _creators(keys: list[str], instruction: ParsedInstruction, mint: str) -> Iterator[str]:
    program = instruction.program_id
    if program is None and instruction.program_id_index is not None:
        program = keys[instruction.program_id_index]
    if program != PUMPFUN or not instruction.data or len(instruction.data) > _MAX_DATA_LENGTH:
        return
    payload = base58_bytes(instruction.data)
    place = _USER_PLACE.get(payload[:8])
    accounts = [keys[each] if isinstance(each, int) else each for each in instruction.accounts or ()]
    if place is None or len(accounts) <= place or accounts[0] != mint:
        return
    rest = payload[8:]
    for _ in range(3):
        rest = rest[4 + int.from_bytes(rest[:4], "little") :]
    if len(rest) >= _KEY_BYTES:
        yield str(Pubkey.from_bytes(rest[:_KEY_BYTES]))
    yield accounts[place]

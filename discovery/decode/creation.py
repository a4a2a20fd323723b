"""Creators of a token, read from the instruction of a launchpad that creates it.

Layouts: the public IDLs of the programs. pump.fun (19 May 2026) takes name, symbol and
uri as borsh strings, then the creator's key (absent before creator fees, which came in
May 2025). On the others the creator is an account of the instruction: LaunchLab's
creator and payer, the creator of Meteora's dynamic bonding curve, the sender on Moonit,
the user on Boop and Heaven.
"""

from typing import Final, NamedTuple

import msgspec
from solders.pubkey import Pubkey

from discovery.decode.deltas import Deltas
from discovery.decode.instructions import Call, Calls
from discovery.domain.base58 import base58_bytes
from discovery.domain.programs import LAUNCHPADS, PUMPFUN, VENUES
from discovery.providers.transactions import TransactionRecord

_MAX_DATA_LENGTH: Final = (
    2_000  # base58 characters; name, symbol and uri together stay far below
)
_DISCRIMINATOR_BYTES: Final = 8
_LENGTH_BYTES: Final = 4  # of a borsh string
_KEY_BYTES: Final = 32


class _Layout(NamedTuple):
    """Indexes of the accounts of an instruction that creates a token."""

    mint: int
    creators: tuple[int, ...]


_LAYOUTS: Final[dict[tuple[str, bytes], _Layout]] = {
    # create, create_v2
    ("pumpfun", bytes([24, 30, 200, 40, 5, 28, 7, 119])): _Layout(0, (7,)),
    ("pumpfun", bytes([214, 144, 76, 236, 95, 139, 49, 180])): _Layout(0, (5,)),
    # initialize, initialize_v2, initialize_with_token_2022
    ("launchlab", bytes([175, 175, 109, 31, 13, 152, 155, 237])): _Layout(6, (1, 0)),
    ("launchlab", bytes([67, 153, 175, 39, 218, 16, 38, 32])): _Layout(6, (1, 0)),
    ("launchlab", bytes([37, 190, 126, 222, 44, 154, 171, 17])): _Layout(6, (1, 0)),
    # initialize_virtual_pool_with_spl_token, …_with_token2022
    ("meteora_dbc", bytes([140, 85, 215, 176, 102, 54, 104, 79])): _Layout(3, (2,)),
    ("meteora_dbc", bytes([169, 118, 51, 78, 145, 110, 220, 155])): _Layout(3, (2,)),
    # token_mint
    ("moonit", bytes([3, 44, 164, 184, 123, 13, 245, 179])): _Layout(3, (0,)),
    # create_token
    ("boop", bytes([84, 52, 204, 228, 24, 140, 234, 75])): _Layout(2, (3,)),
    # create_standard_liquidity_pool
    ("heaven", bytes([42, 43, 126, 56, 231, 10, 208, 53])): _Layout(5, (4,)),
}
_LAUNCHPAD_PROGRAMS: Final = frozenset(
    program for program, venue in VENUES.items() if venue in LAUNCHPADS
)


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
        calls = Calls(keys, record).all(_LAUNCHPAD_PROGRAMS, mint)
        creations = (_creators(call, mint) for call in calls)
        creators = next(filter(None, creations), [])
    except (IndexError, KeyError, TypeError, ValueError, msgspec.DecodeError):
        return ()  # decoding the trades of the same record reports it as unreadable
    return tuple(dict.fromkeys(creators))


def _creators(call: Call, mint: str) -> list[str]:
    """Return the creators of an instruction that creates `mint`; empty for any other
    instruction. Raises KeyError if its data is not base58.
    """
    data = call.data or ""
    if not 0 < len(data) <= _MAX_DATA_LENGTH:
        return []
    payload = base58_bytes(data)
    name = (VENUES[call.program], payload[:_DISCRIMINATOR_BYTES])
    layout = _LAYOUTS.get(name)
    if layout is None or len(call.accounts) <= max(layout.mint, *layout.creators):
        return []
    if call.accounts[layout.mint] != mint:
        return []
    creators = [call.accounts[index] for index in layout.creators]
    if call.program == PUMPFUN:
        return [*_named_creator(payload), *creators]
    return creators


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

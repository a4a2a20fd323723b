"""The layout of SPL token accounts: `Account` of the SPL Token program, which Token-2022
keeps for its first 165 bytes.
"""

from typing import Final

AMOUNT_BYTES: Final = slice(64, 72)
"""After mint and owner, 32 bytes each; an unsigned little-endian integer."""


def token_account_units(data: bytes) -> int:
    """Return the raw token units that an account with this data holds; 0 if the data
    ends before them.
    """
    return int.from_bytes(data[AMOUNT_BYTES], "little")

"""Base58 as Solana writes addresses and signatures (Bitcoin alphabet, no checksum)."""

from itertools import product

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_PAIRS = [high + low for high, low in product(ALPHABET, repeat=2)]
_VALUES = {char: value for value, char in enumerate(ALPHABET)}
_CHUNK = 58**10  # ten digits at a time keep the big divisions few


def encode(raw: bytes) -> str:
    """Return the base58 text of `raw`; each leading zero byte becomes a leading `1`."""
    number = int.from_bytes(raw, "big")
    pieces: list[str] = []
    while number:
        number, chunk = divmod(number, _CHUNK)
        for _ in range(5):
            chunk, pair = divmod(chunk, 3364)
            pieces.append(_PAIRS[pair])
    digits = "".join(reversed(pieces)).lstrip("1")
    leading_zeros = len(raw) - len(raw.lstrip(b"\0"))
    return "1" * leading_zeros + digits


def decode(text: str) -> bytes:
    """Return the bytes of base58 `text`. Raises ValueError for a character outside the
    alphabet.
    """
    number = 0
    for char in text:
        value = _VALUES.get(char)
        if value is None:
            raise ValueError(f"not a base58 character: {char!r}")
        number = number * 58 + value
    body = number.to_bytes((number.bit_length() + 7) // 8, "big")
    leading_ones = len(text) - len(text.lstrip("1"))
    return b"\0" * leading_ones + body


def is_address(text: str) -> bool:
    """Return True if `text` is the base58 form of exactly 32 bytes."""
    return 32 <= len(text) <= 44 and _decoded_size(text) == 32


def is_signature(text: str) -> bool:
    """Return True if `text` is the base58 form of exactly 64 bytes."""
    return 64 <= len(text) <= 88 and _decoded_size(text) == 64


def _decoded_size(text: str) -> int | None:
    """Return the number of bytes, or None if the text is not base58."""
    try:
        return len(decode(text))
    except ValueError:
        return None

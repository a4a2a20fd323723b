"""Base58 with the alphabet of Bitcoin, as Solana writes keys, signatures and data."""

from typing import Final

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES: Final = {char: value for value, char in enumerate(_ALPHABET)}


def base58_bytes(text: str) -> bytes:
    """Return the bytes of a text. Each leading "1" is a zero byte. Raises KeyError if
    `text` is not base58.
    """
    number = 0
    for char in text:
        number = number * 58 + _VALUES[char]
    leading_zeros = len(text) - len(text.lstrip("1"))
    byte_count = (number.bit_length() + 7) // 8
    payload: bytes = number.to_bytes(byte_count, "big")
    return bytes(leading_zeros) + payload


def base58_text(payload: bytes) -> str:
    """Return the text of some bytes."""
    number = int.from_bytes(payload, "big")
    digits = []
    while number:
        number, value = divmod(number, 58)
        digits.append(_ALPHABET[value])
    leading_zeros = len(payload) - len(payload.lstrip(b"\0"))
    return "1" * leading_zeros + "".join(reversed(digits))

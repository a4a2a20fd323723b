"""Base58 with the alphabet of Bitcoin, as Solana writes keys, signatures and data."""

from typing import Final

from solders.signature import Signature

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES: Final = {char: value for value, char in enumerate(_ALPHABET)}
_SIGNATURE_BYTES: Final = 64
_SHORT: Final = 8
"""Up to this length the plain loop is the fastest way."""


def base58_bytes(text: str) -> bytes:
    """Return the bytes of a text. Each leading "1" is a zero byte. Raises KeyError if
    `text` is not base58.
    """
    if _SHORT < len(text) < len(_SIZES):
        try:
            return _as_signature(text)
        except ValueError:
            pass  # not base58; the loop names the character
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


def _as_signature(text: str) -> bytes:
    """Return the bytes of a text that is shorter than a signature: with zero bytes in
    front of it, native code reads it as one. Raises ValueError if it is not base58.
    """
    digits = text.lstrip("1")
    byte_count, first_longer = _SIZES[len(digits)]
    if digits >= first_longer:
        byte_count += 1
    padding = _SIGNATURE_BYTES - byte_count - (len(text) - len(digits))
    padded = "1" * padding + text
    return bytes(Signature.from_string(padded))[padding:]


def _sizes() -> list[tuple[int, str]]:
    """Return for each count of digits the smallest number of bytes that they may stand
    for, and the first text that stands for one byte more.

    Texts of one length have the order of their numbers, as the alphabet has that of
    ASCII. Ends before the texts that may be longer than a signature.
    """
    sizes = [(0, _ALPHABET[-1])]
    while True:
        smallest = 58 ** (len(sizes) - 1)
        byte_count = (smallest.bit_length() + 7) // 8
        if byte_count >= _SIGNATURE_BYTES:
            return sizes
        first_longer = base58_text(b"\1" + bytes(byte_count))
        if len(first_longer) > len(sizes):
            first_longer = _ALPHABET[-1] * (len(sizes) + 1)  # none of this length
        sizes.append((byte_count, first_longer))


_SIZES: Final = _sizes()

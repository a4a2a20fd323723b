"""Base58 as Solana writes addresses and signatures (Bitcoin alphabet, no checksum)."""

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_PAIRS = [high + low for high in ALPHABET for low in ALPHABET]
_VALUE = {char: place for place, char in enumerate(ALPHABET)}
_CHUNK = 58**10  # ten digits at a time keep the big divisions few


def encode(raw: bytes) -> str:
    """Base58 text of `raw`; each leading zero byte becomes a leading `1`."""
    number = int.from_bytes(raw, "big")
    pieces: list[str] = []
    while number:
        number, chunk = divmod(number, _CHUNK)
        for _ in range(5):
            chunk, pair = divmod(chunk, 3364)
            pieces.append(_PAIRS[pair])
    digits = "".join(reversed(pieces)).lstrip("1")
    return "1" * (len(raw) - len(raw.lstrip(b"\0"))) + digits


def decode(text: str) -> bytes:
    """Bytes of base58 `text`; ValueError for a character outside the alphabet."""
    number = 0
    for char in text:
        value = _VALUE.get(char)
        if value is None:
            raise ValueError(f"not a base58 character: {char!r}")
        number = number * 58 + value
    body = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return b"\0" * (len(text) - len(text.lstrip("1"))) + body


def is_address(text: str) -> bool:
    """Whether `text` is the base58 form of exactly 32 bytes."""
    if not 32 <= len(text) <= 44:
        return False
    try:
        return len(decode(text)) == 32
    except ValueError:
        return False


def is_signature(text: str) -> bool:
    """Whether `text` is the base58 form of exactly 64 bytes."""
    if not 64 <= len(text) <= 88:
        return False
    try:
        return len(decode(text)) == 64
    except ValueError:
        return False

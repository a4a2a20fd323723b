"""A hash that is the same in every process, unlike Python's own."""

from hashlib import sha256


def stable_hash(*parts: int | str) -> int:
    """Return a 64-bit number that depends on `parts` only."""
    text = "|".join(map(str, parts))
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big")

"""Signatures of transactions outside the world (votes, other users), so that no block
is empty.

Such a signature contains its slot (masked), so that a paging cursor made of it resolves
like any other.
"""

from hashlib import sha512

from simmarket.chain import base58

COUNT_PER_BLOCK = 3
_HEAD_BYTES = 7  # six bytes of slot, one of the index


def foreign_signature(seed: int, slot: int, index: int) -> str:
    """Return the foreign signature with this index in a slot."""
    head = slot.to_bytes(6, "big") + bytes([index])
    digest = sha512(b"filler" + str(seed).encode() + head).digest()
    tail = digest[_HEAD_BYTES:]
    return base58.encode(_masked(head, tail) + tail)


def slot_of_foreign_signature(seed: int, text: str) -> int | None:
    """Return the slot of a foreign signature, or None for any other text."""
    raw = base58.decode(text)
    head = _masked(raw[:_HEAD_BYTES], raw[_HEAD_BYTES:])
    slot = int.from_bytes(head[:6], "big")
    index = head[6]
    if index >= COUNT_PER_BLOCK or foreign_signature(seed, slot, index) != text:
        return None
    return slot


def _masked(head: bytes, tail: bytes) -> bytes:
    """Return `head` XORed with a hash of `tail`; applied twice it returns `head`."""
    mask = sha512(tail).digest()[:_HEAD_BYTES]
    return bytes(a ^ b for a, b in zip(head, mask, strict=True))

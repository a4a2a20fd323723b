"""Signatures of transactions that are not part of the world (votes and strangers), so that no block is empty.

Such a signature names its slot (masked), so a paging cursor made of it resolves like any other.
"""

from hashlib import sha512

from simmarket.chain import base58

PER_BLOCK = 3
_HEAD = 7  # six bytes of slot, one of the place


def signature(seed: int, slot: int, nth: int) -> str:
    """The nth foreign signature of a slot."""
    head = slot.to_bytes(6, "big") + bytes([nth])
    digest = sha512(b"filler" + str(seed).encode() + head).digest()
    mask = sha512(digest[_HEAD:]).digest()
    return base58.encode(bytes(a ^ b for a, b in zip(head, mask, strict=False)) + digest[_HEAD:])


def slot_of(seed: int, text: str) -> int | None:
    """The slot a foreign signature belongs to; None for anything else."""
    raw = base58.decode(text)
    mask = sha512(raw[_HEAD:]).digest()
    head = bytes(a ^ b for a, b in zip(raw[:_HEAD], mask, strict=False))
    slot, nth = int.from_bytes(head[:6], "big"), head[6]
    return slot if nth < PER_BLOCK and signature(seed, slot, nth) == text else None

"""The ed25519 point test and program-derived addresses.

A wallet address is a point of the curve; a program-derived address never is one.
"""

from hashlib import sha256

_P = 2**255 - 19
_D = -121665 * pow(121666, _P - 2, _P) % _P
_HALF = (_P - 1) // 2
_Y_MASK = 2**255 - 1


def is_on_curve(key: bytes) -> bool:
    """Return True if 32 bytes are the compressed form of an ed25519 point (an x exists
    for their y).
    """
    packed = int.from_bytes(key, "little")
    y = (packed & _Y_MASK) % _P
    y_squared = y * y % _P
    # x^2 = u / v has a root exactly when u * v is a square: one exponentiation, no
    # inversion
    product = (y_squared - 1) * (_D * y_squared + 1) % _P
    if product == 0:
        return packed >> 255 == 0 or y_squared != 1
    return pow(product, _HALF, _P) == 1


def find_program_address(seeds: tuple[bytes, ...], program: bytes) -> tuple[bytes, int]:
    """Return (address, bump) of the seeds under `program`: the highest bump whose hash
    is off the curve.
    """
    head = b"".join(seeds)
    tail = program + b"ProgramDerivedAddress"
    for bump in range(255, -1, -1):
        candidate = sha256(head + bytes([bump]) + tail).digest()
        if not is_on_curve(candidate):
            return candidate, bump
    raise ValueError("no bump gives an address off the curve")


def address_with_seed(base: bytes, seed: str, owner: bytes) -> bytes:
    """Return the address of `CreateAccountWithSeed`: sha256(base + seed + owner)."""
    return sha256(base + seed.encode() + owner).digest()

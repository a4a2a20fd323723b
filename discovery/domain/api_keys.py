"""API keys: `wt_<prefix>_<secret>`. The secret is seen by whoever makes the key, once; a hash of it is kept."""

import hashlib
import hmac
import re
import secrets
from typing import Final

import msgspec

_SHAPE: Final = re.compile(r"wt_([0-9a-f]{8})_([0-9a-f]{48})")


class NewKey(msgspec.Struct, frozen=True):
    """A key just made. `text` is the key itself, to be shown once; `prefix` finds it, `secret_hash` checks it."""

    text: str
    prefix: str
    secret_hash: str


def new_key() -> NewKey:
    """A key of 192 random bits: nothing that guessing finds, so one round of SHA-256 is hash enough."""
    prefix, secret = secrets.token_hex(4), secrets.token_hex(24)
    return NewKey(f"wt_{prefix}_{secret}", prefix, _hash(secret))


def prefix_of(text: str) -> str | None:
    """The prefix under which a key is kept; None where `text` has not the shape of a key."""
    found = _SHAPE.fullmatch(text)
    return None if found is None else found[1]


def matches(text: str, secret_hash: str) -> bool:
    """Whether the secret of `text` has this hash, compared in constant time."""
    found = _SHAPE.fullmatch(text)
    return found is not None and hmac.compare_digest(_hash(found[2]), secret_hash)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

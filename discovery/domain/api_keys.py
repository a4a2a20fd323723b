"""API keys: `wt_<prefix>_<secret>`. The key is shown once, when it is created; only a
hash of the secret is stored.
"""

import hashlib
import hmac
import re
import secrets
from typing import Final

import msgspec

_FORMAT: Final = re.compile(r"wt_([0-9a-f]{8})_([0-9a-f]{48})")


class NewKey(msgspec.Struct, frozen=True):
    """A newly created key. `text` is the key to show once; `prefix` identifies it,
    `secret_hash` verifies it.
    """

    text: str
    prefix: str
    secret_hash: str


def new_key() -> NewKey:
    """Return a key of 192 random bits. It cannot be guessed, so that one round of
    SHA-256 is enough.
    """
    prefix, secret = secrets.token_hex(4), secrets.token_hex(24)
    return NewKey(f"wt_{prefix}_{secret}", prefix, _hash(secret))


def prefix_of(text: str) -> str | None:
    """Return the prefix that identifies a key; None if `text` does not have the format
    of a key.
    """
    match = _FORMAT.fullmatch(text)
    return None if match is None else match[1]


def matches(text: str, secret_hash: str) -> bool:
    """Return True if the secret of the key `text` has this hash, False also if `text`
    does not have the format of a key. Compares in constant time.
    """
    match = _FORMAT.fullmatch(text)
    if match is None:
        return False
    return hmac.compare_digest(_hash(match[2]), secret_hash)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

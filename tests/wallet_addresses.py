"""Addresses that can be wallets: on the ed25519 curve, unlike those of `factories`."""

from functools import cache

from solders.keypair import Keypair


@cache
def wallet_address(number: int) -> str:
    """Return the address of a key pair, always the same one for a number."""
    return str(Keypair.from_seed(number.to_bytes(32, "big")).pubkey())

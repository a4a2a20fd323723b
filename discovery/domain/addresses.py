"""Addresses: base58 public keys as `str`, checked once at the door; derivation of accounts offline."""

from functools import lru_cache
from typing import NewType

from solders.pubkey import Pubkey

from discovery.domain import programs
from discovery.domain.known_wallets import INFRASTRUCTURE

Address = NewType("Address", str)


def parse_address(text: str) -> Address:
    """The address, unchanged. Raises ValueError where `text` is not base58 of 32 bytes."""
    try:
        Pubkey.from_string(text)
    except ValueError as error:
        raise ValueError(f"not a Solana address: {text[:60]!r}") from error
    return Address(text)


def is_address(text: str) -> bool:
    """Whether `text` is base58 of 32 bytes."""
    try:
        Pubkey.from_string(text)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=65_536)
def is_on_curve(address: str) -> bool:
    """Whether a private key can exist for it: pools, curves and vaults are derived off the ed25519 curve.

    Text that is no address at all answers False: it is nobody's wallet.
    """
    try:
        return Pubkey.from_string(address).is_on_curve()
    except ValueError:
        return False


def associated_token_account(owner: str, mint: str, token_program: str = programs.TOKEN) -> Address:
    """The owner's account for a mint: PDA [owner, token program, mint]. The token program is part of the seed."""
    found, _ = Pubkey.find_program_address(
        [
            bytes(Pubkey.from_string(owner)),
            bytes(Pubkey.from_string(token_program)),
            bytes(Pubkey.from_string(mint)),
        ],
        Pubkey.from_string(programs.ASSOCIATED_TOKEN),
    )
    return Address(str(found))


def pump_curve(mint: str) -> Address:
    """The pump.fun bonding curve of a mint: PDA ["bonding-curve", mint]."""
    found, _ = Pubkey.find_program_address(
        [b"bonding-curve", bytes(Pubkey.from_string(mint))], Pubkey.from_string(programs.PUMPFUN)
    )
    return Address(str(found))


def pumpswap_pool(mint: str, quote_mint: str = programs.WRAPPED_SOL) -> Address:
    """The canonical PumpSwap pool a finished curve migrates to.

    PDA ["pool", u16le 0, creator, base mint, quote mint], creator = pump PDA ["pool-authority", mint].
    """
    base = bytes(Pubkey.from_string(mint))
    creator, _ = Pubkey.find_program_address([b"pool-authority", base], Pubkey.from_string(programs.PUMPFUN))
    found, _ = Pubkey.find_program_address(
        [b"pool", (0).to_bytes(2, "little"), bytes(creator), base, bytes(Pubkey.from_string(quote_mint))],
        Pubkey.from_string(programs.PUMPSWAP),
    )
    return Address(str(found))


def is_wallet(address: str) -> bool:
    """Whether the address can be a trader: on the curve and no known service."""
    return address not in INFRASTRUCTURE and is_on_curve(address)

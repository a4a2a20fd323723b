"""Addresses: base58 public keys as `str`, validated where they enter; derivation of
accounts without a network.
"""

from functools import lru_cache
from typing import NewType

from solders.pubkey import Pubkey

from discovery.domain import programs
from discovery.domain.known_wallets import (
    FEE_ACCOUNTS,
    INFRASTRUCTURE,
    PLATFORM_FEE_WALLETS,
)

Address = NewType("Address", str)


def parse_address(text: str) -> Address:
    """Return `text` as an address. Raises ValueError if it is not base58 of 32 bytes."""
    try:
        Pubkey.from_string(text)
    except ValueError as error:
        raise ValueError(f"not a Solana address: {text[:60]!r}") from error
    return Address(text)


def is_address(text: str) -> bool:
    """Return True if `text` is base58 of 32 bytes."""
    try:
        Pubkey.from_string(text)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=65_536)
def is_on_curve(address: str) -> bool:
    """Return True if a private key can exist for the address. Pools, curves and vaults
    are off the ed25519 curve.

    Returns False for text that is no address.
    """
    try:
        return Pubkey.from_string(address).is_on_curve()
    except ValueError:
        return False


def associated_token_account(
    owner: str, mint: str, token_program: str = programs.TOKEN
) -> Address:
    """Return the owner's account for a mint: PDA [owner, token program, mint].

    token_program: the program that owns the mint. Another program gives another
    account.
    """
    keys = (owner, token_program, mint)
    seeds = [bytes(Pubkey.from_string(key)) for key in keys]
    account, _ = Pubkey.find_program_address(
        seeds, Pubkey.from_string(programs.ASSOCIATED_TOKEN)
    )
    return Address(str(account))


def pump_curve(mint: str) -> Address:
    """Return the pump.fun bonding curve of a mint: PDA ["bonding-curve", mint]."""
    curve, _ = Pubkey.find_program_address(
        [b"bonding-curve", bytes(Pubkey.from_string(mint))],
        Pubkey.from_string(programs.PUMPFUN),
    )
    return Address(str(curve))


def pumpswap_pool(mint: str, quote_mint: str = programs.WRAPPED_SOL) -> Address:
    """Return the canonical PumpSwap pool to which a completed curve migrates.

    PDA ["pool", u16le 0, creator, base mint, quote mint], creator = pump PDA
    ["pool-authority", mint].
    """
    base = bytes(Pubkey.from_string(mint))
    creator, _ = Pubkey.find_program_address(
        [b"pool-authority", base], Pubkey.from_string(programs.PUMPFUN)
    )
    pool, _ = Pubkey.find_program_address(
        [
            b"pool",
            (0).to_bytes(2, "little"),
            bytes(creator),
            base,
            bytes(Pubkey.from_string(quote_mint)),
        ],
        Pubkey.from_string(programs.PUMPSWAP),
    )
    return Address(str(pool))


def is_wallet(address: str) -> bool:
    """Return True if the address can be a trader: on the curve and no known service."""
    return address not in INFRASTRUCTURE and is_on_curve(address)


def not_wallet_reason(address: str) -> str:
    """Return why the address is no trader's wallet, in words; "" if it can be one."""
    if address in programs.KNOWN_PROGRAMS:
        name = programs.KNOWN_PROGRAMS[address]
        return f"a program ({name})" if name else "a program"
    if address in programs.QUOTES or address in programs.LIQUID_STAKING:
        return "a token"
    if address in PLATFORM_FEE_WALLETS:
        return f"a fee wallet of {PLATFORM_FEE_WALLETS[address]}"
    if address in FEE_ACCOUNTS:
        return "an account that receives fees or tips"
    if address in INFRASTRUCTURE:
        return "an account of a service"
    if not is_on_curve(address):
        return "no private key can sign for it: an account of a program, such as a pool or a vault"
    return ""

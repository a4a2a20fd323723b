"""A constant-product pool without fees over wrapped SOL, of any program and with vaults
of any owners.
"""

from simmarket.chain.builder import Builder
from simmarket.chain.instructions import (
    close_account,
    open_associated,
    units_transfer,
    wrap_sol,
)
from simmarket.chain.ledger import WRITABLE, Draft, Mint
from simmarket.chain.world import Pool

_SWAP = bytes((0xF8, 0xC6, 0x9E, 0x91, 0xE1, 0x75, 0x87, 0xC8))


def describe(
    builder: Builder,
    mint: Mint,
    account: int,
    *,
    dex: str,
    owners: tuple[int, int],
    creator: int,
    offset_seconds: int,
) -> Pool:
    """Return a pool. owners: of the vault of the token, and of that of wrapped SOL."""
    accounts, native = builder.accounts, builder.ledger.native
    base_owner, quote_owner = owners
    return Pool(
        account=account,
        dex=dex,
        mint=mint,
        quote=native,
        base_vault=accounts.associated(base_owner, mint.account, mint.program),
        quote_vault=accounts.associated(quote_owner, native.account),
        created_offset_seconds=offset_seconds,
        creator=creator,
        creator_vault=0,
        creator_fee_account=0,
        opening_quote=0,
        opening_base=0,
    )


def add_buy(
    builder: Builder, draft: Draft, program: str, pool: Pool, wallet: int, lamports: int
) -> int:
    """Buy for exactly so many lamports; return the units bought."""
    ledger = builder.ledger
    base = open_associated(draft, wallet, pool.mint, wallet)
    wrapped = open_associated(draft, wallet, ledger.native, wallet)
    wrap_sol(draft, wallet, wrapped, lamports)
    quote, reserve = reserves(builder, pool)
    units = reserve * lamports // (quote + lamports)
    _enter(builder, draft, program, pool, wallet)
    units_transfer(draft, wrapped, pool.quote_vault, wallet, lamports)
    units_transfer(
        draft, pool.base_vault, base, ledger.tokens[pool.base_vault].owner, units
    )
    draft.leave()
    close_account(draft, wrapped, wallet)
    return units


def add_sell(
    builder: Builder, draft: Draft, program: str, pool: Pool, wallet: int, units: int
) -> int:
    """Sell units; return the lamports received."""
    ledger = builder.ledger
    base = builder.accounts.associated(wallet, pool.mint.account, pool.mint.program)
    wrapped = open_associated(draft, wallet, ledger.native, wallet)
    quote, reserve = reserves(builder, pool)
    lamports = quote * units // (reserve + units)
    _enter(builder, draft, program, pool, wallet)
    units_transfer(draft, base, pool.base_vault, wallet, units)
    units_transfer(
        draft,
        pool.quote_vault,
        wrapped,
        ledger.tokens[pool.quote_vault].owner,
        lamports,
    )
    draft.leave()
    close_account(draft, wrapped, wallet)
    return lamports


def reserves(builder: Builder, pool: Pool) -> tuple[int, int]:
    """Return the (quote, base) reserves that the price is computed from."""
    units = builder.ledger.units
    return pool.virtual_quote + units(pool.quote_vault), units(pool.base_vault)


def _enter(
    builder: Builder, draft: Draft, program: str, pool: Pool, wallet: int
) -> None:
    draft.key(pool.account, WRITABLE)
    keys = (wallet, pool.account, pool.base_vault, pool.quote_vault, pool.mint.account)
    draft.enter(builder.accounts.add(program), keys, _SWAP)

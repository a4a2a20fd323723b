"""PumpSwap pools: migration from a curve, further pools, and trades over wrapped SOL."""

import struct

from simmarket.chain import programs
from simmarket.chain.builder import PLAIN, Builder, Moment
from simmarket.chain.instructions import (
    TOKEN_SYNC_NATIVE,
    create_account,
    open_associated,
    sol_transfer,
    units_transfer,
)
from simmarket.chain.ledger import WRITABLE, Draft, Mint
from simmarket.chain.pool_swap import Fees, PoolSwap, fee_of
from simmarket.chain.pumpfun import BUY, EVENT_TAG, MIGRATE, SELL
from simmarket.chain.world import Pool

LP_BPS, PROTOCOL_BPS, CREATOR_BPS = 20, 5, 5
_POOL_RENT_LAMPORTS, _POOL_BYTES = 2_985_840, 301
MIGRATION_FEE_LAMPORTS = 15_000_001
CREATE_POOL = bytes((233, 146, 209, 142, 207, 104, 64, 188))
BUY_EVENT = bytes((103, 244, 82, 31, 44, 245, 119, 119))
SELL_EVENT = bytes((62, 47, 55, 10, 165, 3, 220, 42))
_SYNC_NATIVE = bytes([TOKEN_SYNC_NATIVE])


def describe_pool(
    builder: Builder,
    mint: Mint,
    creator: int,
    offset_seconds: int,
    *,
    index: int = 0,
    authority: int | None = None,
) -> Pool:
    """Return a wrapped-SOL pool that is not on the chain yet; the canonical one unless
    `authority` is given.
    """
    accounts = builder.accounts
    if authority is None:
        authority = accounts.derived(
            programs.PUMP, b"pool-authority", accounts.raw(mint.account)
        )
    account = accounts.derived(
        programs.PUMPSWAP,
        b"pool",
        struct.pack("<H", index),
        accounts.raw(authority),
        accounts.raw(mint.account),
        accounts.raw(builder.ledger.native.account),
    )
    pool = known_pool(builder, account, mint, creator, offset_seconds)
    pool.index = index
    pool.authority = authority
    return pool


def known_pool(
    builder: Builder, account: int, mint: Mint, creator: int, offset_seconds: int
) -> Pool:
    """Return a pool with a given address."""
    accounts, native = builder.accounts, builder.ledger.native
    vault = accounts.derived(programs.PUMPSWAP, b"creator_vault", accounts.raw(creator))
    return Pool(
        account=account,
        dex="pumpswap",
        mint=mint,
        quote=native,
        base_vault=accounts.associated(account, mint.account, mint.program),
        quote_vault=accounts.associated(account, native.account),
        created_offset_seconds=offset_seconds,
        creator=creator,
        creator_vault=vault,
        creator_fee_account=accounts.associated(vault, native.account),
        opening_quote=0,
        opening_base=0,
        index=0,
        authority=creator,
    )


def migrate(builder: Builder, curve: Pool, when: Moment) -> Pool:
    """Move a complete curve's SOL and remaining units into its canonical pool; the
    migrator pays fee and rents.
    """
    ledger, accounts = builder.ledger, builder.accounts
    migrator = accounts.add(programs.PUMP_MIGRATOR)
    pool = describe_pool(builder, curve.mint, curve.creator, when.offset_seconds)
    draft = builder.begin(migrator, PLAIN)
    draft.key(curve.account, WRITABLE)
    draft.enter(
        accounts.add(programs.PUMP), _migrate_accounts(builder, curve, pool), MIGRATE
    )
    lamports = curve.virtual_quote - curve.opening_quote - MIGRATION_FEE_LAMPORTS
    draft.move_lamports(curve.account, pool.authority, lamports)
    draft.move_lamports(curve.account, migrator, MIGRATION_FEE_LAMPORTS)
    _create_accounts(draft, pool, migrator)
    if pool.creator_fee_account not in ledger.tokens:
        open_associated(draft, pool.creator_vault, ledger.native, migrator)
    _deposit_sol(draft, pool, pool.authority, lamports)
    units_transfer(
        draft,
        curve.base_vault,
        pool.base_vault,
        curve.account,
        ledger.units(curve.base_vault),
    )
    draft.leave()
    builder.end(draft, when, PLAIN)
    curve.virtual_quote, curve.virtual_base, curve.real_base = 0, 0, 0
    pool.opening_quote, pool.opening_base = (
        ledger.units(pool.quote_vault),
        ledger.units(pool.base_vault),
    )
    return pool


def _migrate_accounts(builder: Builder, curve: Pool, pool: Pool) -> tuple[int, ...]:
    add = builder.accounts.add
    return (
        add(programs.PUMP_GLOBAL),
        curve.mint.account,
        curve.account,
        curve.base_vault,
        add(programs.PUMP_MIGRATOR),
        pool.account,
        pool.authority,
        pool.base_vault,
        pool.quote_vault,
        builder.ledger.native.account,
        add(programs.PUMPSWAP),
        add(programs.PUMP_EVENT_AUTHORITY),
    )


def create_second_pool(
    builder: Builder,
    mint: Mint,
    creator: int,
    *,
    funder: int,
    when: Moment,
    units: int,
    lamports: int,
) -> Pool:
    """Open a non-canonical pool with units and SOL of `funder`; the coin creator earns
    fees there, too.
    """
    ledger, accounts = builder.ledger, builder.accounts
    pool = describe_pool(
        builder, mint, creator, when.offset_seconds, index=1, authority=funder
    )
    draft = builder.begin(funder, PLAIN)
    keys = (
        pool.account,
        accounts.add(programs.PUMPSWAP_GLOBAL),
        funder,
        mint.account,
        ledger.native.account,
        pool.base_vault,
        pool.quote_vault,
        accounts.add(programs.PUMPSWAP_EVENT_AUTHORITY),
    )
    draft.enter(
        accounts.add(programs.PUMPSWAP),
        keys,
        CREATE_POOL + struct.pack("<HQQ", pool.index, units, lamports),
    )
    _create_accounts(draft, pool, funder)
    source = accounts.associated(funder, mint.account, mint.program)
    units_transfer(draft, source, pool.base_vault, funder, units)
    _deposit_sol(draft, pool, funder, lamports)
    draft.leave()
    builder.end(draft, when, PLAIN)
    pool.opening_quote, pool.opening_base = lamports, units
    return pool


def _create_accounts(draft: Draft, pool: Pool, funder: int) -> None:
    """Create the pool account and its two vaults; `funder` pays their rents."""
    create_account(
        draft,
        funder,
        pool.account,
        lamports=_POOL_RENT_LAMPORTS,
        space=_POOL_BYTES,
        owner=programs.PUMPSWAP,
    )
    open_associated(draft, pool.account, pool.mint, funder)
    open_associated(draft, pool.account, pool.quote, funder)


def _deposit_sol(draft: Draft, pool: Pool, source: int, lamports: int) -> None:
    """Transfer lamports into the pool's wrapped-SOL vault and sync it."""
    sol_transfer(draft, source, pool.quote_vault, lamports)
    draft.ledger.tokens[pool.quote_vault].units += lamports
    draft.call(
        draft.ledger.accounts.add(programs.TOKEN), (pool.quote_vault,), _SYNC_NATIVE
    )


def reserves(builder: Builder, pool: Pool) -> tuple[int, int]:
    """Return (quote, base) in the pool's vaults."""
    return builder.ledger.units(pool.quote_vault), builder.ledger.units(pool.base_vault)


def units_for(builder: Builder, pool: Pool, budget: int) -> tuple[int, int]:
    """Return (units, lamports without protocol and creator fee) that `budget` lamports
    buy.
    """
    without_fees = budget * 10_000 // (10_000 + PROTOCOL_BPS + CREATOR_BPS)
    effective = without_fees * (10_000 - LP_BPS) // 10_000
    quote, base = reserves(builder, pool)
    return base * effective // (quote + effective), without_fees


def proceeds_of(builder: Builder, pool: Pool, units: int) -> int:
    """Return the lamports that the pool pays for units, after its own fee, before
    protocol and creator fee.
    """
    quote, base = reserves(builder, pool)
    return quote * units // (base + units) * (10_000 - LP_BPS) // 10_000


def add_buy(swap: PoolSwap, budget: int) -> tuple[int, int]:
    """Buy for at most `budget` lamports from the wrapped account; return (units,
    lamports paid, fees included).
    """
    units, lamports = units_for(swap.builder, swap.pool, budget)
    fees = _fees(lamports)
    if lamports + fees.total > budget:
        lamports = budget - fees.total
    add_exact_swap(swap, units, lamports, fees=fees, is_buy=True)
    return units, lamports + fees.total


def add_sell(swap: PoolSwap, units: int) -> tuple[int, int]:
    """Sell units into the wrapped account; return (units, lamports received)."""
    proceeds = proceeds_of(swap.builder, swap.pool, units)
    fees = _fees(proceeds)
    received = proceeds - fees.total
    add_exact_swap(swap, units, received, fees=fees, is_buy=False)
    return units, received


def add_exact_swap(
    swap: PoolSwap, units: int, lamports: int, *, fees: Fees, is_buy: bool
) -> None:
    """Add a swap with given amounts: `lamports` between wallet and pool, `fees` on top."""
    accounts, pool = swap.builder.accounts, swap.pool
    keys = call_accounts(swap)
    swap.draft.key(pool.account, WRITABLE)
    amounts = (units, lamports + fees.total) if is_buy else (units, 0)
    discriminator = BUY if is_buy else SELL
    program = accounts.add(programs.PUMPSWAP)
    swap.draft.enter(program, keys, discriminator + struct.pack("<QQ", *amounts))
    if is_buy:
        _move_buy(swap, units, lamports, fees)
    else:
        _move_sale(swap, units, lamports, fees)
    event = BUY_EVENT if is_buy else SELL_EVENT
    event += (
        struct.pack("<qQQ", 0, *amounts)
        + bytes(32)
        + struct.pack("<QQ", lamports, fees.total)
    )
    event += accounts.raw(pool.account) + accounts.raw(swap.wallet)
    swap.draft.call(
        program, (accounts.add(programs.PUMPSWAP_EVENT_AUTHORITY),), EVENT_TAG + event
    )
    swap.draft.leave()


def _move_buy(swap: PoolSwap, units: int, lamports: int, fees: Fees) -> None:
    draft, pool = swap.draft, swap.pool
    wrapped = _wrapped(swap)
    units_transfer(draft, pool.base_vault, swap.base_account, pool.account, units)
    units_transfer(draft, wrapped, pool.quote_vault, swap.wallet, lamports)
    _move_fees(swap, wrapped, swap.wallet, fees)


def _move_sale(swap: PoolSwap, units: int, lamports: int, fees: Fees) -> None:
    draft, pool = swap.draft, swap.pool
    units_transfer(draft, swap.base_account, pool.base_vault, swap.wallet, units)
    units_transfer(draft, pool.quote_vault, _wrapped(swap), pool.account, lamports)
    _move_fees(swap, pool.quote_vault, pool.account, fees)


def _move_fees(swap: PoolSwap, payer: int, payer_owner: int, fees: Fees) -> None:
    """Pay the fees that are not 0 from a wrapped-SOL account."""
    native = swap.builder.ledger.native.account
    recipient = swap.builder.accounts.associated(swap.fee_recipient, native)
    if fees.protocol:
        units_transfer(swap.draft, payer, recipient, payer_owner, fees.protocol)
    if fees.creator:
        units_transfer(
            swap.draft, payer, swap.pool.creator_fee_account, payer_owner, fees.creator
        )


def _fees(amount: int) -> Fees:
    return Fees(fee_of(amount, PROTOCOL_BPS), fee_of(amount, CREATOR_BPS))


def _wrapped(swap: PoolSwap) -> int:
    if swap.wrapped is None:
        raise ValueError("a swap in a pool needs a wrapped-SOL account")
    return swap.wrapped


def call_accounts(swap: PoolSwap) -> tuple[int, ...]:
    """Return the accounts of a buy or sale in the order of the program's interface."""
    accounts, pool = swap.builder.accounts, swap.pool
    native = swap.builder.ledger.native.account
    recipient_wrapped = accounts.associated(swap.fee_recipient, native)
    add = accounts.add
    return (
        pool.account,
        swap.wallet,
        add(programs.PUMPSWAP_GLOBAL),
        pool.mint.account,
        native,
        swap.base_account,
        _wrapped(swap),
        pool.base_vault,
        pool.quote_vault,
        swap.fee_recipient,
        recipient_wrapped,
        add(pool.mint.program),
        add(programs.TOKEN),
        add(programs.SYSTEM),
        add(programs.ASSOCIATED_TOKEN),
        add(programs.PUMPSWAP_EVENT_AUTHORITY),
        add(programs.PUMPSWAP),
        pool.creator_fee_account,
        pool.creator_vault,
        add(programs.PUMP_FEE_CONFIG),
        add(programs.PUMP_FEES),
    )

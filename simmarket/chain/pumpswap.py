"""PumpSwap pools: migration from a curve, further pools, and trades over wrapped SOL."""

import struct

from simmarket.chain import programs
from simmarket.chain.builder import PLAIN, Builder, Moment
from simmarket.chain.instructions import create_account, open_associated, sol_transfer, units_transfer
from simmarket.chain.ledger import WRITABLE, Draft, Mint
from simmarket.chain.pumpfun import BUY, EVENT_TAG, MIGRATE, SELL, fee_of
from simmarket.chain.world import Pool

LP_BPS, PROTOCOL_BPS, CREATOR_BPS = 20, 5, 5
_POOL_RENT_LAMPORTS, _POOL_BYTES = 2_985_840, 301
MIGRATION_FEE_LAMPORTS = 15_000_001
CREATE_POOL = bytes((233, 146, 209, 142, 207, 104, 64, 188))
BUY_EVENT = bytes((103, 244, 82, 31, 44, 245, 119, 119))
SELL_EVENT = bytes((62, 47, 55, 10, 165, 3, 220, 42))


def describe_pool(
    builder: Builder,
    mint: Mint,
    creator: int,
    offset_seconds: int,
    *,
    index: int = 0,
    authority: int | None = None,
) -> Pool:
    """A wrapped-SOL pool that is not yet on the chain; the canonical one unless `authority` is given."""
    accounts, native = builder.accounts, builder.ledger.native
    if authority is None:
        authority = accounts.derived(programs.PUMP, b"pool-authority", accounts.raw(mint.account))
    seeds = (b"pool", struct.pack("<H", index), accounts.raw(authority), accounts.raw(mint.account))
    account = accounts.derived(programs.PUMPSWAP, *seeds, accounts.raw(native.account))
    return _pool(builder, account, mint, creator, offset_seconds, index=index, authority=authority)


def known_pool(builder: Builder, account: int, mint: Mint, creator: int, offset_seconds: int) -> Pool:
    """A pool whose address is given (trades files)."""
    return _pool(builder, account, mint, creator, offset_seconds, index=0, authority=creator)


def _pool(
    builder: Builder,
    account: int,
    mint: Mint,
    creator: int,
    offset_seconds: int,
    *,
    index: int,
    authority: int,
) -> Pool:
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
        index=index,
        authority=authority,
    )


def migrate(builder: Builder, curve: Pool, when: Moment) -> Pool:
    """Move a finished curve's SOL and leftover units into its canonical pool; the migrator pays fee and rents."""
    ledger, accounts = builder.ledger, builder.accounts
    migrator = accounts.add(programs.PUMP_MIGRATOR)
    pool = describe_pool(builder, curve.mint, curve.creator, when.offset_seconds)
    draft = builder.begin(migrator, PLAIN)
    draft.key(curve.account, WRITABLE)
    names: tuple[int, ...] = (
        accounts.add(programs.PUMP_GLOBAL),
        curve.mint.account,
        curve.account,
        curve.base_vault,
        migrator,
    )
    names += (pool.account, pool.authority, pool.base_vault, pool.quote_vault, ledger.native.account)
    names += (accounts.add(programs.PUMPSWAP), accounts.add(programs.PUMP_EVENT_AUTHORITY))
    draft.enter(accounts.add(programs.PUMP), names, MIGRATE)
    lamports = curve.virtual_quote - curve.opening_quote - MIGRATION_FEE_LAMPORTS
    draft.move_lamports(curve.account, pool.authority, lamports)
    draft.move_lamports(curve.account, migrator, MIGRATION_FEE_LAMPORTS)
    create_account(draft, migrator, pool.account, _POOL_RENT_LAMPORTS, _POOL_BYTES, programs.PUMPSWAP)
    open_associated(draft, pool.account, curve.mint, migrator)
    open_associated(draft, pool.account, ledger.native, migrator)
    if pool.creator_fee_account not in ledger.tokens:
        open_associated(draft, pool.creator_vault, ledger.native, migrator)
    sol_transfer(draft, pool.authority, pool.quote_vault, lamports)
    ledger.tokens[pool.quote_vault].units += lamports
    draft.call(accounts.add(programs.TOKEN), (pool.quote_vault,), b"\x11")
    units_transfer(draft, curve.base_vault, pool.base_vault, curve.account, ledger.units(curve.base_vault))
    draft.leave()
    builder.end(draft, when, PLAIN)
    curve.virtual_quote, curve.virtual_base, curve.real_base = 0, 0, 0
    pool.opening_quote, pool.opening_base = ledger.units(pool.quote_vault), ledger.units(pool.base_vault)
    return pool


def create_second_pool(
    builder: Builder, mint: Mint, creator: int, funder: int, when: Moment, *, units: int, lamports: int
) -> Pool:
    """A non-canonical pool that `funder` opens with units it holds and SOL; the coin creator earns there, too."""
    ledger, accounts = builder.ledger, builder.accounts
    pool = describe_pool(builder, mint, creator, when.offset_seconds, index=1, authority=funder)
    draft = builder.begin(funder, PLAIN)
    names: tuple[int, ...] = (
        pool.account,
        accounts.add(programs.PUMPSWAP_GLOBAL),
        funder,
        mint.account,
        ledger.native.account,
    )
    names += (pool.base_vault, pool.quote_vault, accounts.add(programs.PUMPSWAP_EVENT_AUTHORITY))
    draft.enter(accounts.add(programs.PUMPSWAP), names, CREATE_POOL + struct.pack("<HQQ", pool.index, units, lamports))
    create_account(draft, funder, pool.account, _POOL_RENT_LAMPORTS, _POOL_BYTES, programs.PUMPSWAP)
    open_associated(draft, pool.account, mint, funder)
    open_associated(draft, pool.account, ledger.native, funder)
    source = accounts.associated(funder, mint.account, mint.program)
    units_transfer(draft, source, pool.base_vault, funder, units)
    sol_transfer(draft, funder, pool.quote_vault, lamports)
    ledger.tokens[pool.quote_vault].units += lamports
    draft.call(accounts.add(programs.TOKEN), (pool.quote_vault,), b"\x11")
    draft.leave()
    builder.end(draft, when, PLAIN)
    pool.opening_quote, pool.opening_base = lamports, units
    return pool


def units_for(builder: Builder, pool: Pool, budget: int) -> tuple[int, int]:
    """(units, quote units without protocol and creator fee) that `budget` lamports buy."""
    inside = budget * 10_000 // (10_000 + PROTOCOL_BPS + CREATOR_BPS)
    effective = inside * (10_000 - LP_BPS) // 10_000
    base, quote = builder.ledger.units(pool.base_vault), builder.ledger.units(pool.quote_vault)
    return base * effective // (quote + effective), inside


def quote_of(builder: Builder, pool: Pool, units: int) -> int:
    """Lamports the pool gives for units, after its own fee and before protocol and creator fee."""
    base, quote = builder.ledger.units(pool.base_vault), builder.ledger.units(pool.quote_vault)
    return quote * units // (base + units) * (10_000 - LP_BPS) // 10_000


def add_buy(builder: Builder, draft: Draft, pool: Pool, user: int, wrapped: int, budget: int) -> tuple[int, int]:
    """Buy for at most `budget` lamports out of the wrapped account; returns (units, lamports paid in all)."""
    units, inside = units_for(builder, pool, budget)
    fees = fee_of(inside, PROTOCOL_BPS), fee_of(inside, CREATOR_BPS)
    paid = inside + sum(fees)
    while paid > budget:
        inside -= 1
        paid = inside + sum(fees)
    add_exact_swap(builder, draft, pool, user, wrapped, units, inside, fees=fees, is_buy=True)
    return units, paid


def add_sell(builder: Builder, draft: Draft, pool: Pool, user: int, wrapped: int, units: int) -> tuple[int, int]:
    """Sell units into the wrapped account; returns (units, lamports received)."""
    gain = quote_of(builder, pool, units)
    fees = fee_of(gain, PROTOCOL_BPS), fee_of(gain, CREATOR_BPS)
    received = gain - sum(fees)
    add_exact_swap(builder, draft, pool, user, wrapped, units, received, fees=fees, is_buy=False)
    return units, received


def add_exact_swap(
    builder: Builder,
    draft: Draft,
    pool: Pool,
    user: int,
    wrapped: int,
    units: int,
    lamports: int,
    *,
    fees: tuple[int, int],
    is_buy: bool,
) -> None:
    """One swap whose amounts are settled: `lamports` between user and pool, `fees` (protocol, creator) beside it."""
    accounts, ledger = builder.accounts, builder.ledger
    recipient = accounts.add(programs.FEE_RECIPIENTS[pool.account % len(programs.FEE_RECIPIENTS)])
    recipient_wsol = accounts.associated(recipient, ledger.native.account)
    names = call_names(builder, pool, user, wrapped, recipient)
    draft.key(pool.account, WRITABLE)
    amounts = (units, lamports + sum(fees)) if is_buy else (units, 0)
    data = (BUY if is_buy else SELL) + struct.pack("<QQ", *amounts)
    draft.enter(accounts.add(programs.PUMPSWAP), names, data)
    user_base = accounts.associated(user, pool.mint.account, pool.mint.program)
    payer, payer_owner = (wrapped, user) if is_buy else (pool.quote_vault, pool.account)
    if is_buy:
        units_transfer(draft, pool.base_vault, user_base, pool.account, units)
        units_transfer(draft, wrapped, pool.quote_vault, user, lamports)
    else:
        units_transfer(draft, user_base, pool.base_vault, user, units)
        units_transfer(draft, pool.quote_vault, wrapped, pool.account, lamports)
    for target, fee in zip((recipient_wsol, pool.creator_fee_account), fees, strict=True):
        if fee:
            units_transfer(draft, payer, target, payer_owner, fee)
    event = struct.pack("<qQQ", 0, *amounts) + bytes(32) + struct.pack("<QQ", lamports, sum(fees))
    event = (BUY_EVENT if is_buy else SELL_EVENT) + event + accounts.raw(pool.account) + accounts.raw(user)
    draft.call(accounts.add(programs.PUMPSWAP), (accounts.add(programs.PUMPSWAP_EVENT_AUTHORITY),), EVENT_TAG + event)
    draft.leave()


def call_names(builder: Builder, pool: Pool, user: int, wrapped: int, recipient: int) -> tuple[int, ...]:
    """Accounts of a buy or sell in the order of the program's interface."""
    accounts, native = builder.accounts, builder.ledger.native.account
    add = accounts.add
    return (
        pool.account,
        user,
        add(programs.PUMPSWAP_GLOBAL),
        pool.mint.account,
        native,
        accounts.associated(user, pool.mint.account, pool.mint.program),
        wrapped,
        pool.base_vault,
        pool.quote_vault,
        recipient,
        accounts.associated(recipient, native),
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

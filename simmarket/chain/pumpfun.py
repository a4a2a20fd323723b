"""The pump.fun bonding curve: creation, trades and completion."""

import struct

from simmarket.chain import programs
from simmarket.chain.builder import Builder
from simmarket.chain.instructions import (
    create_account,
    init_mint,
    mint_to,
    open_associated,
    sol_transfer,
    units_transfer,
)
from simmarket.chain.ledger import WRITABLE, Draft, Mint
from simmarket.chain.pool_swap import Fees, PoolSwap, fee_of
from simmarket.chain.world import Pool

SUPPLY = 10**15
VIRTUAL_BASE = 1_073_000_000 * 10**6
CURVE_BASE = 793_100_000 * 10**6
VIRTUAL_LAMPORTS = 30 * 10**9
VIRTUAL_USDC = 5_100 * 10**6
PROTOCOL_BPS, CREATOR_BPS = 95, 30

CREATE = bytes((24, 30, 200, 40, 5, 28, 7, 119))
CREATE_V2 = bytes((214, 144, 76, 236, 95, 139, 49, 180))
BUY = bytes((102, 6, 61, 18, 1, 218, 235, 234))
SELL = bytes((51, 230, 133, 164, 1, 127, 131, 173))
BUY_V2 = bytes((184, 23, 238, 97, 103, 197, 211, 61))
SELL_V2 = bytes((93, 246, 130, 60, 231, 233, 64, 178))
MIGRATE = bytes((155, 234, 231, 146, 236, 158, 162, 30))
EVENT_TAG = bytes((0xE4, 0x45, 0xA5, 0x2E, 0x51, 0xCB, 0x9A, 0x1D))
CREATE_EVENT = bytes((27, 114, 169, 77, 222, 235, 99, 118))
TRADE_EVENT = bytes((189, 219, 127, 211, 78, 230, 97, 238))
COMPLETE_EVENT = bytes((95, 114, 97, 156, 212, 46, 152, 8))


def open_curve(
    builder: Builder, mint: Mint, quote: Mint, creator: int, offset_seconds: int
) -> Pool:
    """Return the curve of a mint, which is not on the chain yet."""
    accounts = builder.accounts
    curve = accounts.derived(
        programs.PUMP, b"bonding-curve", accounts.raw(mint.account)
    )
    vault = accounts.derived(programs.PUMP, b"creator-vault", accounts.raw(creator))
    is_native = quote is builder.ledger.native
    if is_native and vault not in builder.ledger.lamports:
        builder.ledger.fund(vault, 890_880)
    quote_vault, fee_account = curve, vault
    if not is_native:
        quote_vault = accounts.associated(curve, quote.account)
        fee_account = builder.ledger.open_before(vault, quote, 0)
    virtual = VIRTUAL_LAMPORTS if is_native else VIRTUAL_USDC
    return Pool(
        account=curve,
        dex="pumpfun",
        mint=mint,
        quote=quote,
        base_vault=accounts.associated(curve, mint.account, mint.program),
        quote_vault=quote_vault,
        created_offset_seconds=offset_seconds,
        creator=creator,
        creator_vault=vault,
        creator_fee_account=fee_account,
        opening_quote=virtual,
        opening_base=VIRTUAL_BASE,
        virtual_quote=virtual,
        virtual_base=VIRTUAL_BASE,
        real_base=CURVE_BASE,
    )


def add_creation(
    builder: Builder,
    draft: Draft,
    pool: Pool,
    *,
    sponsor: int,
    metadata: tuple[str, str, str],
    unix_seconds: int,
) -> None:
    """Add the create instruction. A launch service (`sponsor`) pays the rent of
    accounts that no wallet owns.
    """
    accounts = builder.accounts
    mint = pool.mint
    add = accounts.add
    is_modern = mint.program == programs.TOKEN_2022
    authority = add(programs.PUMP_MINT_AUTHORITY)
    text = b"".join(
        struct.pack("<I", len(part.encode())) + part.encode() for part in metadata
    )
    discriminator = CREATE_V2 if is_modern else CREATE
    data = discriminator + text + accounts.raw(pool.creator)
    metadata_account = accounts.derived(
        programs.METADATA,
        b"metadata",
        accounts.raw(add(programs.METADATA)),
        accounts.raw(mint.account),
    )
    keys: tuple[int, ...] = (
        mint.account,
        authority,
        pool.account,
        pool.base_vault,
        add(programs.PUMP_GLOBAL),
    )
    if not is_modern:
        keys += (add(programs.METADATA), metadata_account)
    keys += (
        draft.payer,
        sponsor,
        add(programs.SYSTEM),
        add(mint.program),
        add(programs.ASSOCIATED_TOKEN),
    )
    keys += (add(programs.PUMP_EVENT_AUTHORITY), add(programs.PUMP))
    draft.enter(add(programs.PUMP), keys, data)
    _create_mint(draft, mint, sponsor, authority)
    create_account(
        draft, sponsor, pool.account, lamports=1_941_840, space=151, owner=programs.PUMP
    )
    open_associated(draft, pool.account, mint, sponsor)
    if pool.quote is not builder.ledger.native:
        open_associated(draft, pool.account, pool.quote, sponsor)
    if not is_modern:
        create_account(
            draft,
            sponsor,
            metadata_account,
            lamports=15_115_600,
            space=607,
            owner=programs.METADATA,
        )
    mint_to(draft, pool.base_vault, authority, SUPPLY)
    event = (
        CREATE_EVENT + text + accounts.raw(mint.account) + accounts.raw(pool.account)
    )
    event += accounts.raw(draft.payer) + accounts.raw(pool.creator)
    event += struct.pack(
        "<qQQQQ", unix_seconds, VIRTUAL_BASE, pool.virtual_quote, CURVE_BASE, SUPPLY
    )
    event += (
        accounts.raw(add(mint.program)) + b"\0\0" + accounts.raw(pool.quote.account)
    )
    _event(builder, draft, event)
    draft.leave()


def _create_mint(draft: Draft, mint: Mint, sponsor: int, authority: int) -> None:
    lamports, space = 1_461_600, 82
    if mint.program == programs.TOKEN_2022:
        lamports, space = 4_416_000, 507
    create_account(
        draft, sponsor, mint.account, lamports=lamports, space=space, owner=mint.program
    )
    init_mint(draft, mint, authority)


def base_for(pool: Pool, quote_in: int) -> int:
    """Return the units that the curve gives for an amount without fees."""
    return min(
        pool.real_base, pool.virtual_base * quote_in // (pool.virtual_quote + quote_in)
    )


def quote_for(pool: Pool, base_out: int) -> int:
    """Return the price of so many units, before fees."""
    return pool.virtual_quote * base_out // (pool.virtual_base - base_out) + 1


def proceeds_of(pool: Pool, units: int) -> int:
    """Return the quote units that the curve pays for units, before fees."""
    return pool.virtual_quote * units // (pool.virtual_base + units)


def add_buy(swap: PoolSwap, budget: int) -> tuple[int, int]:
    """Buy on the curve for at most `budget` quote units, fees included; return (units,
    quote units paid).
    """
    pool = swap.pool
    units = base_for(pool, budget * 10_000 // (10_000 + PROTOCOL_BPS + CREATOR_BPS))
    cost = quote_for(pool, units)
    fees = _fees(cost)
    _enter(swap, units, cost + fees.total, is_buy=True)
    units_transfer(swap.draft, pool.base_vault, swap.base_account, pool.account, units)
    _pay(swap, pool.quote_vault, cost)
    _pay(swap, swap.fee_recipient, fees.protocol)
    _pay(swap, pool.creator_fee_account, fees.creator)
    pool.virtual_quote += cost
    pool.virtual_base -= units
    pool.real_base -= units
    _trade_event(swap, cost, units, fees, is_buy=True)
    if pool.real_base == 0:
        pool.is_complete = True
        _complete_event(swap)
    swap.draft.leave()
    return units, cost + fees.total


def add_sell(swap: PoolSwap, units: int) -> tuple[int, int]:
    """Sell units to the curve; return (units, quote units received after fees)."""
    pool = swap.pool
    proceeds = proceeds_of(pool, units)
    fees = _fees(proceeds)
    received = proceeds - fees.total
    _enter(swap, units, 0, is_buy=False)
    units_transfer(swap.draft, swap.base_account, pool.base_vault, swap.wallet, units)
    _pay_out(swap, swap.wallet, received)
    _pay_out(swap, swap.fee_recipient, fees.protocol)
    _pay_out(swap, pool.creator_fee_account, fees.creator)
    pool.virtual_quote -= proceeds
    pool.virtual_base += units
    pool.real_base += units
    _trade_event(swap, proceeds, units, fees, is_buy=False)
    swap.draft.leave()
    return units, received


def call_accounts(swap: PoolSwap, *, is_buy: bool) -> tuple[tuple[int, ...], bytes]:
    """Return (accounts, discriminator) of a trade instruction in the order of the
    program's interface.
    """
    if swap.has_native_quote:
        return _native_accounts(swap, is_buy=is_buy), BUY if is_buy else SELL
    return _v2_accounts(swap), BUY_V2 if is_buy else SELL_V2


def _native_accounts(swap: PoolSwap, *, is_buy: bool) -> tuple[int, ...]:
    add = swap.builder.accounts.add
    pool = swap.pool
    token, system = add(pool.mint.program), add(programs.SYSTEM)
    middle = (
        (system, token, pool.creator_vault)
        if is_buy
        else (system, pool.creator_vault, token)
    )
    return (
        add(programs.PUMP_GLOBAL),
        swap.fee_recipient,
        pool.mint.account,
        pool.account,
        pool.base_vault,
        swap.base_account,
        swap.wallet,
        *middle,
        add(programs.PUMP_EVENT_AUTHORITY),
        add(programs.PUMP),
        add(programs.PUMP_FEE_CONFIG),
        add(programs.PUMP_FEES),
    )


def _v2_accounts(swap: PoolSwap) -> tuple[int, ...]:
    """The accounts of a curve with a token as its quote; they are the same for a buy
    and a sale.
    """
    accounts, pool = swap.builder.accounts, swap.pool
    add = accounts.add
    base = swap.base_account
    quote = accounts.associated(swap.wallet, pool.quote.account)
    return (
        add(programs.PUMP_GLOBAL),
        pool.mint.account,
        pool.quote.account,
        add(pool.mint.program),
        add(pool.quote.program),
        add(programs.ASSOCIATED_TOKEN),
        swap.fee_recipient,
        _quote_account(swap, swap.fee_recipient),
        add(programs.PUMP_FEE_CONFIG),
        add(programs.PUMP_FEES),
        pool.account,
        pool.base_vault,
        pool.quote_vault,
        swap.wallet,
        base,
        quote,
        pool.creator_vault,
        pool.creator_fee_account,
        add(programs.SYSTEM),
        add(programs.PUMP_EVENT_AUTHORITY),
        add(programs.PUMP),
    )


def _fees(amount: int) -> Fees:
    return Fees(fee_of(amount, PROTOCOL_BPS), fee_of(amount, CREATOR_BPS))


def _enter(swap: PoolSwap, units: int, limit: int, *, is_buy: bool) -> None:
    accounts, discriminator = call_accounts(swap, is_buy=is_buy)
    swap.draft.key(swap.pool.account, WRITABLE)
    program = swap.builder.accounts.add(programs.PUMP)
    swap.draft.enter(
        program, accounts, discriminator + struct.pack("<QQ", units, limit)
    )


def _pay(swap: PoolSwap, target: int, amount: int) -> None:
    """Transfer quote units from the buyer."""
    if swap.has_native_quote:
        sol_transfer(swap.draft, swap.wallet, target, amount)
        return
    source = swap.builder.accounts.associated(swap.wallet, swap.pool.quote.account)
    units_transfer(
        swap.draft, source, _quote_account(swap, target), swap.wallet, amount
    )


def _pay_out(swap: PoolSwap, target: int, amount: int) -> None:
    """Transfer quote units from the curve."""
    pool = swap.pool
    if swap.has_native_quote:
        swap.draft.move_lamports(
            pool.account, target, amount
        )  # the program owns the curve: no System transfer
        return
    units_transfer(
        swap.draft, pool.quote_vault, _quote_account(swap, target), pool.account, amount
    )


def _quote_account(swap: PoolSwap, holder: int) -> int:
    if holder in (swap.pool.quote_vault, swap.pool.creator_fee_account):
        return holder
    return swap.builder.accounts.associated(holder, swap.pool.quote.account)


def _trade_event(
    swap: PoolSwap, quote: int, units: int, fees: Fees, *, is_buy: bool
) -> None:
    raw = swap.builder.accounts.raw
    pool = swap.pool
    real_quote = pool.virtual_quote - pool.opening_quote
    event = (
        TRADE_EVENT
        + raw(pool.mint.account)
        + struct.pack("<QQ?", quote, units, is_buy)
        + raw(swap.wallet)
    )
    event += struct.pack(
        "<qQQQQ", 0, pool.virtual_quote, pool.virtual_base, real_quote, pool.real_base
    )
    event += raw(swap.fee_recipient) + struct.pack("<QQ", PROTOCOL_BPS, fees.protocol)
    event += raw(pool.creator) + struct.pack("<QQ", CREATOR_BPS, fees.creator)
    _event(swap.builder, swap.draft, event)


def _complete_event(swap: PoolSwap) -> None:
    raw = swap.builder.accounts.raw
    event = (
        COMPLETE_EVENT
        + raw(swap.wallet)
        + raw(swap.pool.mint.account)
        + raw(swap.pool.account)
        + bytes(8)
    )
    _event(swap.builder, swap.draft, event)


def _event(builder: Builder, draft: Draft, event: bytes) -> None:
    add = builder.accounts.add
    draft.call(
        add(programs.PUMP), (add(programs.PUMP_EVENT_AUTHORITY),), EVENT_TAG + event
    )

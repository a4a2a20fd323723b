"""The pump.fun bonding curve: creation, trades, completion and migration to PumpSwap."""

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


def fee_of(amount: int, basis_points: int) -> int:
    """A fee, rounded up as the program does."""
    return -(-amount * basis_points // 10_000)


def open_curve(builder: Builder, mint: Mint, quote: Mint, creator: int, offset_seconds: int) -> Pool:
    """The curve of a mint, not yet on the chain."""
    accounts = builder.accounts
    curve = accounts.derived(programs.PUMP, b"bonding-curve", accounts.raw(mint.account))
    vault = accounts.derived(programs.PUMP, b"creator-vault", accounts.raw(creator))
    native = quote is builder.ledger.native
    if native and vault not in builder.ledger.lamports:
        builder.ledger.fund(vault, 890_880)
    quote_vault, fee_account = curve, vault
    if not native:
        quote_vault = accounts.associated(curve, quote.account)
        fee_account = builder.ledger.open_before(vault, quote, 0)
    virtual = VIRTUAL_LAMPORTS if native else VIRTUAL_USDC
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
    sponsor: int,
    metadata: tuple[str, str, str],
    unix_seconds: int,
) -> None:
    """The create instruction. A launch service (`sponsor`) pays the rent of the accounts that are nobody's wallet."""
    accounts, mint = builder.accounts, pool.mint
    add = accounts.add
    modern = mint.program == programs.TOKEN_2022
    authority = add(programs.PUMP_MINT_AUTHORITY)
    text = b"".join(struct.pack("<I", len(part.encode())) + part.encode() for part in metadata)
    data = (CREATE_V2 if modern else CREATE) + text + accounts.raw(pool.creator)
    user = draft.payer
    book = accounts.derived(
        programs.METADATA, b"metadata", accounts.raw(add(programs.METADATA)), accounts.raw(mint.account)
    )
    names: tuple[int, ...] = (mint.account, authority, pool.account, pool.base_vault, add(programs.PUMP_GLOBAL))
    if not modern:
        names += (add(programs.METADATA), book)
    names += (user, sponsor, add(programs.SYSTEM), add(mint.program), add(programs.ASSOCIATED_TOKEN))
    names += (add(programs.PUMP_EVENT_AUTHORITY), add(programs.PUMP))
    draft.enter(add(programs.PUMP), names, data)
    rent, space = (4_416_000, 507) if modern else (1_461_600, 82)
    create_account(draft, sponsor, mint.account, rent, space, mint.program)
    init_mint(draft, mint, authority)
    create_account(draft, sponsor, pool.account, 1_691_280, 115, programs.PUMP)
    open_associated(draft, pool.account, mint, sponsor)
    if pool.quote is not builder.ledger.native:
        open_associated(draft, pool.account, pool.quote, sponsor)
    if not modern:
        create_account(draft, sponsor, book, 15_115_600, 607, programs.METADATA)
    mint_to(draft, pool.base_vault, authority, SUPPLY)
    event = CREATE_EVENT + text + accounts.raw(mint.account) + accounts.raw(pool.account)
    event += accounts.raw(user) + accounts.raw(pool.creator)
    event += struct.pack("<qQQQQ", unix_seconds, VIRTUAL_BASE, pool.virtual_quote, CURVE_BASE, SUPPLY)
    _event(builder, draft, event + accounts.raw(add(mint.program)) + b"\0\0" + accounts.raw(pool.quote.account))
    draft.leave()


def base_for(pool: Pool, quote_in: int) -> int:
    """Units the curve gives for an amount that already excludes fees."""
    return min(pool.real_base, pool.virtual_base * quote_in // (pool.virtual_quote + quote_in))


def quote_for(pool: Pool, base_out: int) -> int:
    """What the curve asks for so many units, before fees."""
    return pool.virtual_quote * base_out // (pool.virtual_base - base_out) + 1


def add_buy(builder: Builder, draft: Draft, pool: Pool, user: int, budget: int) -> tuple[int, int]:
    """Buy on the curve for at most `budget` quote units, fees included; returns (units, quote units paid)."""
    units = base_for(pool, budget * 10_000 // (10_000 + PROTOCOL_BPS + CREATOR_BPS))
    cost = quote_for(pool, units)
    fees = fee_of(cost, PROTOCOL_BPS), fee_of(cost, CREATOR_BPS)
    recipient = _recipient(builder, pool)
    _enter(builder, draft, pool, user, recipient, units, cost + sum(fees), is_buy=True)
    user_base = builder.accounts.associated(user, pool.mint.account, pool.mint.program)
    units_transfer(draft, pool.base_vault, user_base, pool.account, units)
    targets = (pool.quote_vault, recipient, pool.creator_fee_account)
    for target, amount in zip(targets, (cost, *fees), strict=True):
        if pool.quote is builder.ledger.native:
            sol_transfer(draft, user, target, amount)
        else:
            source = builder.accounts.associated(user, pool.quote.account)
            units_transfer(draft, source, _quote_account(builder, pool, target), user, amount)
    pool.virtual_quote += cost
    pool.virtual_base -= units
    pool.real_base -= units
    _trade_event(builder, draft, pool, user, cost, units, fees, is_buy=True)
    if pool.real_base == 0:
        pool.complete = True
        raw = builder.accounts.raw
        _event(builder, draft, COMPLETE_EVENT + raw(user) + raw(pool.mint.account) + raw(pool.account) + bytes(8))
    draft.leave()
    return units, cost + sum(fees)


def add_sell(builder: Builder, draft: Draft, pool: Pool, user: int, units: int) -> tuple[int, int]:
    """Sell units to the curve; returns (units, quote units received after fees)."""
    gain = pool.virtual_quote * units // (pool.virtual_base + units)
    fees = fee_of(gain, PROTOCOL_BPS), fee_of(gain, CREATOR_BPS)
    recipient = _recipient(builder, pool)
    _enter(builder, draft, pool, user, recipient, units, 0, is_buy=False)
    user_base = builder.accounts.associated(user, pool.mint.account, pool.mint.program)
    units_transfer(draft, user_base, pool.base_vault, user, units)
    amounts = ((user, gain - sum(fees)), (recipient, fees[0]), (pool.creator_fee_account, fees[1]))
    for target, amount in amounts:
        if pool.quote is builder.ledger.native:
            draft.move_lamports(pool.account, target, amount)  # the program owns the curve: no System transfer
        else:
            units_transfer(draft, pool.quote_vault, _quote_account(builder, pool, target), pool.account, amount)
    pool.virtual_quote -= gain
    pool.virtual_base += units
    pool.real_base += units
    _trade_event(builder, draft, pool, user, gain, units, fees, is_buy=False)
    draft.leave()
    return units, gain - sum(fees)


def call_names(
    builder: Builder, pool: Pool, user: int, recipient: int, *, is_buy: bool
) -> tuple[tuple[int, ...], bytes]:
    """(accounts, discriminator) of a trade instruction in the order of the program's interface."""
    add = builder.accounts.add
    base = builder.accounts.associated(user, pool.mint.account, pool.mint.program)
    token, system = add(pool.mint.program), add(programs.SYSTEM)
    tail = (add(programs.PUMP_EVENT_AUTHORITY), add(programs.PUMP))
    fees = (add(programs.PUMP_FEE_CONFIG), add(programs.PUMP_FEES))
    if pool.quote is builder.ledger.native:
        head = (
            add(programs.PUMP_GLOBAL),
            recipient,
            pool.mint.account,
            pool.account,
            pool.base_vault,
            base,
            user,
        )
        middle = (system, token, pool.creator_vault) if is_buy else (system, pool.creator_vault, token)
        return head + middle + tail + fees, BUY if is_buy else SELL
    quote = builder.accounts.associated(user, pool.quote.account)
    v2: tuple[int, ...] = (
        add(programs.PUMP_GLOBAL),
        pool.mint.account,
        pool.quote.account,
        token,
        add(pool.quote.program),
    )
    v2 += (add(programs.ASSOCIATED_TOKEN), recipient, _quote_account(builder, pool, recipient), *fees)
    v2 += (pool.account, pool.base_vault, pool.quote_vault, user, base, quote)
    return (*v2, pool.creator_vault, pool.creator_fee_account, system, *tail), BUY_V2 if is_buy else SELL_V2


def _enter(
    builder: Builder,
    draft: Draft,
    pool: Pool,
    user: int,
    recipient: int,
    units: int,
    limit: int,
    *,
    is_buy: bool,
) -> None:
    names, discriminator = call_names(builder, pool, user, recipient, is_buy=is_buy)
    draft.key(pool.account, WRITABLE)
    draft.enter(builder.accounts.add(programs.PUMP), names, discriminator + struct.pack("<QQ", units, limit))


def _recipient(builder: Builder, pool: Pool) -> int:
    return builder.accounts.add(programs.FEE_RECIPIENTS[pool.account % len(programs.FEE_RECIPIENTS)])


def _quote_account(builder: Builder, pool: Pool, holder: int) -> int:
    if holder in (pool.quote_vault, pool.creator_fee_account):
        return holder
    return builder.accounts.associated(holder, pool.quote.account)


def _trade_event(
    builder: Builder,
    draft: Draft,
    pool: Pool,
    user: int,
    quote: int,
    units: int,
    fees: tuple[int, int],
    *,
    is_buy: bool,
) -> None:
    raw = builder.accounts.raw
    event = TRADE_EVENT + raw(pool.mint.account) + struct.pack("<QQ?", quote, units, is_buy) + raw(user)
    real_quote = pool.virtual_quote - pool.opening_quote
    event += struct.pack("<qQQQQ", 0, pool.virtual_quote, pool.virtual_base, real_quote, pool.real_base)
    event += raw(_recipient(builder, pool)) + struct.pack("<QQ", PROTOCOL_BPS, fees[0])
    _event(builder, draft, event + raw(pool.creator) + struct.pack("<QQ", CREATOR_BPS, fees[1]))


def _event(builder: Builder, draft: Draft, event: bytes) -> None:
    add = builder.accounts.add
    draft.call(add(programs.PUMP), (add(programs.PUMP_EVENT_AUTHORITY),), EVENT_TAG + event)

"""Transactions of wallets: buy, sell, transfer tokens, fail, or move SOL."""

from dataclasses import dataclass
from typing import NamedTuple

from simmarket.chain import programs, pumpfun, pumpswap
from simmarket.chain.builder import Builder, Moment, Style
from simmarket.chain.instructions import (
    close_account,
    open_associated,
    open_seeded_wsol,
    sol_transfer,
    units_transfer,
    wrap_sol,
)
from simmarket.chain.ledger import Draft, InstructionError
from simmarket.chain.pool_swap import PoolSwap
from simmarket.chain.world import (
    BUY,
    SELL,
    TRANSFER_IN,
    TRANSFER_OUT,
    Movement,
    Pool,
    PoolTrade,
)

_BOT_CALL = bytes((0x52, 0xE1, 0x77, 0xE7, 0x4E, 0x1D, 0x2D, 0x46))
_CURVE_BUY_SLIPPAGE, _CURVE_SELL_SLIPPAGE, _POOL_SLIPPAGE = 6002, 6003, 6004


@dataclass(slots=True, frozen=True)
class Order:
    """A wallet's wish to trade in a pool at a moment."""

    wallet: int
    pool: Pool
    when: Moment
    style: Style


class Fill(NamedTuple):
    """An executed trade. `quote_units`: raw quote units that the wallet paid or
    received, without platform fee.
    """

    is_buy: bool
    units: int
    quote_units: int
    platform_fee_lamports: int = 0


def buy(builder: Builder, order: Order, budget: int) -> int:
    """Buy for at most `budget` raw quote units; return the units bought."""
    draft = builder.begin(order.wallet, order.style)
    fill = add_buy(builder, draft, order, budget)
    position = builder.end(draft, order.when, order.style)
    log_trade(builder, order, fill, position)
    return fill.units


def add_buy(builder: Builder, draft: Draft, order: Order, budget: int) -> Fill:
    """Add the instructions of a buy to a draft."""
    wallet, pool = order.wallet, order.pool
    ledger = builder.ledger
    if PoolSwap(builder, draft, pool, wallet).base_account not in ledger.tokens:
        open_associated(draft, wallet, pool.mint, wallet)
    wrapped = _open_wrapped(builder, draft, order)
    if wrapped is not None and ledger.units(wrapped) < budget:
        wrap_sol(draft, wallet, wrapped, budget - ledger.units(wrapped))
    swap = PoolSwap(builder, draft, pool, wallet, wrapped)
    platform_fee = _enter_bot(swap, order.style, budget)
    venue_buy = pumpfun.add_buy if pool.is_curve else pumpswap.add_buy
    units, paid = venue_buy(swap, budget)
    _leave_bot(swap, order.style, platform_fee)
    _close_wrapped(swap, order.style)
    return Fill(
        is_buy=True, units=units, quote_units=paid, platform_fee_lamports=platform_fee
    )


def sell(builder: Builder, order: Order, units: int) -> None:
    """Sell units that the wallet holds."""
    wallet, pool, style = order.wallet, order.pool, order.style
    draft = builder.begin(wallet, style)
    wrapped = _open_wrapped(builder, draft, order)
    swap = PoolSwap(builder, draft, pool, wallet, wrapped)
    platform_fee = _enter_bot(swap, style, _proceeds_of(builder, pool, units))
    venue_sell = pumpfun.add_sell if pool.is_curve else pumpswap.add_sell
    units, received = venue_sell(swap, units)
    _leave_bot(swap, style, platform_fee)
    _close_wrapped(swap, style)
    if style.closes_empty and builder.ledger.units(swap.base_account) == 0:
        close_account(draft, swap.base_account, wallet)
    position = builder.end(draft, order.when, style)
    fill = Fill(
        is_buy=False,
        units=units,
        quote_units=received,
        platform_fee_lamports=platform_fee,
    )
    log_trade(builder, order, fill, position)


def log_trade(
    builder: Builder, order: Order, fill: Fill, position: int, *, signers: int = 1
) -> None:
    """Log a trade for the expected results and for the pool's own figures."""
    pool, style = order.pool, order.style
    network_fee = builder.network_fee_lamports(style, signers)
    builder.log(
        Movement(
            kind=BUY if fill.is_buy else SELL,
            wallet=order.wallet,
            mint=pool.mint.account,
            units=fill.units,
            quote_units=fill.quote_units,
            quote=pool.quote.account,
            fees_lamports=network_fee + style.tip_lamports + fill.platform_fee_lamports,
            position=position,
        )
    )
    quote, base = reserves(builder, pool)
    pool.trades.append(
        PoolTrade(
            offset_seconds=order.when.offset_seconds,
            wallet=order.wallet,
            is_buy=fill.is_buy,
            units=fill.units,
            quote_units=fill.quote_units,
            quote_reserve=quote,
            base_reserve=base,
            position=position,
        )
    )


def reserves(builder: Builder, pool: Pool) -> tuple[int, int]:
    """Return the (quote, base) reserves that a pool's price is computed from."""
    if pool.is_curve:
        return pool.virtual_quote, pool.virtual_base
    return pumpswap.reserves(builder, pool)


def fail(builder: Builder, order: Order, *, is_buy: bool) -> None:
    """Add a trade that the program refuses (slippage): only the fee moves."""
    pool, wallet = order.pool, order.wallet
    draft = builder.begin(wallet, order.style.without_extras())
    accounts, data = _refused_call(builder, draft, order, is_buy=is_buy)
    program = programs.PUMP if pool.is_curve else programs.PUMPSWAP
    error = InstructionError(draft.top_level_count, _slippage_code(pool, is_buy=is_buy))
    draft.call(builder.accounts.add(program), accounts, data)
    builder.end(draft, order.when, order.style, error=error)


def _refused_call(
    builder: Builder, draft: Draft, order: Order, *, is_buy: bool
) -> tuple[tuple[int, ...], bytes]:
    """Return the accounts and the data of a trade with a limit that no price meets."""
    limits = (10**12).to_bytes(8, "little") + bytes(8)
    if order.pool.is_curve:
        swap = PoolSwap(builder, draft, order.pool, order.wallet)
        accounts, discriminator = pumpfun.call_accounts(swap, is_buy=is_buy)
        return accounts, discriminator + limits
    wrapped = builder.accounts.associated(order.wallet, builder.ledger.native.account)
    swap = PoolSwap(builder, draft, order.pool, order.wallet, wrapped)
    discriminator = pumpfun.BUY if is_buy else pumpfun.SELL
    return pumpswap.call_accounts(swap), discriminator + limits


def _slippage_code(pool: Pool, *, is_buy: bool) -> int:
    if not pool.is_curve:
        return _POOL_SLIPPAGE
    return _CURVE_BUY_SLIPPAGE if is_buy else _CURVE_SELL_SLIPPAGE


def transfer_tokens(builder: Builder, order: Order, target: int, units: int) -> None:
    """Send units of the order's pool token to another wallet, which does not sign.

    The sender pays for the receiver's token account if there is none. If the account
    exists, the transaction contains it but not its owner, so that the owner's own
    signature list misses the transfer.
    """
    source, mint = order.wallet, order.pool.mint
    draft = builder.begin(source, order.style.without_extras())
    target_account = builder.accounts.associated(target, mint.account, mint.program)
    if target_account not in builder.ledger.tokens:
        open_associated(draft, target, mint, source)
    source_account = builder.accounts.associated(source, mint.account, mint.program)
    units_transfer(draft, source_account, target_account, source, units)
    position = builder.end(draft, order.when, order.style)
    for kind, wallet in ((TRANSFER_OUT, source), (TRANSFER_IN, target)):
        builder.log(
            Movement(
                kind=kind,
                wallet=wallet,
                mint=mint.account,
                units=units,
                quote_units=0,
                quote=0,
                fees_lamports=0,
                position=position,
            )
        )


def transfer_sol(
    builder: Builder,
    source: int,
    target: int,
    lamports: int,
    *,
    when: Moment,
    style: Style,
) -> None:
    """Add a plain SOL transfer."""
    draft = builder.begin(source, style.without_extras())
    sol_transfer(draft, source, target, lamports)
    builder.end(draft, when, style)


def _open_wrapped(builder: Builder, draft: Draft, order: Order) -> int | None:
    """Open the wallet's wrapped-SOL account in its own way; None for a curve, which
    needs none.
    """
    if order.pool.is_curve:
        return None
    if order.style.wrapped == "seeded":
        return open_seeded_wsol(draft, order.wallet)
    return open_associated(draft, order.wallet, builder.ledger.native, order.wallet)


def _close_wrapped(swap: PoolSwap, style: Style) -> None:
    if swap.wrapped is not None and style.wrapped != "permanent":
        close_account(swap.draft, swap.wrapped, swap.wallet)


def _proceeds_of(builder: Builder, pool: Pool, units: int) -> int:
    if pool.is_curve:
        return pumpfun.proceeds_of(pool, units)
    return pumpswap.proceeds_of(builder, pool, units)


def _bot_of(swap: PoolSwap, style: Style) -> programs.Bot | None:
    """Return the bot that the swap goes through; bots trade against SOL only."""
    if style.bot is None or not swap.has_native_quote:
        return None
    return programs.BOTS[style.bot]


def _enter_bot(swap: PoolSwap, style: Style, amount: int) -> int:
    """Enter the bot's program if it has one; return the platform fee in lamports."""
    bot = _bot_of(swap, style)
    if bot is None:
        return 0
    if bot.program is not None:
        add = swap.builder.accounts.add
        accounts = (
            swap.wallet,
            swap.pool.account,
            swap.pool.mint.account,
            add(bot.fee_wallet),
        )
        swap.draft.enter(
            add(bot.program), accounts, _BOT_CALL + amount.to_bytes(8, "little")
        )
    return amount * bot.fee_basis_points // 10_000


def _leave_bot(swap: PoolSwap, style: Style, platform_fee_lamports: int) -> None:
    bot = _bot_of(swap, style)
    if bot is None:
        return
    fee_wallet = swap.builder.accounts.add(bot.fee_wallet)
    sol_transfer(swap.draft, swap.wallet, fee_wallet, platform_fee_lamports)
    if bot.program is not None:
        swap.draft.leave()

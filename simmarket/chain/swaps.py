"""What a wallet does in one transaction: buy, sell, pass tokens on, fail, or just move SOL."""

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
from simmarket.chain.ledger import Draft
from simmarket.chain.world import BUY, SELL, TRANSFER_IN, TRANSFER_OUT, Pool, PoolTrade

_BOT_CALL = bytes((0x52, 0xE1, 0x77, 0xE7, 0x4E, 0x1D, 0x2D, 0x46))


def buy(builder: Builder, wallet: int, pool: Pool, when: Moment, budget: int, style: Style) -> int:
    """Buy for at most `budget` raw quote units; returns the units bought."""
    draft = builder.begin(wallet, style)
    units, paid, platform = add_buy(builder, draft, wallet, pool, budget, style)
    place = builder.end(draft, when, style)
    note(builder, pool, wallet, when, place, units, paid, style, platform, is_buy=True)
    return units


def add_buy(builder: Builder, draft: Draft, wallet: int, pool: Pool, budget: int, style: Style) -> tuple[int, int, int]:
    """Instructions of a buy; returns (units, quote units paid to the market, platform fee lamports)."""
    accounts, ledger = builder.accounts, builder.ledger
    if accounts.associated(wallet, pool.mint.account, pool.mint.program) not in ledger.tokens:
        open_associated(draft, wallet, pool.mint, wallet)
    wrapped = 0
    if not pool.is_curve:
        wrapped = _open_wrapped(builder, draft, wallet, style)
        missing = budget - ledger.units(wrapped)
        if missing > 0:
            wrap_sol(draft, wallet, wrapped, missing)
    platform = _enter_bot(builder, draft, wallet, pool, style, budget)
    if pool.is_curve:
        units, paid = pumpfun.add_buy(builder, draft, pool, wallet, budget)
    else:
        units, paid = pumpswap.add_buy(builder, draft, pool, wallet, wrapped, budget)
    _leave_bot(builder, draft, wallet, pool, style, platform)
    if wrapped and style.wrapped != "kept":
        close_account(draft, wrapped, wallet)
    return units, paid, platform


def sell(builder: Builder, wallet: int, pool: Pool, when: Moment, units: int, style: Style) -> None:
    """Sell units the wallet holds."""
    accounts, ledger = builder.accounts, builder.ledger
    draft = builder.begin(wallet, style)
    wrapped = 0 if pool.is_curve else _open_wrapped(builder, draft, wallet, style)
    gain = pool.virtual_quote * units // (pool.virtual_base + units) if pool.is_curve else 0
    if not pool.is_curve:
        gain = pumpswap.quote_of(builder, pool, units)
    platform = _enter_bot(builder, draft, wallet, pool, style, gain)
    if pool.is_curve:
        units, received = pumpfun.add_sell(builder, draft, pool, wallet, units)
    else:
        units, received = pumpswap.add_sell(builder, draft, pool, wallet, wrapped, units)
    _leave_bot(builder, draft, wallet, pool, style, platform)
    if wrapped and style.wrapped != "kept":
        close_account(draft, wrapped, wallet)
    own = accounts.associated(wallet, pool.mint.account, pool.mint.program)
    if style.closes_empty and ledger.units(own) == 0:
        close_account(draft, own, wallet)
    place = builder.end(draft, when, style)
    note(builder, pool, wallet, when, place, units, received, style, platform, is_buy=False)


def note(
    builder: Builder,
    pool: Pool,
    wallet: int,
    when: Moment,
    place: int,
    units: int,
    quote_units: int,
    style: Style,
    platform: int,
    *,
    is_buy: bool,
    signers: int = 1,
) -> None:
    """Log a trade for the truth and for the pool's own figures."""
    extras = builder.network_fee(style, signers) + style.tip_lamports + platform
    builder.log(
        BUY if is_buy else SELL,
        wallet,
        pool.mint.account,
        units,
        place,
        quote=pool.quote.account,
        quote_units=quote_units,
        extras_lamports=extras,
    )
    ledger = builder.ledger
    quote, base = pool.virtual_quote, pool.virtual_base
    if not pool.is_curve:
        quote, base = ledger.units(pool.quote_vault), ledger.units(pool.base_vault)
    pool.trades.append(PoolTrade(when.offset_seconds, wallet, is_buy, units, quote_units, quote, base))


def fail(builder: Builder, wallet: int, pool: Pool, when: Moment, style: Style, *, is_buy: bool) -> None:
    """A trade that the program refuses (slippage): only the fee moves."""
    accounts, ledger = builder.accounts, builder.ledger
    draft = builder.begin(wallet, Style(style.version, style.priority_micro_lamports))
    recipient = accounts.add(programs.FEE_RECIPIENTS[pool.account % len(programs.FEE_RECIPIENTS)])
    if pool.is_curve:
        names, discriminator = pumpfun.call_names(builder, pool, wallet, recipient, is_buy=is_buy)
        program = programs.PUMP
    else:
        wrapped = accounts.associated(wallet, ledger.native.account)
        names = pumpswap.call_names(builder, pool, wallet, wrapped, recipient)
        discriminator, program = (pumpfun.BUY if is_buy else pumpfun.SELL), programs.PUMPSWAP
    place = draft.top_level_count
    draft.call(accounts.add(program), names, discriminator + (10**12).to_bytes(8, "little") + bytes(8))
    code = (6002 if is_buy else 6003) if pool.is_curve else 6004
    builder.end(draft, when, style, error=(place, code))


def pass_tokens(builder: Builder, source: int, target: int, pool: Pool, when: Moment, units: int, style: Style) -> None:
    """Send units to another wallet, which does not sign; the sender pays for its token account if there is none.

    Where the account exists, only it is named, not its owner: the owner's own signature list misses the transfer.
    """
    draft = builder.begin(source, Style(style.version, style.priority_micro_lamports))
    theirs = builder.accounts.associated(target, pool.mint.account, pool.mint.program)
    if theirs not in builder.ledger.tokens:
        open_associated(draft, target, pool.mint, source)
    own = builder.accounts.associated(source, pool.mint.account, pool.mint.program)
    units_transfer(draft, own, theirs, source, units)
    place = builder.end(draft, when, style)
    builder.log(TRANSFER_OUT, source, pool.mint.account, units, place)
    builder.log(TRANSFER_IN, target, pool.mint.account, units, place)


def pass_sol(builder: Builder, source: int, target: int, when: Moment, lamports: int, style: Style) -> None:
    """A plain SOL transfer."""
    draft = builder.begin(source, Style(style.version, style.priority_micro_lamports))
    sol_transfer(draft, source, target, lamports)
    builder.end(draft, when, style)


def _open_wrapped(builder: Builder, draft: Draft, wallet: int, style: Style) -> int:
    native = builder.ledger.native
    if style.wrapped == "seeded":
        return open_seeded_wsol(draft, wallet)
    return open_associated(draft, wallet, native, wallet)


def _enter_bot(builder: Builder, draft: Draft, wallet: int, pool: Pool, style: Style, amount: int) -> int:
    """Enter the bot's program where it has one; returns the platform fee in lamports."""
    if style.bot is None or pool.quote is not builder.ledger.native:
        return 0
    program, fee_wallet, basis_points = programs.BOTS[style.bot]
    fee = amount * basis_points // 10_000
    if program is not None:
        names = (wallet, pool.account, pool.mint.account, builder.accounts.add(fee_wallet))
        draft.enter(builder.accounts.add(program), names, _BOT_CALL + amount.to_bytes(8, "little"))
    return fee


def _leave_bot(builder: Builder, draft: Draft, wallet: int, pool: Pool, style: Style, platform: int) -> None:
    if style.bot is None or pool.quote is not builder.ledger.native:
        return
    program, fee_wallet, _ = programs.BOTS[style.bot]
    sol_transfer(draft, wallet, builder.accounts.add(fee_wallet), platform)
    if program is not None:
        draft.leave()

"""A world from a file of real trades: each row becomes one PumpSwap transaction of its
trader.
"""

import csv
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from pathlib import Path

from simmarket.chain import base58, programs, pumpswap
from simmarket.chain.builder import Builder, Style
from simmarket.chain.instructions import (
    close_account,
    open_associated,
    open_seeded_wsol,
    wrap_sol,
)
from simmarket.chain.pool_swap import NO_FEES, PoolSwap
from simmarket.chain.swaps import Fill, Order, log_trade
from simmarket.chain.world import Pool, Token, World

_STYLES = (
    Style(0, wrapped="seeded"),
    Style(None, wrapped="seeded"),
    Style(1, wrapped="seeded"),
)
_SUPPLY = 10**15
_RESERVE_LAMPORTS = (
    84_990_359_346  # the reserves that a complete curve brings into its pool
)
_RESERVE_UNITS = 206_900_000 * 10**6
_MINT_RENT_LAMPORTS = 1_461_600
_POOL_RENT_LAMPORTS = 2_985_840
_SPARE_LAMPORTS = 10**7
_DUST_LAMPORTS = 10**7
PoolKey = tuple[str, str]  # (mint, pool address)


@dataclass(slots=True, frozen=True)
class Row:
    """One valid row: amounts in lamports and raw units, times in unix seconds."""

    mint: str
    pool: str
    launched: int
    time: int
    is_buy: bool
    trader: str
    lamports: int
    units: int
    signature: str

    @property
    def pool_key(self) -> PoolKey:
        """The pool of the row."""
        return self.mint, self.pool


class InvalidRow(Exception):
    """A row that cannot become a transaction; the message is the reason as it is
    counted.
    """


@dataclass(slots=True)
class _Balance:
    """A running balance and its lowest value."""

    current: int = 0
    lowest: int = 0

    def add(self, amount: int) -> None:
        self.current += amount
        self.lowest = min(self.lowest, self.current)


@dataclass(slots=True)
class _Needs:
    """The balances that the rows change, which tell the opening balances that they
    need.
    """

    units: dict[tuple[str, str], _Balance] = field(
        default_factory=lambda: defaultdict(_Balance)
    )  # by (trader, mint)
    spent_lamports: dict[str, int] = field(
        default_factory=lambda: defaultdict(int)
    )  # by trader
    pool_lamports: dict[PoolKey, _Balance] = field(
        default_factory=lambda: defaultdict(_Balance)
    )
    pool_units: dict[PoolKey, _Balance] = field(
        default_factory=lambda: defaultdict(_Balance)
    )
    launches: dict[str, int] = field(default_factory=dict)  # unix seconds by mint

    def add(self, row: Row) -> None:
        """Add one row."""
        sign = 1 if row.is_buy else -1
        self.units[row.trader, row.mint].add(sign * row.units)
        if row.is_buy:
            self.spent_lamports[row.trader] += row.lamports
        fees = (
            2 * programs.TOKEN_ACCOUNT_RENT_LAMPORTS + programs.LAMPORTS_PER_SIGNATURE
        )
        self.spent_lamports[row.trader] += fees
        self.pool_lamports[row.pool_key].add(sign * row.lamports)
        self.pool_units[row.pool_key].add(-sign * row.units)
        self.launches.setdefault(row.mint, row.launched)


def build(path: Path) -> World:
    """Return the world of a trades file; its end is the last valid row."""
    dropped: dict[str, int] = defaultdict(int)
    rows = _read(path, dropped)
    end = max((row.time for row in rows), default=0)
    oldest = min((min(row.time, row.launched) for row in rows), default=0) - end
    builder = Builder(f"trades {path.name}", 0, oldest, flat_price=True)
    builder.world.file_end_seconds = end
    builder.world.dropped_rows = dict(dropped)
    pools = _open_accounts(builder, rows, end)
    used_signatures: set[str] = set()
    for row in rows:
        signature = _signature_of(row, used_signatures)
        _add_transaction(builder, pools[row.pool_key], row, row.time - end, signature)
    builder.world.index()
    return builder.world


def _read(path: Path, dropped: dict[str, int]) -> list[Row]:
    """Return the valid rows by time and count the others in `dropped` by reason."""
    rows: list[Row] = []
    is_address: dict[str, bool] = {}
    with path.open(newline="", encoding="utf-8") as lines:
        for cells in csv.DictReader(lines):
            try:
                rows.append(_parse_row(cells, is_address))
            except InvalidRow as error:
                dropped[str(error)] += 1
    return sorted(rows, key=lambda row: row.time)  # stable: file order inside a second


def _parse_row(cells: dict[str, str], is_address: dict[str, bool]) -> Row:
    """Return the row. Raises InvalidRow with the reason. `is_address` caches the
    address checks.
    """
    mint, pool, trader = (_text(cells, column) for column in ("mint", "pool", "trader"))
    for address in (mint, pool, trader):
        if address not in is_address:
            is_address[address] = base58.is_address(address)
        if not is_address[address]:
            raise InvalidRow("invalid_address")
    side = _text(cells, "side").lower()
    if side not in {"buy", "sell"}:
        raise InvalidRow("unknown_side")
    try:
        lamports = _rounded(cells.get("sol") or "", 9)
        units = _rounded(cells.get("tokens") or "", 6)
        time = int(cells.get("ts") or "")
        launched = int(cells.get("token_created_ts") or "")
    except (InvalidOperation, ValueError):
        raise InvalidRow("unreadable_number") from None
    if lamports <= 0:
        raise InvalidRow("zero_sol")
    if units <= 0:
        raise InvalidRow("zero_tokens")
    return Row(
        mint=mint,
        pool=pool,
        launched=launched,
        time=time,
        is_buy=side == "buy",
        trader=trader,
        lamports=lamports,
        units=units,
        signature=_text(cells, "signature"),
    )


def _text(cells: dict[str, str], column: str) -> str:
    return (cells.get(column) or "").strip()


def _rounded(text: str, decimals: int) -> int:
    value = Decimal(text.strip()).scaleb(decimals)
    return int(value.to_integral_value(rounding=ROUND_HALF_EVEN))


def _open_accounts(builder: Builder, rows: list[Row], end: int) -> dict[PoolKey, Pool]:
    """Open every account with the balance that the rows need; return the pools."""
    accounts, ledger = builder.accounts, builder.ledger
    needs = _Needs()
    for row in rows:
        needs.add(row)
    for trader, lamports in needs.spent_lamports.items():
        wallet = accounts.add(trader)
        builder.world.wallets.add(wallet)
        ledger.fund(wallet, lamports + _SPARE_LAMPORTS)
    for recipient in programs.FEE_RECIPIENTS:
        ledger.open_before(accounts.add(recipient), ledger.native, 0)
    tokens = builder.world.tokens
    for mint, launched in needs.launches.items():
        tokens[mint] = _create_token(builder, mint, launched - end)
    pools = {
        key: _open_pool(builder, tokens[key[0]], key[1], needs)
        for key in needs.pool_lamports
    }
    for (trader, mint), balance in needs.units.items():
        if balance.lowest < 0:
            ledger.open_before(accounts.add(trader), tokens[mint].mint, -balance.lowest)
    for token in tokens.values():
        remaining_supply = max(_SUPPLY - token.mint.supply, 0)
        ledger.open_before(token.creator, token.mint, remaining_supply)
    return pools


def _create_token(
    builder: Builder, address: str, launched_offset_seconds: int
) -> Token:
    mint = builder.ledger.add_mint(address, programs.TOKEN, 6)
    builder.ledger.fund(mint.account, _MINT_RENT_LAMPORTS)
    creator = builder.accounts.derived(
        programs.PUMP, b"pool-authority", builder.accounts.raw(mint.account)
    )
    symbol = address[:4].upper()
    return Token(
        mint=mint,
        symbol=symbol,
        name=f"{symbol} {address[4:8]}",
        uri=f"https://example.invalid/{address}.json",
        kind="real",
        launched_offset_seconds=launched_offset_seconds,
        creator=creator,
        pools=[],
    )


def _open_pool(builder: Builder, token: Token, address: str, needs: _Needs) -> Pool:
    ledger = builder.ledger
    account = builder.accounts.add(address)
    pool = pumpswap.known_pool(
        builder, account, token.mint, token.creator, token.launched_offset_seconds
    )
    key = builder.accounts.address(token.mint.account), address
    pool.opening_quote = _RESERVE_LAMPORTS - needs.pool_lamports[key].lowest
    pool.opening_base = _RESERVE_UNITS - needs.pool_units[key].lowest
    ledger.fund(pool.account, _POOL_RENT_LAMPORTS)
    ledger.open_before(pool.account, ledger.native, pool.opening_quote)
    ledger.open_before(pool.account, token.mint, pool.opening_base)
    token.pools.append(pool)
    return pool


def _signature_of(row: Row, used_signatures: set[str]) -> str | None:
    """Return the row's signature if it is valid and not used yet, else None (the
    builder generates one).
    """
    if not base58.is_signature(row.signature) or row.signature in used_signatures:
        return None
    used_signatures.add(row.signature)
    return row.signature


def _add_transaction(
    builder: Builder, pool: Pool, row: Row, offset_seconds: int, signature: str | None
) -> None:
    """Add one row as a transaction: wrapped SOL in, swap of exactly the row's amounts,
    wrapped SOL out.
    """
    wallet = builder.accounts.add(row.trader)
    style = _STYLES[len(builder.world.transactions) % len(_STYLES)]
    order = Order(wallet, pool, builder.moment(offset_seconds), style)
    draft = builder.begin(wallet, style)
    if PoolSwap(builder, draft, pool, wallet).base_account not in builder.ledger.tokens:
        open_associated(draft, wallet, pool.mint, wallet)
    wrapped = open_seeded_wsol(draft, wallet)
    if row.is_buy:
        wrap_sol(draft, wallet, wrapped, row.lamports)
    swap = PoolSwap(builder, draft, pool, wallet, wrapped)
    pumpswap.add_exact_swap(
        swap, row.units, row.lamports, fees=NO_FEES, is_buy=row.is_buy
    )
    close_account(draft, wrapped, wallet)
    position = builder.end(draft, order.when, style, signature=signature)
    log_trade(builder, order, Fill(row.is_buy, row.units, row.lamports), position)
    _set_price(pool, row)


def _set_price(pool: Pool, row: Row) -> None:
    """Set the price after the last trade to that of its row.

    The reserves are only as large as the rows need, so that they give no price. A dust
    trade keeps the price before it.
    """
    price = row.lamports, row.units
    if pool.opening_price is None:
        pool.opening_price = price
    elif row.lamports < _DUST_LAMPORTS:
        before = pool.trades[-2]
        price = before.quote_reserve, before.base_reserve
    pool.trades[-1] = pool.trades[-1]._replace(
        quote_reserve=price[0], base_reserve=price[1]
    )

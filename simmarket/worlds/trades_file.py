"""A world out of a file of real trades: each row becomes one PumpSwap transaction of its trader."""

import csv
from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from pathlib import Path

from simmarket.chain import base58, programs, pumpswap
from simmarket.chain.builder import Builder, Style
from simmarket.chain.instructions import close_account, open_associated, open_seeded_wsol, wrap_sol
from simmarket.chain.swaps import note
from simmarket.chain.world import Pool, Token, World

_STYLES = (Style(0, wrapped="seeded"), Style(None, wrapped="seeded"), Style(1, wrapped="seeded"))
_SUPPLY = 10**15
_RESERVE_LAMPORTS = 84_990_359_346  # what a finished curve brings into its pool
_RESERVE_UNITS = 206_900_000 * 10**6
_SPARE_LAMPORTS = 10**7
_DUST_LAMPORTS = 10**7


@dataclass(slots=True, frozen=True)
class Row:
    """One kept row: amounts in lamports and raw units, time in unix seconds."""

    mint: str
    pool: str
    launched: int
    time: int
    is_buy: bool
    trader: str
    lamports: int
    units: int
    signature: str


def build(path: Path) -> World:
    """The world of a trades file; its end is the last kept row."""
    dropped: dict[str, int] = defaultdict(int)
    rows = _read(path, dropped)
    end = max((row.time for row in rows), default=0)
    oldest = min((min(row.time, row.launched) for row in rows), default=0) - end
    builder = Builder(f"trades {path.name}", 0, oldest, flat_price=True)
    builder.world.name = f"trades {path.name}"
    builder.world.file_end_seconds = end
    builder.world.dropped_rows = dict(dropped)
    pools = _open(builder, rows, end)
    seen: set[str] = set()
    for row in rows:
        _apply(builder, pools[row.mint, row.pool], row, row.time - end, seen)
    builder.world.index()
    return builder.world


def _read(path: Path, dropped: dict[str, int]) -> list[Row]:
    rows: list[Row] = []
    valid: dict[str, bool] = {}
    with path.open(newline="", encoding="utf-8") as lines:
        for cells in csv.DictReader(lines):
            row = _row(cells, valid)
            if isinstance(row, str):
                dropped[row] += 1
            else:
                rows.append(row)
    return sorted(rows, key=lambda row: row.time)  # stable: file order inside a second


def _row(cells: dict[str, str], valid: dict[str, bool]) -> Row | str:
    """The row, or the reason why it is dropped."""
    names = [(cells.get(column) or "").strip() for column in ("mint", "pool", "trader")]
    for name in names:
        if name not in valid:
            valid[name] = base58.is_address(name)
        if not valid[name]:
            return "invalid_address"
    side = (cells.get("side") or "").strip().lower()
    if side not in {"buy", "sell"}:
        return "unknown_side"
    try:
        lamports = _rounded(cells.get("sol") or "", 9)
        units = _rounded(cells.get("tokens") or "", 6)
        time, launched = int(cells.get("ts") or ""), int(cells.get("token_created_ts") or "")
    except (InvalidOperation, ValueError):
        return "unreadable_number"
    if lamports <= 0:
        return "zero_sol"
    if units <= 0:
        return "zero_tokens"
    signature = (cells.get("signature") or "").strip()
    return Row(names[0], names[1], launched, time, side == "buy", names[2], lamports, units, signature)


def _rounded(text: str, places: int) -> int:
    value = Decimal(text.strip()).scaleb(places)
    return int(value.to_integral_value(rounding=ROUND_HALF_EVEN))


def _open(builder: Builder, rows: list[Row], end: int) -> dict[tuple[str, str], Pool]:
    """Open every account as large as the rows need; returns the pool of each (mint, pool)."""
    accounts, ledger = builder.accounts, builder.ledger
    held: dict[tuple[str, str], int] = defaultdict(int)
    lowest: dict[tuple[str, str], int] = defaultdict(int)
    spent: dict[str, int] = defaultdict(int)
    drain: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    launched: dict[str, int] = {}
    for row in rows:
        sign = 1 if row.is_buy else -1
        key = row.trader, row.mint
        held[key] += sign * row.units
        lowest[key] = min(lowest[key], held[key])
        cost = row.lamports if row.is_buy else 0
        spent[row.trader] += cost + 2 * programs.TOKEN_ACCOUNT_RENT_LAMPORTS + programs.LAMPORTS_PER_SIGNATURE
        flow = drain[row.mint, row.pool]
        flow[0] += sign * row.lamports
        flow[1] = min(flow[1], flow[0])
        flow[2] -= sign * row.units
        flow[3] = min(flow[3], flow[2])
        launched.setdefault(row.mint, row.launched)
    for trader, lamports in spent.items():
        wallet = accounts.add(trader)
        builder.world.wallets.add(wallet)
        ledger.fund(wallet, lamports + _SPARE_LAMPORTS)
    for recipient in programs.FEE_RECIPIENTS:
        ledger.open_before(accounts.add(recipient), ledger.native, 0)
    tokens = _tokens(builder, launched, end)
    pools = _pools(builder, tokens, drain)
    for (trader, mint), units in lowest.items():
        if units < 0:
            ledger.open_before(accounts.add(trader), tokens[mint].mint, -units)
    for token in tokens.values():
        rest = max(_SUPPLY - token.mint.supply, 0)
        ledger.open_before(token.creator, token.mint, rest)
    return pools


def _tokens(builder: Builder, launched: dict[str, int], end: int) -> dict[str, Token]:
    for mint, time in launched.items():
        minted = builder.ledger.add_mint(mint, programs.TOKEN, 6)
        builder.ledger.fund(minted.account, 1_461_600)
        creator = builder.accounts.derived(programs.PUMP, b"pool-authority", builder.accounts.raw(minted.account))
        symbol = mint[:4].upper()
        builder.world.tokens[mint] = Token(
            mint=minted,
            symbol=symbol,
            name=f"{symbol} {mint[4:8]}",
            uri=f"https://example.invalid/{mint}.json",
            kind="real",
            launched_offset_seconds=time - end,
            creator=creator,
            pools=[],
        )
    return builder.world.tokens


def _pools(
    builder: Builder, tokens: dict[str, Token], drain: dict[tuple[str, str], list[int]]
) -> dict[tuple[str, str], Pool]:
    pools: dict[tuple[str, str], Pool] = {}
    for (mint, address), (_, lowest_lamports, _, lowest_units) in drain.items():
        token = tokens[mint]
        pool = pumpswap.known_pool(
            builder, builder.accounts.add(address), token.mint, token.creator, token.launched_offset_seconds
        )
        pool.opening_quote = _RESERVE_LAMPORTS - lowest_lamports
        pool.opening_base = _RESERVE_UNITS - lowest_units
        builder.ledger.fund(pool.account, 2_985_840)
        builder.ledger.open_before(pool.account, builder.ledger.native, pool.opening_quote)
        builder.ledger.open_before(pool.account, token.mint, pool.opening_base)
        token.pools.append(pool)
        pools[mint, address] = pool
    return pools


def _apply(builder: Builder, pool: Pool, row: Row, offset_seconds: int, seen: set[str]) -> None:
    """One row as a transaction: wrapped SOL in, swap of exactly the row's amounts, wrapped SOL out."""
    accounts, ledger = builder.accounts, builder.ledger
    wallet = accounts.add(row.trader)
    style = _STYLES[len(builder.world.transactions) % len(_STYLES)]
    when = builder.moment(offset_seconds)
    draft = builder.begin(wallet, style)
    own = accounts.associated(wallet, pool.mint.account, pool.mint.program)
    if own not in ledger.tokens:
        open_associated(draft, wallet, pool.mint, wallet)
    wrapped = open_seeded_wsol(draft, wallet)
    if row.is_buy:
        wrap_sol(draft, wallet, wrapped, row.lamports)
    pumpswap.add_exact_swap(
        builder, draft, pool, wallet, wrapped, row.units, row.lamports, fees=(0, 0), is_buy=row.is_buy
    )
    close_account(draft, wrapped, wallet)
    signature = row.signature if base58.is_signature(row.signature) and row.signature not in seen else None
    if signature:
        seen.add(signature)
    place = builder.end(draft, when, style, signature=signature)
    note(builder, pool, wallet, when, place, row.units, row.lamports, style, 0, is_buy=row.is_buy)
    _set_price(pool, row)


def _set_price(pool: Pool, row: Row) -> None:
    """The reserves are only as large as the rows need, so the price comes from the rows; dust says nothing."""
    last = pool.trades[-1]
    price = row.lamports, row.units
    if pool.opening_price is None:
        pool.opening_price = price
    elif row.lamports < _DUST_LAMPORTS:
        before = pool.trades[-2]
        price = before.quote_reserve, before.base_reserve
    pool.trades[-1] = last._replace(quote_reserve=price[0], base_reserve=price[1])

"""Why an address is not on the watchlist, in the terminal."""

from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from discovery.domain.display import UNKNOWN, duration_text, result_notes, sol_text
from discovery.domain.flags import flag_label
from discovery.reads.why_rows import Why, WhyPosition

_COLUMNS: Final = (
    "run",
    "began",
    "token",
    "symbol",
    "result of the run",
    "profit %",
    "cost SOL",
    "entry",
    "after",
    "flags",
    "with the parameters of now",
)


def print_why(console: Console, why: Why) -> None:
    """Print the answer, the runs that took the wallet as a control wallet, and a row for
    each token that it bought early.
    """
    console.print(Text(why.address, style="bold"))
    console.print(why.summary, markup=False)
    for control in why.controls:
        console.print(
            f"Control wallet of run {control.run_id} ({control.run_at:%Y-%m-%d %H:%M}), matched to "
            f"{control.matched_wallet} in {control.symbol or control.mint}",
            markup=False,
        )
    for token in why.tokens:
        console.print(
            f"Run {token.run_id} ({token.run_at:%Y-%m-%d %H:%M}): {_count(token.early_buyers)} early buyers, "
            f"{_count(token.qualified)} qualified",
            markup=False,
        )
    if why.positions:
        console.print(_position_table(why.positions))
    if why.has_more_positions:
        console.print(f"The newest {len(why.positions)} are shown.", markup=False)


def _count(number: int | None) -> str:
    return UNKNOWN if number is None else f"{number:,}"


def _position_table(positions: list[WhyPosition]) -> Table:
    table = Table(*_COLUMNS)
    for column in table.columns[:3]:
        column.no_wrap = True  # to be copied
    for position in positions:
        table.add_row(*(Text(cell) for cell in _cells(position)))
    return table


def _cells(position: WhyPosition) -> tuple[str, ...]:
    profit = (
        "unknown" if position.profit_pct is None else f"{position.profit_pct:+,.2f}"
    )
    notes = result_notes(position)
    if notes:
        profit += f" ({', '.join(notes)})"
    seconds = position.entry_seconds
    return (
        UNKNOWN if position.run_id is None else str(position.run_id),
        UNKNOWN if position.run_at is None else f"{position.run_at:%Y-%m-%d %H:%M}",
        position.mint,
        position.symbol or UNKNOWN,
        position.reason,
        profit,
        sol_text(position.cost_lamports),
        UNKNOWN if position.entry_rank is None else f"#{position.entry_rank}",
        UNKNOWN if seconds is None else duration_text(seconds),
        ", ".join(map(flag_label, position.flags)),
        position.now,
    )

"""What a person sees of a run in the terminal: progress on standard error, the table of wallets on standard output."""

import sys
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import NamedTuple, Self

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from discovery.analysis.plan import Estimate
from discovery.domain.findings import Candidate, EarlyBuyer
from discovery.domain.units import fraction_to_decimal, lamports_to_sol, round_half_even
from discovery.runs.analyse_token import TokenResult

SOL_PLACES = Decimal("0.0001")


class Quiet:
    """Reports nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to put away."""

    def note(self, text: str) -> None:
        """See Reporter."""

    def tokens_found(self, tokens: list[Candidate]) -> None:
        """See Reporter."""

    def token_done(self, mint: str, result: TokenResult | None) -> None:
        """See Reporter."""


class ProgressReporter:
    """A bar on standard error; plain lines where that is no terminal."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False)
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self._task: TaskID | None = None
        self._symbols: dict[str, str] = {}

    def __enter__(self) -> Self:
        self.progress.start()
        self._task = self.progress.add_task("finding tokens", total=None)
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def note(self, text: str) -> None:
        """See Reporter."""
        self.console.print(Text(f"  {text}", style="dim"))

    def tokens_found(self, tokens: list[Candidate]) -> None:
        """See Reporter."""
        self._symbols = {token.mint: token.symbol or short(token.mint) for token in tokens}
        if self._task is not None:
            self.progress.update(self._task, description="analysing tokens", total=len(tokens), completed=0)
        if not self.console.is_terminal:
            self.console.print(f"  {len(tokens)} tokens to analyse")

    def token_done(self, mint: str, result: TokenResult | None) -> None:
        """See Reporter."""
        if self._task is not None:
            self.progress.advance(self._task)
        name = self._symbols.get(mint, short(mint))
        if result is None:
            self.console.print(Text(f"  ✗ {name}: failed, see the errors below", style="red"))
            return
        qualified = sum(buyer.qualified for buyer in result.buyers)
        self.console.print(
            Text(
                f"  ✓ {name}: {result.transactions:,} transactions, {len(result.buyers):,} early buyers, "
                f"{qualified:,} took profit out"
            )
        )


def short(address: str) -> str:
    """4…4 of an address."""
    return f"{address[:4]}…{address[-4:]}"


def sol(lamports: int) -> str:
    """SOL with four digits, signed where negative."""
    return f"{lamports_to_sol(lamports).quantize(SOL_PLACES):,}"


def wallet_table(rows: Iterable[tuple[EarlyBuyer, str, bool | None]], *, all_buyers: bool, width: int) -> Table:
    """Early buyers with their evidence: (buyer, symbol, whether new). All of them, or those that qualified.

    The address is whole at any width, to be copied; columns that do not fit in `width` characters are left out, the
    least telling first.
    """
    columns = [column for column in _COLUMNS if width >= column.from_width]
    table = Table(
        title="Early buyers" if all_buyers else "Wallets that took profit out",
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        padding=(0, 1),
        pad_edge=False,
        show_edge=False,
        collapse_padding=True,
    )
    for column in columns:
        table.add_column(column.name, justify="right" if column.right else "left", no_wrap=True)
    for buyer, symbol, is_new in rows:
        table.add_row(*(Text(column.cell(buyer, symbol, is_new)) for column in columns))
    return table


class _Column(NamedTuple):
    name: str
    right: bool
    from_width: int
    cell: Callable[[EarlyBuyer, str, bool | None], str]


def _profit(buyer: EarlyBuyer) -> str:
    exact = buyer.position.profit_pct
    return "–" if exact is None else f"{fraction_to_decimal(exact, 2):,}"


def _notes(buyer: EarlyBuyer, is_new: bool | None) -> str:
    notes = [] if is_new is None else ["new" if is_new else "known"]
    if buyer.position.history_incomplete:
        notes.append("history incomplete")
    if buyer.rejection:
        notes.append(buyer.rejection.replace("_", " "))
    return ", ".join(notes)


_COLUMNS = (
    _Column("wallet", False, 0, lambda buyer, _symbol, _new: buyer.wallet),
    _Column("token", False, 0, lambda _buyer, symbol, _new: symbol[:8]),
    _Column("profit %", True, 0, lambda buyer, _symbol, _new: _profit(buyer)),
    _Column(
        "realised SOL", True, 0, lambda buyer, _symbol, _new: sol(round_half_even(buyer.position.realised_lamports))
    ),
    _Column("cost SOL", True, 92, lambda buyer, _symbol, _new: sol(round_half_even(buyer.position.put_in_lamports))),
    _Column("entry", True, 110, lambda buyer, _symbol, _new: f"#{buyer.entry_rank}"),
    _Column("after", True, 110, lambda buyer, _symbol, _new: f"{buyer.entry_seconds:,} s"),
    _Column("buys/sells", True, 122, lambda buyer, _symbol, _new: f"{buyer.position.buys}/{buyer.position.sells}"),
    _Column("", False, 140, lambda buyer, _symbol, is_new: _notes(buyer, is_new)),
)


def plan_text(plan: Estimate) -> str:
    """The estimate in words, a provider a line."""
    lines = [f"Plan for {plan.tokens} token{'s' if plan.tokens != 1 else ''}, transactions from {plan.source}:"]
    lines += [f"  {name:<14} {count:>8,} calls" for name, count in sorted(plan.calls.items())]
    if plan.helius_credits:
        lines.append(f"  {'helius':<14} {plan.helius_credits:>8,} credits")
    lines.append(f"  about {plan.total_calls:,} calls and {_duration(plan.seconds)} at the providers' pace")
    return "\n".join(lines)


def _duration(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{seconds // 60} min"
    return f"{seconds / 3600:.1f} h"


def stdout_console() -> Console:
    """For tables; as wide as they need where nobody watches."""
    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        console = Console(file=sys.stdout, highlight=False, width=160)
    return console

"""What a person sees of a run in the terminal: progress on standard error, the table of wallets on standard output."""

import sys
from collections.abc import Iterable
from decimal import Decimal
from typing import Self

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


def wallet_table(
    rows: Iterable[tuple[EarlyBuyer, str, bool | None]], *, all_buyers: bool, width: int | None = None
) -> Table:
    """Early buyers with their evidence: (buyer, symbol, whether new). All of them, or those that qualified."""
    table = Table(
        title="Early buyers" if all_buyers else "Wallets that took profit out",
        title_justify="left",
        pad_edge=False,
        width=width,
    )
    table.add_column("wallet", no_wrap=True, min_width=44)
    table.add_column("token", no_wrap=True, max_width=12)
    for name in ("profit %", "realised SOL", "cost SOL", "entry", "after", "buys/sells"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for buyer, symbol, is_new in rows:
        position = buyer.position
        exact = position.profit_pct
        notes = ["new" if is_new else "known"] if is_new is not None else []
        if position.history_incomplete:
            notes.append("history incomplete")
        if all_buyers and not buyer.qualified:
            notes.append(buyer.rejection.replace("_", " "))
        table.add_row(
            buyer.wallet,
            Text(symbol),
            f"{fraction_to_decimal(exact, 2):,}" if exact is not None else "–",
            sol(round_half_even(position.realised_lamports)),
            sol(round_half_even(position.put_in_lamports)),
            f"#{buyer.entry_rank}",
            f"{buyer.entry_seconds:,} s",
            f"{position.buys}/{position.sells}",
            Text(", ".join(notes), style="dim"),
        )
    return table


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

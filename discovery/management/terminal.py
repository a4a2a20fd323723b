"""What a person sees of a run in the terminal: progress on standard error, the table of wallets on standard output."""

import sys
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final, NamedTuple, Self

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from discovery.analysis.estimate import Estimate
from discovery.domain.units import lamports_to_sol
from discovery.reads.progress import ClosedStep, Progress
from discovery.reads.run_results import FoundWallet

SOL_PLACES = Decimal("0.0001")


class Quiet:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to put away."""

    def show(self, now: Progress) -> None:
        """Take notice of where the run stands."""


STAGES: Final = {
    "queued": "waiting for a worker",
    "find_tokens": "finding tokens",
    "analyse": "analysing tokens",
    "profile": "profiling wallets",
    "finish": "scoring",
}


class ProgressReporter(Quiet):
    """A bar on standard error and a line for each token; plain lines where that is no terminal."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False)
        self.progress = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self._task: TaskID | None = None
        self._stage = ""
        self.last_writes: set[int] = set()

    def __enter__(self) -> Self:
        self.progress.start()
        self._task = self.progress.add_task(STAGES["queued"], total=None)
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def show(self, now: Progress) -> None:
        """Tell what is new."""
        for step in now.closed:
            if step.id not in self.last_writes:
                self.last_writes.add(step.id)
                self._closed(step, now)
        if now.stage != self._stage and not self.console.is_terminal and now.stage in {"analyse", "profile"}:
            self.console.print(
                f"  {now.total} {'tokens to analyse' if now.stage == 'analyse' else 'wallets to profile'}"
            )
        self._stage = now.stage
        if self._task is not None:
            self.progress.update(
                self._task,
                description=STAGES.get(now.stage, now.stage),
                total=now.total or None,
                completed=now.done,
            )

    def _closed(self, step: ClosedStep, now: Progress) -> None:
        name = step.symbol or (short(step.key) if step.key else step.kind)
        if step.failed:
            self.console.print(Text(f"  ✗ {name}: failed, see the errors below", style="red"))
        elif step.kind == "find":
            self.console.print(Text(f"  {now.source_note}", style="dim"))
        elif step.kind == "token":
            counts = step.counts
            self.console.print(
                Text(
                    f"  ✓ {name}: {counts['transactions']:,} transactions, {counts['early_buyers']:,} early buyers, "
                    f"{counts['qualified']:,} took profit out"
                )
            )


def short(address: str) -> str:
    """4…4 of an address."""
    return f"{address[:4]}…{address[-4:]}"


def sol(lamports: int) -> str:
    """SOL with four digits, signed where negative."""
    return f"{lamports_to_sol(lamports).quantize(SOL_PLACES):,}"


def wallet_table(rows: Iterable[FoundWallet], *, all_buyers: bool, width: int) -> Table:
    """Early buyers with their evidence: all of them, or those that qualified.

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
    for row in rows:
        table.add_row(*(Text(column.cell(row)) for column in columns))
    return table


class _Column(NamedTuple):
    name: str
    right: bool
    from_width: int
    cell: Callable[[FoundWallet], str]


def _score(row: FoundWallet) -> str:
    return "–" if row.score is None else f"{row.score * 100:.1f}"


def _notes(row: FoundWallet) -> str:
    notes = [] if row.is_new is None else ["new" if row.is_new else "known"]
    notes += row.flags
    if row.history_incomplete:
        notes.append("history incomplete")
    if row.rejection:
        notes.append(row.rejection.replace("_", " "))
    return ", ".join(notes)


_COLUMNS = (
    _Column("wallet", False, 0, lambda row: row.address),
    _Column("token", False, 0, lambda row: row.symbol[:8]),
    _Column("profit %", True, 0, lambda row: "–" if row.profit_pct is None else f"{row.profit_pct:,}"),
    _Column("realised SOL", True, 0, lambda row: sol(row.realised_lamports)),
    _Column("cost SOL", True, 92, lambda row: sol(row.cost_lamports)),
    _Column("score", True, 98, _score),
    _Column("entry", True, 110, lambda row: f"#{row.entry_rank}"),
    _Column("after", True, 110, lambda row: f"{row.entry_seconds:,} s"),
    _Column("", False, 140, _notes),
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


def stdout_console(width: int = 160) -> Console:
    """For tables; `width` characters where nobody watches."""
    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        console = Console(file=sys.stdout, highlight=False, width=width)
    return console

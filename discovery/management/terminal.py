"""A run in the terminal: progress on standard error, the table of wallets on standard
output.
"""

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
from discovery.domain.display import UNKNOWN, duration_text, short_address, sol_text
from discovery.domain.flags import flag_label
from discovery.models.enums import RunStage, StepKind
from discovery.reads.progress import ClosedStep, Progress
from discovery.reads.run_results import FoundWallet

DEFAULT_WIDTH: Final = 160
BAR_WIDTH: Final = 32
MAX_SYMBOL_LENGTH: Final = 8
_STAGE_TEXTS: Final[dict[str, str]] = {
    RunStage.QUEUED: "waiting for a worker",
    RunStage.FIND_TOKENS: "finding tokens",
    RunStage.ANALYSE: "analysing tokens",
    RunStage.PROFILE: "profiling wallets",
    RunStage.FINISH: "scoring",
}
_ANNOUNCED_STAGES: Final[dict[str, str]] = {
    RunStage.ANALYSE: "tokens to analyse",
    RunStage.PROFILE: "wallets to profile",
}


class QuietReporter:
    """Shows no progress."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the terminal as it is."""

    def show(self, progress: Progress) -> None:
        """Show the progress of the run."""


class ProgressReporter(QuietReporter):
    """Shows a bar on standard error and a line for each token; plain lines if that is
    no terminal.
    """

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False)
        self.bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=BAR_WIDTH),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self._task: TaskID | None = None
        self._stage = ""
        self._reported_steps: set[int] = set()

    def __enter__(self) -> Self:
        self.bar.start()
        self._task = self.bar.add_task(_STAGE_TEXTS[RunStage.QUEUED], total=None)
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def show(self, progress: Progress) -> None:
        """Report the steps that have ended since the last call, and move the bar."""
        for step in progress.closed:
            if step.id not in self._reported_steps:
                self._reported_steps.add(step.id)
                self._report_step(step, progress)
        if progress.stage != self._stage:
            self._announce_stage(progress)
            self._stage = progress.stage
        if self._task is not None:
            self.bar.update(
                self._task,
                description=_STAGE_TEXTS.get(progress.stage, progress.stage),
                total=progress.total or None,
                completed=progress.done,
            )

    def _announce_stage(self, progress: Progress) -> None:
        text = _ANNOUNCED_STAGES.get(progress.stage)
        if text is not None and not self.console.is_terminal:
            self.console.print(f"  {progress.total} {text}")

    def _report_step(self, step: ClosedStep, progress: Progress) -> None:
        name = _step_label(step)
        if step.failed:
            self.console.print(
                Text(f"  ✗ {name}: failed, see the errors below", style="red")
            )
        elif step.kind == StepKind.FIND:
            self.console.print(Text(f"  {progress.source_note}", style="dim"))
        elif step.kind == StepKind.TOKEN:
            self.console.print(Text(f"  ✓ {name}: {_token_counts(step)}"))


def _step_label(step: ClosedStep) -> str:
    if step.symbol:
        return step.symbol
    return short_address(step.key) if step.key else step.kind


def _token_counts(step: ClosedStep) -> str:
    counts = step.counts
    return (
        f"{counts['transactions']:,} transactions, "
        f"{counts['early_buyers']:,} early buyers, "
        f"{counts['qualified']:,} took profit out"
    )


def wallet_table(rows: Iterable[FoundWallet], *, all_buyers: bool, width: int) -> Table:
    """Return early buyers with their evidence: all of them, or those that qualified.

    The address is whole at any width, to be copied. Columns that do not fit in `width`
    characters are left out, the least informative first.
    """
    columns = [column for column in _COLUMNS if width >= column.min_width]
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
        table.add_column(
            column.name, justify="right" if column.is_number else "left", no_wrap=True
        )
    for row in rows:
        table.add_row(*(Text(column.cell(row)) for column in columns))
    return table


class _Column(NamedTuple):
    """A column: its head, its alignment, the least width of the terminal that shows it,
    and its cells.
    """

    name: str
    is_number: bool
    min_width: int
    cell: Callable[[FoundWallet], str]


def _address_cell(row: FoundWallet) -> str:
    return row.address


def _symbol_cell(row: FoundWallet) -> str:
    return row.symbol[:MAX_SYMBOL_LENGTH]


def _profit_cell(row: FoundWallet) -> str:
    return UNKNOWN if row.profit_pct is None else f"{row.profit_pct:,}"


def _realised_cell(row: FoundWallet) -> str:
    return sol_text(row.realised_lamports)


def _cost_cell(row: FoundWallet) -> str:
    return sol_text(row.cost_lamports)


def _score_cell(row: FoundWallet) -> str:
    return UNKNOWN if row.score is None else f"{row.score * Decimal(100):.1f}"


def _rank_cell(row: FoundWallet) -> str:
    return f"#{row.entry_rank}"


def _delay_cell(row: FoundWallet) -> str:
    return f"{row.entry_seconds:,} s"


def _notes_cell(row: FoundWallet) -> str:
    notes = []
    if row.is_new is not None:
        notes.append("new" if row.is_new else "known")
    notes += [flag_label(name) for name in row.flags]
    if row.history_incomplete:
        notes.append("history incomplete")
    if row.rejection:
        notes.append(row.rejection.replace("_", " "))
    return ", ".join(notes)


_COLUMNS: Final = (
    _Column("wallet", is_number=False, min_width=0, cell=_address_cell),
    _Column("token", is_number=False, min_width=0, cell=_symbol_cell),
    _Column("profit %", is_number=True, min_width=0, cell=_profit_cell),
    _Column("realised SOL", is_number=True, min_width=0, cell=_realised_cell),
    _Column("cost SOL", is_number=True, min_width=92, cell=_cost_cell),
    _Column("score", is_number=True, min_width=98, cell=_score_cell),
    _Column("entry", is_number=True, min_width=110, cell=_rank_cell),
    _Column("after", is_number=True, min_width=110, cell=_delay_cell),
    _Column("", is_number=False, min_width=140, cell=_notes_cell),
)


def plan_text(plan: Estimate) -> str:
    """Return the estimate in words, a line for each provider."""
    noun = "token" if plan.tokens == 1 else "tokens"
    lines = [f"Plan for {plan.tokens} {noun}, transactions from {plan.source}:"]
    for name, count in sorted(plan.calls.items()):
        lines.append(f"  {name:<14} {count:>8,} calls")
    if plan.helius_credits:
        lines.append(f"  {'helius':<14} {plan.helius_credits:>8,} credits")
    duration = duration_text(plan.seconds)
    lines.append(
        f"  about {plan.total_calls:,} calls and {duration} at the providers' rate limits"
    )
    return "\n".join(lines)


def stdout_console(width: int = DEFAULT_WIDTH) -> Console:
    """Return a console for tables; `width` characters wide if standard output is no
    terminal.
    """
    console = Console(file=sys.stdout, highlight=False)
    if console.is_terminal:
        return console
    return Console(file=sys.stdout, highlight=False, width=width)

"""A run in the terminal: progress on standard error, the table of wallets on standard
output.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, Self

from rich.box import SIMPLE_HEAD
from rich.console import Console, JustifyMethod
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from discovery.domain.display import (
    UNKNOWN,
    result_notes,
    short_address,
    sol_text,
)
from discovery.domain.flags import flag_label
from discovery.models.enums import RunStage, StepKind, VerdictChoice
from discovery.reads.progress import ClosedStep, Progress
from discovery.reads.run_results import FoundWallet
from discovery.templatetags.formatting import score100, signed_pct

DEFAULT_WIDTH: Final = 160
BAR_WIDTH: Final = 32
MAX_SYMBOL_LENGTH: Final = 8
MAX_BEST_WALLETS: Final = 5
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
_MIN_WIDTHS: Final = {
    "wallet": 0,
    "token": 0,
    "profit %": 0,
    "verdict": 0,
    "realised SOL": 92,
    "edge % [90 %]": 118,
    "score": 125,
    "cost SOL": 136,
    "entry": 144,
    "after": 152,
    "": 176,
}
"""Head of a column → the least width of the terminal, in characters, that shows it."""
_JUSTIFIED: Final[Mapping[str, JustifyMethod]] = {
    "wallet": "left",
    "token": "left",
    "verdict": "left",
    "": "left",
}
"""The columns of texts; numbers are on the right."""
_NOVELTY_NOTES: Final = {True: "new", False: "known", None: ""}


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
        self._task = self.bar.add_task(_STAGE_TEXTS[RunStage.QUEUED], total=None)
        self._stage = ""
        self._reported_steps: set[int] = set()

    def __enter__(self) -> Self:
        self.bar.start()
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
        self.bar.update(
            self._task,
            description=_STAGE_TEXTS.get(progress.stage, progress.stage),
            total=progress.total or None,  # None: the bar moves without an end
            completed=progress.done,
        )

    def _announce_stage(self, progress: Progress) -> None:
        if self.console.is_terminal:  # the bar shows it
            return
        text = _ANNOUNCED_STAGES.get(progress.stage)
        if text is not None:
            self.console.print(f"  {progress.total} {text}")

    def _report_step(self, step: ClosedStep, progress: Progress) -> None:
        if step.failed:
            text = f"  ✗ {_step_label(step)}: failed, see the errors below"
            self.console.print(Text(text, style="red"))
        elif step.kind == StepKind.FIND:
            self.console.print(Text(f"  {progress.source_note}", style="dim"))
        elif step.kind == StepKind.TOKEN:
            self.console.print(Text(f"  ✓ {_step_label(step)}: {_token_counts(step)}"))


def _step_label(step: ClosedStep) -> str:
    if step.symbol:
        return step.symbol
    if step.key:
        return short_address(step.key)
    return step.kind


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
    characters are left out, the least informative first. An unknown result is called unknown, with its reason.
    """
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
    heads = [head for head, min_width in _MIN_WIDTHS.items() if width >= min_width]
    for head in heads:
        table.add_column(head, justify=_JUSTIFIED.get(head, "right"), no_wrap=True)
    for row in rows:
        cells = _cells(row)
        table.add_row(*(Text(cells[head]) for head in heads))
    return table


def verdict_lines(rows: Iterable[FoundWallet]) -> list[str]:
    """Return how many wallets have each verdict, and the best of those to follow with
    the reason. No line without a judged wallet.
    """
    judged = {row.address: row for row in rows if row.verdict_reason}
    counts = Counter(row.verdict for row in judged.values())
    if not counts:
        return []
    parts = [f"{count} {verdict}" for verdict, count in counts.most_common()]
    lines = [f"Verdicts: {', '.join(parts)}"]
    followed = [row for row in judged.values() if row.verdict == VerdictChoice.FOLLOW]
    if not followed:
        lines.append("Nobody to follow yet: docs/scores.md explains what is needed.")
        return lines
    followed.sort(key=lambda row: row.edge_low_pct or Decimal(0), reverse=True)
    lines.append("Best wallets to follow, by the lower bound of the edge:")
    best = followed[:MAX_BEST_WALLETS]
    return lines + [f"  {row.address}  {row.verdict_reason}" for row in best]


def _cells(row: FoundWallet) -> dict[str, str]:
    """Return the texts of a row by the heads of their columns."""
    profit = "unknown" if row.profit_pct is None else f"{row.profit_pct:,}"
    return {
        "wallet": row.address,
        "token": row.symbol[:MAX_SYMBOL_LENGTH],
        "profit %": profit,
        "verdict": row.verdict,
        "realised SOL": sol_text(row.realised_lamports),
        "edge % [90 %]": _edge_text(row),
        "score": score100(row.score),
        "cost SOL": sol_text(row.cost_lamports),
        "entry": f"#{row.entry_rank}",
        "after": f"{row.entry_seconds:,} s",
        "": _notes(row),
    }


def _edge_text(row: FoundWallet) -> str:
    if row.edge_pct is None:
        return UNKNOWN
    low, high = signed_pct(row.edge_low_pct), signed_pct(row.edge_high_pct)
    return f"{signed_pct(row.edge_pct)} [{low}, {high}]"


def _notes(row: FoundWallet) -> str:
    notes = [
        _NOVELTY_NOTES[row.is_new],
        *result_notes(row),
        *map(flag_label, row.flags),
    ]
    if row.history_incomplete:
        notes.append("history incomplete")
    if row.rejection:
        notes.append(f"rejected: {row.rejection.replace('_', ' ')}")
    return ", ".join(filter(None, notes))


def stdout_console(width: int = DEFAULT_WIDTH) -> Console:
    """Return a console for tables; `width` characters wide if standard output is no
    terminal.
    """
    console = Console(file=sys.stdout, highlight=False)
    if console.is_terminal:
        return console
    return Console(file=sys.stdout, highlight=False, width=width)

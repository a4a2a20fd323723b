"""`manage.py explain_wallet`: a wallet's score with its evidence, down to the
transactions.
"""

import json
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table
from rich.text import Text

from discovery.domain.addresses import parse_address
from discovery.domain.display import UNKNOWN, sol_text
from discovery.domain.reasons import unknown_reason_label
from discovery.management.terminal import stdout_console
from discovery.reads.evidence import (
    Evidence,
    EvidenceCycle,
    EvidenceTrade,
    wallet_evidence,
)

EXIT_UNKNOWN, EXIT_BAD_OPTION = 1, 2
WIDTH: Final = 320
_CYCLE_COLUMNS: Final = (
    "token",
    "no.",
    "result",
    "opened",
    "put in SOL",
    "net SOL",
    "why",
    "counted",
    "first transaction",
)
_PASSED_TEXTS: Final = {True: "yes", False: "NO"}


class Command(BaseCommand):
    """Shows gates, parts, cycles and the transactions of each cycle."""

    help = "Open a wallet's score down to its transactions. Exit codes: 0 shown, 1 not on the watchlist, 2 bad address."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the wallet and the form of the output."""
        parser.add_argument("address", help="the wallet's address")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--trades",
            action="store_true",
            help="show every transaction of every cycle",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the evidence. Raises CommandError with the exit code of the case."""
        try:
            address = parse_address(options["address"])
        except ValueError as error:
            raise CommandError(str(error), returncode=EXIT_BAD_OPTION) from None
        evidence = wallet_evidence(address)
        if evidence is None:
            raise CommandError(
                f"{address} is not on the watchlist", returncode=EXIT_UNKNOWN
            )
        if options["json"]:
            self.stdout.write(json.dumps(evidence.to_json_object()))
            return
        console = stdout_console(width=WIDTH)
        _print_head(console, evidence)
        if evidence.profiled_at is None:
            console.print(
                "Not profiled yet: the next run does it, or somebody who asks for it."
            )
            return
        _print_score(console, evidence)
        console.print(_cycle_table(evidence, with_trades=options["trades"]))


def _print_head(console: Console, evidence: Evidence) -> None:
    status = evidence.status.replace("_", " ")
    console.print(f"[bold]{evidence.address}[/bold]  {status}, {_score_text(evidence)}")


def _score_text(evidence: Evidence) -> str:
    if evidence.score is None:
        return "not scored"
    text = f"score {evidence.score * 100:.2f}"
    if evidence.provisional:
        text += " (provisional)"
    return text


def _print_score(console: Console, evidence: Evidence) -> None:
    if evidence.reason:
        console.print(f"Why not: {evidence.reason}", markup=False)
    console.print(_gate_table(evidence), "", _part_table(evidence), "")
    for flag, words in evidence.flags.items():
        console.print(Text(f"flag {flag}: {words}", style="yellow"))
    if evidence.seeds:
        console.print(
            f"Seed tokens, which count for nothing: {', '.join(evidence.seeds)}",
            markup=False,
        )


def _gate_table(evidence: Evidence) -> Table:
    table = Table("gate", "passed", "observed", "needed", box=None, pad_edge=False)
    for gate in evidence.gates:
        passed = _PASSED_TEXTS[gate["passed"]]
        _add_plain_row(table, gate["name"], passed, gate["observed"], gate["needed"])
    return table


def _part_table(evidence: Evidence) -> Table:
    table = Table("part", "value", "weight", "note", box=None, pad_edge=False)
    for part in evidence.parts:
        value = UNKNOWN
        if part["value"] is not None:
            value = f"{part['value']:.4f}"
        weight = f"{part['weight']:.2f}"
        _add_plain_row(table, part["name"], value, weight, part["note"])
    return table


def _add_plain_row(table: Table, *cells: str) -> None:
    """Add a row of texts in which brackets mean nothing."""
    table.add_row(*(Text(cell) for cell in cells))


def _cycle_table(evidence: Evidence, *, with_trades: bool) -> Table:
    table = Table(*_CYCLE_COLUMNS)
    # To be copied.
    table.columns[0].no_wrap = True
    table.columns[-1].no_wrap = True
    for cycle in evidence.cycles:
        table.add_row(*_cycle_cells(cycle))
        if not with_trades:
            continue
        for trade in cycle.trades:
            table.add_row(*_trade_cells(trade))
    return table


def _cycle_cells(cycle: EvidenceCycle) -> tuple[str, ...]:
    return (
        cycle.mint,
        str(cycle.number),
        cycle.result,
        f"{cycle.opened_at:%Y-%m-%d %H:%M}",
        sol_text(cycle.put_in_lamports),
        sol_text(cycle.net_lamports),
        cycle.why,
        _counted_text(cycle),
        cycle.first_signature,
    )


def _counted_text(cycle: EvidenceCycle) -> str:
    if cycle.is_seed:
        return "no: seed"
    if cycle.left_out:
        reason = unknown_reason_label(cycle.unknown_reason) or cycle.left_out
        return f"no: {reason}"
    return "yes"


def _trade_cells(trade: EvidenceTrade) -> tuple[str, ...]:
    words = f"{trade.side} {trade.token_units} units at {trade.block_time:%Y-%m-%d %H:%M:%S}"
    value = sol_text(trade.value_lamports)
    return (
        "",
        "",
        trade.side,
        words,
        value,
        "",
        f"slot {trade.slot}",
        "",
        trade.signature,
    )

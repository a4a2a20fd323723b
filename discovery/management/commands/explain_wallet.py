"""A wallet's score, opened down to its transactions."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.table import Table
from rich.text import Text

from discovery.domain.addresses import parse_address
from discovery.management.terminal import sol, stdout_console
from discovery.reads.evidence import Evidence, wallet_evidence

EXIT_BAD_OPTION, EXIT_UNKNOWN = 2, 1


class Command(BaseCommand):
    """Shows why a wallet has its score: gates, parts, cycles, and the transactions of each cycle."""

    help = "Open a wallet's score down to its transactions. Exit codes: 0 shown, 1 not on the watchlist, 2 bad address."

    def add_arguments(self, parser: CommandParser) -> None:
        """The wallet and the form of the answer."""
        parser.add_argument("address", help="the wallet's address")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--trades", action="store_true", help="show every transaction of every cycle")

    def handle(self, *args: Any, **options: Any) -> None:
        """Show. Raises CommandError with the exit code of the case."""
        try:
            address = parse_address(options["address"])
        except ValueError as error:
            raise CommandError(str(error), returncode=EXIT_BAD_OPTION) from None
        evidence = wallet_evidence(address)
        if evidence is None:
            raise CommandError(f"{address} is not on the watchlist", returncode=EXIT_UNKNOWN)
        if options["json"]:
            self.stdout.write(json.dumps(evidence.plain()))
        else:
            _show(evidence, trades=options["trades"])


def _show(evidence: Evidence, *, trades: bool) -> None:
    console = stdout_console(width=320)
    score = "not scored" if evidence.score is None else f"score {evidence.score * 100:.2f}"
    if evidence.provisional and evidence.score is not None:
        score += " (provisional)"
    console.print(f"[bold]{evidence.address}[/bold]  {evidence.status.replace('_', ' ')}, {score}")
    if evidence.profiled_at is None:
        console.print("Not yet profiled: it is with the next run, or when somebody asks for it.")
        return
    if evidence.reason:
        console.print(f"Why not: {evidence.reason}", markup=False)
    gates = Table("gate", "passed", "observed", "needed", box=None, pad_edge=False)
    for gate in evidence.gates:
        gates.add_row(*map(Text, (gate["name"], "yes" if gate["passed"] else "NO", gate["observed"], gate["needed"])))
    parts = Table("part", "value", "weight", "note", box=None, pad_edge=False)
    for part in evidence.parts:
        value = "–" if part["value"] is None else f"{part['value']:.4f}"
        parts.add_row(*map(Text, (part["name"], value, f"{part['weight']:.2f}", part["note"])))
    console.print(gates, "", parts, "")
    for flag, words in evidence.flags.items():
        console.print(Text(f"flag {flag}: {words}", style="yellow"))
    if evidence.seeds:
        console.print(f"Seed tokens, which count for nothing: {', '.join(evidence.seeds)}", markup=False)
    table = Table("token", "no.", "result", "opened", "put in SOL", "net SOL", "why", "counted", "first transaction")
    for cycle in evidence.cycles:
        counted = "no: seed" if cycle.is_seed else f"no: {cycle.left_out}" if cycle.left_out else "yes"
        table.add_row(
            cycle.mint, str(cycle.number), cycle.result, f"{cycle.opened_at:%Y-%m-%d %H:%M}",
            sol(cycle.put_in_lamports), sol(cycle.net_lamports), cycle.why, counted, cycle.first_signature,
        )  # fmt: skip
        if trades:
            for trade in cycle.trades:
                words = f"  {trade.side} {trade.token_units} units at {trade.block_time:%Y-%m-%d %H:%M:%S}"
                value = "–" if trade.value_lamports is None else sol(trade.value_lamports)
                table.add_row("", "", trade.side, words.strip(), value, "", f"slot {trade.slot}", "", trade.signature)
    for column in (table.columns[0], table.columns[-1]):
        column.no_wrap = True  # to be copied
    console.print(table)

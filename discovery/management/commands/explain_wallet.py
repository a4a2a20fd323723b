"""`manage.py explain_wallet`: a wallet's score with its evidence, down to the
transactions; for an address off the watchlist, what runs saw of it and why they
rejected it.
"""

import json
from decimal import Decimal
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table
from rich.text import Text

from discovery.domain.addresses import parse_address
from discovery.domain.display import UNKNOWN, sol_text
from discovery.domain.judgements import VERDICT_ADVICE
from discovery.domain.reasons import unknown_reason_label
from discovery.management.terminal import stdout_console
from discovery.management.why_table import print_why
from discovery.models.enums import TokenExclusion, TokenUnknown
from discovery.reads.evidence import (
    EvidenceCycle,
    EvidenceTrade,
    WalletEvidence,
    wallet_evidence,
)
from discovery.reads.token_results import TokenResultRow
from discovery.reads.why import explain_address

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
_TOKEN_COLUMNS: Final = (
    "token",
    "bought",
    "put in SOL",
    "proceeds SOL",
    "held SOL",
    "result %",
    "follower %",
    "prices",
    "",
)


class Command(BaseCommand):
    """Shows verdict, figures, tokens, cycles and the transactions of each cycle, or why
    the address is not on the watchlist.
    """

    help = (
        "Open a wallet's score down to its transactions, or say why an address is not on the watchlist. "
        "Exit codes: 0 explained, 1 never seen, 2 bad address."
    )

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
            self._explain_unlisted(address, as_json=options["json"])
            return
        if options["json"]:
            self.stdout.write(json.dumps(evidence.to_json_object()))
            return
        console = stdout_console(width=WIDTH)
        _print_head(console, evidence)
        if evidence.is_control:
            print_why(console, explain_address(address))
        if evidence.profiled_at is None:
            console.print(
                "Not profiled yet: the next run does it, or somebody who asks for it."
            )
            return
        _print_judgement(console, evidence)
        console.print(_token_table(evidence))
        console.print(_cycle_table(evidence, with_trades=options["trades"]))

    def _explain_unlisted(self, address: str, *, as_json: bool) -> None:
        """Print what runs saw of the address. Raises CommandError if none saw it."""
        why = explain_address(address)
        if as_json:
            self.stdout.write(json.dumps(why.to_json_object()))
        elif why.is_explained:
            print_why(stdout_console(width=WIDTH), why)
        if not why.is_explained:
            raise CommandError(
                f"{address} is not on the watchlist. {why.summary}",
                returncode=EXIT_UNKNOWN,
            )


def _print_head(console: Console, evidence: WalletEvidence) -> None:
    status = evidence.status.replace("_", " ")
    console.print(
        f"[bold]{evidence.address}[/bold]  {_verdict_text(evidence)}; status {status}"
    )


def _verdict_text(evidence: WalletEvidence) -> str:
    text = evidence.verdict
    if evidence.score is not None:
        text += f", score {evidence.score * 100:.2f} of 100"
    return text


def _print_judgement(console: Console, evidence: WalletEvidence) -> None:
    console.print(f"{evidence.verdict.capitalize()}: {evidence.reason}.", markup=False)
    console.print(VERDICT_ADVICE.get(evidence.verdict, ""), markup=False)
    console.print("", _figure_table(evidence), "")
    for flag, words in evidence.flags.items():
        console.print(Text(f"flag {flag}: {words}", style="yellow"))
    if evidence.seeds:
        console.print(
            f"Seed tokens, which count for nothing: {', '.join(evidence.seeds)}",
            markup=False,
        )


def _figure_table(evidence: WalletEvidence) -> Table:
    table = Table("figure", "value", "meaning", box=None, pad_edge=False)
    known_share = evidence.detail.get("known_share")
    rows = (
        ("edge, % a trade", _edge_text(evidence), "growth of a follower's purse, 90 % interval"),
        ("leader, % a trade", _number_text(evidence.detail.get("leader_edge_pct"), 1), "growth of its own purse"),
        ("tokens", f"{evidence.scored_tokens or 0}", "with a known result that count"),
        ("effective tokens", _number_text(evidence.effective_tokens, 1), "old ones weigh less; 5 are needed"),
        ("known share", _number_text(known_share, 2), "of the results; 0.80 is needed"),
        ("q", _number_text(evidence.q_value, 3), "share of luck in a list that is cut here"),
        ("p", _number_text(evidence.p_value, 3), "luck alone does as well"),
        ("prices", evidence.detail.get("basis") or UNKNOWN, "how closely a follower's prices were seen"),
    )  # fmt: skip
    for row in rows:
        _add_plain_row(table, *row)
    return table


def _edge_text(evidence: WalletEvidence) -> str:
    if evidence.edge_pct is None:
        return UNKNOWN
    low, high = evidence.edge_low_pct, evidence.edge_high_pct
    return f"{evidence.edge_pct:+.1f} [{low:+.1f}, {high:+.1f}]"


def _number_text(value: Decimal | float | None, places: int) -> str:
    return UNKNOWN if value is None else f"{value:.{places}f}"


def _token_table(evidence: WalletEvidence) -> Table:
    table = Table(*_TOKEN_COLUMNS)
    table.columns[0].no_wrap = True
    for token in evidence.tokens:
        _add_plain_row(
            table,
            token.mint,
            f"{token.entry_at:%Y-%m-%d %H:%M}",
            sol_text(token.put_in_lamports),
            sol_text(token.proceeds_lamports),
            sol_text(token.bag_lamports),
            _percent_text(token.leader_return),
            _percent_text(token.follower_return),
            token.level,
            _note(token),
        )
    return table


def _percent_text(value: float | None) -> str:
    return "unknown" if value is None else f"{value * 100:+.1f}"


def _note(token: TokenResultRow) -> str:
    """Return why the token does not count, or why its result is not known."""
    if token.exclusion:
        return f"does not count: {TokenExclusion(token.exclusion).label}"
    if token.unknown_reason:
        return f"unknown: {TokenUnknown(token.unknown_reason).label}"
    return ""


def _add_plain_row(table: Table, *cells: str) -> None:
    """Add a row of texts in which brackets mean nothing."""
    table.add_row(*(Text(cell) for cell in cells))


def _cycle_table(evidence: WalletEvidence, *, with_trades: bool) -> Table:
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

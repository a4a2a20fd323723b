"""`manage.py score_history`: the judgements of a wallet as they were made."""

import json
from typing import Any, Final

import msgspec
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.table import Table
from rich.text import Text

from discovery.domain.addresses import parse_address
from discovery.domain.display import UNKNOWN
from discovery.management.terminal import stdout_console
from discovery.models import ScoreSnapshot
from discovery.pipeline.verify_snapshots import Verification, verify_snapshots
from discovery.reads.score_history import SnapshotRow, score_history

EXIT_DIFFERENT, EXIT_BAD_OPTION = 1, 2
WIDTH: Final = 240
_COLUMNS: Final = (
    "time (UTC)",
    "verdict",
    "score",
    "edge %",
    "tokens",
    "arm",
    "what changed",
    "what followed",
)


class Command(BaseCommand):
    """Prints the score snapshots of a wallet, and judges them again with --verify."""

    help = (
        "Show the judgements of a wallet as they were made, oldest first, with what changed and what followed; also of "
        "control wallets. Exit codes: 0 shown, 1 no snapshot, or --verify found a difference, 2 bad address."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the wallet, the form of the output and the verification."""
        parser.add_argument("address", help="the wallet's address")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--verify",
            action="store_true",
            help="judge every snapshot again from its stored evidence and compare",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the history. Raises CommandError with the exit code of the case."""
        try:
            address = parse_address(options["address"])
        except ValueError as error:
            raise CommandError(str(error), returncode=EXIT_BAD_OPTION) from None
        rows = score_history(address)
        if not rows:
            raise CommandError(
                f"no judgement of {address} is recorded", returncode=EXIT_DIFFERENT
            )
        verification = None
        if options["verify"]:
            snapshots = ScoreSnapshot.objects.filter(wallet_address=address)
            verification = verify_snapshots(snapshots)
        if options["json"]:
            self.stdout.write(json.dumps(_json_object(address, rows, verification)))
        else:
            stdout_console(width=WIDTH).print(_table(rows))
        if verification is not None:
            self._report(verification, in_words=not options["json"])

    def _report(self, verification: Verification, *, in_words: bool) -> None:
        """Print what was verified. Raises CommandError if there is a difference."""
        count = len(verification.differences)
        if in_words:
            for line in _difference_lines(verification):
                self.stdout.write(line)
            self.stdout.write(
                f"{verification.checked} snapshots judged again from their evidence: {count or 'no'} differences"
            )
            if verification.other_versions:
                self.stdout.write(
                    f"{verification.other_versions} of another version of the score cannot be judged again"
                )
        if count:
            raise CommandError(
                f"{count} figures do not follow from the stored evidence",
                returncode=EXIT_DIFFERENT,
            )


def _difference_lines(verification: Verification) -> list[str]:
    return [
        f"{difference.at:%Y-%m-%d %H:%M:%S} {difference.figure}: stored {difference.stored}, "
        f"recomputed {difference.recomputed}"
        for difference in verification.differences
    ]


def _json_object(
    address: str, rows: list[SnapshotRow], verification: Verification | None
) -> dict[str, Any]:
    """Return the history as JSON values, decimals as numbers."""
    values = {"address": address, "scores": rows, "verification": verification}
    encoder = msgspec.json.Encoder(decimal_format="number")
    decoded: dict[str, Any] = msgspec.json.decode(encoder.encode(values))
    return decoded


def _table(rows: list[SnapshotRow]) -> Table:
    table = Table(*_COLUMNS)
    table.columns[0].no_wrap = True
    for row in rows:
        cells = (
            f"{row.at:%Y-%m-%d %H:%M}",
            row.verdict,
            UNKNOWN if row.score is None else f"{row.score * 100:.1f}",
            _edge_text(row),
            str(row.tokens),
            row.arm,
            "; ".join(row.changes),
            "\n".join(outcome.text for outcome in row.outcomes),
        )
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _edge_text(row: SnapshotRow) -> str:
    if row.edge_pct is None:
        return UNKNOWN
    return f"{row.edge_pct:+.1f} [{row.edge_low_pct:+.1f}, {row.edge_high_pct:+.1f}]"

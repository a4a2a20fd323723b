"""`manage.py check_providers`: what every configured provider answers."""

import json
from typing import Any, Final

import msgspec
from asgiref.sync import async_to_sync
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.table import Table

from discovery.clients.provider_check import check_providers
from discovery.clients.usage import UsageMeter, use_meter
from discovery.domain.provider_checks import ProviderReport
from discovery.management.terminal import stdout_console

_STYLES: Final = {"ok": "green", "differs": "yellow", "refused": "red"}


class Command(BaseCommand):
    """Asks every configured provider once or twice."""

    help = (
        "Ask every configured provider once or twice, about thirty calls, and compare the answers with what "
        "WallTrack assumes. Exit codes: 0 runs can work, 1 something that every run needs does not work."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the form of the output."""
        parser.add_argument(
            "--json",
            action="store_true",
            help="print one JSON object instead of a table",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask and print. Raises CommandError if no run can work."""
        meter = UsageMeter()
        with use_meter(meter):
            report = async_to_sync(check_providers)()
        if options["json"]:
            found = msgspec.to_builtins(report) | {"usage": meter.usage()}
            self.stdout.write(json.dumps(found))
        else:
            _print(report, meter)
        if not report.can_run:
            raise CommandError("; ".join(report.problems), returncode=1)


def _print(report: ProviderReport, meter: UsageMeter) -> None:
    console = stdout_console()
    table = Table(box=None, pad_edge=False)
    for column in ("provider", "host", "asked", "", "found", "what to do"):
        table.add_column(column, overflow="fold")
    for row in report.checks:
        style = _STYLES[row.status]
        status = f"[{style}]{row.status}[/{style}]"
        table.add_row(row.provider, row.host, row.check, status, row.detail, row.remedy)
    console.print(table)
    usage = meter.usage().values()
    calls = sum(counts["calls"] for counts in usage)
    credits_used = sum(counts["credits"] for counts in usage)
    words = f"{calls} calls, {credits_used} Helius credits. "
    console.print(words + ("Runs can work." if report.can_run else "No run can work."))

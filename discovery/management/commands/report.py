"""`manage.py report`: whether following the found wallets pays."""

import json
from typing import Any, Final

import msgspec
from django.core.management.base import BaseCommand, CommandParser

from discovery.domain.judgements import HORIZON_HOURS
from discovery.management.report_tables import print_report
from discovery.management.terminal import stdout_console
from discovery.reads.report import DEFAULT_HORIZON_HOURS, report
from walltrack import clock

WIDTH: Final = 140


class Command(BaseCommand):
    """Prints the sentence, both groups, lift, calibration, regimes and what is missing."""

    help = (
        "Say whether following the found wallets pays: what their trades after the judgement brought a follower, "
        "against control wallets."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the horizon and the form of the output."""
        parser.add_argument(
            "--horizon",
            type=int,
            choices=HORIZON_HOURS,
            default=DEFAULT_HORIZON_HOURS,
            help="hours after a judgement at which its tokens were measured (default: %(default)s)",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the report."""
        found = report(clock.now(), options["horizon"])
        if options["json"]:
            builtins = msgspec.to_builtins(found, str_keys=True)
            self.stdout.write(json.dumps(builtins))
            return
        print_report(stdout_console(width=WIDTH), found)

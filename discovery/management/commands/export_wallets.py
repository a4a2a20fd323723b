"""`manage.py export_wallets`: the watchlist as a list that a trading terminal imports."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from discovery.domain.wallet_formats import LIST_FORMATS, PLAIN_FORMAT, list_lines
from discovery.models.enums import VerdictChoice
from discovery.reads.filters import WalletFilterSet
from discovery.reads.watchlist import exported_wallets


class Command(BaseCommand):
    """Prints the watchlist in the format of a terminal."""

    help = (
        "Print the watchlist as a list that a trading terminal imports. The API has CSV and NDJSON with all figures. "
        "Exit codes: 0 printed, 2 bad option."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the format and the filters."""
        parser.add_argument(
            "--format",
            choices=LIST_FORMATS,
            default=PLAIN_FORMAT,
            help="terminal, or txt with an address a line; default: txt",
        )
        parser.add_argument("--tag", default="", help="only wallets with this tag")
        parser.add_argument(
            "--verdict",
            choices=VerdictChoice.values,
            default="",
            help="only wallets with this verdict",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the list."""
        filters = {name: options[name] for name in ("tag", "verdict")}
        wallets = exported_wallets(WalletFilterSet(filters).qs)
        for line in list_lines(wallets, options["format"]):
            self.stdout.write(line, ending="")

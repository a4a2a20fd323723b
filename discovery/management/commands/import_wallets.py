"""`manage.py import_wallets`: add a list of wallets from the terminal."""

import sys
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from discovery import watchlist
from discovery.domain.wallet_labels import clean_tags
from discovery.domain.wallet_lists import (
    MAX_BYTES,
    MAX_ENTRIES,
    EntryResult,
    ListEntry,
    ListError,
    parse_list,
)
from discovery.models.enums import EntryResultChoice, WalletOrigin

STANDARD_INPUT: Final = "-"


class Command(BaseCommand):
    """Adds the wallets of a file and prints what became of each."""

    help = (
        "Add wallets to the watchlist from free text (an address a line, a label behind it), CSV with a header, NDJSON "
        "or the JSON export of Axiom, Padre, BullX, GMGN or OKX. Prints a line for each entry. "
        f"At most {MAX_ENTRIES:,} entries. Exit codes: 0 at least one is on the watchlist now, 1 none is, 2 bad option."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the file and the options."""
        parser.add_argument("file", help="the list; - reads standard input")
        parser.add_argument(
            "--tag",
            action="append",
            default=[],
            metavar="T",
            help="a tag for every wallet of the list; may be given several times",
        )
        parser.add_argument(
            "--no-profile",
            action="store_true",
            help="do not profile the wallets that are added",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Add the wallets. Raises CommandError for a file that cannot be read, and if
        no entry can be used.
        """
        tags = clean_tags(options["tag"])
        if len(tags) < len(options["tag"]):
            raise CommandError(
                "--tag: an empty tag, a tag twice or too many", returncode=2
            )
        added = watchlist.add_wallets(
            _entries(options["file"]),
            by="import_wallets",
            origin=WalletOrigin.IMPORT,
            tags=tags,
            profile=not options["no_profile"],
        )
        for answer in added.answers:
            label = EntryResultChoice(answer.result).label
            line = f"{answer.number:>5}  {label:<12}  {answer.address}"
            self.stdout.write(f"{line}  {answer.reason}".rstrip())
        counts = [
            f"{added.counts[EntryResult(value)]} {label}"
            for value, label in EntryResultChoice.choices
        ]
        self.stderr.write(
            f"{', '.join(counts)}; {added.profiles_requested} profiles requested"
        )
        if not added.usable:
            raise CommandError("no entry of the list can be used")


def _entries(path: str) -> list[ListEntry]:
    try:
        return parse_list(_content(path))
    except ListError as error:
        raise CommandError(f"{path}: {error}") from None


def _content(path: str) -> bytes:
    """Return the file, or its first MAX_BYTES + 1 bytes, which are too many."""
    try:
        if path == STANDARD_INPUT:
            return sys.stdin.buffer.read(MAX_BYTES + 1)
        with Path(path).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}", returncode=2) from None

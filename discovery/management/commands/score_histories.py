"""`manage.py score_histories`: judge wallets from a file of histories."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError, CommandParser

from discovery.analysis.evidence import Evidence, evidence_of_history
from discovery.analysis.follower import FollowTerms
from discovery.analysis.judging import judge
from discovery.domain.histories import TradingHistory
from discovery.domain.judgements import Prior


class _PriorLine(msgspec.Struct):
    prior: Prior


class Command(BaseCommand):
    """Reads histories (NDJSON) and prints a judgement for each, then the population.
    Needs no database and no network.
    """

    help = (
        "Judge wallets from a file: one history a line (NDJSON), as docs/scores.md describes them. A line "
        '{"prior": …} replaces the prior that is estimated from the wallets. Prints one judgement a line, then the '
        "population with its prior."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the file."""
        parser.add_argument(
            "file", metavar="FILE", help="a file with one history a line"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Judge. Raises CommandError for a file or a line that cannot be read."""
        terms = FollowTerms()
        evidences: list[Evidence] = []
        prior: Prior | None = None
        for record in _records(Path(options["file"])):
            if isinstance(record, Prior):
                prior = record
                continue
            evidences.append(evidence_of_history(record, terms))
        judgements, population = judge(evidences, prior)
        for judgement in judgements:
            self.stdout.write(_json(judgement))
        self.stdout.write(_json({"population": population}))


def _records(path: Path) -> Iterator[TradingHistory | Prior]:
    """Yield the histories and priors of a file, one line at a time. Raises
    CommandError.
    """
    decode_history = msgspec.json.Decoder(TradingHistory, strict=False).decode
    decode_prior = msgspec.json.Decoder(_PriorLine).decode
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                try:
                    if b'"prior"' in line[:20]:
                        yield decode_prior(line).prior
                    else:
                        yield decode_history(line)
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    raise CommandError(f"line {number}: {error}") from error
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()

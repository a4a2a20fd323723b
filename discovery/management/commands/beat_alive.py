"""`manage.py beat_alive`: the health check of the beat container."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from discovery.management.heartbeat_checks import latest_heartbeat
from discovery.reads.health import BEAT_DEAD_SECONDS


class Command(BaseCommand):
    """Reads the heartbeat that beat writes each time it asks for a tick."""

    help = "Exits 0 when beat gave a sign of life lately, else 1 with the reason."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """How old the sign may be."""
        parser.add_argument(
            "--within",
            type=int,
            default=BEAT_DEAD_SECONDS,
            metavar="SECONDS",
            help=f"How old the sign may be (default {BEAT_DEAD_SECONDS}: three ticks).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Says when beat was seen. Raises CommandError where it was not, or the database is out of reach."""
        sign = latest_heartbeat("beat", "beat")
        age = (timezone.now() - sign.at).total_seconds()
        if age > options["within"]:
            raise CommandError(f"beat was last seen {age:.0f} s ago")
        self.stdout.write(f"beat was seen {age:.0f} s ago")

"""`manage.py beat_alive`: the health check of the beat container."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from discovery.management.heartbeat_checks import latest_heartbeat, require_recent
from discovery.models.enums import HeartbeatName
from discovery.reads.health import BEAT_DEAD_SECONDS


class Command(BaseCommand):
    """Reads the heartbeat that beat writes each time it sends a tick."""

    help = "Exit 0 if beat has written a heartbeat lately, else 1 with the reason."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the maximum age."""
        parser.add_argument(
            "--within",
            type=int,
            default=BEAT_DEAD_SECONDS,
            metavar="SECONDS",
            help=f"Maximum age of the heartbeat (default {BEAT_DEAD_SECONDS}: three ticks).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the age of the heartbeat. Raises CommandError if it is missing, too old
        or cannot be read.
        """
        heartbeat = latest_heartbeat(HeartbeatName.BEAT, "beat")
        age = require_recent(heartbeat, "beat", options["within"])
        self.stdout.write(f"beat was seen {age}")

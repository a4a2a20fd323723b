"""`manage.py worker_alive`: the health check of a worker's container."""

import socket
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from discovery.management.heartbeat_checks import latest_heartbeat
from discovery.models.enums import WORKER_HEARTBEAT_PREFIX
from discovery.reads.health import WORKER_DEAD_SECONDS


class Command(BaseCommand):
    """Reads the heartbeat that the worker on this host writes: cheap, and never answered by another node."""

    help = "Exits 0 when a worker on this host gave a sign of life lately, else 1 with the reason."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose heartbeat, and how old it may be."""
        parser.add_argument(
            "--host", default=socket.gethostname(), help="The worker's host name (default: this host's)."
        )
        parser.add_argument(
            "--within",
            type=int,
            default=WORKER_DEAD_SECONDS,
            metavar="SECONDS",
            help=f"How old the sign may be (default {WORKER_DEAD_SECONDS}).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Says when the worker was seen. Raises CommandError where it was not, or the database is out of reach."""
        sign = latest_heartbeat(f"{WORKER_HEARTBEAT_PREFIX}{options['host']}:", f"a worker on {options['host']}")
        age = (timezone.now() - sign.at).total_seconds()
        if age > options["within"]:
            raise CommandError(f"the worker on {options['host']} was last seen {age:.0f} s ago")
        self.stdout.write(f"{sign.name} was seen {age:.0f} s ago")

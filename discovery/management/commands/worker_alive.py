"""`manage.py worker_alive`: the health check of a worker's container."""

import socket
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from discovery.management.heartbeat_checks import latest_heartbeat, require_recent
from discovery.models.enums import WORKER_HEARTBEAT_PREFIX
from discovery.reads.health import WORKER_DEAD_SECONDS


class Command(BaseCommand):
    """Reads the heartbeat that the worker on this host writes: cheap, and no other node
    can answer instead.
    """

    help = "Exit 0 if a worker on this host has written a heartbeat lately, else 1 with the reason."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the host and the maximum age."""
        parser.add_argument(
            "--host",
            default=socket.gethostname(),
            help="The worker's host name (default: this host's).",
        )
        parser.add_argument(
            "--within",
            type=int,
            default=WORKER_DEAD_SECONDS,
            metavar="SECONDS",
            help=f"Maximum age of the heartbeat (default {WORKER_DEAD_SECONDS}).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the age of the heartbeat. Raises CommandError if it is missing, too old
        or cannot be read.
        """
        host = options["host"]
        heartbeat = latest_heartbeat(
            f"{WORKER_HEARTBEAT_PREFIX}{host}:", f"a worker on {host}"
        )
        age = require_recent(heartbeat, f"the worker on {host}", options["within"])
        self.stdout.write(f"{heartbeat.name} was seen {age}")

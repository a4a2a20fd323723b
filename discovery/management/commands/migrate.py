"""`migrate` as Django has it, safe to start from several processes at once."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.core.management.commands.migrate import Command as MigrateCommand
from django.db import OperationalError, connections

# "WALLTRAC" read as a 64-bit number: nothing else on the server uses it by chance.
LOCK_KEY = int.from_bytes(b"WALLTRAC", "big", signed=True)


class Command(MigrateCommand):
    """Holds an advisory lock while it migrates; makes the schema of `DATABASE_SCHEMA` where it is missing."""

    def add_arguments(self, parser: CommandParser) -> None:
        """One option beside Django's own."""
        super().add_arguments(parser)
        parser.add_argument(
            "--lock-wait",
            type=int,
            default=120,
            metavar="SECONDS",
            help="How long to wait for another process that migrates (default 120).",
        )

    def handle(self, *args: Any, **options: Any) -> Any:
        """Migrate. Raises CommandError where the database is out of reach or the lock is not had in time."""
        connection = connections[options["database"]]
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{options['lock_wait']}s"])
                # A migration may rewrite a large table: the limit for requests is not for it.
                cursor.execute("SELECT set_config('statement_timeout', '0', false)")
                try:
                    cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK_KEY])
                except OperationalError as error:
                    raise CommandError(
                        f"another process has been migrating for more than {options['lock_wait']} s; "
                        "wait for it or end it, then migrate again"
                    ) from error
                try:
                    self._make_schema(cursor)
                    return super().handle(*args, **options)
                finally:
                    cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK_KEY])
        except OperationalError as error:
            raise CommandError(f"the database is out of reach: {str(error).strip()}") from error

    @staticmethod
    def _make_schema(cursor: Any) -> None:
        schema = settings.DATABASE_SCHEMA
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema])
        if cursor.fetchone() is None:
            cursor.execute(f'CREATE SCHEMA "{schema}"')

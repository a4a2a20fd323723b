"""Django's `migrate`, safe to start from several processes at once."""

import argparse
import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.core.management.commands.migrate import Command as MigrateCommand
from django.db import DatabaseError, InterfaceError, OperationalError, connections
from psycopg import errors

# "WALLTRAC" read as a 64-bit number: nothing else on the server uses it by chance.
LOCK_KEY = int.from_bytes(b"WALLTRAC", "big", signed=True)


class Command(MigrateCommand):
    """Holds an advisory lock while it migrates; creates the schema of `DATABASE_SCHEMA`
    if it is missing.
    """

    _applying = ""

    def add_arguments(self, parser: CommandParser) -> None:
        """Add one option to Django's own."""
        super().add_arguments(parser)
        parser.add_argument(
            "--lock-wait",
            type=_seconds,
            default=120,
            metavar="SECONDS",
            help="How long to wait for another process that migrates, or that holds a table (default 120).",
        )

    def handle(self, *args: Any, **options: Any) -> Any:
        """Migrate. Raises CommandError if the database is unreachable, in use, or
        refuses.
        """
        wait = options["lock_wait"]
        try:
            with (
                connections[options["database"]].cursor() as cursor,
                _alone(cursor, wait),
            ):
                is_only_a_look = options["plan"] or options["check_unapplied"]
                if not is_only_a_look:
                    _make_schema(cursor)
                return super().handle(*args, **options)
        except (DatabaseError, InterfaceError) as error:
            words = _words(error, wait)
            if words is None and not self._applying:
                raise
            raise CommandError(words or _failed(self._applying, error)) from error

    def migration_progress_callback(
        self, action: str, migration: Any = None, fake: bool = False
    ) -> None:
        """Remember the migration that is being applied, then report as Django does."""
        if action == "apply_start":
            self._applying = str(migration)
        super().migration_progress_callback(action, migration, fake)


def _seconds(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 86_400:
        raise argparse.ArgumentTypeError(f"{value} is not between 0 and 86400 seconds")
    return value


@contextlib.contextmanager
def _alone(cursor: Any, wait: int) -> Iterator[None]:
    """Keep other processes from migrating meanwhile. Raises CommandError if the lock is
    not free in time.
    """
    cursor.execute(
        "SELECT set_config('lock_timeout', %s, false)", [f"{max(wait * 1000, 1)}ms"]
    )
    # A migration may rewrite a large table: the time limit of requests does not apply.
    cursor.execute("SELECT set_config('statement_timeout', '0', false)")
    try:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK_KEY])
    except OperationalError as error:
        if not isinstance(_origin(error), errors.LockNotAvailable):
            raise
        raise CommandError(
            f"another process has been migrating for more than {wait} s; wait for it or end it, then migrate again"
        ) from error
    try:
        yield
    finally:
        # A lost connection has released the lock already, and the original error is the
        # one to raise.
        with contextlib.suppress(DatabaseError, InterfaceError):
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK_KEY])
            cursor.execute("RESET lock_timeout")
            cursor.execute("RESET statement_timeout")


def _make_schema(cursor: Any) -> None:
    schema = settings.DATABASE_SCHEMA
    cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema])
    if cursor.fetchone() is None:
        cursor.execute(f'CREATE SCHEMA "{schema}"')


def _origin(error: BaseException) -> BaseException:
    """Return the error of the driver, which Django wraps, sometimes twice and without
    naming it as the cause.
    """
    while (
        not isinstance(error, psycopg.Error)
        and (inner := error.__cause__ or error.__context__) is not None
    ):
        error = inner
    return error


def _failed(migration: str, error: BaseException) -> str:
    """Return the message for an error of the migration itself: an operator cannot fix
    it, but can go back.
    """
    return (
        f"migration {migration} failed: {str(_origin(error)).strip()}\n"
        "It was rolled back, and the previous release still works: go back to that one (`--traceback` shows where "
        "it failed)."
    )


def _words(error: DatabaseError | InterfaceError, wait: int) -> str | None:
    """Return cause and remedy of an error that an operator can fix, or None if the
    migration itself is at fault.
    """
    origin = _origin(error)
    text = str(origin).strip()
    match origin:
        case errors.LockNotAvailable():
            return (
                f"another session has held a table for more than {wait} s ({text.splitlines()[0]}); "
                "stop what uses the database, the earlier system too, then migrate again"
            )
        case errors.InsufficientPrivilege():
            return (
                f"the database's role may not do that: {text}\n"
                "The owner must grant the missing right (ALTER TABLE … OWNER TO, GRANT CREATE ON SCHEMA … TO), "
                "then migrate again."
            )
        case psycopg.IntegrityError():
            return f"rows in the database violate a constraint: {text}\nCorrect or remove them, then migrate again."
        case psycopg.OperationalError() if (
            origin.sqlstate
            and not origin.sqlstate.startswith(("08", "57P", "28", "3D"))
        ):
            return f"the database could not migrate: {text}"
        case psycopg.OperationalError() | psycopg.InterfaceError():
            return f"the database is unreachable: {text}"
    return None

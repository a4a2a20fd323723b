"""What `migrate` says where it cannot: one cause, one remedy, a non-zero exit, no
traceback.
"""

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations import RunSQL

from discovery.management.commands.migrate import LOCK_KEY
from tests.adoption.adoption_databases import Database, MakeDatabase, administer

WAITING = """
SELECT pid FROM pg_stat_activity, pg_sleep(0.02)
WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = 'relation'
"""


def failure(done: "subprocess.CompletedProcess[str]") -> str:
    """The words on standard error of a command that failed without a traceback."""
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


@contextlib.contextmanager
def reader_of_runs(
    database: Database,
) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A session of the earlier system that has read the runs and left its transaction
    open.
    """
    with database.session() as session, session.transaction():
        session.execute("SELECT count(*) FROM discovery_runs")
        yield session


def test_a_database_out_of_reach_is_told(earlier: Database) -> None:
    done = earlier.manage(
        "migrate", DATABASE_URL="postgresql://walltrack:s3cret@127.0.0.1:1/walltrack"
    )

    words = failure(done)
    assert words.startswith("CommandError: the database is unreachable: ")
    assert "127.0.0.1" in words
    assert "s3cret" not in words


def test_a_lock_held_by_another_process_is_told_and_nothing_is_changed(
    make_database: MakeDatabase,
) -> None:
    database = make_database(schema="walltrack")
    with database.session() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [LOCK_KEY])
        words = failure(database.manage("migrate", "--lock-wait", "0"))

    assert words == (
        "CommandError: another process has been migrating for more than 0 s; wait for it or end it, then migrate again"
    )
    assert database.rows("SELECT to_regnamespace('walltrack')::text") == [(None,)]


@pytest.mark.parametrize("wait", ["-1", "86401", "soon"])
def test_a_wait_out_of_bounds_is_refused(wait: str) -> None:
    with pytest.raises(CommandError, match="--lock-wait"):
        call_command("migrate", f"--lock-wait={wait}")


def test_a_table_in_use_by_another_session_is_told(
    make_database: MakeDatabase, earlier: Database, point_at: Callable[..., None]
) -> None:
    database = make_database(earlier)
    point_at(database)

    told = "another session has held a table for more than 1 s .*, then migrate again"
    with reader_of_runs(database), pytest.raises(CommandError, match=told):
        call_command("migrate", "--lock-wait=1", verbosity=0)

    assert database.catalogue() == earlier.catalogue()


def test_a_connection_lost_while_migrating_is_told(
    make_database: MakeDatabase, earlier: Database
) -> None:
    database = make_database(earlier)
    deadline = time.monotonic() + 30
    with reader_of_runs(database):
        process = database.start("migrate")
        while not (waiting := database.rows(WAITING)):
            assert process.poll() is None
            assert time.monotonic() < deadline
        database.rows("SELECT pg_terminate_backend(%(pid)s)", pid=waiting[0][0])
        out, err = process.communicate(timeout=60)

    words = failure(
        subprocess.CompletedProcess(process.args, process.returncode, out, err)
    )
    assert words.startswith(
        "CommandError: the database is unreachable: terminating connection"
    )


def test_a_role_that_does_not_own_the_tables_is_told(
    make_database: MakeDatabase, earlier: Database, point_at: Callable[..., None]
) -> None:
    database = make_database(earlier)
    role = f"{database.name}_guest"
    administer("CREATE ROLE {} LOGIN PASSWORD 'guest'", role)
    try:
        database.run(f"GRANT USAGE, CREATE ON SCHEMA public TO {role}")
        point_at(database, USER=role, PASSWORD="guest")

        with pytest.raises(
            CommandError, match=r"(?s)must be owner of table discovery_.*OWNER TO"
        ):
            call_command("migrate", verbosity=0)
    finally:
        database.run(f"DROP OWNED BY {role}")
        administer("DROP ROLE {}", role)


def test_a_role_that_may_make_no_tables_is_told(
    make_database: MakeDatabase, point_at: Callable[..., None]
) -> None:
    database = make_database()
    role = f"{database.name}_guest"
    administer("CREATE ROLE {} LOGIN PASSWORD 'guest'", role)
    try:
        point_at(database, USER=role, PASSWORD="guest")

        with pytest.raises(
            CommandError,
            match=r"(?s)permission denied for schema public.*GRANT CREATE ON SCHEMA",
        ):
            call_command("migrate", verbosity=0)
    finally:
        administer("DROP ROLE {}", role)


def test_a_migration_that_fails_is_named_with_its_cause(
    make_database: MakeDatabase,
    point_at: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    point_at(make_database())
    first = import_module("discovery.migrations.0005_groups").Migration
    monkeypatch.setattr(first, "operations", [RunSQL("SELECT of_no_such_column")])

    told = r"migration discovery\.0005_groups failed: column \"of_no_such_column\" does not exist"
    with pytest.raises(CommandError, match=told):
        call_command("migrate", verbosity=0)


@pytest.mark.parametrize("option", ["--plan", "--check"])
def test_only_looking_at_what_is_to_be_done_makes_no_schema(
    option: str,
    make_database: MakeDatabase,
    point_at: Callable[..., None],
    settings: Any,
) -> None:
    database = make_database()
    point_at(database)
    settings.DATABASE_SCHEMA = "walltrack"

    with contextlib.suppress(
        SystemExit
    ):  # --check says with its exit code that there is something to be done
        call_command("migrate", option, verbosity=0)

    assert database.rows("SELECT to_regnamespace('walltrack')::text") == [(None,)]


def test_the_limits_of_the_session_are_as_before_afterwards(
    adopted: Database, point_at: Callable[..., None]
) -> None:
    point_at(adopted)
    limits = (
        "SELECT current_setting('lock_timeout'), current_setting('statement_timeout')"
    )

    call_command("migrate", "--plan", verbosity=0)

    with connection.cursor() as cursor:
        cursor.execute(limits)
        assert cursor.fetchone() == ("20s", "1min")

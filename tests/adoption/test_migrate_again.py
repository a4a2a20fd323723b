# ruff: noqa: S608  SQL of fixed values; nothing comes from outside
"""Migrating a second time, from several processes, and back to zero and up again."""

from typing import Any

import pytest

from tests.adoption.adoption_databases import (
    MINT_1,
    TABLES,
    WALLET_A,
    Database,
    MakeDatabase,
)

USED = f"""
UPDATE discovery_wallets SET status = 'blacklisted', label = 'rug', note = 'seen twice' WHERE address = '{WALLET_A}';
UPDATE discovery_config SET max_tokens = 33, version = 4;
WITH run AS (
    INSERT INTO discovery_runs (started_at, status, trigger_type, stage, funnel, errors)
    VALUES ('2025-12-01 10:00+00', 'running', 'manual', 'analyse', '{{"bought": 3}}',
        '[{{"step": "a", "code": "b", "message": "c"}}]')
    RETURNING id
), token AS (
    INSERT INTO discovery_run_tokens (run_id, mint) SELECT id, '{MINT_1}' FROM run
), step AS (
    INSERT INTO discovery_run_steps (run_id, kind, key) SELECT id, 'token', '{MINT_1}' FROM run
)
INSERT INTO discovery_run_wallets (run_id, wallet_address, source_token, profit_pct, row_version)
SELECT id, '{WALLET_A}', '{MINT_1}', 120, 1 FROM run;
"""


def contents(database: Database) -> dict[str, list[Any]]:
    """Every row of every table, as text."""
    tables = [name for name, kind in database.relations() if kind == "r"]
    with database.session() as session:
        return {
            table: sorted(session.execute(f"SELECT t::text FROM {table} t").fetchall())
            for table in tables
        }


def test_migrating_twice_changes_nothing(
    make_database: MakeDatabase, adopted: Database
) -> None:
    database = make_database(adopted, script=USED)
    before = database.relations(), database.catalogue(), contents(database)

    database.migrate(DISCOVERY_SCHEDULE_HOURS="24", DISCOVERY_SCHEDULER_ENABLED="true")

    assert (database.relations(), database.catalogue(), contents(database)) == before


def test_three_processes_at_once_all_succeed_and_make_one_set_of_tables(
    make_database: MakeDatabase,
    earlier: Database,
    adopted: Database,
    earlier_columns: dict[str, list[str]],
) -> None:
    database = make_database(earlier)
    processes = [database.start("migrate") for _ in range(3)]
    outcomes = [
        (process.communicate(timeout=60), process.returncode) for process in processes
    ]

    assert [code for _, code in outcomes] == [0, 0, 0], outcomes
    assert database.relations() == adopted.relations()
    assert database.catalogue() == adopted.catalogue()
    assert database.earlier_rows(earlier_columns) == adopted.earlier_rows(
        earlier_columns
    )
    applied = "SELECT app, name FROM django_migrations ORDER BY 1, 2"
    assert database.rows(applied) == adopted.rows(applied)


@pytest.fixture(scope="module")
def used(make_kept_database: MakeDatabase, adopted: Database) -> Database:
    """An adopted database that the product has worked on. Read only."""
    return make_kept_database(adopted, script=USED)


@pytest.fixture(scope="module")
def zeroed(make_kept_database: MakeDatabase, used: Database) -> Database:
    """The same, migrated to zero. Read only."""
    database = make_kept_database(used)
    database.migrate("discovery", "zero")
    return database


@pytest.fixture(scope="module")
def up_again(make_kept_database: MakeDatabase, zeroed: Database) -> Database:
    """The same, migrated again. Read only."""
    database = make_kept_database(zeroed)
    database.migrate()
    return database


@pytest.mark.parametrize("table", TABLES)
def test_zero_keeps_every_row_in_the_original_columns(
    table: str, zeroed: Database, used: Database, earlier_columns: dict[str, list[str]]
) -> None:
    before = used.earlier_rows(earlier_columns)[table]

    assert before
    assert zeroed.earlier_rows(earlier_columns)[table] == before


def test_zero_leaves_the_tables_as_the_earlier_system_made_them(
    zeroed: Database, earlier: Database
) -> None:
    assert zeroed.catalogue() == earlier.catalogue()


def test_zero_removes_every_table_that_the_product_added(
    zeroed: Database, earlier: Database
) -> None:
    left = [
        row for row in zeroed.relations() if "discovery" in row[0] or "idx" in row[0]
    ]

    assert left == earlier.relations()


def test_up_again_ends_as_in_a_fresh_install(
    up_again: Database, fresh: Database
) -> None:
    assert up_again.catalogue() == fresh.catalogue()
    assert up_again.relations() == fresh.relations()


@pytest.mark.parametrize("table", TABLES)
def test_up_again_every_row_is_kept(
    table: str,
    up_again: Database,
    used: Database,
    earlier_columns: dict[str, list[str]],
) -> None:
    assert (
        up_again.earlier_rows(earlier_columns)[table]
        == used.earlier_rows(earlier_columns)[table]
    )


def test_up_again_the_wallets_found_before_are_on_the_watchlist(
    up_again: Database,
) -> None:
    assert up_again.rows(
        "SELECT status, discovery_count FROM discovery_wallets WHERE address = %(a)s",
        a=WALLET_A,
    ) == [("insufficient_data", 3)]

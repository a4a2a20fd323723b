# ruff: noqa: S608  SQL of fixed values; nothing comes from outside
"""Databases of the earlier system as they are found in the wild: each ends like a fresh
install, with its rows.
"""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from tests.adoption.adoption_databases import (
    ALL_ROWS,
    CONFIG_ROW,
    CREATE_ALL,
    CREATE_CONFIG,
    CREATE_RUN_WALLETS,
    CREATE_RUNS,
    EARLIER,
    NULL_CONFIG,
    RUN_ROWS,
    RUN_WALLET_ROWS,
    Database,
    MakeDatabase,
    column_names,
)

KEY = "FOREIGN KEY (run_id) REFERENCES discovery_runs (id)"
WITHOUT_KEY = "ALTER TABLE discovery_run_wallets DROP CONSTRAINT discovery_run_wallets_run_id_fkey;"
WITHOUT_CHECK = "ALTER TABLE discovery_config DROP CONSTRAINT single_config_row;"
FURTHER_INDEXES = """
CREATE INDEX idx_runs_by_trigger ON discovery_runs (trigger_type, started_at DESC) WHERE status <> 'failed';
CREATE UNIQUE INDEX idx_drw_score ON discovery_run_wallets (initial_score, id);
"""
# What differs from the earlier system's own script.
VARIANTS = {
    "check named single_row, key without cascade": f"""
        ALTER TABLE discovery_config RENAME CONSTRAINT single_config_row TO single_row;
        {WITHOUT_KEY} ALTER TABLE discovery_run_wallets ADD CONSTRAINT discovery_run_wallets_run_id_fkey {KEY};""",
    "check without a name, key deferrable, further indexes": f"""
        {WITHOUT_CHECK} ALTER TABLE discovery_config ADD CHECK (id = 1);
        {WITHOUT_KEY} ALTER TABLE discovery_run_wallets ADD CONSTRAINT run_id_5c1f_fk_runs_id {KEY}
            DEFERRABLE INITIALLY DEFERRED;
        {FURTHER_INDEXES}""",
    "check twice, key under another name, nulls in the config row, no indexes": f"""
        ALTER TABLE discovery_config ADD CONSTRAINT single_row CHECK (id = 1);
        ALTER TABLE discovery_run_wallets RENAME CONSTRAINT discovery_run_wallets_run_id_fkey TO fk_run;
        DROP INDEX idx_discovery_runs_started, idx_discovery_runs_status, idx_drw_run, idx_drw_wallet;
        {NULL_CONFIG}""",
    "no check, key twice": f"""
        {WITHOUT_CHECK} ALTER TABLE discovery_run_wallets ADD CONSTRAINT a_key_before_ours {KEY};""",
    "check not validated, no key": f"""
        {WITHOUT_CHECK} ALTER TABLE discovery_config ADD CONSTRAINT single_config_row CHECK (id = 1) NOT VALID;
        {WITHOUT_KEY}""",
}
PARTS = {
    "only the configuration": CREATE_CONFIG + CONFIG_ROW,
    "runs and their wallets": CREATE_RUNS
    + CREATE_RUN_WALLETS
    + RUN_ROWS
    + RUN_WALLET_ROWS,
}
TWO_SCHEMAS = f"CREATE SCHEMA walltrack; {EARLIER} SET search_path = public; {CREATE_ALL} {ALL_ROWS}"
NO_CONFIG_ROW = CREATE_ALL + "DELETE FROM discovery_config"
ORPHANS = (
    f"{EARLIER} {WITHOUT_KEY} DELETE FROM discovery_runs WHERE status = 'completed'"
)


@dataclass
class Migrated:
    """A database before and after `migrate`, and how that went."""

    database: Database
    columns: dict[str, list[str]]  # of the tables that were there
    rows: dict[str, Any]
    catalogue: dict[str, Any]
    relations: list[Any]
    public: list[Any]
    outcome: "subprocess.CompletedProcess[str] | None" = None


@pytest.fixture(scope="module")
def migrated(
    make_kept_database: MakeDatabase, earlier: Database
) -> dict[str, Migrated]:
    """Every database of this module by its name. Made at once: two migrations side by
    side take the time of one.
    """
    databases = {
        name: make_kept_database(earlier, script=script)
        for name, script in VARIANTS.items()
    }
    databases |= {
        name: make_kept_database(script=script) for name, script in PARTS.items()
    }
    databases["two schemas"] = make_kept_database(
        schema="walltrack", script=TWO_SCHEMAS
    )
    databases["no schema"] = make_kept_database(schema="walltrack")
    databases["no config row"] = make_kept_database(script=NO_CONFIG_ROW)
    databases["orphans"] = make_kept_database(script=ORPHANS)
    found = {}
    for name, database in databases.items():
        columns = {
            table: names
            for table, names in column_names(database.columns()).items()
            if names
        }
        found[name] = Migrated(
            database,
            columns,
            database.earlier_rows(columns),
            database.catalogue() if columns else {},
            database.relations(),
            database.relations("public"),
        )
    seeds = {"DISCOVERY_SCHEDULE_HOURS": "12", "DISCOVERY_SCHEDULER_ENABLED": "false"}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        running = {
            name: pool.submit(database.manage, "migrate", **seeds)
            for name, database in databases.items()
        }
    for name, outcome in running.items():
        found[name].outcome = outcome.result()
    return found


def adopted(migrated: dict[str, Migrated], name: str) -> Migrated:
    """One of them; its migration must have succeeded."""
    one = migrated[name]
    assert one.outcome is not None
    assert one.outcome.returncode == 0, one.outcome.stderr
    return one


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_ends_with_the_columns_and_constraints_of_a_fresh_install(
    name: str, migrated: dict[str, Migrated], fresh: Database, earlier: Database
) -> None:
    variant = adopted(migrated, name)

    ends, wanted = variant.database.catalogue(), fresh.catalogue()

    assert variant.catalogue["constraints"] != earlier.constraints()
    assert ends["columns"] == wanted["columns"]
    assert ends["constraints"] == wanted["constraints"]


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_ends_with_the_indexes_of_a_fresh_install_and_its_own(
    name: str, migrated: dict[str, Migrated], fresh: Database, earlier: Database
) -> None:
    variant = adopted(migrated, name)
    own = set(variant.catalogue["indexes"]) - set(earlier.indexes())

    assert {index for _, index, _ in own} == (
        {"idx_runs_by_trigger", "idx_drw_score"} if "further" in name else set()
    )
    assert set(variant.database.indexes()) == set(fresh.indexes()) | own


@pytest.mark.parametrize("name", [*VARIANTS, *PARTS, "two schemas"])
def test_a_variant_keeps_every_row_and_value(
    name: str, migrated: dict[str, Migrated]
) -> None:
    variant = adopted(migrated, name)

    assert any(variant.rows.values())
    assert variant.database.earlier_rows(variant.columns) == variant.rows


@pytest.mark.parametrize("name", [*PARTS, "two schemas", "no schema", "no config row"])
def test_what_is_missing_is_made_as_in_a_fresh_install(
    name: str, migrated: dict[str, Migrated], fresh: Database
) -> None:
    database = adopted(migrated, name).database

    assert database.catalogue() == fresh.catalogue()
    assert database.relations() == fresh.relations()


def test_a_missing_config_row_is_made_from_the_environment(
    migrated: dict[str, Migrated],
) -> None:
    [row] = adopted(migrated, "no config row").database.rows(
        "SELECT id, enabled, schedule_hours, min_price_change_pct::text, min_volume_usd::text, max_token_age_hours,"
        " early_window_minutes, min_profit_pct::text, max_tokens, profile_immediately, updated_by,"
        " updated_at IS NOT NULL, version FROM discovery_config"
    )

    assert row == (
        1,
        False,
        12,
        "100.00",
        "50000.00",
        72,
        30,
        "50.00",
        20,
        True,
        None,
        True,
        1,
    )


def test_a_fresh_install_has_the_default_config_row(fresh: Database) -> None:
    assert fresh.rows(
        "SELECT id, enabled, schedule_hours, version FROM discovery_config"
    ) == [(1, True, 6, 1)]


def test_tables_of_the_same_names_in_public_are_left_as_they_were(
    migrated: dict[str, Migrated],
    earlier: Database,
    earlier_columns: dict[str, list[str]],
) -> None:
    two = adopted(migrated, "two schemas")
    public = Database(two.database.name)

    assert two.public == earlier.relations()
    assert public.relations() == two.public
    assert public.catalogue() == earlier.catalogue()
    assert public.earlier_rows(earlier_columns) == earlier.earlier_rows(earlier_columns)


def test_a_schema_that_is_missing_is_made_and_public_stays_empty(
    migrated: dict[str, Migrated],
) -> None:
    assert adopted(migrated, "no schema").database.relations("public") == []


def test_rows_that_stand_in_the_way_are_named_with_a_remedy(
    migrated: dict[str, Migrated],
) -> None:
    outcome = migrated["orphans"].outcome

    assert outcome is not None
    assert outcome.returncode == 1
    assert outcome.stderr.startswith(
        "CommandError: rows in the database violate a constraint: "
    )
    assert 'is not present in table "discovery_runs"' in outcome.stderr
    assert "then migrate again" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_rows_that_stand_in_the_way_leave_the_tables_as_they_were(
    migrated: dict[str, Migrated],
) -> None:
    orphans = migrated["orphans"]

    assert orphans.database.catalogue() == orphans.catalogue
    assert orphans.database.earlier_rows(orphans.columns) == orphans.rows
    assert [row for row in orphans.database.relations() if "discovery" in row[0]] == [
        row for row in orphans.relations if "discovery" in row[0]
    ]

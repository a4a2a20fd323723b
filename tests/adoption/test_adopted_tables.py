"""The earlier system's tables with its rows, after `migrate`: nothing lost, and the
same as a fresh install.
"""

from collections import Counter

import psycopg
import pytest

from tests.adoption.adoption_databases import (
    MINT_1,
    RUN_FULL,
    TABLES,
    WALLET_A,
    WALLET_B,
    WALLET_C,
    Database,
)


def test_the_rows_to_adopt_hold_every_awkward_case(earlier: Database) -> None:
    repeated = Counter(
        earlier.rows(
            "SELECT run_id, wallet_address, source_token FROM discovery_run_wallets"
        )
    )

    assert max(repeated.values()) == 2
    assert earlier.rows(
        "SELECT count(*) FROM discovery_runs WHERE status = 'running'"
    ) == [(2,)]
    assert earlier.rows("SELECT count(*) FROM discovery_runs WHERE errors IS NULL") == [
        (2,)
    ]


@pytest.mark.parametrize("table", TABLES)
def test_every_row_and_value_is_kept(
    table: str,
    earlier: Database,
    adopted: Database,
    earlier_columns: dict[str, list[str]],
) -> None:
    before = earlier.earlier_rows(earlier_columns)[table]

    assert before
    assert adopted.earlier_rows(earlier_columns)[table] == before


def test_a_changed_config_row_is_not_overwritten_by_the_environment(
    adopted: Database,
) -> None:
    assert adopted.rows("SELECT enabled, schedule_hours FROM discovery_config") == [
        (False, 12)
    ]


def test_columns_end_as_in_a_fresh_install(adopted: Database, fresh: Database) -> None:
    assert adopted.columns() == fresh.columns()


def test_constraints_end_as_in_a_fresh_install(
    adopted: Database, fresh: Database
) -> None:
    assert adopted.constraints() == fresh.constraints()


def test_indexes_end_as_in_a_fresh_install(adopted: Database, fresh: Database) -> None:
    assert adopted.indexes() == fresh.indexes()


def test_a_fresh_install_has_the_columns_of_the_earlier_system_unchanged(
    earlier: Database, fresh: Database
) -> None:
    missing = set(earlier.columns()) - set(fresh.columns())

    assert not missing


def test_a_fresh_install_has_the_constraints_and_indexes_of_the_earlier_system(
    earlier: Database, fresh: Database
) -> None:
    missing = set(earlier.constraints() + earlier.indexes()) - set(
        fresh.constraints() + fresh.indexes()
    )

    assert not missing


def test_the_added_columns_are_nullable_or_have_a_default(
    adopted: Database, earlier: Database
) -> None:
    added = {row[:2]: row for row in adopted.columns()}
    for row in earlier.columns():
        del added[row[:2]]

    assert added
    assert [
        name for name, row in added.items() if row[6] == "NO" and row[7] is None
    ] == []


def test_wallets_of_earlier_runs_are_on_the_watchlist_unprofiled(
    adopted: Database,
) -> None:
    kept = adopted.rows(
        "SELECT address, status, score, discovery_count, label, note FROM discovery_wallets ORDER BY 1"
    )

    assert kept == [
        (WALLET_A, "insufficient_data", None, 2, "", ""),
        (WALLET_B, "insufficient_data", None, 1, "", ""),
        (WALLET_C, "insufficient_data", None, 1, "", ""),
    ]


def test_wallets_of_earlier_runs_are_known_not_new(adopted: Database) -> None:
    assert adopted.rows("SELECT DISTINCT first_run_id FROM discovery_wallets") == [
        (None,)
    ]


def test_first_and_last_discovery_are_when_the_earlier_system_wrote_the_wallet(
    adopted: Database,
) -> None:
    query = """
        SELECT (first_discovered_at AT TIME ZONE 'UTC')::text, (last_discovered_at AT TIME ZONE 'UTC')::text
        FROM discovery_wallets WHERE address = %(address)s
    """

    assert adopted.rows(query, address=WALLET_A) == [
        ("2025-11-01 10:01:00", "2025-11-03 10:00:10")
    ]


def test_a_wallet_row_without_a_time_counts_from_the_start_of_its_run(
    adopted: Database,
) -> None:
    query = """
        SELECT (first_discovered_at AT TIME ZONE 'UTC')::text, (last_discovered_at AT TIME ZONE 'UTC')::text
        FROM discovery_wallets WHERE address = %(address)s
    """

    assert adopted.rows(query, address=WALLET_C) == [
        ("2025-11-03 10:00:00", "2025-11-03 10:00:00")
    ]


def test_the_earlier_system_can_still_insert_a_run_and_its_wallets(
    adopted: Database,
) -> None:
    with adopted.undone() as session:
        [(run_id,)] = session.execute(
            "INSERT INTO discovery_runs (started_at, trigger_type, triggered_by, min_price_change_pct, max_tokens)"
            " VALUES (now(), 'scheduled', 'scheduler', 100, 20) RETURNING id"
        )
        for _ in range(2):
            session.execute(
                "INSERT INTO discovery_run_wallets (run_id, wallet_address, source_token) VALUES (%s, %s, %s)",
                [run_id, WALLET_A, MINT_1],
            )
        run = session.execute(
            "SELECT status, tokens_analyzed, errors, created_at IS NOT NULL, stage FROM discovery_runs WHERE id = %s",
            [run_id],
        ).fetchall()
        wallets = session.execute(
            "SELECT is_new, created_at IS NOT NULL FROM discovery_run_wallets WHERE run_id = %s",
            [run_id],
        ).fetchall()

    assert run == [("running", 0, [], True, None)]
    assert wallets == [(True, True), (True, True)]


def test_the_earlier_system_can_still_insert_the_default_config_row(
    adopted: Database,
) -> None:
    with adopted.undone() as session:
        session.execute("DELETE FROM discovery_config")
        session.execute(
            "INSERT INTO discovery_config (id) VALUES (1) ON CONFLICT (id) DO NOTHING"
        )
        row = session.execute(
            "SELECT enabled, schedule_hours, max_tokens, updated_by FROM discovery_config"
        ).fetchone()

    assert row == (True, 6, 20, None)


def test_a_second_config_row_is_refused(adopted: Database) -> None:
    with (
        adopted.undone() as session,
        pytest.raises(psycopg.errors.CheckViolation, match="single_config_row"),
    ):
        session.execute("INSERT INTO discovery_config (id) VALUES (2)")


def test_a_run_deleted_with_plain_sql_takes_its_wallets_along(
    adopted: Database,
) -> None:
    with adopted.undone() as session:
        session.execute("DELETE FROM discovery_runs WHERE id = %s", [RUN_FULL])
        session.execute("SET CONSTRAINTS ALL IMMEDIATE")
        left = session.execute("SELECT count(*) FROM discovery_run_wallets").fetchone()

    assert left == (2,)

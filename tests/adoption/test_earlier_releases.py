# ruff: noqa: S608  SQL of fixed values; nothing comes from outside
"""A database of any earlier release, once migrated, equals one that was made from
nothing.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from tests.adoption.adoption_databases import (
    CREATE_ALL,
    EARLIER,
    RUN_FULL,
    Database,
    MakeDatabase,
)
from tests.adoption.release_databases import (
    APPLIED,
    AS_THE_FIRST_RELEASE,
    FORGET_DISCOVERY,
    GROUPS,
    MIGRATIONS,
    PERMISSIONS,
    column_order,
    connected_to,
    full_catalogue,
    migrate,
    release_script,
)
from tests.adoption.test_adoption_variants import VARIANTS

LAST = MIGRATIONS[-1]
WITH_TABLES_OF = {"nothing": "", "the earlier system": EARLIER}


@pytest.fixture(autouse=True)
def _unblocked(django_db_blocker: Any) -> Iterator[None]:
    """Migrations run in this process, on databases of their own."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="module")
def other_apps(make_kept_database: MakeDatabase, fresh: Database) -> Database:
    """The tables of the other apps alone. Read only."""
    return make_kept_database(fresh, script=FORGET_DISCOVERY)


@pytest.fixture(scope="module")
def upgrade(
    make_kept_database: MakeDatabase, other_apps: Database
) -> Callable[[str, str], Database]:
    """`upgrade(migration, origin)`: the database of a release, migrated once for all
    tests. Read only.
    """
    databases: dict[tuple[str, str], Database] = {}

    def upgrade(last: str, origin: str) -> Database:
        if (last, origin) not in databases:
            script = WITH_TABLES_OF[origin] + release_script(last)
            databases[last, origin] = make_kept_database(other_apps, script=script)
            migrate(databases[last, origin])
        return databases[last, origin]

    return upgrade


@pytest.fixture(params=WITH_TABLES_OF)
def origin(request: pytest.FixtureRequest) -> str:
    """What the database held before its first migration."""
    return str(request.param)


@pytest.fixture(params=MIGRATIONS)
def upgraded(
    request: pytest.FixtureRequest, origin: str, upgrade: Callable[[str, str], Database]
) -> Database:
    """A database of a release, migrated. Read only."""
    return upgrade(request.param, origin)


@pytest.fixture
def last_release(make_database: MakeDatabase, other_apps: Database) -> Database:
    """An adopted database as the last release left it, not migrated yet."""
    return make_database(other_apps, script=EARLIER + release_script(LAST))


def watchlist(database: Database) -> list[Any]:
    return [
        address
        for (address,) in database.rows(
            "SELECT address FROM discovery_wallets ORDER BY 1"
        )
    ]


def test_a_database_of_a_release_ends_with_the_catalogue_of_a_fresh_one(
    upgraded: Database, fresh: Database
) -> None:
    assert full_catalogue(upgraded) == full_catalogue(fresh)


def test_a_database_of_a_release_ends_with_the_column_order_of_a_fresh_one(
    upgraded: Database, fresh: Database
) -> None:
    assert column_order(upgraded) == column_order(fresh)


def test_a_database_of_a_release_ends_with_the_records_of_a_fresh_one(
    upgraded: Database, fresh: Database
) -> None:
    assert upgraded.rows(APPLIED) == fresh.rows(APPLIED)


@pytest.mark.parametrize("query", [PERMISSIONS, GROUPS], ids=["permissions", "groups"])
def test_a_database_of_a_release_ends_with_the_rights_of_a_fresh_one(
    query: str, upgraded: Database, fresh: Database
) -> None:
    assert upgraded.rows(query) == fresh.rows(query)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_that_a_release_adopted_ends_with_the_constraints_of_a_fresh_one(
    name: str, make_database: MakeDatabase, other_apps: Database, fresh: Database
) -> None:
    database = make_database(
        other_apps, script=EARLIER + VARIANTS[name] + release_script(LAST)
    )

    migrate(database)

    assert full_catalogue(database)["columns"] == full_catalogue(fresh)["columns"]
    assert (
        full_catalogue(database)["constraints"] == full_catalogue(fresh)["constraints"]
    )


def test_a_database_of_the_first_release_ends_with_the_catalogue_of_a_fresh_one(
    make_database: MakeDatabase, other_apps: Database, fresh: Database
) -> None:
    script = EARLIER + release_script("0003_known_wallets") + AS_THE_FIRST_RELEASE
    database = make_database(other_apps, script=script)

    migrate(database)

    assert full_catalogue(database) == full_catalogue(fresh)


def test_a_database_of_the_last_release_needs_only_the_migrations_after_the_schema(
    last_release: Database,
) -> None:
    with connected_to(last_release):
        loader = MigrationLoader(connection)
        pending = [
            key for key in loader.graph.nodes if key not in loader.applied_migrations
        ]

    names = [name for _app, name in sorted(pending)]
    assert names == [
        "0008_align",
        "0009_rename_models",
        "0010_descriptions",
        "0011_trade_reconciliation",
        "0012_known_results",
        "0013_pool_reserves",
        "0014_judgements",
        "0015_late_prices",
        "0016_upkeep_and_forward_record",
        "0017_provider_check",
        "0018_early_buyer_maximum",
    ]


def test_migrating_a_database_of_a_release_twice_changes_nothing(
    last_release: Database,
) -> None:
    migrate(last_release)
    before = full_catalogue(last_release), last_release.rows(APPLIED)

    migrate(last_release)

    assert (full_catalogue(last_release), last_release.rows(APPLIED)) == before


def test_a_replaced_migration_can_still_be_named(
    make_database: MakeDatabase, other_apps: Database, fresh: Database
) -> None:
    database = make_database(
        other_apps, script=CREATE_ALL + release_script("0004_workers_profiles_api")
    )

    migrate(database, "discovery", "0006_token_creator")
    migrate(database)

    assert full_catalogue(database) == full_catalogue(fresh)


def test_zero_from_a_release_leaves_the_tables_of_the_earlier_system(
    last_release: Database, earlier: Database
) -> None:
    migrate(last_release)

    migrate(last_release, "discovery", "zero")

    assert last_release.catalogue() == earlier.catalogue()


def test_wallets_found_by_the_earlier_system_later_stay_off_the_watchlist(
    last_release: Database,
) -> None:
    before = watchlist(last_release)
    last_release.run(
        "INSERT INTO discovery_run_wallets (run_id, wallet_address, source_token)"
        f" VALUES ('{RUN_FULL}', 'found later', 'token')"
    )

    migrate(last_release)

    assert before
    assert watchlist(last_release) == before


def test_a_wallet_that_was_deleted_does_not_come_back(last_release: Database) -> None:
    last_release.run("DELETE FROM discovery_wallets")

    migrate(last_release)

    assert watchlist(last_release) == []


def test_a_permission_that_was_taken_from_a_group_does_not_come_back(
    last_release: Database,
) -> None:
    last_release.run("DELETE FROM auth_group_permissions")

    migrate(last_release)

    assert last_release.rows(GROUPS) == [("operator", None), ("viewer", None)]


@pytest.mark.parametrize("last", MIGRATIONS[MIGRATIONS.index("0005_groups") :])
def test_a_group_that_was_deleted_does_not_come_back(
    last: str, make_database: MakeDatabase, other_apps: Database
) -> None:
    database = make_database(other_apps, script=release_script(last))
    database.run(
        "DELETE FROM auth_group_permissions; DELETE FROM auth_group WHERE name = 'viewer'"
    )

    migrate(database)

    assert database.rows(GROUPS) == [("operator", None)]


def test_a_group_that_exists_before_the_groups_are_made_is_not_changed(
    make_database: MakeDatabase, other_apps: Database
) -> None:
    database = make_database(
        other_apps, script="INSERT INTO auth_group (name) VALUES ('viewer')"
    )

    migrate(database)

    assert ("viewer", None) in database.rows(GROUPS)


def test_the_schema_in_one_step_ends_with_the_models_of_the_replaced_migrations() -> (
    None
):
    loader = MigrationLoader(None, replace_migrations=False)
    replaced = loader.project_state([("discovery", name) for name in MIGRATIONS])
    schema = loader.project_state(("discovery", "0002_schema"))

    assert described(schema) == described(replaced)


def described(state: ProjectState) -> dict[str, Any]:
    """Return fields and options of every model of the app; indexes and constraints by
    name, as their order is free.
    """
    models = {}
    for (app, name), model in state.models.items():
        if app != "discovery":
            continue
        options = dict(model.options)
        for kind in ("indexes", "constraints"):
            options[kind] = {item.name: item for item in options.get(kind, [])}
        fields = {
            field_name: field.deconstruct()[1:]
            for field_name, field in model.fields.items()
        }
        models[name] = fields, options
    return models

"""Databases in the states that the tests start from; made once, then copied."""

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from tests.adoption.adoption_databases import (
    EARLIER,
    Database,
    MakeDatabase,
    administer,
    column_names,
)


def _made(names: list[str]) -> MakeDatabase:
    def make(
        template: Database | None = None, *, schema: str = "public", script: str = ""
    ) -> Database:
        name = f"adoption_{uuid.uuid4().hex}"
        administer(
            "CREATE DATABASE {} TEMPLATE {}",
            name,
            template.name if template else "template0",
        )
        names.append(name)
        database = Database(name, template.schema if template else schema)
        if script:
            database.run(script)
        return database

    return make


def _dropped(names: list[str]) -> None:
    for name in names:
        administer("DROP DATABASE {} WITH (FORCE)", name)


@pytest.fixture(scope="session")
def make_kept_database() -> Iterator[MakeDatabase]:
    """Makes databases that live to the end of all tests."""
    names: list[str] = []
    yield _made(names)
    _dropped(names)


@pytest.fixture
def make_database() -> Iterator[MakeDatabase]:
    """Makes databases, empty or copies of one that nobody is connected to, for one
    test.
    """
    names: list[str] = []
    yield _made(names)
    _dropped(names)


@pytest.fixture(scope="session")
def earlier(make_kept_database: MakeDatabase) -> Database:
    """The earlier system's tables with rows. Read only: copy it to change it."""
    return make_kept_database(script=EARLIER)


@pytest.fixture(scope="session")
def earlier_columns(earlier: Database) -> dict[str, list[str]]:
    """The columns that the earlier system made, by table."""
    return column_names(earlier.columns())


@pytest.fixture(scope="session")
def installs(
    make_kept_database: MakeDatabase, earlier: Database
) -> tuple[Database, Database]:
    """An empty database and a copy of the earlier system's, both migrated, side by side
    because it is quicker.
    """
    empty, copy = make_kept_database(), make_kept_database(earlier)
    # Seeds for a missing configuration row. The copy has one, which says otherwise.
    seeds = {"DISCOVERY_SCHEDULE_HOURS": "3", "DISCOVERY_SCHEDULER_ENABLED": "true"}
    with ThreadPoolExecutor() as pool:
        for migration in (
            pool.submit(empty.migrate),
            pool.submit(copy.migrate, **seeds),
        ):
            migration.result()
    return empty, copy


@pytest.fixture(scope="session")
def fresh(installs: tuple[Database, Database]) -> Database:
    """A fresh install. Read only: copy it to change it."""
    return installs[0]


@pytest.fixture(scope="session")
def adopted(installs: tuple[Database, Database]) -> Database:
    """The earlier system's database after `migrate`. Read only: copy it to change it."""
    return installs[1]


@pytest.fixture
def point_at(django_db_blocker: Any) -> Iterator[Callable[..., None]]:
    """`point_at(database, USER="guest")`: models and commands in this process use that
    database until the test ends.
    """
    usual = dict(connection.settings_dict)

    def point(database: Database, **changed: str) -> None:
        connection.close()
        connection.settings_dict.update(NAME=database.name, **changed)

    with django_db_blocker.unblock():
        try:
            yield point
        finally:
            connection.close()
            connection.settings_dict.update(usual)


@pytest.fixture
def product(adopted: Database, point_at: Callable[..., None]) -> Iterator[None]:
    """Models in this process read and write the adopted database; every change is taken
    back.
    """
    point_at(adopted)
    with transaction.atomic():
        yield
        transaction.set_rollback(True)

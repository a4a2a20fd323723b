"""The room that the database takes, table by table."""

import pytest
from django.db import connection

from discovery.models import Trade
from discovery.reads.storage import NOT_OURS, TableSize, storage
from tests.pages.conftest import Person
from tests.pages.content import text

pytestmark = pytest.mark.django_db


def row(table: str) -> TableSize:
    return next(row for row in storage().tables if row.table == table)


def test_every_table_of_the_database_is_there(viewer: Person) -> None:
    words = set(text(viewer.page("storage/")).split())
    assert set(connection.introspection.table_names()) <= words


def test_a_table_has_its_retention_and_the_setting_that_changes_it(
    viewer: Person, settings
) -> None:
    settings.RETENTION_TRADES_DAYS = 99
    words = text(viewer.page("storage/"))
    assert "of other early buyers 99 days" in words
    assert "RETENTION_TRADES_DAYS" in words


def test_every_table_of_the_product_has_contents_and_a_retention() -> None:
    rows = storage().tables
    assert {row.table for row in rows if row.retention in {"", NOT_OURS}} == set()
    assert {row.table for row in rows if row.contents == row.table} == set()


def test_a_table_that_grows_is_shown_with_its_indexes() -> None:
    before = row(Trade._meta.db_table).size_bytes
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX more ON discovery_trades (slot)")
    assert row(Trade._meta.db_table).size_bytes > before


def test_a_table_of_somebody_else_is_shown_and_left_alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE strangers (id integer)")
    assert row("strangers").retention == NOT_OURS


def test_the_bound_of_runs_follows_the_schedule(settings) -> None:
    settings.DISCOVERY_SCHEDULE_HOURS = 12
    assert "730 rows a year" in row("discovery_runs").retention

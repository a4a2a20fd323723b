"""The room that the database takes."""

import pytest
from django.db import connection

from discovery.models import Trade
from discovery.reads.storage import storage
from tests.pages.conftest import Person
from tests.pages.content import text

pytestmark = pytest.mark.django_db


def test_every_table_is_there_with_its_size(viewer: Person, settings) -> None:
    settings.RETENTION_TRADES_DAYS = 99
    words = text(viewer.page("storage/"))
    assert "99 days once its wallet is off the watchlist" in words
    assert {"discovery_runs", "discovery_trades", "discovery_config_history"} <= set(
        words.split()
    )


def test_a_table_that_grows_is_told_with_its_indexes() -> None:
    def size() -> int:
        return next(
            row.size_bytes
            for row in storage().tables
            if row.table == Trade._meta.db_table
        )

    before = size()
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX more ON discovery_trades (slot)")
    assert size() > before

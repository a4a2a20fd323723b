"""The models were renamed: content types and permissions have the new names, and nobody
loses a permission.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.adoption.adoption_databases import Database, MakeDatabase
from tests.adoption.release_databases import (
    FORGET_DISCOVERY,
    GROUPS,
    MIGRATIONS,
    PERMISSIONS,
    full_catalogue,
    migrate,
    release_script,
)

BEFORE = "0008_align"
DESCRIBED = "0010_descriptions"
GRANT = """
INSERT INTO auth_user (username, password, first_name, last_name, email, is_superuser, is_staff, is_active, date_joined)
VALUES ('ana', '', '', '', '', false, true, true, now());
INSERT INTO auth_user_user_permissions (user_id, permission_id)
SELECT auth_user.id, auth_permission.id FROM auth_user, auth_permission WHERE codename = 'delete_discoverywallet';
"""
USERS = """
SELECT username, codename
FROM auth_user JOIN auth_user_user_permissions ON user_id = auth_user.id
    JOIN auth_permission ON auth_permission.id = permission_id
ORDER BY 1, 2
"""
CONTENT_TYPES = (
    "SELECT model FROM django_content_type WHERE app_label = 'discovery' ORDER BY 1"
)
REPEATED = """
SELECT codename
FROM auth_permission JOIN django_content_type ON django_content_type.id = content_type_id
WHERE app_label = 'discovery' GROUP BY 1 HAVING count(*) > 1
"""
# What the release before leaves when it migrates a database whose models have been
# renamed.
OLD_NAMES_AGAIN = """
INSERT INTO django_content_type (app_label, model) VALUES ('discovery', 'discoverywallet');
INSERT INTO auth_permission (content_type_id, codename, name)
SELECT id, 'view_discoverywallet', 'Can view wallet' FROM django_content_type WHERE model = 'discoverywallet';
"""


LATER_MODELS = (
    "balancechange",
    "tokenresult",
    "scoresnapshot",
    "runcontrol",
    "outcome",
    "outcometoken",
    "wallethistory",
)
"""Models that came after the renaming: Django keeps their content types."""


def is_of_later_model(row: tuple[str, ...]) -> bool:
    """Return True for a content type or a permission of such a model."""
    return any(model in cell for model in LATER_MODELS for cell in row)


@pytest.fixture(autouse=True)
def _unblocked(django_db_blocker: Any) -> Iterator[None]:
    """Migrations run in this process, on databases of their own."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="module")
def last_release(make_kept_database: MakeDatabase, fresh: Database) -> Database:
    """A database of the last release with groups and a user who has a permission. Read
    only.
    """
    return make_kept_database(
        fresh, script=FORGET_DISCOVERY + release_script(MIGRATIONS[-1]) + GRANT
    )


@pytest.fixture
def renamed(make_database: MakeDatabase, last_release: Database) -> Database:
    """The same after `migrate`."""
    database = make_database(last_release)
    migrate(database)
    return database


def test_no_content_type_keeps_an_old_name(renamed: Database) -> None:
    models = [model for (model,) in renamed.rows(CONTENT_TYPES)]

    assert "run" in models
    assert [model for model in models if "discovery" in model] == []


def test_no_permission_keeps_an_old_codename(renamed: Database) -> None:
    assert [row for row in renamed.rows(PERMISSIONS) if "discovery" in row[2]] == []


def test_every_group_keeps_its_permissions(
    renamed: Database, last_release: Database, fresh: Database
) -> None:
    before, after = last_release.rows(GROUPS), renamed.rows(GROUPS)

    assert len(after) == len(before)
    assert after == fresh.rows(GROUPS)


def test_a_user_keeps_a_permission(renamed: Database) -> None:
    assert renamed.rows(USERS) == [("ana", "delete_wallet")]


def test_renaming_changes_neither_tables_nor_columns(
    make_database: MakeDatabase, last_release: Database
) -> None:
    database = make_database(last_release)
    migrate(database, "discovery", BEFORE)
    before = full_catalogue(database)

    migrate(database, "discovery", DESCRIBED)

    assert full_catalogue(database) == before


@pytest.mark.parametrize("query", [CONTENT_TYPES, PERMISSIONS, GROUPS, USERS])
def test_going_back_restores_the_old_names(
    query: str, renamed: Database, last_release: Database
) -> None:
    migrate(renamed, "discovery", BEFORE)

    rows = [row for row in renamed.rows(query) if not is_of_later_model(row)]
    assert rows == last_release.rows(query)


def test_old_names_that_another_release_added_again_are_merged(
    renamed: Database, last_release: Database
) -> None:
    renamed.run(OLD_NAMES_AGAIN)

    migrate(renamed, "discovery", BEFORE)

    assert renamed.rows(REPEATED) == []
    assert renamed.rows(GROUPS) == last_release.rows(GROUPS)


def test_renaming_again_after_a_merge_repeats_no_permission(
    renamed: Database, fresh: Database
) -> None:
    renamed.run(OLD_NAMES_AGAIN)
    migrate(renamed, "discovery", BEFORE)

    migrate(renamed)

    assert renamed.rows(REPEATED) == []
    assert renamed.rows(GROUPS) == fresh.rows(GROUPS)

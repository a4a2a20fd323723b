"""Fixtures that all tests share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone

from discovery.domain.api_keys import new_key
from discovery.models import ApiKey, Config
from tests.groups import make_groups

REALDATA = Path(__file__).resolve().parents[2] / "shared" / "realdata"


@pytest.fixture(scope="session")
def realdata() -> Path:
    """The folder of captured transactions and responses beside the project. Without it
    the test is skipped.
    """
    if not REALDATA.is_dir():
        pytest.skip("real captured data is not beside the project (../shared/realdata)")
    return REALDATA


@pytest.fixture
def make_key(db: None) -> Callable[..., str]:
    """`make_key("read")`: an API key with this scope."""

    def make(scope: str, **values: Any) -> str:
        key = new_key()
        values = {
            "name": f"{scope} {key.prefix}",
            "last_used_at": timezone.now(),
            **values,
        }
        ApiKey.objects.create(
            prefix=key.prefix, secret_hash=key.secret_hash, scope=scope, **values
        )
        return key.text

    return make


@pytest.fixture
def groups(db: None) -> None:
    """The groups that a migration creates, also after a test that has emptied all
    tables.
    """
    make_groups()


@pytest.fixture
def person(groups: None) -> Callable[..., User]:
    """`person("viewer")`: a user in this group."""

    def make(group: str | None = None, **values: Any) -> User:
        user = User.objects.create_user(
            f"person {User.objects.count()}", **values
        )  # without a password: tests use force_login
        if group:
            user.groups.add(Group.objects.get(name=group))
        return user

    return make


@pytest.fixture
def config(db: None) -> Config:
    return Config.load()

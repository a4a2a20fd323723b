"""What every test shares."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone
from groups import make_groups

from discovery.domain.api_keys import new_key
from discovery.models import ApiKey, Config

REALDATA = Path(__file__).resolve().parents[2] / "shared" / "realdata"


@pytest.fixture(scope="session")
def realdata() -> Path:
    """The folder of real captured transactions and responses, kept beside the project; skipped where it is absent."""
    if not REALDATA.is_dir():
        pytest.skip("real captured data is not beside the project (../shared/realdata)")
    return REALDATA


@pytest.fixture
def make_key(db: None) -> Callable[..., str]:
    """`make_key("read")`: a key with this scope."""

    def make(scope: str, **values: Any) -> str:
        key = new_key()
        values = {"name": f"{scope} {key.prefix}", "last_used_at": timezone.now(), **values}
        ApiKey.objects.create(prefix=key.prefix, secret_hash=key.secret_hash, scope=scope, **values)
        return key.text

    return make


@pytest.fixture
def groups(db: None) -> None:
    """The groups of the migrations, also behind a test that has emptied all tables."""
    make_groups()


@pytest.fixture
def person(groups: None) -> Callable[..., User]:
    """`person("viewer")`: a member of this group."""

    def make(group: str | None = None, **values: Any) -> User:
        user = User.objects.create_user(f"person {User.objects.count()}", **values)  # logged in by force: no password
        if group:
            user.groups.add(Group.objects.get(name=group))
        return user

    return make


@pytest.fixture
def config(db: None) -> Config:
    return Config.load()

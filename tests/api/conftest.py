"""Callers of the API."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from api.api_rows import Api
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.utils import timezone

from discovery.domain.api_keys import new_key
from discovery.models import DiscoveryApiKey, DiscoveryConfig


@pytest.fixture(autouse=True)
def _room(settings) -> None:
    """Limits of their own tests are set there."""
    settings.API_THROTTLE_READ = settings.API_THROTTLE_WRITE = settings.API_THROTTLE_ANONYMOUS = 1_000_000


@pytest.fixture
def make_key(db: None) -> Callable[..., str]:
    """`make_key("read")`: a key with this scope."""

    def make(scope: str, **values: Any) -> str:
        key = new_key()
        values = {"name": f"{scope} {key.prefix}", "last_used_at": timezone.now(), **values}
        DiscoveryApiKey.objects.create(prefix=key.prefix, secret_hash=key.secret_hash, scope=scope, **values)
        return key.text

    return make


@pytest.fixture
def reader(make_key: Callable[..., str]) -> Api:
    return Api(Client(), make_key("read"))


@pytest.fixture
def runner(make_key: Callable[..., str]) -> Api:
    return Api(Client(), make_key("run", name="robot"))


@pytest.fixture
def chief(make_key: Callable[..., str]) -> Api:
    return Api(Client(), make_key("admin", name="chief"))


@pytest.fixture
def groups(db: None) -> None:
    """The groups of the migrations, also behind a test that has emptied all tables."""
    if not Group.objects.filter(name="viewer").exists():
        with connection.schema_editor() as editor:
            import_module("discovery.migrations.0005_groups").make_groups(apps, editor)


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
def config(db: None) -> DiscoveryConfig:
    return DiscoveryConfig.load()

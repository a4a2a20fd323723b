"""Callers of the API."""

from collections.abc import Callable

import pytest
from django.test import Client

from tests.api.client import Api


@pytest.fixture(autouse=True)
def _room(settings) -> None:
    """Limits of their own tests are set there."""
    settings.API_THROTTLE_READ = settings.API_THROTTLE_WRITE = settings.API_THROTTLE_ANONYMOUS = 1_000_000


@pytest.fixture
def reader(make_key: Callable[..., str]) -> Api:
    return Api(Client(), make_key("read"))


@pytest.fixture
def runner(make_key: Callable[..., str]) -> Api:
    return Api(Client(), make_key("run", name="robot"))


@pytest.fixture
def chief(make_key: Callable[..., str]) -> Api:
    return Api(Client(), make_key("admin", name="chief"))

"""Callers of the API with keys of each scope."""

from collections.abc import Callable

import pytest
from django.test import Client

from tests.api.client import Api


@pytest.fixture(autouse=True)
def _unlimited_calls(settings) -> None:
    """Tests of limits set their own."""
    settings.API_THROTTLE_READ = settings.API_THROTTLE_WRITE = (
        settings.API_THROTTLE_ANONYMOUS
    ) = 1_000_000


@pytest.fixture
def reader(make_key: Callable[..., str]) -> Api:
    return Api(Client(), make_key("read"))


@pytest.fixture
def runner(make_key: Callable[..., str]) -> Api:
    return Api(Client(), make_key("run", name="robot"))


@pytest.fixture
def admin(make_key: Callable[..., str]) -> Api:
    return Api(Client(), make_key("admin", name="chief"))

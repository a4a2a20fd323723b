"""Limits of calls by key, user and address, also while the cache is unreachable."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from discovery.api.throttles import CallerThrottle
from tests.api.client import Api
from tests.factories import NOW

pytestmark = pytest.mark.django_db
# A minute of the past, in which no other test counts calls.
MINUTE = NOW.replace(year=2001)


@pytest.fixture
def low_limits(settings) -> None:
    (
        settings.API_THROTTLE_READ,
        settings.API_THROTTLE_WRITE,
        settings.API_THROTTLE_ANONYMOUS,
    ) = 3, 2, 2


@pytest.fixture
def broken_cache(settings, monkeypatch) -> None:
    monkeypatch.setattr(CallerThrottle, "_cache_silent_until", 0.0)
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
            "OPTIONS": {"socket_connect_timeout": 1},
        }
    }


def statuses(
    api: Api, count: int, path: str = "status", method: str = "GET", **headers: str
) -> list[int]:
    return [api.call(method, path, **headers).status_code for _ in range(count)]


@pytest.mark.usefixtures("low_limits")
def test_a_call_beyond_the_limit_is_429_with_retry_after(make_key: Callable) -> None:
    api = Api(Client(), make_key("read"))
    with time_machine.travel(MINUTE + timedelta(seconds=20), tick=False):
        assert statuses(api, 3) == [200, 200, 200]
        response = api.get("status")
    assert (response.status_code, response.json()["code"]) == (429, "too_many_requests")
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Retry-After"] == "40"


@pytest.mark.usefixtures("low_limits")
def test_each_minute_has_its_own_limit(make_key: Callable) -> None:
    api = Api(Client(), make_key("read"))
    with time_machine.travel(MINUTE, tick=False) as clock:
        statuses(api, 4)
        clock.shift(timedelta(minutes=1))
        assert statuses(api, 1) == [200]


@pytest.mark.usefixtures("low_limits")
def test_reading_and_writing_are_counted_apart(make_key: Callable) -> None:
    api = Api(Client(), make_key("run"))
    with time_machine.travel(MINUTE, tick=False):
        assert statuses(api, 3, "runs/nonsense/cancel", "POST") == [400, 400, 429]
        assert statuses(api, 1) == [200]


@pytest.mark.usefixtures("low_limits")
def test_each_key_has_its_own_limit(make_key: Callable) -> None:
    with time_machine.travel(MINUTE, tick=False):
        statuses(Api(Client(), make_key("read")), 4)
        assert statuses(Api(Client(), make_key("read")), 1) == [200]


@pytest.mark.usefixtures("low_limits")
def test_a_user_has_one_limit_in_all_browsers(person: Callable) -> None:
    clients = [Client(), Client()]
    user = person("viewer")
    for client in clients:
        client.force_login(user)
    with time_machine.travel(MINUTE, tick=False):
        statuses(Api(clients[0]), 3)
        assert statuses(Api(clients[1]), 1) == [429]


@pytest.mark.usefixtures("low_limits")
def test_anonymous_calls_are_counted_by_address(make_key: Callable) -> None:
    with time_machine.travel(MINUTE, tick=False):
        assert statuses(Api(Client(REMOTE_ADDR="203.0.113.1")), 3) == [401, 401, 429]
        assert statuses(Api(Client(REMOTE_ADDR="203.0.113.2")), 1) == [401]


@pytest.mark.usefixtures("low_limits")
def test_invalid_keys_count_as_anonymous_calls() -> None:
    api = Api(Client(REMOTE_ADDR="203.0.113.3"), "wt_00000000_" + "0" * 48)
    with time_machine.travel(MINUTE, tick=False):
        assert statuses(api, 3) == [401, 401, 429]


@pytest.mark.usefixtures("low_limits")
def test_forwarded_addresses_are_ignored_without_a_proxy() -> None:
    with time_machine.travel(MINUTE, tick=False):
        codes = [
            Api(Client(REMOTE_ADDR="203.0.113.4"))
            .get("status", X_Forwarded_For=f"198.51.100.{number}")
            .status_code
            for number in range(3)
        ]
    assert codes == [401, 401, 429]


@pytest.mark.usefixtures("low_limits")
def test_behind_one_proxy_only_its_address_counts(settings) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    with time_machine.travel(MINUTE, tick=False):
        api = Api(Client(REMOTE_ADDR="203.0.113.5"))
        codes = [
            api.get(
                "status", X_Forwarded_For=f"10.0.0.{number}, 198.51.100.77"
            ).status_code
            for number in range(3)
        ]
        assert codes == [401, 401, 429]
        assert api.get("status", X_Forwarded_For="198.51.100.78").status_code == 401


@pytest.mark.usefixtures("low_limits", "broken_cache")
def test_without_the_cache_no_call_is_refused_and_one_warning_is_logged(
    make_key: Callable, caplog
) -> None:
    api = Api(Client(), make_key("read"))
    with time_machine.travel(MINUTE, tick=False) as clock:
        assert statuses(api, 5) == [200] * 5
        clock.shift(timedelta(seconds=30))
        assert statuses(api, 1) == [200]
    warnings = [
        record
        for record in caplog.records
        if "calls are not counted" in record.getMessage()
    ]
    assert len(warnings) == 1


def test_calls_are_counted_again_once_the_cache_responds(
    make_key: Callable, monkeypatch, caplog
) -> None:
    monkeypatch.setattr(CallerThrottle, "_cache_silent_until", 1.0)
    with caplog.at_level("INFO"):
        Api(Client(), make_key("read")).get("status")
    assert "calls are counted again" in caplog.text
    assert CallerThrottle._cache_silent_until == 0.0

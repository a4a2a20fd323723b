"""How often a caller may call, whoever it says it is, and what happens where nobody can count."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from discovery.api.throttles import CallerThrottle
from tests.api.client import Api
from tests.factories import NOW

pytestmark = pytest.mark.django_db
# The minute in which the cache counts is one of the far past: no other test counts in it.
MINUTE = NOW.replace(year=2001)


@pytest.fixture
def few(settings) -> None:
    settings.API_THROTTLE_READ, settings.API_THROTTLE_WRITE, settings.API_THROTTLE_ANONYMOUS = 3, 2, 2


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


def statuses(api: Api, count: int, path: str = "status", method: str = "GET", **headers: str) -> list[int]:
    return [api.call(method, path, **headers).status_code for _ in range(count)]


@pytest.mark.usefixtures("few")
def test_one_call_too_many_is_429_with_when_to_come_again(make_key: Callable) -> None:
    api = Api(Client(), make_key("read"))
    with time_machine.travel(MINUTE + timedelta(seconds=20), tick=False):
        assert statuses(api, 3) == [200, 200, 200]
        answer = api.get("status")
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Retry-After"] == "40"


@pytest.mark.usefixtures("few")
def test_the_next_minute_is_another(make_key: Callable) -> None:
    api = Api(Client(), make_key("read"))
    with time_machine.travel(MINUTE, tick=False) as clock:
        statuses(api, 4)
        clock.shift(timedelta(minutes=1))
        assert statuses(api, 1) == [200]


@pytest.mark.usefixtures("few")
def test_changes_are_counted_apart_from_reading(make_key: Callable) -> None:
    api = Api(Client(), make_key("run"))
    with time_machine.travel(MINUTE, tick=False):
        assert statuses(api, 3, "runs/nonsense/cancel", "POST") == [400, 400, 429]
        assert statuses(api, 1) == [200]


@pytest.mark.usefixtures("few")
def test_one_key_does_not_use_up_anothers_calls(make_key: Callable) -> None:
    with time_machine.travel(MINUTE, tick=False):
        statuses(Api(Client(), make_key("read")), 4)
        assert statuses(Api(Client(), make_key("read")), 1) == [200]


@pytest.mark.usefixtures("few")
def test_a_person_is_counted_as_one_whatever_the_browser(person: Callable) -> None:
    clients = [Client(), Client()]
    user = person("viewer")
    for client in clients:
        client.force_login(user)
    with time_machine.travel(MINUTE, tick=False):
        statuses(Api(clients[0]), 3)
        assert statuses(Api(clients[1]), 1) == [429]


@pytest.mark.usefixtures("few")
def test_nobody_is_counted_by_address(make_key: Callable) -> None:
    with time_machine.travel(MINUTE, tick=False):
        assert statuses(Api(Client(REMOTE_ADDR="203.0.113.1")), 3) == [401, 401, 429]
        assert statuses(Api(Client(REMOTE_ADDR="203.0.113.2")), 1) == [401]


@pytest.mark.usefixtures("few")
def test_guessing_keys_is_counted_as_nobody() -> None:
    api = Api(Client(REMOTE_ADDR="203.0.113.3"), "wt_00000000_" + "0" * 48)
    with time_machine.travel(MINUTE, tick=False):
        assert statuses(api, 3) == [401, 401, 429]


@pytest.mark.usefixtures("few")
def test_a_forwarded_address_is_not_believed_without_a_proxy() -> None:
    with time_machine.travel(MINUTE, tick=False):
        found = [
            Api(Client(REMOTE_ADDR="203.0.113.4")).get("status", X_Forwarded_For=f"198.51.100.{number}").status_code
            for number in range(3)
        ]
    assert found == [401, 401, 429]


@pytest.mark.usefixtures("few")
def test_behind_one_proxy_its_word_is_believed_and_no_others(settings) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    with time_machine.travel(MINUTE, tick=False):
        api = Api(Client(REMOTE_ADDR="203.0.113.5"))
        found = [
            api.get("status", X_Forwarded_For=f"10.0.0.{number}, 198.51.100.77").status_code for number in range(3)
        ]
        assert found == [401, 401, 429]
        assert api.get("status", X_Forwarded_For="198.51.100.78").status_code == 401


@pytest.mark.usefixtures("few", "broken_cache")
def test_where_the_cache_is_gone_nobody_is_refused_and_it_is_said_once(make_key: Callable, caplog) -> None:
    api = Api(Client(), make_key("read"))
    with time_machine.travel(MINUTE, tick=False) as clock:
        assert statuses(api, 5) == [200] * 5
        clock.shift(timedelta(seconds=30))
        assert statuses(api, 1) == [200]
    said = [record for record in caplog.records if "calls are not counted" in record.getMessage()]
    assert len(said) == 1


def test_a_cache_that_answers_again_counts_again(make_key: Callable, monkeypatch, caplog) -> None:
    monkeypatch.setattr(CallerThrottle, "_cache_silent_until", 1.0)
    with caplog.at_level("INFO"):
        Api(Client(), make_key("read")).get("status")
    assert "calls are counted again" in caplog.text
    assert CallerThrottle._cache_silent_until == 0.0

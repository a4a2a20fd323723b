"""Operators see texts, names and hosts; everybody else sees states and times only."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as configured
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from discovery.domain.api_keys import NewKey, new_key
from discovery.models import ApiKey, Config, Run
from tests.health.faulty_servers import closed_port


def test_anonymous_callers_see_states_and_times_only(
    healthy_system: None, get_health: Any
) -> None:
    Run.objects.update(errors=["the node at 10.1.2.3 refused"])
    Config.objects.update(schedule_hours=4, updated_by="Zoë")
    health = get_health()
    assert {key for check in health["checks"].values() for key in check} == {
        "status",
        "time",
        "last_seen",
    }
    assert "note" not in health["scheduler"]
    for secret in ("host-17", "10.1.2.3", "Zoë"):
        assert secret not in str({**health, "instance": ""})


@pytest.mark.parametrize("token", ["nonsense", ""])
def test_an_invalid_session_sees_states_and_times_only(
    token: str, healthy_system: None, get_health: Any, client: Client
) -> None:
    client.cookies[configured.SESSION_COOKIE_NAME] = token
    assert "output" not in get_health()["checks"]["workers"]


def test_a_user_who_is_not_staff_sees_no_texts(
    healthy_system: None, get_health: Any, client: Client
) -> None:
    client.force_login(User.objects.create_user("guest"))
    assert "output" not in get_health()["checks"]["workers"]


def test_operators_see_texts_and_the_note_on_the_schedule(
    healthy_system: None, get_health_as_operator: Any
) -> None:
    Config.objects.update(schedule_hours=4, updated_by="ana")
    health = get_health_as_operator()
    assert all(check["output"] for check in health["checks"].values())
    assert health["checks"]["workers"]["facts"]["host-17:42"]["active"] == 1
    assert health["scheduler"]["note"] == "environment 6, in force 4, set here by ana"


def test_operators_see_why_the_broker_is_out_of_reach(
    healthy_system: None, get_health_as_operator: Any, settings: Any
) -> None:
    settings.REDIS_URL = f"redis://user:hunter2@127.0.0.1:{closed_port()}/0"
    output = get_health_as_operator()["checks"]["broker"]["output"]
    assert "unreachable: ConnectionError" in output
    assert "hunter2" not in output


@pytest.fixture
def bearer(healthy_system: None) -> Callable[..., dict[str, str]]:
    """`bearer(scope="admin")`: the header of a stored key with these values."""

    def make(**values: Any) -> dict[str, str]:
        key: NewKey = new_key()
        ApiKey.objects.create(
            name="monitor", prefix=key.prefix, secret_hash=key.secret_hash, **values
        )
        return {"Authorization": f"Bearer {key.text}"}

    return make


def test_a_key_of_scope_admin_sees_texts(bearer: Any, get_health: Any) -> None:
    assert (
        get_health(headers=bearer(scope="admin"))["checks"]["workers"]["output"]
        == "one worker"
    )


@pytest.mark.parametrize(
    "values",
    [
        {"scope": "read"},
        {"scope": "run"},
        {"scope": "admin", "revoked_at": timezone.now()},
    ],
    ids=["read", "run", "revoked"],
)
def test_any_other_key_sees_no_texts(
    values: dict[str, Any], bearer: Any, get_health: Any
) -> None:
    health = get_health(headers=bearer(**values))
    assert (health["code"], "output" in health["checks"]["workers"]) == (200, False)


def test_a_key_with_a_wrong_secret_sees_no_texts(bearer: Any, get_health: Any) -> None:
    header = bearer(scope="admin")["Authorization"]
    wrong = header[:-1] + ("0" if header[-1] != "0" else "1")
    assert (
        "output"
        not in get_health(headers={"Authorization": wrong})["checks"]["workers"]
    )

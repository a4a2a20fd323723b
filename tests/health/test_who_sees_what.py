"""Words, names and hosts are for operators; states and times for everybody."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as configured
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from ill_servers import closed_port

from discovery.domain.api_keys import NewKey, new_key
from discovery.models import ApiKey, Config, Run


def test_anonymous_callers_see_states_and_times_only(all_well: None, ask: Any) -> None:
    Run.objects.update(errors=["the node at 10.1.2.3 refused"])
    Config.objects.update(schedule_hours=4, updated_by="Zoë")
    page = ask()
    assert {key for check in page["checks"].values() for key in check} == {"status", "time", "last_seen"}
    assert "note" not in page["scheduler"]
    for hidden in ("host-17", "10.1.2.3", "Zoë"):
        assert hidden not in str({**page, "instance": ""})


@pytest.mark.parametrize("token", ["nonsense", ""])
def test_a_session_that_is_none_sees_what_anonymous_callers_see(
    token: str, all_well: None, ask: Any, client: Client
) -> None:
    client.cookies[configured.SESSION_COOKIE_NAME] = token
    assert "output" not in ask()["checks"]["workers"]


def test_a_login_without_staff_rights_sees_no_words(all_well: None, ask: Any, client: Client) -> None:
    client.force_login(User.objects.create_user("guest"))
    assert "output" not in ask()["checks"]["workers"]


def test_operators_see_words_and_the_note_on_the_schedule(all_well: None, ask_as_operator: Any) -> None:
    Config.objects.update(schedule_hours=4, updated_by="ana")
    page = ask_as_operator()
    assert all(check["output"] for check in page["checks"].values())
    assert page["checks"]["workers"]["facts"]["host-17:42"]["active"] == 1
    assert page["scheduler"]["note"] == "environment 6, in force 4, set here by ana"


def test_operators_read_why_the_broker_is_out_of_reach(all_well: None, ask_as_operator: Any, settings: Any) -> None:
    settings.REDIS_URL = f"redis://user:hunter2@127.0.0.1:{closed_port()}/0"
    output = ask_as_operator()["checks"]["broker"]["output"]
    assert "out of reach: ConnectionError" in output
    assert "hunter2" not in output


@pytest.fixture
def bearer(all_well: None) -> Callable[..., dict[str, str]]:
    """`bearer(scope="admin")`: the header of a key that is kept with these values."""

    def make(**values: Any) -> dict[str, str]:
        key: NewKey = new_key()
        ApiKey.objects.create(name="monitor", prefix=key.prefix, secret_hash=key.secret_hash, **values)
        return {"Authorization": f"Bearer {key.text}"}

    return make


def test_a_key_of_scope_admin_sees_words(bearer: Any, ask: Any) -> None:
    assert ask(headers=bearer(scope="admin"))["checks"]["workers"]["output"] == "one worker"


@pytest.mark.parametrize(
    "values",
    [{"scope": "read"}, {"scope": "run"}, {"scope": "admin", "revoked_at": timezone.now()}],
    ids=["read", "run", "revoked"],
)
def test_any_other_key_sees_no_words(values: dict[str, Any], bearer: Any, ask: Any) -> None:
    page = ask(headers=bearer(**values))
    assert (page["code"], "output" in page["checks"]["workers"]) == (200, False)


def test_a_key_with_a_wrong_secret_sees_no_words(bearer: Any, ask: Any) -> None:
    header = bearer(scope="admin")["Authorization"]
    wrong = header[:-1] + ("0" if header[-1] != "0" else "1")
    assert "output" not in ask(headers={"Authorization": wrong})["checks"]["workers"]

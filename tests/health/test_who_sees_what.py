"""Words, names and hosts are for operators; states and times for everybody."""

from typing import Any

import pytest
from django.conf import settings as configured
from django.contrib.auth.models import User
from django.test import Client
from ill_servers import closed_port

from discovery.models import DiscoveryConfig, DiscoveryRun


def test_anonymous_callers_see_states_and_times_only(all_well: None, ask: Any) -> None:
    DiscoveryRun.objects.update(errors=["the node at 10.1.2.3 refused"])
    DiscoveryConfig.objects.update(schedule_hours=4, updated_by="Zoë")
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
    DiscoveryConfig.objects.update(schedule_hours=4, updated_by="ana")
    page = ask_as_operator()
    assert all(check["output"] for check in page["checks"].values())
    assert page["checks"]["workers"]["facts"]["host-17:42"]["active"] == 1
    assert page["scheduler"]["note"] == "environment 6, in force 4, set here by ana"


def test_operators_read_why_the_broker_is_out_of_reach(all_well: None, ask_as_operator: Any, settings: Any) -> None:
    settings.REDIS_URL = f"redis://user:hunter2@127.0.0.1:{closed_port()}/0"
    output = ask_as_operator()["checks"]["broker"]["output"]
    assert "out of reach: ConnectionError" in output
    assert "hunter2" not in output

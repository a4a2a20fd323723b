"""The configuration through the API: nobody overwrites what they have not read."""

import pytest

from discovery.models import Config
from tests.api.client import Api
from tests.factories import RunFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("config")]
WHOLE = {"enabled": False, "schedule_hours": 4, "params": {"max_tokens": 7, "min_profit_pct": 12.5}}


def etag(api: Api) -> str:
    return api.get("config").headers["ETag"]


def test_the_configuration_is_told_with_its_version_as_etag(reader: Api) -> None:
    RunFactory(status="failed")
    answer = reader.get("config")
    body = answer.json()
    assert (body["enabled"], body["schedule_hours"], body["params"]["max_tokens"]) == (True, 6, 20)
    assert (body["last_result"], body["last_run_at"]) == ("failed", "2026-11-24T12:00:00Z")
    assert answer.headers["ETag"] == f'"{body["version"]}"'


def test_a_null_of_an_earlier_row_reads_as_the_default(reader: Api) -> None:
    Config.objects.update(enabled=None, schedule_hours=None, max_tokens=None, profile_immediately=None)
    body = reader.get("config").json()
    assert (body["enabled"], body["schedule_hours"]) == (False, 6)  # null starts nothing
    assert (body["params"]["max_tokens"], body["params"]["profile_immediately"]) == (20, True)


def test_a_part_is_changed_and_the_rest_stays(chief: Api) -> None:
    answer = chief.call("PATCH", "config", {"params": {"max_tokens": 9}}, If_Match=etag(chief))
    assert answer.status_code == 200
    assert answer.json()["params"]["max_tokens"] == 9
    assert answer.json()["schedule_hours"] == 6
    assert answer.json()["updated_by"] == "chief"
    assert answer.headers["ETag"] == etag(chief)


def test_a_replacement_sets_what_it_leaves_out_to_defaults(chief: Api) -> None:
    chief.call("PATCH", "config", {"params": {"max_token_age_hours": 10}}, If_Match=etag(chief))
    body = chief.call("PUT", "config", WHOLE, If_Match=etag(chief)).json()
    assert (body["enabled"], body["schedule_hours"], body["params"]["max_tokens"]) == (False, 4, 7)
    assert body["params"]["max_token_age_hours"] == 72


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_change_without_a_version_is_428(method: str, chief: Api) -> None:
    answer = chief.call(method, "config", WHOLE)
    assert (answer.status_code, answer.json()["code"]) == (428, "precondition_required")
    assert chief.get("config").json()["schedule_hours"] == 6


@pytest.mark.parametrize("given", ['"0"', '"other"', '"99", W/"98"'])
def test_a_change_of_another_version_is_412_with_the_one_in_force(given: str, chief: Api) -> None:
    answer = chief.call("PUT", "config", WHOLE, If_Match=given)
    assert (answer.status_code, answer.json()["code"]) == (412, "stale_version")
    assert answer.headers["ETag"] == etag(chief)
    assert chief.get("config").json()["schedule_hours"] == 6


def test_the_second_of_two_who_read_the_same_is_told(chief: Api) -> None:
    read = etag(chief)
    assert chief.call("PATCH", "config", {"schedule_hours": 2}, If_Match=read).status_code == 200
    assert chief.call("PATCH", "config", {"schedule_hours": 3}, If_Match=read).status_code == 412


@pytest.mark.parametrize("form", ["{}", "W/{}", '"77", {}', "*"])
def test_a_version_may_be_weak_one_of_several_or_any(form: str, chief: Api) -> None:
    given = form.format(etag(chief))
    assert chief.call("PATCH", "config", {"schedule_hours": 2}, If_Match=given).status_code == 200


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"schedule_hours": 25}, {"schedule_hours"}),
        ({"schedule_hours": True}, {"schedule_hours"}),
        ({"enabled": "no"}, {"enabled"}),
        ({"params": []}, {"params"}),
        ({"params": {"max_tokens": 0, "nonsense": 1}}, {"params.max_tokens", "params.nonsense"}),
        ({"max_tokens": 5}, {"max_tokens"}),
        ("text", {""}),
    ],
)
def test_a_bad_change_is_refused_by_name_and_changes_nothing(body: object, fields: set[str], chief: Api) -> None:
    before = chief.get("config").json()
    answer = chief.call("PATCH", "config", body, If_Match=etag(chief))
    assert answer.status_code == 400
    assert {error["field"] for error in answer.json()["errors"]} == fields
    assert chief.get("config").json() == before


def test_a_replacement_names_what_is_missing(chief: Api) -> None:
    answer = chief.call("PUT", "config", {"enabled": True}, If_Match=etag(chief))
    assert {error["field"] for error in answer.json()["errors"]} == {"schedule_hours", "params"}


@pytest.mark.parametrize("given", ["nonsense", "1", '"1', "{}"])
def test_a_version_that_is_no_etag_is_400(given: str, chief: Api) -> None:
    answer = chief.call("PATCH", "config", {"schedule_hours": 2}, If_Match=given)
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"field": "If-Match", "message": "not an ETag"}]


def test_other_hours_move_the_next_run_at_once(chief: Api) -> None:
    run = RunFactory()
    first = chief.call("PATCH", "config", {"schedule_hours": 23}, If_Match=etag(chief)).json()["next_run_at"]
    second = chief.call("PATCH", "config", {"schedule_hours": 24}, If_Match=etag(chief)).json()["next_run_at"]
    assert run.started_at.isoformat() < first
    assert first <= second


def test_a_paused_schedule_has_no_next_run(chief: Api) -> None:
    chief.call("PATCH", "config", {"schedule_hours": 5}, If_Match=etag(chief))
    body = chief.call("PATCH", "config", {"enabled": False}, If_Match=etag(chief)).json()
    assert (body["enabled"], body["next_run_at"]) == (False, None)


def test_nothing_changed_is_no_new_version(chief: Api) -> None:
    before = etag(chief)
    assert chief.call("PATCH", "config", {"schedule_hours": 6}, If_Match=before).status_code == 200
    assert etag(chief) == before


def test_the_history_of_the_configuration_names_the_key_that_changed_it(chief: Api) -> None:
    chief.call("PATCH", "config", {"schedule_hours": 5}, If_Match=etag(chief))
    assert Config.objects.get().history.first().history_change_reason == "by chief"

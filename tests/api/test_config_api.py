"""The configuration through the API: a change needs the version that it is based on."""

from collections import Counter
from typing import Any

import pytest

from discovery.domain.run_params import ParamSpec
from discovery.models import Config
from tests.api.client import Api
from tests.factories import RunFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("config")]
REPLACEMENT = {
    "enabled": False,
    "schedule_hours": 4,
    "params": {"max_tokens": 7, "min_profit_pct": 12.5},
}


def etag(api: Api) -> str:
    return api.get("config").headers["ETag"]


def test_the_configuration_has_its_version_as_etag(reader: Api) -> None:
    RunFactory(status="failed")
    response = reader.get("config")
    body = response.json()
    assert (body["enabled"], body["schedule_hours"], body["params"]["max_tokens"]) == (
        True,
        6,
        20,
    )
    assert (body["last_result"], body["last_run_at"]) == (
        "failed",
        "2026-11-24T12:00:00Z",
    )
    assert response.headers["ETag"] == f'"{body["version"]}"'


def test_a_null_of_an_earlier_row_reads_as_the_default(reader: Api) -> None:
    Config.objects.update(
        enabled=None, schedule_hours=None, max_tokens=None, profile_immediately=None
    )
    body = reader.get("config").json()
    assert (body["enabled"], body["schedule_hours"]) == (
        False,
        6,
    )  # null starts nothing
    assert (body["params"]["max_tokens"], body["params"]["profile_immediately"]) == (
        20,
        True,
    )


def test_a_patch_changes_only_its_fields(admin: Api) -> None:
    response = admin.call(
        "PATCH", "config", {"params": {"max_tokens": 9}}, If_Match=etag(admin)
    )
    assert response.status_code == 200
    assert response.json()["params"]["max_tokens"] == 9
    assert response.json()["schedule_hours"] == 6
    assert response.json()["updated_by"] == "chief"
    assert response.headers["ETag"] == etag(admin)


def test_a_replacement_resets_missing_parameters_to_defaults(admin: Api) -> None:
    admin.call(
        "PATCH", "config", {"params": {"max_token_age_hours": 10}}, If_Match=etag(admin)
    )
    body = admin.call("PUT", "config", REPLACEMENT, If_Match=etag(admin)).json()
    assert (body["enabled"], body["schedule_hours"], body["params"]["max_tokens"]) == (
        False,
        4,
        7,
    )
    assert body["params"]["max_token_age_hours"] == 72


@pytest.fixture
def checks(monkeypatch) -> Counter[str]:
    """How often the value of each parameter is checked."""
    counts: Counter[str] = Counter()
    check = ParamSpec.check

    def counting(spec: ParamSpec, value: Any) -> Any:
        counts[spec.name] += 1
        return check(spec, value)

    monkeypatch.setattr(ParamSpec, "check", counting)
    return counts


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_change_checks_each_given_parameter_once(
    method: str, admin: Api, checks: Counter[str]
) -> None:
    response = admin.call(method, "config", REPLACEMENT, If_Match=etag(admin))
    assert response.status_code == 200
    assert checks == {"max_tokens": 1, "min_profit_pct": 1}


def test_a_start_checks_each_given_parameter_once(
    runner: Api, checks: Counter[str]
) -> None:
    assert runner.post("run", REPLACEMENT["params"]).status_code == 202
    assert checks == {"max_tokens": 1, "min_profit_pct": 1}


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_change_without_a_version_is_428(method: str, admin: Api) -> None:
    response = admin.call(method, "config", REPLACEMENT)
    assert (response.status_code, response.json()["code"]) == (
        428,
        "precondition_required",
    )
    assert admin.get("config").json()["schedule_hours"] == 6


@pytest.mark.parametrize("given", ['"0"', '"other"', '"99", W/"98"'])
def test_a_change_of_another_version_is_412_with_the_current_etag(
    given: str, admin: Api
) -> None:
    response = admin.call("PUT", "config", REPLACEMENT, If_Match=given)
    assert (response.status_code, response.json()["code"]) == (412, "stale_version")
    assert response.headers["ETag"] == etag(admin)
    assert admin.get("config").json()["schedule_hours"] == 6


def test_the_second_of_two_changes_to_the_same_version_is_412(admin: Api) -> None:
    read = etag(admin)
    assert (
        admin.call("PATCH", "config", {"schedule_hours": 2}, If_Match=read).status_code
        == 200
    )
    assert (
        admin.call("PATCH", "config", {"schedule_hours": 3}, If_Match=read).status_code
        == 412
    )


@pytest.mark.parametrize("form", ["{}", "W/{}", '"77", {}', "*"])
def test_if_match_may_be_weak_one_of_several_or_a_star(form: str, admin: Api) -> None:
    given = form.format(etag(admin))
    assert (
        admin.call("PATCH", "config", {"schedule_hours": 2}, If_Match=given).status_code
        == 200
    )


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"schedule_hours": 25}, {"schedule_hours"}),
        ({"schedule_hours": True}, {"schedule_hours"}),
        ({"enabled": "no"}, {"enabled"}),
        ({"params": []}, {"params"}),
        (
            {"params": {"max_tokens": 0, "nonsense": 1}},
            {"params.max_tokens", "params.nonsense"},
        ),
        ({"max_tokens": 5}, {"max_tokens"}),
        ("text", {""}),
    ],
)
def test_an_invalid_change_is_refused_by_name_and_changes_nothing(
    body: object, fields: set[str], admin: Api
) -> None:
    before = admin.get("config").json()
    response = admin.call("PATCH", "config", body, If_Match=etag(admin))
    assert response.status_code == 400
    assert {error["field"] for error in response.json()["errors"]} == fields
    assert admin.get("config").json() == before


def test_a_replacement_names_missing_fields(admin: Api) -> None:
    response = admin.call("PUT", "config", {"enabled": True}, If_Match=etag(admin))
    assert {error["field"] for error in response.json()["errors"]} == {
        "schedule_hours",
        "params",
    }


@pytest.mark.parametrize("given", ["nonsense", "1", '"1', "{}"])
def test_an_if_match_that_is_no_etag_is_400(given: str, admin: Api) -> None:
    response = admin.call("PATCH", "config", {"schedule_hours": 2}, If_Match=given)
    assert response.status_code == 400
    assert response.json()["errors"] == [
        {"field": "If-Match", "message": "not an ETag"}
    ]


def test_new_schedule_hours_move_the_next_run_at_once(admin: Api) -> None:
    run = RunFactory()
    first = admin.call(
        "PATCH", "config", {"schedule_hours": 23}, If_Match=etag(admin)
    ).json()["next_run_at"]
    second = admin.call(
        "PATCH", "config", {"schedule_hours": 24}, If_Match=etag(admin)
    ).json()["next_run_at"]
    assert run.started_at.isoformat() < first
    assert first <= second


def test_a_paused_schedule_has_no_next_run(admin: Api) -> None:
    admin.call("PATCH", "config", {"schedule_hours": 5}, If_Match=etag(admin))
    body = admin.call(
        "PATCH", "config", {"enabled": False}, If_Match=etag(admin)
    ).json()
    assert (body["enabled"], body["next_run_at"]) == (False, None)


def test_a_change_without_effect_makes_no_new_version(admin: Api) -> None:
    before = etag(admin)
    assert (
        admin.call(
            "PATCH", "config", {"schedule_hours": 6}, If_Match=before
        ).status_code
        == 200
    )
    assert etag(admin) == before


def test_the_history_of_the_configuration_names_the_key(admin: Api) -> None:
    admin.call("PATCH", "config", {"schedule_hours": 5}, If_Match=etag(admin))
    assert Config.objects.get().history.first().history_change_reason == "by chief"

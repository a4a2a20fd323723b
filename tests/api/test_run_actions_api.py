"""Starting, cancelling and retrying runs."""

import uuid

import pytest

from discovery.domain.flags import FLAG_NAMES
from discovery.models import Run
from tests.api.client import ROOT, Api
from tests.factories import MINT, RunFactory

pytestmark = pytest.mark.django_db


def test_a_start_is_202_with_location_and_retry_after(runner: Api) -> None:
    response = runner.post("run")
    assert response.status_code == 202
    body = response.json()
    assert body["status"] == "queued"
    assert response.headers["Location"] == f"{ROOT}/runs/{body['run_id']}"
    assert int(response.headers["Retry-After"]) > 0
    assert runner.get(response.headers["Location"]).json()["id"] == body["run_id"]


def test_a_run_names_the_key_that_started_it(runner: Api) -> None:
    run = Run.objects.get(pk=runner.post("run").json()["run_id"])
    assert (run.trigger_type, run.triggered_by) == ("api", "robot")


def test_parameters_of_the_body_replace_saved_ones(runner: Api) -> None:
    body = {
        "max_tokens": 7,
        "min_profit_pct": 62.5,
        "profile_immediately": False,
        "excluded_flags": ["sniper"],
    }
    run_id = runner.post("run", body).json()["run_id"]
    params = runner.get(f"runs/{run_id}").json()["params"]
    assert {name: params[name] for name in body} == body
    assert params["early_window_minutes"] == 30


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ('{"max_tokens": 0}', "max_tokens", "0 is not between 1 and 100 tokens"),
        (
            '{"min_price_change_pct": 1000}',
            "min_price_change_pct",
            "1,000 is not between 0 and 999.99 %",
        ),
        ('{"max_tokens": "7"}', "max_tokens", '"7" is not a number'),
        ('{"max_tokens": null}', "max_tokens", "null is not a number"),
        ('{"max_tokens": true}', "max_tokens", "true is not a number"),
        ('{"max_tokens": 1.5}', "max_tokens", "1.5 is not a whole number"),
        (
            '{"min_profit_pct": 1e400}',
            "min_profit_pct",
            "Infinity is not between 0 and 500 %",
        ),
        ('{"max_token": 7}', "max_token", "no such parameter"),
        (
            '{"profile_immediately": "yes"}',
            "profile_immediately",
            "neither true nor false",
        ),
        (
            '{"excluded_flags": "sniper"}',
            "excluded_flags",
            f"not a list of flags: {', '.join(FLAG_NAMES)}",
        ),
        ("[]", "", "the body is not a JSON object"),
    ],
)
def test_an_invalid_parameter_is_refused_by_name_and_starts_nothing(
    body: str, field: str, words: str, runner: Api
) -> None:
    response = runner.raw("POST", "run", body)
    assert response.status_code == 400
    assert response.json()["errors"] == [{"field": field, "message": words}]
    assert not Run.objects.exists()


def test_all_invalid_parameters_are_reported_together(runner: Api) -> None:
    response = runner.post(
        "run", {"max_tokens": 0, "nonsense": 1, "profile_immediately": 3}
    )
    assert {error["field"] for error in response.json()["errors"]} == {
        "max_tokens",
        "nonsense",
        "profile_immediately",
    }


def test_a_second_start_is_409_with_the_active_run(runner: Api) -> None:
    first = runner.post("run").json()["run_id"]
    response = runner.post("run")
    assert response.status_code == 409
    body = response.json()
    assert (body["code"], body["run_id"], body["run"]) == (
        "run_active",
        first,
        f"{ROOT}/runs/{first}",
    )


def test_the_same_key_and_body_return_the_same_run(runner: Api) -> None:
    responses = [
        runner.post("run", {"max_tokens": 3}, Idempotency_Key="order-1")
        for _ in range(2)
    ]
    assert [response.status_code for response in responses] == [202, 202]
    assert responses[0].json() == responses[1].json()
    assert Run.objects.count() == 1


def test_the_same_key_returns_its_run_after_the_end(runner: Api) -> None:
    run_id = runner.post("run", Idempotency_Key="order-1").json()["run_id"]
    Run.objects.update(status="completed", stage="done")
    assert runner.post("run", Idempotency_Key="order-1").json()["run_id"] == run_id


def test_no_body_and_an_empty_one_are_the_same_request(runner: Api) -> None:
    first = runner.post("run", Idempotency_Key="k").json()
    assert runner.post("run", {}, Idempotency_Key="k").json() == first


def test_an_empty_html_form_starts_a_run_with_saved_parameters(runner: Api) -> None:
    """As `curl -d ""` sends it. DRF would read a missing checkbox as false."""
    form = {"CONTENT_TYPE": "application/x-www-form-urlencoded", "CONTENT_LENGTH": "0"}
    response = runner.client.generic(
        "POST", f"{ROOT}/run", headers=runner.headers, **form
    )
    assert response.status_code == 202
    assert Run.objects.get().profile_immediately is True


def test_the_same_key_with_another_body_is_422(runner: Api) -> None:
    runner.post("run", {"max_tokens": 3}, Idempotency_Key="order-1")
    response = runner.post("run", {"max_tokens": 4}, Idempotency_Key="order-1")
    assert (response.status_code, response.json()["code"]) == (
        422,
        "idempotency_key_reused",
    )


def test_the_key_of_another_caller_does_not_return_that_run(
    runner: Api, admin: Api
) -> None:
    runner.post("run", Idempotency_Key="1")
    assert admin.post("run", Idempotency_Key="1").json()["code"] == "run_active"


@pytest.mark.parametrize("key", ["", "k" * 256, "two words", "é"])
def test_a_malformed_idempotency_key_is_400(key: str, runner: Api) -> None:
    response = runner.post("run", Idempotency_Key=key)
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "Idempotency-Key"


def test_an_idempotency_key_may_have_255_characters(runner: Api) -> None:
    assert runner.post("run", Idempotency_Key="k" * 255).status_code == 202


def test_a_cancelled_run_says_so(runner: Api) -> None:
    run_id = runner.post("run").json()["run_id"]
    response = runner.post(f"runs/{run_id}/cancel")
    assert response.status_code == 202
    assert response.headers["Location"] == f"{ROOT}/runs/{run_id}"
    assert Run.objects.get(pk=run_id).cancel_requested_at is not None


def test_a_run_that_has_ended_cannot_be_cancelled(runner: Api) -> None:
    run = RunFactory()
    response = runner.post(f"runs/{run.pk}/cancel")
    assert response.status_code == 409
    assert (response.json()["code"], response.json()["current_status"]) == (
        "wrong_state",
        "completed",
    )


def test_a_retry_is_a_new_run_with_the_same_parameters(runner: Api) -> None:
    old = RunFactory(status="failed", max_tokens=7)
    response = runner.post(f"runs/{old.pk}/retry")
    assert response.status_code == 202
    new = Run.objects.get(pk=response.json()["run_id"])
    assert (new.retry_of_id, new.max_tokens, new.triggered_by) == (old.pk, 7, "robot")
    assert response.headers["Location"] == f"{ROOT}/runs/{new.pk}"


def test_an_active_run_cannot_be_retried(runner: Api) -> None:
    run_id = runner.post("run").json()["run_id"]
    assert runner.post(f"runs/{run_id}/retry").status_code == 409


@pytest.mark.parametrize("act", ["cancel", "retry"])
def test_an_unknown_run_can_be_neither_cancelled_nor_retried(
    act: str, runner: Api
) -> None:
    assert runner.post(f"runs/{uuid.uuid4()}/{act}").status_code == 404
    assert runner.post(f"runs/nonsense/{act}").status_code == 400


def test_a_retry_uses_the_same_given_tokens(runner: Api) -> None:
    old = RunFactory(given_mints=[MINT])
    new = Run.objects.get(pk=runner.post(f"runs/{old.pk}/retry").json()["run_id"])
    assert (new.given_mints, new.attempt) == ([MINT], 2)


def test_a_skipped_slot_cannot_be_retried(runner: Api) -> None:
    run = RunFactory(status="skipped")
    assert runner.post(f"runs/{run.pk}/retry").json()["current_status"] == "skipped"

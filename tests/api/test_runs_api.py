"""Runs through the API: started, read, cancelled, retried."""

import uuid
from datetime import timedelta
from decimal import Decimal

import pytest

from discovery.domain.flags import FLAG_NAMES
from discovery.models import Run, RunStep
from tests.api.client import ROOT, Api
from tests.factories import (
    MINT,
    NOW,
    RunFactory,
    RunTokenFactory,
    RunWalletFactory,
    address,
)

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


def test_the_history_is_newest_first_in_pages_of_twenty(reader: Api) -> None:
    created = [RunFactory(started_at=NOW - timedelta(hours=hour)) for hour in range(23)]
    first, second = reader.get("runs").json(), reader.get("runs?page=2").json()
    assert [row["id"] for row in first["runs"]] == [str(run.pk) for run in created[:20]]
    assert [row["id"] for row in second["runs"]] == [
        str(run.pk) for run in created[20:]
    ]
    assert (first["total"], first["page"], first["page_size"], first["has_more"]) == (
        23,
        1,
        20,
        True,
    )
    assert second["has_more"] is False


def test_the_history_may_be_oldest_first(reader: Api) -> None:
    old, new = RunFactory(started_at=NOW - timedelta(days=1)), RunFactory()
    rows = reader.get("runs?ordering=started_at").json()["runs"]
    assert [row["id"] for row in rows] == [str(old.pk), str(new.pk)]


def test_the_history_is_filtered_by_status_and_trigger(reader: Api) -> None:
    wanted = RunFactory(status="failed", trigger_type="api")
    RunFactory(status="failed")
    RunFactory(trigger_type="api")
    rows = reader.get("runs?status=failed&trigger_type=api").json()["runs"]
    assert [row["id"] for row in rows] == [str(wanted.pk)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("start_date=2026-11-24", ["start", "noon", "end"]),
        ("end_date=2026-11-24", ["before", "start", "noon", "end"]),
        ("start_date=2026-11-24&end_date=2026-11-24", ["start", "noon", "end"]),
        ("start_date=2026-11-24T12:00:00Z", ["noon", "end"]),
        ("end_date=2026-11-24T12:00:00Z", ["before", "start", "noon"]),
        ("start_date=2026-11-24T13:00:00%2B01:00&end_date=2026-11-24", ["noon", "end"]),
        ("start_date=2026-11-24T13:00:00+01:00&end_date=2026-11-24", ["noon", "end"]),
        ("end_date=2026-11-24T12:00:00", ["before", "start", "noon"]),
        ("start_date=2026-11-24%2B01:00", ["before", "start", "noon", "end"]),
    ],
)
def test_a_range_includes_whole_days_and_exact_times(
    query: str, expected: list[str], reader: Api
) -> None:
    day = NOW.replace(hour=0)
    moments = {
        "before": day - timedelta(microseconds=1), "start": day, "noon": NOW,
        "end": day + timedelta(days=1, microseconds=-1),
    }  # fmt: skip
    names = {str(RunFactory(started_at=at).pk): name for name, at in moments.items()}
    rows = reader.get(f"runs?{query}").json()["runs"]
    assert sorted(names[row["id"]] for row in rows) == sorted(expected)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=done", "status"),
        ("trigger_type=cron", "trigger_type"),
        ("start_date=yesterday", "start_date"),
        ("start_date=2026-13-01", "start_date"),
        ("end_date=0001-01-01", "end_date"),
        ("end_date=9999-12-31", "end_date"),
        ("start_date=2026-11-24&end_date=2026-11-23", "end_date"),
        ("page=0", "page"),
        ("page=x", "page"),
        ("page_size=101", "page_size"),
        ("page=5000&page_size=100", "page"),
        ("ordering=errors", "ordering"),
        ("stat=failed", "stat"),
    ],
)
def test_an_invalid_filter_is_refused_by_name(
    query: str, field: str, reader: Api
) -> None:
    response = reader.get(f"runs?{query}")
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_all_invalid_query_parameters_are_reported_together(reader: Api) -> None:
    response = reader.get("runs?status=done&page=0&stat=failed&trigger_type=")
    assert {error["field"] for error in response.json()["errors"]} == {
        "status",
        "page",
        "stat",
        "trigger_type",
    }


def test_a_run_has_its_parameters_progress_and_results(reader: Api) -> None:
    first = RunFactory()
    run = RunFactory(
        retry_of=first,
        errors=[
            "a line",
            {"step": MINT, "code": "rate_limited", "message": "429 from X"},
        ],
    )
    body = reader.get(f"runs/{run.pk}").json()
    assert body["params"]["min_price_change_pct"] == 100.0
    assert body["progress"] == {"stage": "done", "done": 9, "total": 9, "pct": 100}
    assert body["duration_seconds"] == 90.25
    assert body["started_at"] == "2026-11-24T12:00:00Z"
    assert body["funnel"] == {"candidates": 9, "qualified": 3}
    assert body["usage"] == {"helius": {"calls": 12, "credits": 120, "rate_limited": 1}}
    assert body["errors"] == ["a line", "429 from X"]
    assert body["error_details"] == [
        {"step": MINT, "code": "rate_limited", "message": "429 from X"}
    ]
    assert body["retry_of"] == str(first.pk)


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        (None, []),
        ([], []),
        ("boom", ["boom"]),
        ({"code": "x"}, ["x"]),
        (["a", {"message": "b"}, 3], ["a", "b", "3"]),
    ],
)
def test_errors_of_the_earlier_system_are_readable(
    errors: object, words: list[str], reader: Api
) -> None:
    run = Run.objects.create(
        started_at=NOW,
        trigger_type="manual",
        errors=errors,
        tokens_analyzed=None,
        new_wallets=None,
    )
    body = reader.get(f"runs/{run.pk}").json()
    assert body["errors"] == words
    assert body["progress"]["stage"] is None
    assert (body["tokens_analyzed"], body["params"]["max_tokens"]) == (0, None)
    assert reader.get("runs").json()["runs"][0]["error_count"] == len(words)


def test_the_usage_of_an_active_run_is_the_sum_of_its_steps(reader: Api) -> None:
    run = RunFactory(
        status="running", stage="analyse", usage={}, steps_done=1, steps_total=4
    )
    for number, kind in enumerate(("find", "token")):
        usage = {"jupiter": {"calls": number + 1, "credits": 0, "rate_limited": 0}}
        RunStep.objects.create(
            run=run, kind=kind, key=MINT if number else "", usage=usage
        )
    body = reader.get(f"runs/{run.pk}").json()
    assert body["usage"] == {"jupiter": {"calls": 3, "credits": 0, "rate_limited": 0}}
    assert body["progress"] == {"stage": "analyse", "done": 1, "total": 4, "pct": 25}


def test_a_failed_run_is_never_at_100_pct(reader: Api) -> None:
    run = RunFactory(status="failed")
    assert reader.get(f"runs/{run.pk}").json()["progress"]["pct"] == 99


@pytest.mark.parametrize("tail", ["", "/wallets", "/tokens"])
def test_an_unknown_run_is_404_and_a_malformed_id_400(tail: str, reader: Api) -> None:
    assert reader.get(f"runs/{uuid.uuid4()}{tail}").status_code == 404
    assert reader.get(f"runs/nonsense{tail}").status_code == 400


def test_the_wallets_of_a_run_are_best_first_with_amounts_as_text(reader: Api) -> None:
    run = RunFactory()
    RunTokenFactory(run=run)
    RunWalletFactory(run=run, wallet=1, profit_pct=Decimal("50"))
    RunWalletFactory(run=run, wallet=2)
    RunWalletFactory(
        run=run,
        wallet=3,
        profit_pct=None,
        row_version=None,
        is_new=None,
        realised_lamports=None,
    )
    body = reader.get(f"runs/{run.pk}/wallets").json()
    assert [row["address"] for row in body["wallets"]] == [
        address(2),
        address(1),
        address(3),
    ]
    best = body["wallets"][0]
    assert (best["realised_lamports"], best["profit_pct"], best["symbol"]) == (
        "5000000000",
        180.55,
        "PUMP",
    )
    assert body["total"] == 3


def test_the_tokens_of_a_run_are_by_rank_with_clean_names(reader: Api) -> None:
    run = RunFactory()
    RunTokenFactory(run=run, mint=address(8), rank=2, symbol="\u202eevil\x07")
    RunTokenFactory(run=run)
    tokens = reader.get(f"runs/{run.pk}/tokens?page_size=5").json()["tokens"]
    assert [token["symbol"] for token in tokens] == ["PUMP", "evil"]
    assert tokens[0]["price_usd"] == 0.001234


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

"""Requests that no friendly client sends: each is answered as documented, none by 500."""

import json

import pytest
from django.test import Client
from django.utils import timezone

from discovery.models import Config, Pumps, Run
from tests.api.client import Api
from tests.factories import MINT, RunFactory, WalletFactory, address

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("config")]


@pytest.mark.parametrize(("method", "path"), [("POST", "run"), ("PATCH", "config"), ("PUT", "config")])
def test_a_body_without_a_length_is_refused_and_not_taken_for_none(method: str, path: str, chief: Api) -> None:
    """It comes in chunks, with no Content-Length: read as nothing it would start another run than meant."""
    body = json.dumps({"max_tokens": 3})
    answer = chief.client.generic(
        method, f"/api/discovery/{path}", body, content_type="application/json", CONTENT_LENGTH="",
        HTTP_TRANSFER_ENCODING="chunked", headers={**chief.headers, "If-Match": "*"},
    )  # fmt: skip
    assert (answer.status_code, answer.json()["code"]) == (411, "length_required")
    assert not Run.objects.exists()


@pytest.mark.parametrize("cookie", ['"\\000aaaaaaaaaaaa"', "é", "a" * 5000, "../../etc"])
def test_a_session_cookie_that_is_none_is_nobody(cookie: str, db: None) -> None:
    client = Client()
    answer = client.get("/api/discovery/status", HTTP_COOKIE=f"walltrack_session={cookie}")
    assert answer.status_code == 401


@pytest.mark.parametrize("origin", ["http://[", "nonsense", "null", "http://[::1"])
def test_without_authentication_a_broken_origin_changes_nothing(origin: str, settings) -> None:
    settings.API_AUTH_ENABLED = False
    api = Api(Client())
    assert api.get("runs", Origin=origin).status_code == 200
    assert api.post("run", Origin=origin).status_code == 403
    assert not Run.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("told", [True, False])
def test_a_run_that_no_worker_could_be_told_of_is_queued_and_says_so(told: bool, runner: Api, monkeypatch) -> None:
    monkeypatch.setattr("discovery.jobs.broker.send", lambda *_: told)
    answer = runner.post("run")
    assert (answer.status_code, Run.objects.get().status) == (202, "queued")
    assert ("out of reach" in answer.json()["message"]) is not told


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-24 09:00",
        "2026-11-24%2009:00",
        "20261124",
        "2026-11-24T09",
        "2026-W48-2",
        "2026-11-24T09:00",
        "1732406",
    ],
)
def test_a_moment_in_another_shape_is_refused_and_not_guessed(value: str, reader: Api) -> None:
    answer = reader.get(f"runs?start_date={value}")
    assert [error["field"] for error in answer.json().get("errors", [])] == ["start_date"], answer.json()


def test_the_configuration_tells_no_next_run_where_none_will_come(reader: Api, settings) -> None:
    Config.objects.update(next_run_at=timezone.now())
    settings.DISCOVERY_SCHEDULER_ENABLED = False
    assert reader.get("config").json()["next_run_at"] is None


def test_the_same_key_with_the_same_values_otherwise_written_is_the_same_request(runner: Api) -> None:
    first = runner.post("run", {"max_tokens": 5, "min_profit_pct": 80}, Idempotency_Key="k").json()
    assert runner.post("run", {"min_profit_pct": 80.0, "max_tokens": 5.0}, Idempotency_Key="k").json() == first


def test_keys_of_two_callers_do_not_meet(runner: Api, chief: Api) -> None:
    runner.post("run", Idempotency_Key="monday-1")
    Run.objects.update(status="completed", stage="done")
    answer = chief.post("run", Idempotency_Key="monday-1")
    assert answer.status_code == 202
    assert Run.objects.count() == 2


def test_a_retry_asked_for_twice_with_one_key_is_one_run(runner: Api) -> None:
    old = RunFactory()
    first = runner.post(f"runs/{old.pk}/retry", Idempotency_Key="again")
    Run.objects.exclude(pk=old.pk).update(status="completed", stage="done")
    second = runner.post(f"runs/{old.pk}/retry", Idempotency_Key="again")
    assert first.json()["run_id"] == second.json()["run_id"]
    assert runner.post(f"runs/{first.json()['run_id']}/retry", Idempotency_Key="again").status_code == 422


@pytest.mark.parametrize("flags", [["creater"], ["sniper", "x"]])
def test_a_misspelt_flag_is_refused_by_name(flags: list[str], runner: Api, chief: Api) -> None:
    answer = runner.post("run", {"excluded_flags": flags})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "excluded_flags"
    assert chief.call("PATCH", "config", {"params": {"excluded_flags": flags}}, If_Match="*").status_code == 400


def test_pumps_with_a_time_that_no_clock_has_leave_that_token_out(reader: Api) -> None:
    now = timezone.now()
    bad = {"mint": MINT, "launched_at": 10**18}
    Pumps.objects.create(pk=1, asked_at=now, refreshed_at=now, answered_at=now, tokens=[bad, {"mint": MINT}])
    assert len(reader.get("pumps").json()["tokens"]) == 1


def test_a_failed_look_at_the_pumps_is_over_when_it_has_failed(reader: Api) -> None:
    now = timezone.now()
    Pumps.objects.create(pk=1, asked_at=now, answered_at=now, problem="nobody answered")
    body = reader.get("pumps").json()
    assert (body["refreshing"], body["problem"]) == (False, "nobody answered")


def test_a_queue_out_of_reach_is_asked_once_a_minute_by_those_who_look_at_pumps(reader: Api, monkeypatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("discovery.jobs.broker.send", lambda *arguments: asked.append(arguments))
    bodies = [reader.get("pumps").json() for _ in range(3)]
    assert len(asked) == 1
    assert "out of reach" in bodies[-1]["problem"]
    assert bodies[-1]["refreshing"] is False


def test_lists_by_label_flag_and_address_use_an_index(reader: Api) -> None:
    from django.db import connection

    from discovery.reads import wallets
    from discovery.reads.filters import WalletFilterSet
    from discovery.reads.paging import Page
    from tests.api.test_budgets import copies, plan_of

    copies(WalletFactory(number=0), 4000, address=address, flags=lambda number: {"dust": "x"} if number == 7 else {},
           label=lambda number: "whale" if number == 9 else "")  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    for filters in ({"flag": "dust"}, {"label": "whale"}, {"search": address(5)[:30]}):
        rows = WalletFilterSet(filters).qs
        plan = plan_of(lambda rows=rows: wallets.wallet_list(rows, Page()))  # type: ignore[misc]
        assert "Seq Scan" not in plan, plan

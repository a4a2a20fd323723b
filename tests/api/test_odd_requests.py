"""Unusual requests: each gets the documented response, none a 500."""

import json

import pytest
from django.test import Client
from django.utils import timezone

from discovery.models import Config, Pumps, Run, RunStep
from tests.api.client import Api
from tests.factories import MINT, RunFactory, WalletFactory, address

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("config")]


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "run"), ("PATCH", "config"), ("PUT", "config")]
)
def test_a_chunked_body_is_refused_and_not_read_as_empty(
    method: str, path: str, admin: Api
) -> None:
    """It has no Content-Length: read as empty, it would start a run with other
    parameters.
    """
    body = json.dumps({"max_tokens": 3})
    response = admin.client.generic(
        method, f"/api/discovery/{path}", body, content_type="application/json", CONTENT_LENGTH="",
        HTTP_TRANSFER_ENCODING="chunked", headers={**admin.headers, "If-Match": "*"},
    )  # fmt: skip
    assert (response.status_code, response.json()["code"]) == (411, "length_required")
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    "cookie", ['"\\000aaaaaaaaaaaa"', "é", "a" * 5000, "../../etc"]
)
def test_a_malformed_session_cookie_is_anonymous(cookie: str, db: None) -> None:
    client = Client()
    response = client.get(
        "/api/discovery/status", HTTP_COOKIE=f"walltrack_session={cookie}"
    )
    assert response.status_code == 401


@pytest.mark.parametrize("origin", ["http://[", "nonsense", "null", "http://[::1"])
def test_without_authentication_a_malformed_origin_changes_nothing(
    origin: str, settings
) -> None:
    settings.API_AUTH_ENABLED = False
    api = Api(Client())
    assert api.get("runs", Origin=origin).status_code == 200
    assert api.post("run", Origin=origin).status_code == 403
    assert not Run.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_sent", [True, False])
def test_a_run_that_could_not_be_enqueued_says_so(
    is_sent: bool, runner: Api, monkeypatch
) -> None:
    monkeypatch.setattr("discovery.jobs.broker.send", lambda *_: is_sent)
    response = runner.post("run")
    assert (response.status_code, Run.objects.get().status) == (202, "queued")
    assert ("unreachable" in response.json()["message"]) is not is_sent


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
def test_a_time_in_another_format_is_refused(value: str, reader: Api) -> None:
    response = reader.get(f"runs?start_date={value}")
    assert [error["field"] for error in response.json().get("errors", [])] == [
        "start_date"
    ], response.json()


def test_a_schedule_off_in_the_environment_has_no_next_run(
    reader: Api, settings
) -> None:
    Config.objects.update(next_run_at=timezone.now())
    settings.DISCOVERY_SCHEDULER_ENABLED = False
    assert reader.get("config").json()["next_run_at"] is None


def test_an_idempotency_key_compares_values_and_not_their_notation(runner: Api) -> None:
    first = runner.post(
        "run", {"max_tokens": 5, "min_profit_pct": 80}, Idempotency_Key="k"
    ).json()
    assert (
        runner.post(
            "run", {"min_profit_pct": 80.0, "max_tokens": 5.0}, Idempotency_Key="k"
        ).json()
        == first
    )


def test_idempotency_keys_belong_to_their_caller(runner: Api, admin: Api) -> None:
    runner.post("run", Idempotency_Key="monday-1")
    Run.objects.update(status="completed", stage="done")
    response = admin.post("run", Idempotency_Key="monday-1")
    assert response.status_code == 202
    assert Run.objects.count() == 2


def test_a_retry_repeated_with_its_key_is_one_run(runner: Api) -> None:
    old = RunFactory()
    first = runner.post(f"runs/{old.pk}/retry", Idempotency_Key="again")
    Run.objects.exclude(pk=old.pk).update(status="completed", stage="done")
    second = runner.post(f"runs/{old.pk}/retry", Idempotency_Key="again")
    assert first.json()["run_id"] == second.json()["run_id"]
    assert (
        runner.post(
            f"runs/{first.json()['run_id']}/retry", Idempotency_Key="again"
        ).status_code
        == 422
    )


@pytest.mark.parametrize("flags", [["creater"], ["sniper", "x"]])
def test_an_unknown_flag_is_refused_by_name(
    flags: list[str], runner: Api, admin: Api
) -> None:
    response = runner.post("run", {"excluded_flags": flags})
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "excluded_flags"
    assert (
        admin.call(
            "PATCH", "config", {"params": {"excluded_flags": flags}}, If_Match="*"
        ).status_code
        == 400
    )


def test_pumps_leave_out_a_token_with_an_impossible_time(reader: Api) -> None:
    now = timezone.now()
    bad = {"mint": MINT, "launched_at": 10**18}
    Pumps.objects.create(
        pk=1,
        asked_at=now,
        refreshed_at=now,
        answered_at=now,
        tokens=[bad, {"mint": MINT}],
    )
    assert len(reader.get("pumps").json()["tokens"]) == 1


def test_a_failed_refresh_of_pumps_is_no_longer_refreshing(reader: Api) -> None:
    now = timezone.now()
    Pumps.objects.create(pk=1, asked_at=now, answered_at=now, problem="nobody answered")
    body = reader.get("pumps").json()
    assert (body["refreshing"], body["problem"]) == (False, "nobody answered")


@pytest.mark.django_db(transaction=True)
def test_reading_pumps_tries_an_unreachable_queue_once_a_minute(
    reader: Api, monkeypatch
) -> None:
    messages: list[object] = []
    monkeypatch.setattr(
        "discovery.jobs.broker.send", lambda *arguments: messages.append(arguments)
    )
    bodies = [reader.get("pumps").json() for _ in range(3)]
    assert len(messages) == 1
    assert bodies[-1]["refreshing"] is True
    assert RunStep.objects.get().status == "pending"  # it waits for the queue


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

"""What goes wrong is told the same way everywhere, under an id that stands in the log."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from django.test import Client

from discovery import services
from discovery.api import problems
from tests.api.client import Api
from tests.factories import WalletFactory, address
from walltrack.logs import bound

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
MEMBERS = {"type", "title", "status", "detail", "instance", "code", "request_id", "errors"}


def told(answer, status: int, code: str) -> dict:
    """The problem, whole, with the id that the answer carries."""
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert set(body) >= MEMBERS
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:walltrack:problem:{code}")
    assert body["request_id"] == answer.headers["X-Request-ID"]
    assert body["instance"] == answer.request["PATH_INFO"]
    return body


@pytest.mark.parametrize("path", ["/api/nowhere", "/api/discovery/nowhere", "/api/discovery/runs/a/b/c", "/api/"])
def test_a_path_that_leads_nowhere(path: str) -> None:
    told(Api(Client()).get(path), 404, "not_found")


def test_a_path_beside_the_api_is_a_page(client: Client) -> None:
    assert "text/html" in client.get("/nowhere").headers["Content-Type"]


def test_a_method_that_is_not_there(chief: Api) -> None:
    told(chief.call("DELETE", "runs"), 405, "method_not_allowed")


def test_a_form_that_nobody_makes(reader: Api) -> None:
    told(reader.get("runs", Accept="text/html"), 406, "not_acceptable")


def test_a_body_that_is_not_json(runner: Api) -> None:
    told(
        runner.raw("POST", "run", "a=1", Content_Type="application/x-www-form-urlencoded"),
        415,
        "unsupported_media_type",
    )


@pytest.mark.parametrize(
    "text",
    [b"{", b"{'a': 1}", b"\xff\xfe", b'{"max_tokens": NaN}', b"[" * 30_000, b'{"\\ud800": 1}', b'{"a": "\\u0000"}'],
)
def test_a_body_that_is_broken(text: bytes, runner: Api) -> None:
    told(runner.raw("POST", "run", text), 400, "malformed")


def test_a_body_that_is_too_large(runner: Api) -> None:
    told(runner.raw("POST", "run", '{"a": "' + "x" * 70_000 + '"}'), 413, "too_large")


def test_a_host_that_is_not_ours() -> None:
    told(Api(Client()).get("runs", Host="evil.example"), 400, "malformed")


def test_a_database_out_of_reach(reader: Api, monkeypatch) -> None:
    def gone(*_: object) -> None:
        raise OperationalError("connection refused at db.internal")

    monkeypatch.setattr("discovery.reads.stats.stats", gone)
    body = told(reader.get("stats"), 503, "database_unavailable")
    assert "db.internal" not in str(body)


def test_a_database_out_of_reach_while_the_caller_is_looked_up(reader: Api) -> None:
    def refuse(*_: object) -> None:
        raise OperationalError("gone")

    with connection.execute_wrapper(refuse):
        answer = reader.get("runs")
    told(answer, 503, "database_unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_page_says_that_the_database_is_out_of_reach(admin_client: Client) -> None:
    def refuse(*_: object) -> None:
        raise OperationalError("gone")

    admin_client.raise_request_exception = False
    with connection.execute_wrapper(refuse):
        answer = admin_client.get("/admin/discovery/")
    assert answer.status_code == 503
    assert "out of reach" in answer.content.decode()


def test_a_queue_out_of_reach(runner: Api, monkeypatch) -> None:
    def gone(*_: object, **__: object) -> None:
        raise problems.QueueError("redis is down")

    WalletFactory(number=1)
    monkeypatch.setattr(services, "request_profile", gone)
    told(runner.post(f"wallets/{address(1)}/profile"), 503, "queue_unavailable")


def test_what_nobody_foresaw_is_told_by_id_alone(reader: Api, monkeypatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("discovery.reads.stats.stats", broken)
    reader.client.raise_request_exception = False
    body = told(reader.get("stats"), 500, "internal_error")
    assert "secret detail" not in str(body)


def test_a_sane_id_of_the_caller_is_kept(reader: Api) -> None:
    assert reader.get("status", X_Request_ID="trace-1.a_B").headers["X-Request-ID"] == "trace-1.a_B"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\u00e9", "<script>"])
def test_an_id_that_is_not_sane_gives_way_to_one_of_ours(given: str, reader: Api) -> None:
    found = reader.get("status", X_Request_ID=given).headers["X-Request-ID"]
    assert found != given
    assert len(found) == 32


def test_the_id_stands_on_every_log_line_of_the_request_and_on_none_after(reader: Api) -> None:
    seen: list[str | None] = []

    class Notes(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(bound().get("request_id"))

    logger, notes = logging.getLogger("django.request"), Notes()
    logger.addHandler(notes)
    try:
        reader.get("runs/nonsense", X_Request_ID="trace-2")
    finally:
        logger.removeHandler(notes)
    assert seen == ["trace-2"]
    assert "request_id" not in bound()


def test_answers_are_kept_by_nobody(reader: Api) -> None:
    assert reader.get("runs").headers["Cache-Control"] == "no-store"
    assert reader.get("runs/nonsense").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://desk.example", "https://desk.example"),
        ("http://desk.example", None),
        ("https://desk.example.evil.example", None),
        ("https://sub.desk.example", None),
        ("null", None),
    ],
)
def test_origins_are_allowed_to_the_letter(origin: str, allowed: str | None, reader: Api, settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://desk.example"]
    answer = reader.get("status", Origin=origin)
    assert answer.headers.get("Access-Control-Allow-Origin") == allowed
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_listed_origin_may_send_what_the_api_reads(reader: Api, settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://desk.example"]
    asked = "authorization,content-type,idempotency-key,if-match"
    answer = Client().options(
        "/api/discovery/config",
        headers={
            "Origin": "https://desk.example",
            "Access-Control-Request-Method": "PATCH",
            "Access-Control-Request-Headers": asked,
        },
    )
    assert answer.status_code == 200
    assert set(asked.split(",")) <= set(answer.headers["Access-Control-Allow-Headers"].split(", "))
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]


def test_pages_beside_the_api_allow_no_origin(admin_client: Client, settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://desk.example"]
    answer = admin_client.get("/admin/", headers={"Origin": "https://desk.example"})
    assert "Access-Control-Allow-Origin" not in answer.headers


def start(module: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The module imported by a process of its own."""
    program = [sys.executable, "-c", f"import {module}"]
    return subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("value", ["*", "desk.example", "https://*.desk.example", "https://desk.example/path"])
def test_an_origin_that_is_none_refuses_to_start(value: str) -> None:
    done = start("walltrack.settings", CORS_ALLOWED_ORIGINS=value)
    assert done.returncode != 0
    assert "CORS_ALLOWED_ORIGINS" in done.stderr


@pytest.mark.parametrize("name", ["API_THROTTLE_READ", "API_THROTTLE_WRITE", "API_THROTTLE_ANONYMOUS"])
def test_a_limit_of_calls_that_is_none_refuses_to_start(name: str) -> None:
    done = start("walltrack.settings", **{name: "0"})
    assert done.returncode != 0
    assert name in done.stderr


def test_an_api_open_to_everybody_is_said_at_the_start() -> None:
    done = start("walltrack.wsgi", API_AUTH_ENABLED="false", SECRET_KEY="k" * 40)
    assert done.stderr.count("API_AUTH_ENABLED=false") == 1

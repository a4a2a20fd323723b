"""Errors have one form everywhere, and an id that is in the log."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from django.test import Client

from tests.api.client import Api
from walltrack.logs import bound

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
MEMBERS = {
    "type",
    "title",
    "status",
    "detail",
    "instance",
    "code",
    "request_id",
    "errors",
}


def problem_of(response, status: int, code: str) -> dict:
    """Return the problem after checking its members and the id of the request."""
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    body = response.json()
    assert set(body) >= MEMBERS
    assert (body["status"], body["code"], body["type"]) == (
        status,
        code,
        f"urn:walltrack:problem:{code}",
    )
    assert body["request_id"] == response.headers["X-Request-ID"]
    assert body["instance"] == response.request["PATH_INFO"]
    return body


@pytest.mark.parametrize(
    "path",
    ["/api/nowhere", "/api/discovery/nowhere", "/api/discovery/runs/a/b/c", "/api/"],
)
def test_an_unknown_path_is_404(path: str) -> None:
    problem_of(Api(Client()).get(path), 404, "not_found")


def test_an_unknown_path_outside_the_api_is_a_page(client: Client) -> None:
    assert "text/html" in client.get("/nowhere").headers["Content-Type"]


def test_an_unsupported_method_is_405(admin: Api) -> None:
    problem_of(admin.call("DELETE", "runs"), 405, "method_not_allowed")


def test_an_unavailable_media_type_is_406(reader: Api) -> None:
    problem_of(reader.get("runs", Accept="text/html"), 406, "not_acceptable")


def test_a_body_that_is_not_json_is_415(runner: Api) -> None:
    problem_of(
        runner.raw(
            "POST", "run", "a=1", Content_Type="application/x-www-form-urlencoded"
        ),
        415,
        "unsupported_media_type",
    )


@pytest.mark.parametrize(
    "text",
    [
        b"{",
        b"{'a': 1}",
        b"\xff\xfe",
        b'{"max_tokens": NaN}',
        b"[" * 30_000,
        b'{"\\ud800": 1}',
        b'{"a": "\\u0000"}',
    ],
)
def test_a_malformed_body_is_400(text: bytes, runner: Api) -> None:
    problem_of(runner.raw("POST", "run", text), 400, "malformed")


def test_a_body_that_is_too_large_is_413(runner: Api) -> None:
    problem_of(
        runner.raw("POST", "run", '{"a": "' + "x" * 70_000 + '"}'), 413, "too_large"
    )


def test_an_unknown_host_is_400() -> None:
    problem_of(Api(Client()).get("runs", Host="evil.example"), 400, "malformed")


def test_an_unreachable_database_is_503(reader: Api, monkeypatch) -> None:
    def gone(*_: object) -> None:
        raise OperationalError("connection refused at db.internal")

    monkeypatch.setattr("discovery.reads.stats.stats", gone)
    body = problem_of(reader.get("stats"), 503, "database_unavailable")
    assert "db.internal" not in str(body)


def test_an_unreachable_database_during_authentication_is_503(reader: Api) -> None:
    def refuse(*_: object) -> None:
        raise OperationalError("gone")

    with connection.execute_wrapper(refuse):
        response = reader.get("runs")
    problem_of(response, 503, "database_unavailable")
    assert int(response.headers["Retry-After"]) > 0


def test_a_page_reports_an_unreachable_database(admin_client: Client) -> None:
    def refuse(*_: object) -> None:
        raise OperationalError("gone")

    admin_client.raise_request_exception = False
    with connection.execute_wrapper(refuse):
        response = admin_client.get("/admin/discovery/")
    assert response.status_code == 503
    assert "unreachable" in response.content.decode()


def test_an_unexpected_error_is_500_without_details(reader: Api, monkeypatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("discovery.reads.stats.stats", broken)
    reader.client.raise_request_exception = False
    body = problem_of(reader.get("stats"), 500, "internal_error")
    assert "secret detail" not in str(body)


def test_a_valid_request_id_of_the_caller_is_used(reader: Api) -> None:
    assert (
        reader.get("status", X_Request_ID="trace-1.a_B").headers["X-Request-ID"]
        == "trace-1.a_B"
    )


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\u00e9", "<script>"])
def test_an_invalid_request_id_is_replaced(given: str, reader: Api) -> None:
    request_id = reader.get("status", X_Request_ID=given).headers["X-Request-ID"]
    assert request_id != given
    assert len(request_id) == 32


def test_only_log_lines_of_the_request_have_its_id(reader: Api) -> None:
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


def test_responses_are_never_cached(reader: Api) -> None:
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
def test_origins_must_match_exactly(
    origin: str, allowed: str | None, reader: Api, settings
) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://desk.example"]
    response = reader.get("status", Origin=origin)
    assert response.headers.get("Access-Control-Allow-Origin") == allowed
    assert "Access-Control-Allow-Credentials" not in response.headers


def test_a_listed_origin_may_send_the_headers_of_the_api(reader: Api, settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://desk.example"]
    requested = "authorization,content-type,idempotency-key,if-match"
    response = Client().options(
        "/api/discovery/config",
        headers={
            "Origin": "https://desk.example",
            "Access-Control-Request-Method": "PATCH",
            "Access-Control-Request-Headers": requested,
        },
    )
    assert response.status_code == 200
    assert set(requested.split(",")) <= set(
        response.headers["Access-Control-Allow-Headers"].split(", ")
    )
    assert "PATCH" in response.headers["Access-Control-Allow-Methods"]


def test_pages_outside_the_api_allow_no_origin(admin_client: Client, settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://desk.example"]
    response = admin_client.get("/admin/", headers={"Origin": "https://desk.example"})
    assert "Access-Control-Allow-Origin" not in response.headers


def start(module: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Import the module in a new process."""
    program = [sys.executable, "-c", f"import {module}"]
    return subprocess.run(
        program, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "value",
    ["*", "desk.example", "https://*.desk.example", "https://desk.example/path"],
)
def test_a_malformed_origin_stops_the_start(value: str) -> None:
    process = start("walltrack.settings", CORS_ALLOWED_ORIGINS=value)
    assert process.returncode != 0
    assert "CORS_ALLOWED_ORIGINS" in process.stderr


@pytest.mark.parametrize(
    "name", ["API_THROTTLE_READ", "API_THROTTLE_WRITE", "API_THROTTLE_ANONYMOUS"]
)
def test_a_limit_of_no_calls_stops_the_start(name: str) -> None:
    process = start("walltrack.settings", **{name: "0"})
    assert process.returncode != 0
    assert name in process.stderr


def test_a_disabled_authentication_is_reported_at_the_start() -> None:
    process = start("walltrack.wsgi", API_AUTH_ENABLED="false", SECRET_KEY="k" * 40)
    assert process.stderr.count("API_AUTH_ENABLED=false") == 1

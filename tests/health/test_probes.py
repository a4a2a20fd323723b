"""Alive and ready."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from ill_servers import Silent, closed_port

PATHS = ["/health", "/health/live", "/health/ready", "/health/detailed"]
ALL = [path + end for path in PATHS for end in ("", "/")]


@pytest.mark.parametrize("path", ["/health", "/health/live"])
def test_the_process_says_that_it_is_up_without_a_query(path: str, client: Client) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()) == (200, {"status": "pass"})


@pytest.mark.parametrize("path", ALL)
def test_every_probe_answers_any_host_over_http_without_a_session_and_uncached(
    path: str, client: Client, settings: Any, all_well: None
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["walltrack.example"]
    answer = client.get(path, headers={"host": "whatever.example"})
    assert (answer.status_code, answer.json()["status"]) == (200, "pass")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "application/health+json"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", ALL)
def test_a_probe_is_read_only(path: str, client: Client, all_well: None) -> None:
    assert client.head(path).status_code == 200
    for call in (client.post, client.put, client.patch, client.delete, client.options):
        answer = call(path)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_an_unknown_probe_is_not_found(client: Client, db: None) -> None:
    assert client.get("/health/nothing").status_code == 404


def test_ready_where_database_migrations_and_broker_are(ask: Any, transactional_db: None) -> None:
    page = ask("/health/ready")
    assert (page["code"], page["status"]) == (200, "pass")
    assert {name: check["status"] for name, check in page["checks"].items()} == {
        "database": "pass",
        "migrations": "pass",
        "broker": "pass",
    }


def test_not_ready_without_the_database(ask: Any, transactional_db: None, database_at: Callable[[int], None]) -> None:
    database_at(closed_port())
    page = ask("/health/ready")
    assert (page["code"], page["checks"]["database"]["status"], page["checks"]["broker"]["status"]) == (
        503,
        "fail",
        "pass",
    )


def test_not_ready_without_the_broker(ask: Any, transactional_db: None, settings: Any) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{closed_port()}/0"
    page = ask("/health/ready")
    assert (page["code"], page["checks"]["broker"]["status"]) == (503, "fail")


def test_not_ready_while_a_migration_is_pending(ask: Any, transactional_db: None) -> None:
    recorder, (last,) = MigrationRecorder(connection), MigrationLoader(connection).graph.leaf_nodes("discovery")
    recorder.record_unapplied(*last)
    try:
        page = ask("/health/ready")
    finally:
        recorder.record_applied(*last)
    assert (page["code"], page["checks"]["migrations"]["status"]) == (503, "fail")


def test_not_ready_within_the_bound_while_both_servers_hang(
    ask: Any, transactional_db: None, settings: Any, database_at: Callable[[int], None], silent: Silent
) -> None:
    database_at(silent.port)
    settings.REDIS_URL = f"redis://127.0.0.1:{silent.port}/0"
    page = ask("/health/ready")
    assert {check["status"] for check in page["checks"].values()} == {"fail"}
    assert page["duration_ms"] <= 2500

"""/health, /health/live and /health/ready, and what all probes have in common."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from tests.health.faulty_servers import SilentServer, closed_port

PATHS = ["/health", "/health/live", "/health/ready", "/health/detailed"]
ALL_PATHS = [*PATHS, *(f"{path}/" for path in PATHS)]


@pytest.mark.parametrize("path", ["/health", "/health/live"])
def test_live_needs_no_query(path: str, client: Client) -> None:
    response = client.get(path)
    assert (response.status_code, response.json()) == (200, {"status": "pass"})


@pytest.mark.parametrize("path", ALL_PATHS)
def test_every_probe_responds_uncached_without_https_known_host_or_session(
    path: str, client: Client, settings: Any, healthy_system: None
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["walltrack.example"]
    response = client.get(path, headers={"host": "unknown.example"})
    assert (response.status_code, response.json()["status"]) == (200, "pass")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Type"] == "application/health+json"
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("path", ALL_PATHS)
def test_a_probe_is_read_only(path: str, client: Client, healthy_system: None) -> None:
    assert client.head(path).status_code == 200
    for call in (client.post, client.put, client.patch, client.delete, client.options):
        response = call(path)
        assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD")


def test_an_unknown_probe_is_not_found(client: Client, db: None) -> None:
    assert client.get("/health/nothing").status_code == 404


def test_ready_checks_database_migrations_and_broker(
    get_health: Any, transactional_db: None
) -> None:
    health = get_health("/health/ready")
    assert (health["code"], health["status"]) == (200, "pass")
    assert {name: check["status"] for name, check in health["checks"].items()} == {
        "database": "pass",
        "migrations": "pass",
        "broker": "pass",
    }


def test_not_ready_without_the_database(
    get_health: Any, transactional_db: None, database_at: Callable[[int], None]
) -> None:
    database_at(closed_port())
    health = get_health("/health/ready")
    assert (
        health["code"],
        health["checks"]["database"]["status"],
        health["checks"]["broker"]["status"],
    ) == (
        503,
        "fail",
        "pass",
    )


def test_not_ready_without_the_broker(
    get_health: Any, transactional_db: None, settings: Any
) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{closed_port()}/0"
    health = get_health("/health/ready")
    assert (health["code"], health["checks"]["broker"]["status"]) == (503, "fail")


def test_not_ready_while_a_migration_is_pending(
    get_health: Any, transactional_db: None
) -> None:
    recorder, (last,) = (
        MigrationRecorder(connection),
        MigrationLoader(connection).graph.leaf_nodes("discovery"),
    )
    recorder.record_unapplied(*last)
    try:
        health = get_health("/health/ready")
    finally:
        recorder.record_applied(*last)
    assert (health["code"], health["checks"]["migrations"]["status"]) == (503, "fail")


def test_not_ready_within_the_time_limit_while_both_servers_hang(
    get_health: Any,
    transactional_db: None,
    settings: Any,
    database_at: Callable[[int], None],
    silent_server: SilentServer,
) -> None:
    database_at(silent_server.port)
    settings.REDIS_URL = f"redis://127.0.0.1:{silent_server.port}/0"
    health = get_health("/health/ready")
    assert {check["status"] for check in health["checks"].values()} == {"fail"}
    assert health["duration_ms"] <= 2500

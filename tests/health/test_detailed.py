"""/health/detailed reports every component correctly and in time, whatever is broken."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as configured
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import F
from django.utils import timezone

from discovery.models import Config, Heartbeat, Provider, Run
from tests.health.faulty_servers import QueryDroppingProxy, SilentServer, closed_port
from tests.health.health_report import not_passing

MAX_DURATION_MS = 2500
CHECKS = {
    "database", "migrations", "broker", "workers", "canary", "beat", "tick", "providers", "scheduler", "runs",
    "api_auth", "transport", "watchlist",
}  # fmt: skip


def test_a_healthy_system_passes_every_check(
    healthy_system: None, get_health: Any
) -> None:
    health = get_health()
    assert (health["code"], health["status"], not_passing(health)) == (200, "pass", {})
    assert set(health["checks"]) == CHECKS
    assert health["duration_ms"] <= MAX_DURATION_MS
    assert (health["instance"], health["version"]) == ("walltrack", configured.VERSION)


@pytest.mark.parametrize(
    ("component", "age_seconds", "status"),
    [
        ("worker:host-17:42", 55, "pass"),
        ("worker:host-17:42", 65, "fail"),
        ("beat", 85, "pass"),
        ("beat", 95, "fail"),
        ("tick", 85, "pass"),
        ("tick", 95, "warn"),
        ("tick", 185, "fail"),
        ("canary", 170, "pass"),
        ("canary", 185, "fail"),
    ],
)
def test_a_component_without_a_recent_heartbeat_is_reported(
    component: str,
    age_seconds: int,
    status: str,
    healthy_system: None,
    heartbeat: Any,
    get_health: Any,
) -> None:
    heartbeat(component, age_seconds=age_seconds)
    health = get_health()
    name = component.partition(":")[0].replace("worker", "workers")
    assert not_passing(health) == ({} if status == "pass" else {name: status})
    assert (health["status"], health["code"]) == (
        status,
        503 if status == "fail" else 200,
    )


def test_an_old_canary_only_warns_while_every_worker_is_busy(
    healthy_system: None, heartbeat: Any, get_health_as_operator: Any
) -> None:
    heartbeat("worker:host-17:42", concurrency=4, active=4)
    heartbeat("canary", age_seconds=600)
    health = get_health_as_operator()
    assert (health["code"], not_passing(health)) == (200, {"canary": "warn"})
    assert "every worker is busy" in health["checks"]["canary"]["output"]


def test_a_missing_canary_only_warns_after_the_workers_have_just_started(
    transactional_db: None, heartbeat: Any, get_health_as_operator: Any
) -> None:
    heartbeat("beat")
    heartbeat("worker:host-17:42", started_at=timezone.now().isoformat())
    health = get_health_as_operator()
    assert (health["code"], not_passing(health)) == (
        200,
        {"canary": "warn", "tick": "warn"},
    )
    assert (
        "has not been seen yet: the workers have just started"
        in health["checks"]["canary"]["output"]
    )
    heartbeat(
        "worker:host-17:42",
        started_at=(timezone.now() - timedelta(minutes=4)).isoformat(),
    )
    assert not_passing(get_health_as_operator()) == {"canary": "fail", "tick": "fail"}


def test_one_live_worker_of_two_is_enough(
    healthy_system: None, heartbeat: Any, get_health_as_operator: Any
) -> None:
    heartbeat("worker:host-18:43", age_seconds=7200)
    check = get_health_as_operator()["checks"]["workers"]
    assert (check["status"], check["output"], set(check["facts"])) == (
        "pass",
        "one worker",
        {"host-17:42"},
    )


def test_without_heartbeats_for_ten_minutes_every_component_fails(
    healthy_system: None, get_health: Any
) -> None:
    Heartbeat.objects.update(at=F("at") - timedelta(minutes=10))
    assert not_passing(get_health()) == {
        "workers": "fail",
        "canary": "fail",
        "beat": "fail",
        "tick": "fail",
    }


def test_a_web_server_whose_clock_is_wrong_reports_the_same_components(
    healthy_system: None, get_health: Any
) -> None:
    hours = timedelta(hours=2)
    for wrong in (timezone.now() - hours, timezone.now() + hours):
        Config.objects.update(next_run_at=wrong + hours)
        with time_machine.travel(wrong):
            assert not_passing(get_health()) == {}


def test_on_a_new_system_no_component_has_been_seen_yet(
    get_health_as_operator: Any,
) -> None:
    health = get_health_as_operator()
    for name in ("workers", "canary", "beat", "tick"):
        assert health["checks"][name]["status"] == "fail"
        assert "has not been seen yet" in health["checks"][name]["output"]
    assert health["checks"]["providers"] == {
        "status": "pass",
        "time": health["checks"]["providers"]["time"],
        "output": "no provider has been called yet",
    }


def test_workers_fails_after_the_last_worker_has_stopped_in_order(
    healthy_system: None, get_health_as_operator: Any
) -> None:
    Heartbeat.objects.filter(name__startswith="worker:").delete()
    health = get_health_as_operator()
    assert (health["code"], not_passing(health)) == (503, {"workers": "fail"})
    assert (
        health["checks"]["workers"]["output"]
        == "no worker is running: start walltrack-worker"
    )


def test_without_a_run_the_last_one_is_null(
    healthy_system: None, get_health_as_operator: Any
) -> None:
    Run.objects.all().delete()
    health = get_health_as_operator()
    assert (health["last_discovery_run"], health["scheduler"]["last_run"]) == (
        None,
        None,
    )
    assert (health["status"], health["checks"]["runs"]["output"]) == (
        "pass",
        "no run yet",
    )


def test_a_broker_that_is_down_fails(
    healthy_system: None, get_health: Any, settings: Any
) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{closed_port()}/0"
    health = get_health()
    assert (health["code"], not_passing(health)) == (503, {"broker": "fail"})
    assert health["duration_ms"] <= MAX_DURATION_MS


def test_a_broker_that_hangs_fails_within_the_time_limit(
    healthy_system: None, get_health: Any, settings: Any, silent_server: SilentServer
) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{silent_server.port}/0"
    health = get_health()
    assert (health["code"], not_passing(health)) == (503, {"broker": "fail"})
    assert health["duration_ms"] <= MAX_DURATION_MS


UNKNOWN_WITHOUT_DATABASE = {
    "database": "fail", "migrations": "fail", "workers": "warn", "canary": "warn", "beat": "warn", "tick": "warn",
    "providers": "warn", "scheduler": "warn", "runs": "warn", "watchlist": "warn",
}  # fmt: skip


def test_without_the_database_the_other_checks_are_not_known(
    healthy_system: None, get_health: Any, database_at: Callable[[int], None]
) -> None:
    database_at(closed_port())
    health = get_health()
    assert (health["code"], not_passing(health)) == (503, UNKNOWN_WITHOUT_DATABASE)
    assert (health["scheduler"]["enabled"], health["scheduler"]["reason"]) == (
        None,
        "not known",
    )
    assert health["last_discovery_run"] is None


def test_it_responds_within_the_time_limit_while_every_server_hangs(
    healthy_system: None,
    get_health_as_operator: Any,
    settings: Any,
    database_at: Callable[[int], None],
    silent_server: SilentServer,
) -> None:
    database_at(silent_server.port)
    settings.REDIS_URL = f"redis://127.0.0.1:{silent_server.port}/0"
    health = get_health_as_operator()
    assert not_passing(health) == {**UNKNOWN_WITHOUT_DATABASE, "broker": "fail"}
    assert health["duration_ms"] <= MAX_DURATION_MS


def test_a_database_that_drops_queries_fails_within_the_time_limit(
    healthy_system: None, get_health: Any, database_at: Callable[[int], None]
) -> None:
    port = int(connections.settings["default"]["PORT"])
    with QueryDroppingProxy(port, b"SELECT 1") as server:
        database_at(server.port)
        health = get_health()
        assert server.has_dropped.is_set()
        assert not_passing(health)["database"] == "fail"
        assert health["duration_ms"] <= MAX_DURATION_MS
        for thread in threading.enumerate():
            if thread.name.startswith("health"):
                thread.join(timeout=3)
                assert not thread.is_alive(), (
                    "the check is still waiting for the server"
                )


def test_a_locked_table_does_not_affect_the_other_checks(
    healthy_system: None, get_health: Any
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE discovery_runs IN ACCESS EXCLUSIVE MODE")
        try:
            health = get_health()
        finally:
            cursor.execute("ROLLBACK")
    assert not_passing(health) == {"scheduler": "warn", "runs": "warn"}
    assert health["duration_ms"] <= MAX_DURATION_MS


def test_a_pending_migration_fails_and_is_named_to_operators(
    healthy_system: None, get_health_as_operator: Any
) -> None:
    recorder, (last,) = (
        MigrationRecorder(connection),
        MigrationLoader(connection).graph.leaf_nodes("discovery"),
    )
    recorder.record_unapplied(*last)
    try:
        health = get_health_as_operator()
    finally:
        recorder.record_applied(*last)
    assert (health["code"], not_passing(health)) == (503, {"migrations": "fail"})
    assert ".".join(last) in health["checks"]["migrations"]["output"]
    assert "manage.py migrate" in health["checks"]["migrations"]["output"]


def test_a_provider_whose_last_request_failed_warns(
    healthy_system: None, get_health_as_operator: Any
) -> None:
    Provider.objects.create(
        name="jupiter",
        last_success_at=timezone.now() - timedelta(minutes=9),
        last_failure_at=timezone.now() - timedelta(minutes=3),
        last_cause="HTTP 503 from https://api.example/?api-key=hunter2",
    )
    health = get_health_as_operator()
    assert (health["code"], health["status"], not_passing(health)) == (
        200,
        "warn",
        {"providers": "warn"},
    )
    check = health["checks"]["providers"]
    assert "jupiter: last failed 3 min ago (HTTP 503" in check["output"]
    assert "hunter2" not in check["output"]
    assert {name: facts["status"] for name, facts in check["facts"].items()} == {
        "helius": "pass",
        "jupiter": "warn",
    }


def test_a_provider_that_recovered_passes(
    healthy_system: None, get_health: Any
) -> None:
    earlier = timezone.now() - timedelta(minutes=1)
    Provider.objects.update(last_failure_at=earlier)
    assert not_passing(get_health()) == {}


def test_a_provider_with_an_open_circuit_warns(
    healthy_system: None, get_health: Any
) -> None:
    Provider.objects.update(open_until=timezone.now() + timedelta(seconds=50))
    assert not_passing(get_health()) == {"providers": "warn"}


def test_an_open_api_warns(
    healthy_system: None, get_health: Any, settings: Any
) -> None:
    settings.API_AUTH_ENABLED = False
    assert not_passing(get_health()) == {"api_auth": "warn"}


@pytest.mark.parametrize(
    ("url", "proxies", "status"),
    [
        ("https://walltrack.example", 1, "pass"),
        ("https://walltrack.example", 0, "warn"),  # every page would redirect to itself
        ("http://localhost:8080", 0, "pass"),
        ("http://walltrack.example", 0, "warn"),
    ],
)
def test_an_unencrypted_or_unreachable_public_url_warns(
    url: str,
    proxies: int,
    status: str,
    healthy_system: None,
    get_health: Any,
    settings: Any,
) -> None:
    settings.PUBLIC_URL, settings.TRUSTED_PROXY_COUNT = url, proxies
    assert get_health()["checks"]["transport"]["status"] == status


def other_session_count() -> int:
    """Return the number of sessions of this database other than the test's own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


def test_checks_close_their_connections(
    healthy_system: None, get_health_as_operator: Any
) -> None:
    get_health_as_operator()
    # The server ends a session a moment after its client has disconnected.
    deadline = time.monotonic() + 10
    while other_session_count() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert other_session_count() == 0


def test_a_change_of_the_status_is_logged_once(
    healthy_system: None,
    get_health: Any,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    get_health()
    caplog.clear()
    settings.REDIS_URL = f"redis://127.0.0.1:{closed_port()}/0"
    get_health()
    get_health()
    records = [
        record
        for record in caplog.records
        if record.name.startswith(("health", "django.request"))
    ]
    assert [(record.levelname, record.getMessage()) for record in records] == [
        ("ERROR", "health: fail")
    ]
    assert "broker" in records[0].checks

"""/health/detailed tells the truth, in time, whatever is broken."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as configured
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from ill_servers import Silent, Swallowing, closed_port

from discovery.models import DiscoveryConfig, DiscoveryHeartbeat, DiscoveryProvider, DiscoveryRun, DiscoveryRunStep

BOUND_MS = 2500
CHECKS = {
    "database", "migrations", "broker", "workers", "canary", "beat", "tick", "providers", "scheduler", "runs",
    "api_auth", "transport",
}  # fmt: skip


def states(page: dict[str, Any]) -> dict[str, str]:
    """The checks that do not pass."""
    return {name: check["status"] for name, check in page["checks"].items() if check["status"] != "pass"}


def test_all_well_passes_in_every_check(all_well: None, ask: Any) -> None:
    page = ask()
    assert (page["code"], page["status"], states(page)) == (200, "pass", {})
    assert set(page["checks"]) == CHECKS
    assert page["duration_ms"] <= BOUND_MS
    assert (page["instance"], page["version"]) == ("walltrack", configured.VERSION)


def test_the_schedule_is_shown(all_well: None, ask: Any) -> None:
    config, run = DiscoveryConfig.objects.get(), DiscoveryRun.objects.get()
    scheduler = ask()["scheduler"]
    assert {
        name: scheduler[name] for name in ("enabled", "reason", "schedule_hours", "overdue_seconds", "running")
    } == {
        "enabled": True,
        "reason": "",
        "schedule_hours": 6,
        "overdue_seconds": 0,
        "running": None,
    }
    shown = (datetime.fromisoformat(scheduler["next_run"]), datetime.fromisoformat(scheduler["last_run"]))
    assert shown == (config.next_run_at.replace(microsecond=0), run.started_at.replace(microsecond=0))


def test_the_last_run_is_shown(all_well: None, ask: Any) -> None:
    run = DiscoveryRun.objects.get()
    DiscoveryRun.objects.update(errors=["one", {"step": "token", "code": "x", "message": "two"}])
    last = ask()["last_discovery_run"]
    assert set(last) == {
        "id", "status", "trigger_type", "started_at", "completed_at", "duration_seconds", "tokens_analyzed",
        "new_wallets", "updated_wallets", "errors",
    }  # fmt: skip
    assert (last["id"], last["status"], last["trigger_type"]) == (str(run.pk), "completed", "scheduled")
    assert (last["duration_seconds"], last["tokens_analyzed"]) == (90.25, 7)
    assert (last["new_wallets"], last["updated_wallets"], last["errors"]) == (3, 2, 2)


@pytest.mark.parametrize(
    ("part", "age_seconds", "status"),
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
def test_a_part_that_falls_silent_is_said(
    part: str, age_seconds: int, status: str, all_well: None, heartbeat: Any, ask: Any
) -> None:
    heartbeat(part, age_seconds=age_seconds)
    page = ask()
    name = part.partition(":")[0].replace("worker", "workers")
    assert states(page) == ({} if status == "pass" else {name: status})
    assert (page["status"], page["code"]) == (status, 503 if status == "fail" else 200)


def test_messages_that_wait_behind_busy_workers_are_late_but_not_lost(
    all_well: None, heartbeat: Any, ask_as_operator: Any
) -> None:
    heartbeat("worker:host-17:42", concurrency=4, active=4)
    heartbeat("canary", age_seconds=600)
    page = ask_as_operator()
    assert (page["code"], states(page)) == (200, {"canary": "warn"})
    assert "every worker is busy" in page["checks"]["canary"]["output"]


def test_a_worker_that_has_just_started_is_given_time_for_its_first_message(
    transactional_db: None, heartbeat: Any, ask_as_operator: Any
) -> None:
    heartbeat("beat")
    heartbeat("worker:host-17:42", started_at=timezone.now().isoformat())
    page = ask_as_operator()
    assert (page["code"], states(page)) == (200, {"canary": "warn", "tick": "warn"})
    assert "has not been seen yet: the workers have just started" in page["checks"]["canary"]["output"]
    heartbeat("worker:host-17:42", started_at=(timezone.now() - timedelta(minutes=4)).isoformat())
    assert states(ask_as_operator()) == {"canary": "fail", "tick": "fail"}


def test_one_living_worker_of_two_is_enough(all_well: None, heartbeat: Any, ask_as_operator: Any) -> None:
    heartbeat("worker:host-18:43", age_seconds=7200)
    check = ask_as_operator()["checks"]["workers"]
    assert (check["status"], check["output"], set(check["facts"])) == ("pass", "one worker", {"host-17:42"})


def test_time_that_passes_without_a_word_makes_every_part_fail(all_well: None, ask: Any) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        assert states(ask()) == {"workers": "fail", "canary": "fail", "beat": "fail", "tick": "fail"}


def test_a_fresh_system_says_that_its_parts_have_not_been_seen_yet(ask_as_operator: Any) -> None:
    page = ask_as_operator()
    for name in ("workers", "canary", "beat", "tick"):
        assert page["checks"][name]["status"] == "fail"
        assert "has not been seen yet" in page["checks"][name]["output"]
    assert page["checks"]["providers"] == {
        "status": "pass",
        "time": page["checks"]["providers"]["time"],
        "output": "no provider has been called yet",
    }


def test_a_worker_that_was_stopped_in_order_is_missed(all_well: None, ask_as_operator: Any) -> None:
    DiscoveryHeartbeat.objects.filter(name__startswith="worker:").delete()
    page = ask_as_operator()
    assert (page["code"], states(page)) == (503, {"workers": "fail"})
    assert page["checks"]["workers"]["output"] == "no worker is running: start walltrack-worker"


def test_without_a_run_the_last_one_is_null(all_well: None, ask_as_operator: Any) -> None:
    DiscoveryRun.objects.all().delete()
    page = ask_as_operator()
    assert (page["last_discovery_run"], page["scheduler"]["last_run"]) == (None, None)
    assert (page["status"], page["checks"]["runs"]["output"]) == ("pass", "no run yet")


def test_a_broker_that_is_down_fails(all_well: None, ask: Any, settings: Any) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{closed_port()}/0"
    page = ask()
    assert (page["code"], states(page)) == (503, {"broker": "fail"})
    assert page["duration_ms"] <= BOUND_MS


def test_a_broker_that_hangs_fails_within_the_bound(all_well: None, ask: Any, settings: Any, silent: Silent) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{silent.port}/0"
    page = ask()
    assert (page["code"], states(page)) == (503, {"broker": "fail"})
    assert page["duration_ms"] <= BOUND_MS


UNKNOWN_WITHOUT_DATABASE = {
    "database": "fail", "migrations": "fail", "workers": "warn", "canary": "warn", "beat": "warn", "tick": "warn",
    "providers": "warn", "scheduler": "warn", "runs": "warn",
}  # fmt: skip


def test_a_database_that_is_down_fails_and_the_rest_is_not_known(
    all_well: None, ask: Any, database_at: Callable[[int], None]
) -> None:
    database_at(closed_port())
    page = ask()
    assert (page["code"], states(page)) == (503, UNKNOWN_WITHOUT_DATABASE)
    assert (page["scheduler"]["enabled"], page["scheduler"]["reason"]) == (None, "not known")
    assert page["last_discovery_run"] is None


def test_everything_hanging_at_once_still_answers_within_the_bound(
    all_well: None, ask_as_operator: Any, settings: Any, database_at: Callable[[int], None], silent: Silent
) -> None:
    database_at(silent.port)
    settings.REDIS_URL = f"redis://127.0.0.1:{silent.port}/0"
    page = ask_as_operator()
    assert states(page) == {**UNKNOWN_WITHOUT_DATABASE, "broker": "fail"}
    assert page["duration_ms"] <= BOUND_MS


def test_a_database_that_takes_connections_and_swallows_queries_fails_within_the_bound(
    all_well: None, ask: Any, database_at: Callable[[int], None]
) -> None:
    port = int(connections.settings["default"]["PORT"])
    with Swallowing(port, b"SELECT 1") as server:
        database_at(server.port)
        page = ask()
        assert server.swallowed.is_set()
        assert states(page)["database"] == "fail"
        assert page["duration_ms"] <= BOUND_MS
        for thread in threading.enumerate():
            if thread.name.startswith("health"):
                thread.join(timeout=3)
                assert not thread.is_alive(), "the check still waits for the server"


def test_a_locked_table_leaves_the_other_checks_in_sight(all_well: None, ask: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE discovery_runs IN ACCESS EXCLUSIVE MODE")
        try:
            page = ask()
        finally:
            cursor.execute("ROLLBACK")
    assert states(page) == {"scheduler": "warn", "runs": "warn"}
    assert page["duration_ms"] <= BOUND_MS


def test_a_pending_migration_fails_and_is_named_to_operators(all_well: None, ask_as_operator: Any) -> None:
    recorder, (last,) = MigrationRecorder(connection), MigrationLoader(connection).graph.leaf_nodes("discovery")
    recorder.record_unapplied(*last)
    try:
        page = ask_as_operator()
    finally:
        recorder.record_applied(*last)
    assert (page["code"], states(page)) == (503, {"migrations": "fail"})
    assert ".".join(last) in page["checks"]["migrations"]["output"]
    assert "manage.py migrate" in page["checks"]["migrations"]["output"]


def test_a_provider_whose_last_answer_was_a_failure_warns(all_well: None, ask_as_operator: Any) -> None:
    DiscoveryProvider.objects.create(
        name="jupiter",
        last_success_at=timezone.now() - timedelta(minutes=9),
        last_failure_at=timezone.now() - timedelta(minutes=3),
        last_cause="HTTP 503 from https://api.example/?api-key=hunter2",
    )
    page = ask_as_operator()
    assert (page["code"], page["status"], states(page)) == (200, "warn", {"providers": "warn"})
    check = page["checks"]["providers"]
    assert "jupiter: last failed 3 min ago (HTTP 503" in check["output"]
    assert "hunter2" not in check["output"]
    assert {name: facts["status"] for name, facts in check["facts"].items()} == {"helius": "pass", "jupiter": "warn"}


def test_a_provider_that_recovered_passes(all_well: None, ask: Any) -> None:
    earlier = timezone.now() - timedelta(minutes=1)
    DiscoveryProvider.objects.update(last_failure_at=earlier)
    assert states(ask()) == {}


def test_a_provider_that_is_left_alone_warns(all_well: None, ask: Any) -> None:
    DiscoveryProvider.objects.update(open_until=timezone.now() + timedelta(seconds=50))
    assert states(ask()) == {"providers": "warn"}


def test_a_schedule_switched_off_in_the_configuration_warns_and_says_why(all_well: None, ask: Any) -> None:
    DiscoveryConfig.objects.update(enabled=False)
    page = ask()
    assert (page["code"], states(page)) == (200, {"scheduler": "warn"})
    scheduler = page["scheduler"]
    assert (scheduler["enabled"], scheduler["reason"]) == (False, "switched off in the configuration")
    assert scheduler["next_run"] is None


def test_a_schedule_switched_off_in_the_environment_warns_and_says_why(all_well: None, ask: Any, settings: Any) -> None:
    settings.DISCOVERY_SCHEDULER_ENABLED = False
    page = ask()
    assert (page["code"], states(page)) == (200, {"scheduler": "warn"})
    assert page["scheduler"]["reason"] == "DISCOVERY_SCHEDULER_ENABLED=false in the environment"


@pytest.mark.parametrize(
    ("late", "status", "overdue_seconds"),
    [
        (timedelta(seconds=90), "pass", 0),
        (timedelta(minutes=3), "warn", 180),
        (timedelta(hours=11, minutes=59), "warn", 43_140),
        (timedelta(hours=12, minutes=1), "fail", 43_260),
    ],
)
def test_a_run_that_does_not_come_is_overdue(
    late: timedelta, status: str, overdue_seconds: int, all_well: None, ask: Any
) -> None:
    DiscoveryHeartbeat.objects.update(at=timezone.now() + late)
    DiscoveryConfig.objects.update(next_run_at=timezone.now())
    with time_machine.travel(timezone.now() + late):
        page = ask()
    assert states(page) == ({} if status == "pass" else {"scheduler": status})
    assert page["scheduler"]["overdue_seconds"] == pytest.approx(overdue_seconds, abs=2)


def test_a_run_that_stalls_warns(all_well: None, make_run: Any, ask_as_operator: Any) -> None:
    old = timezone.now() - timedelta(seconds=configured.STEP_DEAD_SECONDS + 5)
    run = make_run(began=old, status="running", stage="analyse", completed_at=None, heartbeat_at=old)
    page = ask_as_operator()
    assert (page["code"], states(page)) == (200, {"runs": "warn"})
    assert "has stalled" in page["checks"]["runs"]["output"]
    assert page["scheduler"]["running"] == str(run.pk)


def test_a_run_lives_while_one_of_its_steps_does(all_well: None, make_run: Any, ask: Any) -> None:
    old = timezone.now() - timedelta(minutes=10)
    run = make_run(began=old, status="running", stage="analyse", completed_at=None, heartbeat_at=old)
    DiscoveryRunStep.objects.create(run=run, kind="find", key="", status="done", heartbeat_at=old)
    DiscoveryRunStep.objects.create(run=run, kind="token", key="", status="running", heartbeat_at=timezone.now())
    assert states(ask()) == {}


def test_a_run_that_waits_for_its_next_attempt_has_not_stalled(all_well: None, make_run: Any, ask: Any) -> None:
    old = timezone.now() - timedelta(minutes=10)
    run = make_run(began=old, status="running", stage="analyse", completed_at=None, heartbeat_at=old)
    soon = timezone.now() + timedelta(seconds=30)
    DiscoveryRunStep.objects.create(run=run, kind="find", key="", heartbeat_at=old, available_at=soon)
    assert states(ask()) == {}


def test_a_queued_run_that_nobody_takes_has_stalled(all_well: None, make_run: Any, ask: Any) -> None:
    old = timezone.now() - timedelta(minutes=3)
    make_run(began=old, status="queued", stage="queued", completed_at=None)
    assert states(ask()) == {"runs": "warn"}


def test_a_run_of_the_earlier_system_left_running_is_not_active(all_well: None, make_run: Any, ask: Any) -> None:
    make_run(began=timezone.now() - timedelta(days=9), status="running", stage=None, completed_at=None)
    page = ask()
    assert (states(page), page["scheduler"]["running"]) == ({}, None)


def test_a_failed_last_run_warns_with_its_words(all_well: None, make_run: Any, ask_as_operator: Any) -> None:
    make_run(began=timezone.now(), status="failed", errors=["no provider answered"])
    page = ask_as_operator()
    assert states(page) == {"runs": "warn"}
    assert "no provider answered" in page["checks"]["runs"]["output"]
    assert page["last_discovery_run"]["error_messages"] == ["no provider answered"]


def test_an_open_api_warns(all_well: None, ask: Any, settings: Any) -> None:
    settings.API_AUTH_ENABLED = False
    assert states(ask()) == {"api_auth": "warn"}


@pytest.mark.parametrize(
    ("url", "proxies", "status"),
    [
        ("https://walltrack.example", 1, "pass"),
        ("https://walltrack.example", 0, "warn"),  # every page would be redirected to itself
        ("http://localhost:8080", 0, "pass"),
        ("http://walltrack.example", 0, "warn"),
    ],
)
def test_a_way_in_that_is_open_or_leads_nowhere_warns(
    url: str, proxies: int, status: str, all_well: None, ask: Any, settings: Any
) -> None:
    settings.PUBLIC_URL, settings.TRUSTED_PROXY_COUNT = url, proxies
    assert ask()["checks"]["transport"]["status"] == status


def others_connected() -> int:
    """Sessions of this database beside ours, as they are now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


def test_checks_close_their_connections(all_well: None, ask_as_operator: Any) -> None:
    ask_as_operator()
    # The server ends a session a moment after its client has left.
    deadline = time.monotonic() + 10
    while others_connected() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert others_connected() == 0


def test_a_change_is_told_once_in_the_log(
    all_well: None, ask: Any, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    ask()
    caplog.clear()
    settings.REDIS_URL = f"redis://127.0.0.1:{closed_port()}/0"
    ask(), ask()
    told = [record for record in caplog.records if record.name.startswith(("health", "django.request"))]
    assert [(record.levelname, record.getMessage()) for record in told] == [("ERROR", "health: fail")]
    assert "broker" in told[0].checks

"""/health/detailed reports the schedule, the last run and a run that has stalled."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as configured
from django.utils import timezone

from discovery.models import Config, Run, RunStep
from tests.health.health_report import not_passing


def test_the_schedule_is_reported(healthy_system: None, get_health: Any) -> None:
    config, run = Config.objects.get(), Run.objects.get()
    scheduler = get_health()["scheduler"]
    assert {
        name: scheduler[name]
        for name in (
            "enabled",
            "reason",
            "schedule_hours",
            "overdue_seconds",
            "running",
        )
    } == {
        "enabled": True,
        "reason": "",
        "schedule_hours": 6,
        "overdue_seconds": 0,
        "running": None,
    }
    times = (
        datetime.fromisoformat(scheduler["next_run"]),
        datetime.fromisoformat(scheduler["last_run"]),
    )
    assert times == (
        config.next_run_at.replace(microsecond=0),
        run.started_at.replace(microsecond=0),
    )


def test_the_last_run_is_reported(healthy_system: None, get_health: Any) -> None:
    run = Run.objects.get()
    Run.objects.update(errors=["one", {"step": "token", "code": "x", "message": "two"}])
    last = get_health()["last_discovery_run"]
    assert set(last) == {
        "id", "status", "trigger_type", "started_at", "completed_at", "duration_seconds", "tokens_analyzed",
        "new_wallets", "updated_wallets", "errors",
    }  # fmt: skip
    assert (last["id"], last["status"], last["trigger_type"]) == (
        str(run.pk),
        "completed",
        "scheduled",
    )
    assert (last["duration_seconds"], last["tokens_analyzed"]) == (90.25, 7)
    assert (last["new_wallets"], last["updated_wallets"], last["errors"]) == (3, 2, 2)


def test_a_schedule_switched_off_in_the_configuration_warns(
    healthy_system: None, get_health: Any
) -> None:
    Config.objects.update(enabled=False)
    health = get_health()
    assert (health["code"], not_passing(health)) == (200, {"scheduler": "warn"})
    scheduler = health["scheduler"]
    assert (scheduler["enabled"], scheduler["reason"]) == (
        False,
        "switched off in the configuration",
    )
    assert scheduler["next_run"] is None


def test_a_schedule_switched_off_in_the_environment_warns(
    healthy_system: None, get_health: Any, settings: Any
) -> None:
    settings.DISCOVERY_SCHEDULER_ENABLED = False
    health = get_health()
    assert (health["code"], not_passing(health)) == (200, {"scheduler": "warn"})
    assert (
        health["scheduler"]["reason"]
        == "DISCOVERY_SCHEDULER_ENABLED=false in the environment"
    )


@pytest.mark.parametrize(
    ("delay", "status", "overdue_seconds"),
    [
        (timedelta(seconds=90), "pass", 0),
        (timedelta(minutes=3), "warn", 180),
        (timedelta(hours=11, minutes=59), "warn", 43_140),
        (timedelta(hours=12, minutes=1), "fail", 43_260),
    ],
)
def test_a_run_that_does_not_start_is_overdue(
    delay: timedelta,
    status: str,
    overdue_seconds: int,
    healthy_system: None,
    get_health: Any,
) -> None:
    Config.objects.update(next_run_at=timezone.now() - delay)
    health = get_health()
    assert not_passing(health) == ({} if status == "pass" else {"scheduler": status})
    assert health["scheduler"]["overdue_seconds"] == pytest.approx(
        overdue_seconds, abs=2
    )


def test_a_run_that_stalls_warns(
    healthy_system: None, make_run: Any, get_health_as_operator: Any
) -> None:
    old = timezone.now() - timedelta(seconds=configured.STEP_DEAD_SECONDS + 5)
    run = make_run(
        began=old,
        created_at=old,
        status="running",
        stage="analyse",
        completed_at=None,
        heartbeat_at=old,
    )
    health = get_health_as_operator()
    assert (health["code"], not_passing(health)) == (200, {"runs": "warn"})
    assert "has stalled" in health["checks"]["runs"]["output"]
    assert health["scheduler"]["running"] == str(run.pk)


def test_a_run_with_a_live_step_has_not_stalled(
    healthy_system: None, make_run: Any, get_health: Any
) -> None:
    old = timezone.now() - timedelta(minutes=10)
    run = make_run(
        began=old,
        status="running",
        stage="analyse",
        completed_at=None,
        heartbeat_at=old,
    )
    RunStep.objects.create(
        run=run, kind="find", key="", status="done", heartbeat_at=old
    )
    RunStep.objects.create(
        run=run, kind="token", key="", status="running", heartbeat_at=timezone.now()
    )
    assert not_passing(get_health()) == {}


def test_a_run_that_waits_for_its_next_attempt_has_not_stalled(
    healthy_system: None, make_run: Any, get_health: Any
) -> None:
    old = timezone.now() - timedelta(minutes=10)
    run = make_run(
        began=old,
        status="running",
        stage="analyse",
        completed_at=None,
        heartbeat_at=old,
    )
    soon = timezone.now() + timedelta(seconds=30)
    RunStep.objects.create(
        run=run, kind="find", key="", heartbeat_at=old, available_at=soon
    )
    assert not_passing(get_health()) == {}


def test_a_queued_run_that_no_worker_takes_has_stalled(
    healthy_system: None, make_run: Any, get_health: Any
) -> None:
    old = timezone.now() - timedelta(minutes=3)
    make_run(
        began=old, created_at=old, status="queued", stage="queued", completed_at=None
    )
    assert not_passing(get_health()) == {"runs": "warn"}


def test_an_unfinished_run_of_the_previous_system_is_not_active(
    healthy_system: None, make_run: Any, get_health: Any
) -> None:
    make_run(
        began=timezone.now() - timedelta(days=9),
        status="running",
        stage=None,
        completed_at=None,
    )
    health = get_health()
    assert (not_passing(health), health["scheduler"]["running"]) == ({}, None)


def test_a_failed_last_run_warns_with_its_error(
    healthy_system: None, make_run: Any, get_health_as_operator: Any
) -> None:
    make_run(began=timezone.now(), status="failed", errors=["no provider answered"])
    health = get_health_as_operator()
    assert not_passing(health) == {"runs": "warn"}
    assert "no provider answered" in health["checks"]["runs"]["output"]
    assert health["last_discovery_run"]["error_messages"] == ["no provider answered"]

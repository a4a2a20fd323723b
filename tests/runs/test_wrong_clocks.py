"""Workers whose clocks are two hours off: runs end like undisturbed ones, dead workers
block nothing, living ones are not reaped.
"""

import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import redis as redis_client
import time_machine
from django.utils import timezone

from discovery.domain.run_params import Params
from discovery.jobs import (
    lone_steps,
    maintenance,
    periodic_messages,
    run_lifecycle,
)
from discovery.models import Heartbeat, Run, RunStep, Wallet
from discovery.models.enums import StepKind, Trigger
from discovery.tasks import canary_task
from tests.markets import RunningMarket
from tests.runs.workers import (
    ROOT,
    WORLD,
    Program,
    assert_true,
    environment,
    over,
    true_rows,
    wait_for,
    workers,
)

HOURS = 2
AHEAD, BEHIND = HOURS * 3600, -HOURS * 3600
SLACK = timedelta(minutes=2)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def market(use_market: Callable) -> RunningMarket:
    return use_market(*WORLD)


@pytest.fixture
def env(market: RunningMarket, settings) -> dict[str, str]:
    settings.STEP_DEAD_SECONDS = 5
    redis_client.Redis.from_url(settings.REDIS_URL).flushdb()
    return environment(market.urls())


def wrong(env: dict[str, str], seconds: int) -> dict[str, str]:
    """The environment of a worker whose clock is wrong by so many seconds."""
    return {
        **env,
        "PYTHONPATH": str(Path(__file__).parent / "wrong_clock"),
        "WRONG_CLOCK_SECONDS": str(seconds),
    }


def start() -> Run:
    return run_lifecycle.start(
        run_lifecycle.RunRequest(
            params=Params(), trigger=Trigger.API, triggered_by="test"
        )
    )


def request_profile() -> RunStep:
    address = true_rows()[0][0]
    Wallet.objects.create(address=address)
    return lone_steps.add_lone_step(StepKind.PROFILE, address)


@pytest.mark.parametrize("seconds", [AHEAD, BEHIND])
def test_the_clock_of_such_a_process_is_wrong(
    seconds: int, env: dict[str, str]
) -> None:
    command = "from datetime import *; print(datetime.now(UTC).isoformat())"
    shown = subprocess.check_output(
        [sys.executable, "-c", command], cwd=ROOT, env=wrong(env, seconds), text=True
    )
    wrong_by = datetime.fromisoformat(shown.strip()) - timezone.now()
    assert abs(wrong_by - timedelta(seconds=seconds)) < SLACK


@pytest.mark.parametrize("seconds", [AHEAD, BEHIND])
def test_a_run_by_a_worker_with_a_wrong_clock_ends_like_any_other(
    seconds: int, env: dict[str, str], tmp_path: Path
) -> None:
    with workers(1, wrong(env, seconds), tmp_path):
        run = start()
        assert wait_for(over(run), 300, meanwhile=maintenance.sweep)
        assert_true(run)
    assert set(run.steps.values_list("attempt", flat=True)) == {1}
    assert 0 < run.duration_seconds < 300
    for at in run.steps.values_list("completed_at", flat=True):
        assert abs(timezone.now() - at) < timedelta(minutes=10)


def test_a_dead_worker_two_hours_ahead_blocks_nothing(
    env: dict[str, str], market: RunningMarket, tmp_path: Path
) -> None:
    with workers(1, wrong(env, AHEAD), tmp_path) as (worker,):
        run = start()
        assert wait_for(
            lambda: run.steps.filter(kind="token", status="done").count() > 1, 60
        )
        with market.held():
            assert wait_for(lambda: run.steps.running().exists(), 30)
            worker.kill()
    Heartbeat.objects.all().delete()
    (tmp_path / "next").mkdir()
    with workers(1, env, tmp_path / "next"):
        assert wait_for(over(run), 300, meanwhile=maintenance.sweep)
        assert_true(run)
    assert run.steps.filter(attempt=2).exists()


@pytest.mark.parametrize("seconds", [AHEAD, BEHIND])
def test_a_living_worker_with_a_wrong_clock_is_not_reaped(
    seconds: int, env: dict[str, str], market: RunningMarket, tmp_path: Path, settings
) -> None:
    with workers(1, wrong(env, seconds), tmp_path), market.held():
        step = request_profile()
        running = RunStep.objects.running().filter(pk=step.pk)
        assert wait_for(running.exists, 30)
        claimed_by = running.get().claimed_by
        # Longer than a step may be silent, while its worker writes heartbeats.
        wait_for(
            lambda: False,
            settings.STEP_DEAD_SECONDS + 3,
            meanwhile=maintenance.sweep,
        )
        assert (running.get().claimed_by, running.get().attempt) == (claimed_by, 1)
        assert Heartbeat.objects.alive().count() == 1


def test_a_worker_two_hours_ahead_of_beat_takes_over_the_steps_of_a_dead_one(
    env: dict[str, str], tmp_path: Path
) -> None:
    step = request_profile()
    RunStep.objects.filter(pk=step.pk).update(
        status="running",
        attempt=1,
        claimed_by="dead:1:x",
        heartbeat_at=timezone.now() - timedelta(hours=1),
    )
    beat = Program(env, tmp_path / "beat.log", "beat")
    try:
        with workers(1, wrong(env, AHEAD), tmp_path):
            done = RunStep.objects.filter(pk=step.pk, status="done")
            assert wait_for(done.exists, 60)  # beat alone sweeps
    finally:
        beat.kill()


@pytest.mark.parametrize("seconds", [AHEAD, BEHIND])
def test_a_message_of_a_beat_with_a_wrong_clock_is_valid_as_long_as_any_other(
    seconds: int,
) -> None:
    right = timezone.now()
    with time_machine.travel(right + timedelta(seconds=seconds), tick=False):
        expires = (timezone.now() + timedelta(seconds=30)).isoformat()
        headers = {"expires": expires}
        periodic_messages.date_by_database(headers)
    assert headers["expires"] is None
    valid_until = headers[periodic_messages.VALID_UNTIL]
    left = datetime.fromisoformat(valid_until) - right
    assert abs(left - timedelta(seconds=30)) < timedelta(seconds=5)
    assert not periodic_messages.is_too_old(valid_until)


def test_a_periodic_message_past_its_time_does_nothing() -> None:
    request = {
        periodic_messages.VALID_UNTIL: (
            timezone.now() - timedelta(seconds=1)
        ).isoformat()
    }
    canary_task.push_request(**request)
    try:
        canary_task()
    finally:
        canary_task.pop_request()
    assert not Heartbeat.objects.filter(name="canary").exists()
    canary_task()
    assert Heartbeat.objects.filter(name="canary").exists()

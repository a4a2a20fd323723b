"""Times of the market in a run are those of the market's clock; leases, heartbeats and
durations are measured by the database's clock.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from discovery.jobs import heartbeats, run_lifecycle, scheduler, step_queue
from discovery.models import Config, Heartbeat, Run, RunStep
from discovery.models.enums import RunStatus
from discovery.reads import live
from tests.runs.started_runs import complete, start, step_of

SOON = timedelta(seconds=30)
PAST = datetime(2025, 3, 1, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def simulate(tmp_path: Path, settings) -> Callable[[datetime, float], None]:
    """`simulate(at, speed)`: the market is at this time now, and its clock runs so fast."""

    def write(at: datetime, speed: float) -> None:
        values = {"real": time.time(), "simulated": at.timestamp(), "speed": speed}
        path = tmp_path / "clock.json"
        path.write_text(json.dumps(values))
        settings.SIMULATED_CLOCK_FILE = str(path)

    return write


def close(run: Run) -> Run:
    run_lifecycle.close(run.pk, RunStatus.COMPLETED)
    run.refresh_from_db()
    return run


def test_the_duration_of_a_run_is_real_whatever_its_times_say() -> None:
    run = start()
    claim = step_queue.claim_step(step_of(run), "a")
    assert claim is not None
    run.steps.update(started_at=Now() - timedelta(seconds=90))
    Run.objects.update(started_at=timezone.now() + timedelta(hours=2))
    assert complete(claim, {}, {})
    assert 90 <= close(run).duration_seconds < 100


def test_the_duration_of_a_run_begins_with_the_first_attempt_at_its_search() -> None:
    run = start()
    step_id = step_of(run)
    first = step_queue.claim_step(step_id, "a")
    assert first is not None
    RunStep.objects.update(started_at=Now() - timedelta(seconds=90))
    step_queue.fail_or_retry(first, {}, code="x", cause="y", is_retryable=True)
    assert step_queue.claim_step(step_id, "b") is not None
    assert 90 <= close(run).duration_seconds < 100


def test_a_run_has_the_times_of_a_simulated_market_and_real_heartbeats(
    simulate: Callable[[datetime, float], None],
) -> None:
    simulate(PAST, 3600)
    run = start()
    claim = step_queue.claim_step(step_of(run), "a")
    assert claim is not None
    run_lifecycle.mark_running(run.pk)
    run.refresh_from_db()
    step = run.steps.get()
    assert PAST <= run.started_at < PAST + timedelta(days=1)
    for at in (run.heartbeat_at, step.started_at, step.heartbeat_at):
        assert abs(timezone.now() - at) < SOON
    view = live.active_run_view(run.pk)
    assert view is not None
    assert view.silent_seconds < 30
    assert complete(claim, {}, {})
    close(run)
    assert PAST <= run.completed_at < PAST + timedelta(days=1)
    assert 0 <= run.duration_seconds < 30


def test_slots_are_times_of_a_simulated_market_and_ticks_are_real(
    simulate: Callable[[datetime, float], None], config: Config
) -> None:
    simulate(PAST, 1)
    Config.objects.update(enabled=True, next_run_at=PAST + timedelta(hours=1))
    assert scheduler.tick() is None
    simulate(PAST + timedelta(hours=1), 1)
    run = scheduler.tick()
    assert run is not None
    assert run.scheduled_for == PAST + timedelta(hours=1)
    assert abs(timezone.now() - Heartbeat.objects.get(name="tick").at) < SOON


def test_heartbeats_of_workers_are_real_in_a_simulated_market(
    simulate: Callable[[datetime, float], None],
) -> None:
    simulate(PAST, 1)
    heartbeats.write_heartbeat("worker:test:1", {"concurrency": 2})
    assert Heartbeat.objects.alive().count() == 1

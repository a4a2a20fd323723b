"""Runs through real workers: the same wallets to the lamport, whatever is killed on the
way.

Short forms; the long ones, with moments of chance, are tests/faults (`make faults`).
"""

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import redis as redis_client

from discovery.domain.run_params import Params
from discovery.jobs import maintenance, run_lifecycle
from discovery.models import Run
from discovery.models.enums import Trigger
from tests.faults.servers import Broker
from tests.markets import RunningMarket
from tests.runs.workers import (
    ROOT,
    WORLD,
    Worker,
    assert_true,
    environment,
    over,
    wait_for,
    workers,
)

SWEEP = "from discovery.jobs import maintenance; maintenance.sweep()"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def market(use_market: Callable) -> RunningMarket:
    return use_market(*WORLD)


@pytest.fixture
def env(market: RunningMarket, settings) -> dict[str, str]:
    settings.STEP_DEAD_SECONDS = 5
    redis_client.Redis.from_url(settings.REDIS_URL).flushdb()
    return environment(market.urls())


def start(**more) -> Run:
    return run_lifecycle.start(
        run_lifecycle.RunRequest(
            params=Params(), trigger=Trigger.API, triggered_by="test", **more
        )
    )


def test_a_killed_worker_costs_time_and_nothing_else(
    env: dict[str, str], tmp_path: Path
) -> None:
    with workers(2, env, tmp_path) as both:
        run = start()
        victim: Worker = random.choice(both)
        assert wait_for(
            lambda: run.steps.filter(status="done").count() > random.randint(2, 40), 60
        )
        victim.kill()
        assert wait_for(over(run), 120, meanwhile=maintenance.sweep)
        assert_true(run)


def test_an_emptied_broker_costs_time_and_nothing_else(
    env: dict[str, str], tmp_path: Path, settings
) -> None:
    with workers(1, env, tmp_path):
        run = start()
        assert wait_for(lambda: run.steps.filter(status="done").count() > 3, 60)
        redis_client.Redis.from_url(settings.REDIS_URL).flushall()
        assert wait_for(over(run), 120, meanwhile=maintenance.sweep)
        assert_true(run)


def test_a_broker_that_is_killed_and_comes_back_empty_ends_no_worker(
    market: RunningMarket, tmp_path: Path
) -> None:
    broker = Broker(tmp_path)
    broker.start()
    env = environment(market.urls(), REDIS_URL=broker.url)

    def beside(*words: str) -> None:
        """Over that broker: this process has another."""
        subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=env,
            check=True,
            capture_output=True,
        )

    try:
        with workers(1, env, tmp_path) as (worker,):
            run = start()
            run.steps.update(
                enqueued_at=None
            )  # whom this process told does not listen here
            beside("shell", "-c", SWEEP)
            assert wait_for(
                lambda: run.steps.filter(kind="token", status="running").exists(), 60
            )
            broker.kill()
            wait_for(lambda: False, 2)  # how long it is away is what is tested
            broker.start()
            assert wait_for(
                over(run), 120, meanwhile=lambda: beside("shell", "-c", SWEEP)
            ), worker.log.read_text()
            assert worker.process.poll() is None, worker.log.read_text()
            assert_true(run)
    finally:
        broker.kill()


def test_a_market_that_is_down_for_a_while_costs_time_and_nothing_else(
    env: dict[str, str], market: RunningMarket, tmp_path: Path
) -> None:
    with workers(2, env, tmp_path):
        run = start()
        assert wait_for(lambda: run.steps.filter(status="done").count() > 3, 60)
        market.fault("*", "503", count=10**9)
        refused = market.stats()["faults"]
        assert wait_for(lambda: market.stats()["faults"] != refused, 30)
        wait_for(lambda: False, 5)  # how long it is down is what is tested
        market.clear_faults()
        assert wait_for(over(run), 120, meanwhile=maintenance.sweep)
        assert_true(run)


def test_a_stopped_worker_lets_go_of_its_steps_at_once(
    env: dict[str, str], tmp_path: Path
) -> None:
    with workers(1, env, tmp_path) as (worker,):
        run = start()
        assert wait_for(
            lambda: run.steps.filter(kind="token", status="running").exists(), 60
        )
        worker.stop()
        assert not run.steps.filter(status="running").exists()
        assert set(
            run.steps.filter(status="pending").values_list("attempt", flat=True)
        ) == {0}


def test_a_cancel_takes_effect_within_five_seconds_and_keeps_what_was_found(
    env: dict[str, str], tmp_path: Path
) -> None:
    with workers(1, env, tmp_path):
        run = start()
        assert wait_for(
            lambda: run.steps.filter(kind="token", status="done").count() >= 2, 60
        )
        run_lifecycle.request_cancel(run.pk)
        assert wait_for(over(run), 5)
        run.refresh_from_db()
        assert run.status == "cancelled"
        assert run.tokens_analyzed >= 2
